"""Grants: every state by every event; dates decide; duties stay apart."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kuimen.foundation.clock import SHANGHAI
from kuimen.gate.access.rules import (
    AGENCY_ROLES,
    INCOMPATIBLE_ROLES,
    POST_CATALOGUE,
    SESSION_ABSOLUTE,
    SESSION_IDLE,
    GrantEvent,
    GrantState,
    Role,
    SessionEnd,
    conflicting_roles,
    four_eyes,
    grant_is_effective,
    next_grant_state,
    session_end,
)

NOON = datetime(2026, 6, 1, 12, tzinfo=SHANGHAI)
S, E = GrantState, GrantEvent
ALLOWED = {
    (S.APPLIED, E.APPROVE): S.APPROVED,
    (S.APPLIED, E.REFUSE): S.REFUSED,
    (S.APPLIED, E.WITHDRAW): S.WITHDRAWN,
    (S.APPROVED, E.START): S.ACTIVE,
    (S.APPROVED, E.EXPIRE): S.EXPIRED,
    (S.APPROVED, E.REVOKE): S.REVOKED,
    (S.ACTIVE, E.EXPIRE): S.EXPIRED,
    (S.ACTIVE, E.REVOKE): S.REVOKED,
    (S.EXPIRED, E.RECOVER): S.RECOVERED,
    (S.REVOKED, E.RECOVER): S.RECOVERED,
}


@pytest.mark.clause("CQJR-5.4-c")
@pytest.mark.parametrize("state", GrantState)
@pytest.mark.parametrize("event", GrantEvent)
def test_every_grant_state_by_every_event(state: GrantState, event: GrantEvent) -> None:
    assert next_grant_state(state, event) == ALLOWED.get((state, event))


@pytest.mark.clause("JRT0171-7.3-d")
@pytest.mark.parametrize("state", GrantState)
def test_only_an_active_grant_inside_its_dates_gives_a_right(state: GrantState) -> None:
    until = NOON + timedelta(days=1)

    def effective(at: datetime) -> bool:
        return grant_is_effective(state=state, valid_from=NOON, valid_until=until, at=at)

    assert effective(NOON) is (state is GrantState.ACTIVE)
    assert not effective(NOON - timedelta(microseconds=1))
    assert not effective(until)


@given(st.sets(st.sampled_from(Role)))
def test_a_set_of_roles_conflicts_exactly_when_it_holds_an_incompatible_pair(roles: set[Role]) -> None:
    assert bool(conflicting_roles(roles)) is any(pair <= roles for pair in INCOMPATIBLE_ROLES)


def test_no_post_of_the_catalogue_combines_what_must_stay_apart() -> None:
    for code, (_, _, roles) in POST_CATALOGUE.items():
        assert not conflicting_roles(roles), code


def test_every_role_hangs_on_a_post() -> None:
    assert set().union(*(roles for _, _, roles in POST_CATALOGUE.values())) == set(Role)


def test_outsourced_staff_hold_collection_roles_only() -> None:
    assert {Role.COLLECTOR, Role.TEAM_LEADER} == AGENCY_ROLES


@pytest.mark.parametrize(
    ("maker", "beneficiary", "checker", "reason"),
    [
        ("A", "B", "C", None),
        ("A", "A", "C", None),
        ("A", "B", "A", "maker_is_checker"),
        ("A", "B", "B", "beneficiary_is_checker"),
    ],
)
def test_four_eyes(maker: str, beneficiary: str, checker: str, reason: str | None) -> None:
    assert four_eyes(maker=maker, beneficiary=beneficiary, checker=checker) == reason


@pytest.mark.clause("GB22239-04")
@pytest.mark.parametrize(
    ("idle", "age", "ended", "expected"),
    [
        (timedelta(0), timedelta(0), None, None),
        (SESSION_IDLE - timedelta(seconds=1), timedelta(hours=1), None, None),
        (SESSION_IDLE, timedelta(hours=1), None, SessionEnd.IDLE),
        (timedelta(0), SESSION_ABSOLUTE, None, SessionEnd.ABSOLUTE),
        (timedelta(0), timedelta(0), NOON, SessionEnd.REVOKED),
    ],
)
def test_a_session_ends_by_idleness_age_or_revocation(
    idle: timedelta, age: timedelta, ended: datetime | None, expected: SessionEnd | None
) -> None:
    result = session_end(started_at=NOON - age, seen_at=NOON - idle, ended_at=ended, at=NOON)
    assert result == expected
