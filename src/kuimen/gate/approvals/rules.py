"""The life of an approval ticket, and the digest that binds it to one request."""

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final
from uuid import UUID

from kuimen.gate.approvals.errors import TicketInputError

DEFAULT_LIFETIME: Final = timedelta(hours=24)
LONGEST_LIFETIME: Final = timedelta(days=7)


class TicketState(StrEnum):
    """Life of a ticket."""

    REQUESTED = "requested"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    REDEEMED = "redeemed"


class TicketEvent(StrEnum):
    """What can happen to a ticket."""

    APPROVE = "approve"
    REFUSE = "refuse"
    WITHDRAW = "withdraw"
    EXPIRE = "expire"
    REDEEM = "redeem"


TICKET_TRANSITIONS: Final[Mapping[tuple[TicketState, TicketEvent], TicketState]] = MappingProxyType(
    {
        (TicketState.REQUESTED, TicketEvent.APPROVE): TicketState.APPROVED,
        (TicketState.REQUESTED, TicketEvent.REFUSE): TicketState.REFUSED,
        (TicketState.REQUESTED, TicketEvent.WITHDRAW): TicketState.WITHDRAWN,
        (TicketState.REQUESTED, TicketEvent.EXPIRE): TicketState.EXPIRED,
        (TicketState.APPROVED, TicketEvent.WITHDRAW): TicketState.WITHDRAWN,
        (TicketState.APPROVED, TicketEvent.EXPIRE): TicketState.EXPIRED,
        (TicketState.APPROVED, TicketEvent.REDEEM): TicketState.REDEEMED,
    }
)
OPEN_STATES: Final = frozenset({TicketState.REQUESTED, TicketState.APPROVED})


def next_ticket_state(state: TicketState, event: TicketEvent) -> TicketState | None:
    """Return the state after `event`, or None where the table does not allow it."""
    return TICKET_TRANSITIONS.get((state, event))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """A ticket as other rooms see it."""

    ticket_id: UUID
    action: str
    object_type: str
    object_ref: str
    maker: str
    checker: str
    state: TicketState
    requested_at: datetime
    expires_at: datetime


def digest_of_request(action: str, content: Mapping[str, object]) -> bytes:
    """Return the SM3 digest, 32 bytes, of an action and its content in canonical JSON.

    Raises:
        TicketInputError: the content holds something that has no single spelling, such as a float.
    """
    document = {"action": action, "content": _canonical(content)}
    text = json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.new("sm3", text.encode()).digest()


def same_digest(left: bytes, right: bytes) -> bool:
    """Compare two digests in constant time."""
    return hmac.compare_digest(left, right)


def _canonical(value: object) -> object:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping) and all(isinstance(name, str) for name in value):
        return {name: _canonical(one) for name, one in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return [_canonical(one) for one in value]
    raise TicketInputError(
        "digest_of: text, whole numbers, booleans, null, identifiers, moments, lists and mappings only"
    )
