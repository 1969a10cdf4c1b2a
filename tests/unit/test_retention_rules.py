"""The clocks: every class, every verdict, and the two figures that later law overrides."""

from datetime import date
from itertools import product
from uuid import UUID

import pytest

from kuimen.gate.retention.rules import (
    BLOCKED_BY,
    ERASURE_TRANSITIONS,
    TERMS,
    BackupStanding,
    ClockEvent,
    ErasureEvent,
    ErasureState,
    EventKind,
    HoldKind,
    RetentionClass,
    Verdict,
    decide,
    due_day,
    next_state,
    standing,
)
from kuimen.standard.loader import load_catalogue

TODAY = date(2026, 11, 20)
PERSON = UUID("99000000-0000-4000-8000-0000000000aa")


def ended(kind: EventKind, on: date | None) -> ClockEvent:
    return ClockEvent(person_ref=PERSON, kind=kind, ended_on=on, evidence="test")


@pytest.mark.clause("CQJR-5.2-e")
def test_an_adverse_item_is_counted_from_the_end_of_its_event_not_from_its_beginning() -> None:
    day_of_cure = date(2021, 11, 19)
    decision = decide(RetentionClass.ADVERSE_ITEM, [ended(EventKind.ADVERSE, day_of_cure)], (), today=TODAY)
    assert (decision.verdict, decision.due_on, decision.clause) == (Verdict.DUE, TODAY, "CQJR-5.2-e")

    a_day_later = decide(RetentionClass.ADVERSE_ITEM, [ended(EventKind.ADVERSE, date(2021, 11, 20))], (), today=TODAY)
    assert (a_day_later.verdict, a_day_later.due_on) == (Verdict.NOT_DUE, date(2026, 11, 21))

    still_overdue = decide(RetentionClass.ADVERSE_ITEM, [ended(EventKind.ADVERSE, None)], (), today=TODAY)
    assert (still_overdue.verdict, still_overdue.due_on) == (Verdict.NOT_DUE, None)


@pytest.mark.clause("CQJR-6.5-c")
def test_identity_and_transactions_stay_ten_years_where_the_standard_still_says_five() -> None:
    seven_years_ago = [ended(EventKind.RELATIONSHIP, date(2019, 11, 20))]
    kept = decide(RetentionClass.IDENTITY_TRANSACTION, seven_years_ago, (), today=TODAY)
    assert (kept.verdict, kept.due_on) == (Verdict.NOT_DUE, date(2029, 11, 21))
    assert "10年" in kept.reason_zh
    assert "5 years" in TERMS[RetentionClass.IDENTITY_TRANSACTION].overrides

    eleven_years_ago = [ended(EventKind.RELATIONSHIP, date(2015, 11, 20))]
    assert decide(RetentionClass.IDENTITY_TRANSACTION, eleven_years_ago, (), today=TODAY).verdict is Verdict.DUE


@pytest.mark.clause("CQJR-5.2-e")
def test_the_adverse_item_goes_while_the_transactions_it_came_from_stay() -> None:
    events = [ended(EventKind.ADVERSE, date(2020, 1, 1)), ended(EventKind.RELATIONSHIP, date(2020, 1, 1))]
    assert decide(RetentionClass.ADVERSE_ITEM, events, (), today=TODAY).verdict is Verdict.DUE
    assert decide(RetentionClass.IDENTITY_TRANSACTION, events, (), today=TODAY).verdict is Verdict.NOT_DUE


def test_one_open_event_keeps_a_class_and_the_last_end_counts() -> None:
    old, newer = ended(EventKind.RELATIONSHIP, date(2001, 1, 1)), ended(EventKind.RELATIONSHIP, date(2020, 6, 1))
    opened = ended(EventKind.RELATIONSHIP, None)
    kind = RetentionClass.IDENTITY_TRANSACTION
    assert decide(kind, [old, opened], (), today=TODAY).verdict is Verdict.NOT_DUE
    assert decide(kind, [old, newer], (), today=TODAY).due_on == date(2030, 6, 2)
    assert decide(kind, [old], (), today=TODAY).verdict is Verdict.DUE


