"""Legal bases and consent acts: which basis carries a purpose, and what makes a consent a person's own act."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final
from uuid import UUID

from kuimen.gate.access.rules import Purpose

DIGEST_BYTES: Final = 32


class Basis(StrEnum):
    """Why a person's data may be processed (PIPL article 13)."""

    CONTRACT = "contract"
    LEGAL_DUTY = "legal_duty"
    CONSENT = "consent"


# A basis that needs no act comes first, so that nobody is asked for a consent that carries nothing.
PRECEDENCE: Final = (Basis.LEGAL_DUTY, Basis.CONTRACT, Basis.CONSENT)
CONTRACT_PURPOSES: Final = (Purpose.SERVICING, Purpose.COLLECTION)  # what a loan contract itself carries


class ActKind(StrEnum):
    """What the person did."""

    CLICK = "click"
    TICK = "tick"


class ActState(StrEnum):
    """Life of a consent act."""

    GIVEN = "given"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


class ActEvent(StrEnum):
    """What can happen to a consent act."""

    EXPIRE = "expire"
    WITHDRAW = "withdraw"


ACT_TRANSITIONS: Final[Mapping[tuple[ActState, ActEvent], ActState]] = MappingProxyType(
    {
        (ActState.GIVEN, ActEvent.EXPIRE): ActState.EXPIRED,
        (ActState.GIVEN, ActEvent.WITHDRAW): ActState.WITHDRAWN,
    }
)


def next_act_state(state: ActState, event: ActEvent) -> ActState | None:
    """Return the state after `event`, or None where the table does not allow it."""
    return ACT_TRANSITIONS.get((state, event))


def act_state(*, valid_until: datetime | None, withdrawn_at: datetime | None, at: datetime) -> ActState:
    """Return the state of an act at the moment `at`."""
    if withdrawn_at is not None and withdrawn_at <= at:
        return ActState.WITHDRAWN
    if valid_until is not None and valid_until <= at:
        return ActState.EXPIRED
    return ActState.GIVEN


@dataclass(frozen=True, slots=True, kw_only=True)
class LegalBasis:
    """One basis for one purpose, with where its evidence lies."""

    basis_id: UUID
    customer_ref: UUID
    basis: Basis
    purpose: Purpose
    evidence: str  # source coordinates, duty, or consent act; never a personal value
    evidence_digest: bytes
    valid_from: datetime
    valid_until: datetime | None

    def holds_at(self, at: datetime) -> bool:
        """Return whether it carries its purpose at the moment `at`."""
        return self.valid_from <= at and (self.valid_until is None or at < self.valid_until)


def strongest(bases: Iterable[LegalBasis], *, at: datetime) -> LegalBasis | None:
    """Return the basis that carries the purpose now: duty before contract before consent, then the oldest."""
    holding = [basis for basis in bases if basis.holds_at(at)]
    return min(holding, key=lambda one: (PRECEDENCE.index(one.basis), one.valid_from, one.basis_id), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractEvidence:
    """A source row that proves a contract with a customer."""

    customer_ref: UUID
    source_id: str
    source_table: str
    source_key: str  # the row's key in its table, without personal data
    digest: bytes  # SM3 of the row as read, 32 bytes
    since: date


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentVersion:
    """One version of a text that is shown to customers."""

    code: str
    version: int
    title: str
    body: str
    sm3: str  # of the body, hexadecimal


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerAct:
    """What a customer was shown and did.

    Attributes:
        document: code of the text.
        shown_sm3: SM3 of the text as it was shown, hexadecimal.
        purpose: what for, a value of `Purpose`.
        kind: what the person did, ``click`` or ``tick``.
        initially_selected: whether the box was ticked beforehand; then it is no act.
        shown_at: when the text was shown, aware.
        channel: where, for example ``app``.
        valid_until: when the consent ends by itself, aware, or None.
    """

    document: str
    shown_sm3: str
    purpose: str
    kind: str
    initially_selected: bool
    shown_at: datetime
    channel: str
    valid_until: datetime | None = None
