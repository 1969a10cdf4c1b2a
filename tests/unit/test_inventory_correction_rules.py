"""Corrections of the directory: what lowers, what state follows, how a scan meets them, when a scan is due."""

from datetime import datetime, timedelta
from itertools import product
from uuid import UUID

import pytest

from kuimen.foundation.clock import SHANGHAI
from kuimen.governance.inventory.correction_rules import (
    CorrectionEvent,
    CorrectionRule,
    CorrectionState,
    RuleBook,
    Scope,
    Verdict,
    corrected,
    lowers,
    next_correction_state,
)
from kuimen.governance.inventory.drift_rules import DriftKind, drift_kind, next_scan_at
from kuimen.sources.scan import NOT_READ, SEALED, ScanRow

ALLOWED = {
    ("proposed", "approve"): "in_force",
    ("proposed", "refuse"): "refused",
    ("proposed", "withdraw"): "withdrawn",
    ("proposed", "supersede"): "superseded",
    ("in_force", "supersede"): "superseded",
}


@pytest.mark.parametrize(("state", "event"), list(product(CorrectionState, CorrectionEvent)))
def test_every_event_in_every_state_is_decided_by_the_table(state: CorrectionState, event: CorrectionEvent) -> None:
    assert next_correction_state(state, event) == ALLOWED.get((state.value, event.value))


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (("mobile",), "", True),
        (("password",), "mobile", True),
        (("bank_card",), "credit_limit", True),  # as grave, but no longer sealed
        (("person_name",), "company_name", True),
        (("company_name",), "person_name", False),
        (("",), "mobile", False),
        (("mobile",), "landline", False),
        (("mobile", "password"), "mobile", True),
        (("mobile",), "mobile", False),
    ],
)
def test_what_takes_protection_away_lowers(before: tuple[str, ...], after: str, expected: bool) -> None:  # noqa: FBT001
    assert lowers(before, after) is expected


def rule(element: str, *, scope: Scope = Scope.COLUMN, column: str = "ext1") -> CorrectionRule:
    return CorrectionRule(
        correction_id=UUID(int=7), scope=scope, place=("s", "t", column, ""), element=element, verdict=Verdict.CHANGED
    )


def row(**facts: object) -> ScanRow:
    made: dict[str, object] = {"source": "x", "schema": "s", "table": "t", "column": "ext1", "type": "text", **facts}
    return ScanRow(**made)  # type: ignore[arg-type] # facts are fields


def test_a_correction_outweighs_the_scan_and_says_so() -> None:
    word, by = corrected(row(element=None, category="none"), RuleBook([rule("mobile")]))
    assert (word.element, word.category, word.level, word.likelihood) == ("mobile", "C2", 3, "very_likely")
    assert by is not None
    assert "correction" in word.evidence[-1]


def test_a_refused_finding_is_nothing_personal() -> None:
    found = row(element="resident_id", category="C2", level=3, secondary=("mobile",))
    word, _ = corrected(found, RuleBook([rule("")]))
    assert (word.element, word.category, word.level, word.secondary) == (None, "none", None, ())


def test_a_word_on_one_place_outweighs_one_on_its_name() -> None:
    book = RuleBook([rule("mobile", scope=Scope.NAME, column="EXT1"), rule("email")])
    assert corrected(row(), book)[0].element == "email"
    assert corrected(row(table="other"), book)[0].element == "mobile"


@pytest.mark.parametrize("facts", [{"state": NOT_READ}, {"state": SEALED}, {"type": "log"}, {"replaces": "a"}])
def test_sealed_and_unread_places_stay_as_they_are(facts: dict[str, object]) -> None:
    before = row(**facts)
    assert corrected(before, RuleBook([rule("mobile"), rule("mobile", scope=Scope.NAME)])) == (before, None)


def test_masks_keep_their_lower_class_under_a_correction() -> None:
    word, _ = corrected(row(element="mobile", category="C1", level=2, masked=True), RuleBook([rule("bank_card")]))
    assert (word.element, word.category, word.level) == ("bank_card", "C1", 2)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"drifted": True, "is_new": True, "element": "mobile"}, DriftKind.APPEARED),
        ({"drifted": True, "element": "mobile", "was_clear": True}, DriftKind.BECAME_PERSONAL),
        ({"drifted": True, "was_element": "mobile", "element": "mobile"}, DriftKind.REOPENED),
        ({"was_element": "mobile", "element": "landline"}, DriftKind.CHANGED),
        ({"was_element": "mobile", "element": "mobile"}, None),
        ({"drifted": True, "is_new": True, "element": "mobile", "first_scan": True}, None),
    ],
)
def test_what_is_news_has_a_name(facts: dict[str, object], expected: DriftKind | None) -> None:
    known: dict[str, object] = {
        "drifted": False, "is_new": False, "was_element": "", "element": "", "was_clear": False, "first_scan": False,
    }  # fmt: skip
    assert drift_kind(**{**known, **facts}) is expected  # type: ignore[arg-type] # facts are the named flags


def test_whole_days_are_scanned_at_night_and_hours_to_the_hour() -> None:
    noon = datetime(2026, 11, 20, 12, 0, tzinfo=SHANGHAI)
    assert next_scan_at(None, every_hours=24, now=noon) == noon
    assert next_scan_at(noon, every_hours=24, now=noon) == datetime(2026, 11, 21, 2, 30, tzinfo=SHANGHAI)
    assert next_scan_at(noon, every_hours=6, now=noon) == noon + timedelta(hours=6)
    early = datetime(2026, 11, 21, 2, 31, tzinfo=SHANGHAI)
    assert next_scan_at(early, every_hours=24, now=early) == datetime(2026, 11, 22, 2, 30, tzinfo=SHANGHAI)
