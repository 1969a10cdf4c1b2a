"""A changeover under fire: killed at statements of every phase, keys taken away, a full disk, a table held for long."""

import os
import signal
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import psycopg
import pytest
from django.db import connections

from fixtures.changing import ENGINEER, Rows, approved, columns_left, fill, planned, staffed, started, stored_rows
from fixtures.installed import CUSTODIANS, Installation, System
from fixtures.lender import Lender, lender_database
from fixtures.people import People
from kuimen.gate.audit.services import SYSTEM
from kuimen.gate.keys import services as keys
from kuimen.gate.keys.errors import KeysLockedError
from kuimen.governance.changeover import following, services, source
from kuimen.governance.changeover.errors import TableBusyError
from kuimen.governance.changeover.jobs import ChangeoverView
from kuimen.governance.changeover.rules import ChangeoverState
from kuimen.governance.protection.errors import ProtectionBusyError, SourceLostError

ROWS = 400
MOST_KILLS = 4

pytestmark = pytest.mark.fault


@pytest.fixture(autouse=True)
def many_small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    real = services._worker
    monkeypatch.setattr(services, "_worker", lambda made, advance: replace(real(made, advance), batch=100))
    monkeypatch.setattr(following, "NEARLY_NONE", 0)


@pytest.fixture
def lender(installation: Installation) -> Iterator[Lender]:
    with lender_database(installation) as database:
        yield database


def killed_at(deed: Callable[[], object], statement: int) -> bool:
    """Do a deed in a child that dies with SIGKILL at its n-th statement on the source; False if it ended before."""
    connections.close_all()
    child = os.fork()
    if child == 0:
        try:
            _die_at(statement)
            deed()
        except BaseException:  # noqa: BLE001 - a child of a test must never run on into the parent's code
            os._exit(3)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "the deed failed in the child"
    return os.WIFSIGNALED(status)


def _die_at(statement: int) -> None:
    execute, count = psycopg.Connection.execute, 0

    def counting(self: "psycopg.Connection[Any]", *arguments: Any, **options: Any) -> Any:  # noqa: ANN401
        nonlocal count
        count += 1
        result = execute(self, *arguments, **options)
        if count == statement:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    psycopg.Connection.execute = counting  # type: ignore[method-assign]


@dataclass(slots=True)
class Application:
    """Writes between the kills, by the model that the table has at that moment."""

    lender: Lender
    rows: Rows
    turn: int = 0

    def write(self) -> None:
        self.turn += 1
        if "mobile" not in columns_left(self.lender):
            return
        changed, gone = list(self.rows)[self.turn], list(self.rows)[-1]
        new, value = uuid.uuid4(), f"199900055{self.turn:02d}"
        with self.lender.connect() as connection:
            try:
                connection.execute("UPDATE customer SET mobile = %s WHERE id = %s", (value, changed))
            except psycopg.Error as refused:
                if refused.sqlstate != "KM001":
                    raise
                return
            connection.execute("INSERT INTO customer VALUES (%s, %s, %s)", (new, value, f"9901033{self.turn:011d}"))
            connection.execute("DELETE FROM customer WHERE id = %s", (gone,))
        self.rows[changed] = (value, self.rows[changed][1])
        self.rows[new] = (value, f"9901033{self.turn:011d}")
        del self.rows[gone]


def patiently(lender: Lender, deed: Callable[[], object]) -> None:
    """Repeat a deed while the server has not yet noticed that its last client was killed."""
    for _ in range(100):
        try:
            deed()
        except ProtectionBusyError:
            lender.rows("SELECT pg_sleep(0.05)")
        else:
            return
    raise AssertionError("the killed session was never ended")


def test_killed_at_statements_of_every_phase_nothing_is_lost(system: System, lender: Lender) -> None:
    del system
    people = staffed()
    application = Application(lender, fill(lender, ROWS))
    made = planned(lender)
    for phase in (_start, services.backfill, services.verify, services.cut_over, _scrub):
        for kill in range(MOST_KILLS):
            deed = _deed(phase, people, made)
            patiently(lender, lambda: lender.rows("SELECT 1"))
            _wait_for_end(lender)
            if not killed_at(deed, 14 + 5 * kill):
                break
            application.write()
        else:
            _wait_for_end(lender)
            patiently(lender, _deed(phase, people, made))
        application.write()
        if phase is services.backfill:
            patiently(lender, _deed(phase, people, made))

    ((view, _),) = services.status(made.changeover_id)
    assert view.state is ChangeoverState.DONE
    assert view.scrub_report is not None
    assert view.scrub_report["hits"] == 0
    assert "mobile" not in columns_left(lender)
    assert stored_rows(lender, view) == application.rows
    assert application.turn > 8


