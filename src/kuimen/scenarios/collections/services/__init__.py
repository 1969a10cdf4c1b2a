"""Use cases of collection: build, dispatch, work, look."""

from kuimen.scenarios.collections.services.building import BuildReport, build_cases, create_case
from kuimen.scenarios.collections.services.collectors import Collector, collectors
from kuimen.scenarios.collections.services.lookup import CaseSummary
from kuimen.scenarios.collections.services.pages import (
    CasePage,
    CaseView,
    HistoryStep,
    challenge,
    list_cases,
    open_case,
    reveal,
)
from kuimen.scenarios.collections.services.searching import FoundCases, offered_searches, search_cases
from kuimen.scenarios.collections.services.stepping import (
    apply_event,
    assign,
    assign_evenly,
    hold,
    recall,
    waiting_cases,
)

__all__ = [
    "BuildReport",
    "CasePage",
    "CaseSummary",
    "CaseView",
    "Collector",
    "FoundCases",
    "HistoryStep",
    "apply_event",
    "assign",
    "assign_evenly",
    "build_cases",
    "challenge",
    "collectors",
    "create_case",
    "hold",
    "list_cases",
    "offered_searches",
    "open_case",
    "recall",
    "reveal",
    "search_cases",
    "waiting_cases",
]