@pytest.mark.clause("CQJR-6.5-c")
def test_an_aml_hold_keeps_what_it_investigates_and_a_legal_hold_everything() -> None:
    events = [ended(kind, date(2000, 1, 1)) for kind in EventKind]
    for hold, kind in product(HoldKind, RetentionClass):
        decision = decide(kind, events, [hold], today=TODAY)
        blocked = kind in BLOCKED_BY[hold]
        assert decision.verdict is (Verdict.BLOCKED if blocked else Verdict.DUE), (hold, kind)
    assert decide(RetentionClass.ADVERSE_ITEM, events, [HoldKind.AML], today=TODAY).verdict is Verdict.DUE


@pytest.mark.clause("JRT0171-6.1.5-b")
def test_consent_withdrawn_is_due_the_same_day_and_a_living_consent_keeps_it() -> None:
    kind = RetentionClass.CONSENT_BASED
    withdrawn, given = ended(EventKind.CONSENT, TODAY), ended(EventKind.CONSENT, None)
    relationship = ended(EventKind.RELATIONSHIP, None)
    assert decide(kind, [withdrawn, relationship], (), today=TODAY).verdict is Verdict.DUE
    assert decide(kind, [withdrawn, given], (), today=TODAY).verdict is Verdict.NOT_DUE
    assert decide(kind, [relationship], (), today=TODAY).verdict is Verdict.NOT_DUE
    assert decide(kind, [ended(EventKind.RELATIONSHIP, TODAY)], (), today=TODAY).verdict is Verdict.DUE


@pytest.mark.parametrize("kind", RetentionClass)
def test_nobody_guesses_when_a_clock_started(kind: RetentionClass) -> None:
    decision = decide(kind, [], (), today=TODAY)
    assert (decision.verdict, decision.due_on) == (Verdict.NO_CLOCK, None)
    assert decision.reason_zh
    assert decision.reason_en


def test_every_reason_rests_on_a_clause_of_the_catalogue() -> None:
    clauses = load_catalogue().clauses
    assert {rule.clause for rule in TERMS.values()} <= clauses.keys()
    assert TERMS.keys() == set(RetentionClass)


def test_terms_end_with_the_month_where_it_has_no_such_day() -> None:
    assert due_day(date(2020, 2, 29), 5) == date(2025, 3, 1)
    assert due_day(date(2020, 2, 29), 4) == date(2024, 3, 1)
    assert due_day(date(2020, 12, 31), 5) == date(2026, 1, 1)
    assert due_day(TODAY, 0) == TODAY


@pytest.mark.parametrize(("state", "event"), list(product(ErasureState, ErasureEvent)))
def test_every_state_and_event_of_an_erasure_is_decided_by_the_table(state: ErasureState, event: ErasureEvent) -> None:
    allowed = {
        (ErasureState.DUE, ErasureEvent.SUSPEND): ErasureState.SUSPENDED,
        (ErasureState.DUE, ErasureEvent.LAPSE): ErasureState.LAPSED,
        (ErasureState.SUSPENDED, ErasureEvent.RESUME): ErasureState.DUE,
        (ErasureState.SUSPENDED, ErasureEvent.DESTROY): ErasureState.DESTROYED,
    }
    assert next_state(state, event) is allowed.get((state, event))
    assert ERASURE_TRANSITIONS.keys() == allowed.keys()


def test_a_backup_of_unknown_policy_is_never_taken_for_expired() -> None:
    before, after = date(2026, 11, 19), date(2026, 11, 21)
    told = {
        (before, None): BackupStanding.HOLDS_UNKNOWN,
        (before, date(2026, 12, 1)): BackupStanding.HOLDS_UNTIL,
        (before, date(2026, 11, 30)): BackupStanding.EXPIRED,
        (TODAY, None): BackupStanding.HOLDS_UNKNOWN,
        (after, None): BackupStanding.TAKEN_AFTER,
    }
    for (taken, expires), expected in told.items():
        found = standing(taken_on=taken, expires_on=expires, destroyed_on=TODAY, today=date(2026, 12, 1))
        assert found is expected, (taken, expires)
