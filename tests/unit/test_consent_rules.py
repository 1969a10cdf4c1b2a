"""Legal bases: which one carries; acts: every state by every event."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest

from kuimen.foundation.clock import SHANGHAI
from kuimen.gate.access.rules import Purpose
from kuimen.gate.consent.rules import ActEvent, ActState, Basis, LegalBasis, act_state, next_act_state, strongest

NOON = datetime(2026, 6, 1, 12, tzinfo=SHANGHAI)
DAY = timedelta(days=1)
ALLOWED = {
    (ActState.GIVEN, ActEvent.EXPIRE): ActState.EXPIRED,
    (ActState.GIVEN, ActEvent.WITHDRAW): ActState.WITHDRAWN,
}


def basis(kind: Basis, number: int, *, begins: datetime = NOON - DAY, ends: datetime | None = None) -> LegalBasis:
    return LegalBasis(
        basis_id=UUID(int=number),
        customer_ref=UUID(int=0),
        basis=kind,
        purpose=Purpose.COLLECTION,
        evidence="source:table:1",
        evidence_digest=bytes(32),
        valid_from=begins,
        valid_until=ends,
    )


@pytest.mark.parametrize("state", ActState)
@pytest.mark.parametrize("event", ActEvent)
def test_every_act_state_by_every_event(state: ActState, event: ActEvent) -> None:
    assert next_act_state(state, event) == ALLOWED.get((state, event))


@pytest.mark.parametrize(
    ("valid_until", "withdrawn_at", "expected"),
    [
        (None, None, ActState.GIVEN),
        (NOON + DAY, None, ActState.GIVEN),
        (NOON, None, ActState.EXPIRED),
        (None, NOON, ActState.WITHDRAWN),
        (NOON - DAY, NOON, ActState.WITHDRAWN),
        (None, NOON + DAY, ActState.GIVEN),
    ],
)
def test_the_state_of_an_act_follows_from_its_dates(
    valid_until: datetime | None, withdrawn_at: datetime | None, expected: ActState
) -> None:
    assert act_state(valid_until=valid_until, withdrawn_at=withdrawn_at, at=NOON) is expected


def test_duty_goes_before_contract_before_consent() -> None:
    bases = [basis(Basis.CONSENT, 1), basis(Basis.CONTRACT, 2), basis(Basis.LEGAL_DUTY, 3)]
    assert strongest(bases, at=NOON) == bases[2]
    assert strongest(bases[:2], at=NOON) == bases[1]


def test_a_basis_outside_its_dates_carries_nothing() -> None:
    ended = basis(Basis.LEGAL_DUTY, 1, ends=NOON)
    future = basis(Basis.CONTRACT, 2, begins=NOON + DAY)
    assert strongest([ended, future], at=NOON) is None
    assert strongest([], at=NOON) is None
