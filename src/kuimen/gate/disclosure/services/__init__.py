"""Use cases of the only door to a value."""

from kuimen.gate.disclosure.results import (
    ChallengeResult,
    DisclosureCount,
    MaskedPage,
    Revealed,
    SearchResult,
    ViewTrace,
    Watermark,
)
from kuimen.gate.disclosure.rules import REASON_TITLES, Limits, Reason, ReasonCode
from kuimen.gate.disclosure.scope import ObjectScope, register_object_scope
from kuimen.gate.disclosure.services.bulk import bulk_for_system
from kuimen.gate.disclosure.services.challenges import challenge
from kuimen.gate.disclosure.services.limits import limit_request, set_limit
from kuimen.gate.disclosure.services.pages import masked_page
from kuimen.gate.disclosure.services.reports import resolve_view, statistics
from kuimen.gate.disclosure.services.reveals import reveal
from kuimen.gate.disclosure.services.searching import search
from kuimen.gate.disclosure.services.usage import limits_in_force

__all__ = [
    "REASON_TITLES",
    "ChallengeResult",
    "DisclosureCount",
    "Limits",
    "MaskedPage",
    "ObjectScope",
    "Reason",
    "ReasonCode",
    "Revealed",
    "SearchResult",
    "ViewTrace",
    "Watermark",
    "bulk_for_system",
    "challenge",
    "limit_request",
    "limits_in_force",
    "masked_page",
    "register_object_scope",
    "resolve_view",
    "reveal",
    "search",
    "set_limit",
    "statistics",
]
