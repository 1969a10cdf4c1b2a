"""What an application may ask for, what a release may call itself, and its life: every state and event."""

from datetime import date, timedelta
from itertools import product

import pytest

from kuimen.governance.releases.rules import (
    ANONYMISED,
    FIELDS,
    LEAST,
    TRANSITIONS,
    Form,
    RecipientKind,
    ReleaseEvent,
    ReleaseState,
    Wanted,
    classes_of,
    flaw_of,
    label_of,
    next_state,
)
from kuimen.kernels.anonymity import Bounds, Standing
from kuimen.kernels.elements import RetentionClass

TODAY = date(2026, 11, 20)


def wanted(**changes: object) -> Wanted:
    fields: dict[str, object] = {
        "columns": ("age", "sex", "overdue"), "form": Form.ROWS, "pseudonym": False,
        "recipient_kind": RecipientKind.INTERNAL, "bounds": LEAST[RecipientKind.INTERNAL],
        "keep_until": TODAY + timedelta(days=30),
    }  # fmt: skip
    return Wanted(**{**fields, **changes})  # type: ignore[arg-type]  # tests change any field


def test_a_plain_application_has_no_flaw() -> None:
    assert flaw_of(wanted(), today=TODAY) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"columns": ("overdue",)}, {"columns": ("age", "age")}, {"columns": ("id_no",)}, {"columns": ()},
        {"recipient_kind": RecipientKind.PUBLIC}, {"form": Form.COUNTS},
        {"form": Form.COUNTS, "columns": ("age", "sex"), "pseudonym": True},
        {"form": Form.COUNTS, "columns": ("age", "balance")},
        {"bounds": Bounds(k=4)}, {"bounds": Bounds(k=5, largest_suppressed=0.5)}, {"keep_until": TODAY},
        {"keep_until": TODAY + timedelta(days=400)},
        {"recipient_kind": RecipientKind.PARTNER, "bounds": Bounds(k=10, l_distinct=1, t=0.6)},
        {"recipient_kind": RecipientKind.PARTNER, "bounds": Bounds(k=10, l_distinct=2, t=0.61)},
    ],
)  # fmt: skip
def test_what_is_misshapen_or_weaker_than_the_policy_is_named(changes: dict[str, object]) -> None:
    assert flaw_of(wanted(**changes), today=TODAY)


@pytest.mark.clause("JRT0171-6.1.4.5-b")
def test_a_pseudonym_or_an_exact_figure_is_never_anonymised_whatever_the_measure() -> None:
    assert label_of(wanted(pseudonym=True), k=10_000, l_distinct=9, t=0.0) is Standing.DEIDENTIFIED
    exact = wanted(columns=("age", "balance"))
    assert label_of(exact, k=10_000, l_distinct=9, t=0.0) is Standing.DEIDENTIFIED


@pytest.mark.parametrize(
    ("k", "l_distinct", "t", "is_anonymised"),
    [(20, 2, 0.4, True), (19, 2, 0.4, False), (20, 1, 0.4, False), (20, 2, 0.41, False)],
)
def test_rows_are_anonymised_by_measure_alone(k: int, l_distinct: int, t: float, *, is_anonymised: bool) -> None:
    found = label_of(wanted(), k=k, l_distinct=l_distinct, t=t)
    assert (found is Standing.ANONYMISED) is is_anonymised
    assert (ANONYMISED.k, ANONYMISED.l_distinct, ANONYMISED.t) == (20, 2, 0.4)


def test_counts_are_judged_by_their_smallest_shown_number() -> None:
    counts = wanted(form=Form.COUNTS, columns=("sex", "overdue"))
    assert label_of(counts, k=20, l_distinct=0, t=1.0) is Standing.ANONYMISED
    assert label_of(counts, k=19, l_distinct=0, t=1.0) is Standing.DEIDENTIFIED


def test_adverse_columns_bring_the_adverse_clock() -> None:
    assert classes_of(["age"]) == [RetentionClass.IDENTITY_TRANSACTION]
    assert RetentionClass.ADVERSE_ITEM in classes_of(["age", "status"])
    assert all(field.classes for field in FIELDS.values())


def test_the_further_the_recipient_the_stricter_the_policy() -> None:
    inside, partner, public = (LEAST[kind] for kind in RecipientKind)
    assert inside.k < partner.k < public.k
    assert inside.t > partner.t > public.t


@pytest.mark.parametrize(("state", "event"), list(product(ReleaseState, ReleaseEvent)))
def test_nothing_happens_that_the_table_does_not_name(state: ReleaseState, event: ReleaseEvent) -> None:
    assert next_state(state, event) == TRANSITIONS.get((state, event))
    if event in {ReleaseEvent.RELEASE, ReleaseEvent.MISS}:
        assert (next_state(state, event) is not None) == (state is ReleaseState.APPROVED)
