"""Readers of the log see what the stored bytes say, page by page, and what a watermark's view id resolves to."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import transaction

from fixtures.audited import CLERK
from fixtures.installed import System
from kuimen.gate.audit import services as audit
from kuimen.gate.audit.errors import EntryNotFoundError

OTHER = audit.Actor(kind="system", ref="worker")


@pytest.fixture
def view(bare_system: System) -> object:
    shown = uuid4()
    with transaction.atomic():
        for number in range(5):
            audit.record("case.open", actor=CLERK, object_type="case", object_ref=f"C{number}", purpose="collection")
        audit.record("case.open", actor=OTHER, outcome="refused")
        audit.record(
            "disclosure.page", actor=CLERK, view_id=shown, facts={"rows": 50, "elements": ["mobile", "person_name"]}
        )
    bare_system.clock.advance(timedelta(days=1))
    with transaction.atomic():
        audit.record("case.close", actor=CLERK)
    return shown


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        (audit.EntryFilter(), 8),
        (audit.EntryFilter(actor="S0001"), 7),
        (audit.EntryFilter(action="case."), 7),
        (audit.EntryFilter(action="case.open"), 6),
        (audit.EntryFilter(outcome=audit.Outcome.REFUSED), 1),
        (audit.EntryFilter(object_type="case", object_ref="C3"), 1),
        (audit.EntryFilter(purpose="collection"), 5),
        (audit.EntryFilter(actor="nobody"), 0),
    ],
)
def test_each_field_of_the_filter_narrows(view: object, wanted: audit.EntryFilter, count: int) -> None:
    assert len(audit.entries(wanted).entries) == count


def test_time_is_a_half_open_interval(view: object, bare_system: System) -> None:
    now = bare_system.clock.now()
    assert len(audit.entries(audit.EntryFilter(since=now)).entries) == 1
    assert len(audit.entries(audit.EntryFilter(before=now)).entries) == 7


def test_pages_follow_each_other_without_gap_or_repetition(view: object) -> None:
    seen, before = [], None
    while True:
        page = audit.entries(before=before, limit=3)
        seen += [entry.entry_id for entry in page.entries]
        before = page.next_before
        if before is None:
            break
    assert len(seen) == len(set(seen)) == 8
    assert audit.entry(seen[0]).action == "case.close"


def test_a_view_id_resolves_to_its_page_view(view: object) -> None:
    (found,) = audit.entries_of_view(view)  # type: ignore[arg-type]
    assert (found.action, found.facts) == ("disclosure.page", {"rows": 50, "elements": ["mobile", "person_name"]})
    with pytest.raises(EntryNotFoundError):
        audit.entries_of_view(uuid4())
    with pytest.raises(EntryNotFoundError):
        audit.entry(uuid4())


def test_counts_by_action_and_outcome(view: object, bare_system: System) -> None:
    now = bare_system.clock.now()
    counts = audit.counts_by_action(now - timedelta(days=2), now)
    assert counts == {("case.open", "done"): 5, ("case.open", "refused"): 1, ("disclosure.page", "done"): 1}


def test_a_column_changed_beside_its_bytes_shows_the_bytes_and_a_warning(view: object, bare_system: System) -> None:
    with bare_system.connect("kuimen_owner") as owner:
        owner.execute("ALTER TABLE audit_entry DISABLE TRIGGER USER")
        owner.execute("UPDATE audit_entry SET actor = 'S9999' WHERE object_ref = 'C1'")
    (changed,) = audit.entries(audit.EntryFilter(object_ref="C1")).entries
    assert (changed.actor, changed.columns_agree) == ("S0001", False)
    (sound,) = audit.entries(audit.EntryFilter(object_ref="C2")).entries
    assert sound.columns_agree
