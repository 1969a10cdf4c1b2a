"""A table changes over to sealed columns while two applications insert, change and delete."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.changing import ENGINEER, approved, columns_left, fill, staffed, started, stored_rows, writing
from fixtures.installed import Installation, System
from fixtures.lender import Lender, lender_database
from kuimen.gate.audit.models import Entry
from kuimen.gate.audit.services import SYSTEM
from kuimen.governance.changeover import services
from kuimen.governance.changeover.rules import ChangeoverState

ROWS = 800


@pytest.fixture
def lender(installation: Installation) -> Iterator[Lender]:
    with lender_database(installation) as database:
        yield database


def test_no_write_is_lost_and_no_clear_value_is_left(system: System, lender: Lender, tmp_path: Path) -> None:
    del system
    people = staffed()
    fill(lender, ROWS)
    with writing(lender, tmp_path) as writers:
        made = started(people, lender)
        made, counts = services.backfill(made.changeover_id, actor=SYSTEM)
        assert counts.sealed > ROWS
        made, verified = services.verify(made.changeover_id, actor=SYSTEM)
        assert verified.whole
        assert verified.compared > ROWS
        made, report = services.cut_over(made.changeover_id, actor=SYSTEM)
        assert report is not None
        ticket = approved(people, made, services.SCRUB)
        made, leftover = services.scrub(
            made.changeover_id, ticket_id=ticket, actor=people.subject(ENGINEER), overlay="fictitious"
        )
        believed, written, went_over = writers.stop()

    assert went_over, "every writer came to the sealed model"
    assert written > 100
    assert stored_rows(lender, made) == believed
    assert columns_left(lender) == ["id", "opened", "mobile_sealed", "mobile_index", "id_no_sealed", "id_no_index"]
    assert leftover.needles > ROWS
    assert (leftover.hits, [place for place in leftover.places if place.counts and place.hits]) == (0, [])
    assert leftover.complete, leftover.steps
    assert made.state is ChangeoverState.DONE
    assert (
        lender.rows("SELECT attname FROM pg_stats WHERE tablename = 'customer' AND attname IN ('mobile', 'id_no')")
        == []
    )
    actions = list(Entry.objects.filter(action__startswith="changeover.").values_list("action", flat=True))
    assert set(actions) >= {
        f"changeover.{one}" for one in ("plan", "start", "backfill", "verify", "cut_over", "scrub", "finish")
    }
