"""Every state of a case meets every event, and the answer is the table's."""

import itertools

import pytest

from kuimen.scenarios.collections.rules import (
    ENDS_ASSIGNMENT,
    HELD_STATES,
    OPEN_STATES,
    STATE_TITLES,
    TRANSITIONS,
    CaseEvent,
    CaseState,
    LedgerFact,
    allowed_events,
    next_state,
    plan_build,
    replay,
)

S, E = CaseState, CaseEvent

# Written out a second time, by state, so that a slip in the table is seen.
PUBLISHED: dict[CaseState, dict[CaseEvent, CaseState]] = {
    S.CREATED: {
        E.CHOOSE_STRATEGY: S.STRATEGISED, E.ASSIGN: S.ASSIGNED, E.HOLD: S.HOLD, E.SUE: S.LEGAL,
        E.WRITE_OFF: S.WRITTEN_OFF, E.SETTLE: S.SETTLED,
    },
    S.STRATEGISED: {
        E.ASSIGN: S.ASSIGNED, E.HOLD: S.HOLD, E.SUE: S.LEGAL, E.WRITE_OFF: S.WRITTEN_OFF, E.SETTLE: S.SETTLED,
    },
    S.ASSIGNED: {E.START_WORK: S.WORKING, E.HOLD: S.HOLD, E.RECALL: S.RECALLED, E.SETTLE: S.SETTLED},
    S.WORKING: {
        E.PROMISE: S.PROMISED, E.HOLD: S.HOLD, E.RECALL: S.RECALLED, E.SUE: S.LEGAL, E.WRITE_OFF: S.WRITTEN_OFF,
        E.SETTLE: S.SETTLED,
    },
    S.PROMISED: {
        E.KEEP_PROMISE: S.PTP_KEPT, E.BREAK_PROMISE: S.PTP_BROKEN, E.HOLD: S.HOLD, E.RECALL: S.RECALLED,
        E.SETTLE: S.SETTLED,
    },
    S.PTP_KEPT: {
        E.START_WORK: S.WORKING, E.HOLD: S.HOLD, E.RECALL: S.RECALLED, E.SUE: S.LEGAL, E.WRITE_OFF: S.WRITTEN_OFF,
        E.SETTLE: S.SETTLED,
    },
    S.PTP_BROKEN: {
        E.START_WORK: S.WORKING, E.HOLD: S.HOLD, E.RECALL: S.RECALLED, E.SUE: S.LEGAL, E.WRITE_OFF: S.WRITTEN_OFF,
        E.SETTLE: S.SETTLED,
    },
    S.HOLD: {E.RELEASE: S.CREATED, E.SETTLE: S.SETTLED},
    S.RECALLED: {
        E.ASSIGN: S.ASSIGNED, E.HOLD: S.HOLD, E.SUE: S.LEGAL, E.WRITE_OFF: S.WRITTEN_OFF, E.SETTLE: S.SETTLED,
    },
    S.LEGAL: {E.RETURN_FROM_COURT: S.RECALLED, E.HOLD: S.HOLD, E.WRITE_OFF: S.WRITTEN_OFF, E.SETTLE: S.SETTLED},
    S.WRITTEN_OFF: {E.ASSIGN: S.ASSIGNED, E.HOLD: S.HOLD, E.SETTLE: S.SETTLED},
    S.SETTLED: {E.CLOSE: S.CLOSED},
    S.CLOSED: {},
}  # fmt: skip


@pytest.mark.parametrize(("state", "event"), list(itertools.product(CaseState, CaseEvent)))
def test_every_state_meets_every_event_as_published(state: CaseState, event: CaseEvent) -> None:
    assert next_state(state, event) == PUBLISHED[state].get(event)


def test_a_held_case_leaves_its_holder_by_a_marked_event_only() -> None:
    for (before, event), after in TRANSITIONS.items():
        if before in HELD_STATES and after not in HELD_STATES:
            assert event in ENDS_ASSIGNMENT
        if event in ENDS_ASSIGNMENT:
            assert after not in HELD_STATES


def test_a_released_case_comes_back_to_nobody() -> None:
    assert next_state(S.HOLD, E.RELEASE) not in HELD_STATES


def test_closed_is_final_and_everything_open_can_be_settled() -> None:
    assert allowed_events(S.CLOSED) == ()
    assert all(next_state(state, E.SETTLE) is S.SETTLED for state in OPEN_STATES)


def test_every_state_can_be_reached_and_has_a_title() -> None:
    assert set(TRANSITIONS.values()) == set(CaseState)
    assert set(STATE_TITLES) == set(CaseState)


def test_replay_gives_the_state_of_a_history_and_nothing_for_an_impossible_one() -> None:
    assert replay([]) is S.CREATED
    assert replay([E.ASSIGN, E.START_WORK, E.PROMISE, E.BREAK_PROMISE, E.START_WORK, E.RECALL]) is S.RECALLED
    assert replay([E.ASSIGN, E.PROMISE]) is None


OVERDUE, IN_ORDER = LedgerFact(overdue=True), LedgerFact(overdue=False)


def test_cases_begin_for_overdue_loans_alone_and_end_when_the_loan_is_in_order() -> None:
    plan = plan_build(
        loans={"late": OVERDUE, "good": IN_ORDER, "known": OVERDUE, "repaid": IN_ORDER},
        open_cases={"known": S.WORKING, "repaid": S.HOLD},
    )
    assert plan.create == ("late",)
    assert plan.settle == ("repaid",)


def test_a_case_of_a_loan_that_the_ledger_does_not_know_is_left_for_the_control() -> None:
    assert plan_build(loans={}, open_cases={"ghost": S.ASSIGNED}).settle == ()
