"""Life of a token, what may be tokenised, and for how long.

Clause: JRT0171-6.1.3-b
"""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from kuimen.kernels.elements.model import Element
from kuimen.kernels.tokens import TokenForm

FORM: Final = TokenForm(prefix="990000", length=19)  # no issuer has a number that begins with 99
TOKENISED: Final = frozenset({Element.BANK_CARD, Element.ACCOUNT_NUMBER})
LONGEST_LIFE: Final = timedelta(days=3 * 365)


class TokenState(StrEnum):
    """State of a token."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    DELETED = "deleted"


class TokenEvent(StrEnum):
    """What can happen to a token."""

    SUSPEND = "suspend"
    RESUME = "resume"
    DELETE = "delete"


TRANSITIONS: Final[Mapping[tuple[TokenState, TokenEvent], TokenState]] = MappingProxyType(
    {
        (TokenState.ACTIVE, TokenEvent.SUSPEND): TokenState.SUSPENDED,
        (TokenState.SUSPENDED, TokenEvent.RESUME): TokenState.ACTIVE,
        (TokenState.ACTIVE, TokenEvent.DELETE): TokenState.DELETED,
        (TokenState.SUSPENDED, TokenEvent.DELETE): TokenState.DELETED,
    }
)


def next_state(state: TokenState, event: TokenEvent) -> TokenState | None:
    """Return the state after `event`, or None where the table does not allow it."""
    return TRANSITIONS.get((state, event))