def _start(changeover_id: uuid.UUID, *, people: People, made: ChangeoverView) -> object:
    ((view, _),) = services.status(changeover_id)
    ticket = approved(people, made, services.START) if view.state is ChangeoverState.PLANNED else None
    return services.start(changeover_id, ticket_id=ticket, actor=people.subject(ENGINEER))


def _scrub(changeover_id: uuid.UUID, *, people: People, made: ChangeoverView) -> object:
    ((view, _),) = services.status(changeover_id)
    ticket = approved(people, made, services.SCRUB) if view.state is ChangeoverState.CUT_OVER else None
    if view.state is ChangeoverState.DONE:
        return None
    return services.scrub(changeover_id, ticket_id=ticket, actor=people.subject(ENGINEER), overlay="fictitious")


def _deed(phase: Callable[..., object], people: People, made: ChangeoverView) -> Callable[[], object]:
    if phase in (_start, _scrub):
        return lambda: phase(made.changeover_id, people=people, made=made)
    return lambda: phase(made.changeover_id, actor=SYSTEM)


def _wait_for_end(lender: Lender) -> None:
    for _ in range(100):
        if lender.rows("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'kuimen protect'") == [(0,)]:
            return
        lender.rows("SELECT pg_sleep(0.05)")
    raise AssertionError("the killed session was never ended")


def test_keys_taken_away_or_a_full_disk_in_mid_batch_stop_it_and_it_goes_on(
    system: System,
    lender: Lender,
    root_key_file: Any,  # noqa: ANN401 - a path
) -> None:
    del system
    people = staffed()
    rows = fill(lender, ROWS)
    made = started(people, lender)
    with pytest.raises(KeysLockedError):
        services.backfill(made.changeover_id, actor=SYSTEM, advance=lambda _count: keys.lock())
    keys.unlock(root_key_file, CUSTODIANS)
    half = lender.rows("SELECT count(*) FROM customer WHERE id_no_sealed IS NOT NULL")
    assert half == [(100,)]

    victim = list(rows)[250]
    lender.execute(
        "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.id = '"
        f"{victim}' THEN RAISE EXCEPTION USING ERRCODE = '53100'; END IF; RETURN NEW; END $$",
        "CREATE TRIGGER aa_full_disk BEFORE UPDATE ON customer FOR EACH ROW EXECUTE FUNCTION full_disk()",
        "ALTER TABLE customer ENABLE ALWAYS TRIGGER aa_full_disk",
    )
    with pytest.raises(SourceLostError, match="53100"):
        services.backfill(made.changeover_id, actor=SYSTEM)
    lender.execute("DROP TRIGGER aa_full_disk ON customer")
    services.backfill(made.changeover_id, actor=SYSTEM)
    made, report = services.verify(made.changeover_id, actor=SYSTEM)
    assert (report.rows, report.pending, report.unequal) == (ROWS, 0, 0)
    assert stored_rows(lender, made) == rows


def test_a_table_that_is_held_is_not_waited_for_and_stays_as_it_was(
    system: System, lender: Lender, monkeypatch: pytest.MonkeyPatch
) -> None:
    del system
    monkeypatch.setattr(source, "ATTEMPTS", 1)
    people = staffed()
    rows = fill(lender, ROWS)
    made = started(people, lender)
    services.backfill(made.changeover_id, actor=SYSTEM)
    services.verify(made.changeover_id, actor=SYSTEM)
    with psycopg.connect(lender.dsn) as holder:
        holder.execute("SELECT FROM customer LIMIT 1")
        with pytest.raises(TableBusyError):
            services.cut_over(made.changeover_id, actor=SYSTEM)
    lender.execute("UPDATE customer SET mobile = '19990009999'")
    made, report = services.cut_over(made.changeover_id, actor=SYSTEM)
    assert report is not None
    assert stored_rows(lender, made) == {row: ("19990009999", number) for row, (_, number) in rows.items()}
