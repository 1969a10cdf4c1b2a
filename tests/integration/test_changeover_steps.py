"""What a changeover refuses, what its trigger lets through, what verification finds, who decides."""

from collections.abc import Iterator
from uuid import UUID, uuid4

import psycopg
import pytest

from fixtures.changing import (
    APPLICATION,
    ENGINEER,
    approved,
    columns_left,
    fill,
    planned,
    staffed,
    started,
    stored_rows,
)
from fixtures.installed import Installation, System
from fixtures.lender import Lender, lender_database
from kuimen.foundation.errors import DeniedError
from kuimen.gate.approvals import services as approvals
from kuimen.gate.approvals.errors import TicketMismatchError, TicketTransitionError
from kuimen.gate.audit.services import SYSTEM
from kuimen.governance.changeover import handing_out, services
from kuimen.governance.changeover.errors import (
    ChangeoverBlockedError,
    ChangeoverOpenError,
    ChangeoverTransitionError,
    ColumnChoiceError,
    DoubleValuesError,
    UnequalValuesError,
)
from kuimen.governance.changeover.keys import application_keys
from kuimen.governance.changeover.rules import ChangeoverState
from kuimen.kernels.sealed_columns import open_key_document, sealed_key_document

ROWS = 60


@pytest.fixture
def lender(installation: Installation) -> Iterator[Lender]:
    with lender_database(installation) as database:
        yield database


def done(lender: Lender, statement: str, *values: object) -> None:
    with lender.connect() as connection:
        connection.execute(statement, values)


def refused(lender: Lender, statement: str, *values: object) -> str:
    with lender.connect() as connection, pytest.raises(psycopg.Error) as found:
        connection.execute(statement, values)
    assert "1999000" not in str(found.value)
    return str(found.value.sqlstate)


def test_the_plan_names_what_stands_in_the_way_and_changes_nothing(system: System, lender: Lender) -> None:
    del system
    people = staffed()
    lender.execute(
        "CREATE TABLE customer (id int PRIMARY KEY, mobile text, sex text UNIQUE, code text UNIQUE, n int)",
        "CREATE VIEW phones AS SELECT mobile FROM customer",
        "CREATE TABLE orders (code text REFERENCES customer (code))",
        "CREATE TABLE bare (mobile text)",
        "CREATE TABLE parted (id int PRIMARY KEY, mobile text) PARTITION BY RANGE (id)",
        "ALTER TABLE customer ADD CHECK (length(mobile) = 11)",
        "CREATE UNIQUE INDEX ON customer (n, mobile)",
    )
    made = planned(lender, ["mobile=mobile", "sex=sex", "code=account_number"])
    told = " | ".join(remark.message_en for remark in made.plan.blockers)
    for part in ("view public.phones", "sex: unique", "foreign key", "several columns"):
        assert part in told
    assert "check constraint" in " | ".join(one.message_en for one in made.plan.remarks if not one.blocker)
    with pytest.raises(ChangeoverBlockedError):
        services.request(made.changeover_id, services.START, maker=people.subject(ENGINEER), reason="换列")
    for table, part in (("bare", "no primary key"), ("parted", "partitioned")):
        other = services.plan(lender.dsn, table=table, columns=["mobile=mobile"], application=APPLICATION, actor=SYSTEM)
        assert part in " | ".join(remark.message_en for remark in other.plan.blockers)
    for columns in (["mobile"], ["mobile=nothing"], ["absent=mobile"], []):
        with pytest.raises(ColumnChoiceError):
            planned(lender, columns)
    assert columns_left(lender) == ["id", "mobile", "sex", "code", "n"]


def test_the_trigger_holds_each_stage_to_its_truth(system: System, lender: Lender) -> None:
    del system
    people = staffed()
    rows = fill(lender, ROWS)
    made = started(people, lender)
    with pytest.raises(ChangeoverOpenError):
        planned(lender)
    first, second = list(rows)[1:3]
    assert refused(lender, "UPDATE customer SET mobile_sealed = %s", b"sealed by somebody") == "KM001"
    services.backfill(made.changeover_id, actor=SYSTEM)
    done(lender, "UPDATE customer SET mobile = '19990007777' WHERE id = %s", first)
    assert lender.rows("SELECT mobile_sealed, mobile_index FROM customer WHERE id = %s", (first,)) == [(None, None)]
    services.verify(made.changeover_id, actor=SYSTEM)
    made, report = services.cut_over(made.changeover_id, actor=SYSTEM)
    assert report is not None
    assert stored_rows(lender, made)[first] == ("19990007777", rows[first][1])

    for statement, values in (
        ("INSERT INTO customer (id, mobile, id_no) VALUES (%s, %s, %s)", (uuid4(), "19990000001", "990101X")),
        ("UPDATE customer SET mobile = %s WHERE id = %s", ("19990000001", second)),
        ("UPDATE customer SET id = %s WHERE id = %s", (uuid4(), second)),
    ):
        assert refused(lender, statement, *values) == "KM001"
    assert refused(lender, "INSERT INTO customer (id) VALUES (%s)", uuid4()) == "23514", "not null moved over"
    done(lender, "UPDATE customer SET mobile_sealed = NULL, mobile_index = NULL WHERE id = %s", second)
    assert lender.rows("SELECT mobile FROM customer WHERE id = %s", (second,)) == [(None,)]
    with pytest.raises(ChangeoverTransitionError):
        services.abandon(made.changeover_id, actor=SYSTEM)


def test_verification_finds_what_was_altered_and_puts_it_back(system: System, lender: Lender) -> None:
    del system
    people = staffed()
    rows = fill(lender, ROWS)
    made = started(people, lender)
    services.backfill(made.changeover_id, actor=SYSTEM)
    first, second, third = list(rows)[1:4]
    with lender.connect() as connection:
        connection.execute("SET kuimen.sealing = 'on'")
        copied = "UPDATE customer SET mobile_sealed = (SELECT mobile_sealed FROM customer WHERE id = %s) WHERE id = %s"
        connection.execute(copied, (second, first))
        connection.execute("UPDATE customer SET mobile_index = '\\x0000000000000000' WHERE id = %s", (third,))
    with pytest.raises(UnequalValuesError, match="2 sealed values"):
        services.verify(made.changeover_id, actor=SYSTEM)
    with pytest.raises(ChangeoverTransitionError):
        services.cut_over(made.changeover_id, actor=SYSTEM)
    services.backfill(made.changeover_id, actor=SYSTEM)
    made, report = services.verify(made.changeover_id, actor=SYSTEM)
    assert (report.unequal, report.pending) == (0, 0)
    assert report.clear_digest == report.opened_digest != ""
    assert stored_rows(lender, made) == rows


def test_values_that_are_equal_in_one_spelling_stop_the_cut_over_and_abandoning_undoes_everything(
    system: System, lender: Lender
) -> None:
    del system
    people = staffed()
    lender.execute("CREATE TABLE customer (id int PRIMARY KEY, mobile text NOT NULL UNIQUE)")
    lender.execute("INSERT INTO customer VALUES (1, '19990000001'), (2, '199 9000 0001')")
    before = lender.rows("SELECT indexdef FROM pg_indexes WHERE tablename = 'customer' ORDER BY 1")
    made = planned(lender, ["mobile=mobile"])
    ticket = approved(people, made, services.START)
    services.start(made.changeover_id, ticket_id=ticket, actor=people.subject(ENGINEER))
    services.backfill(made.changeover_id, actor=SYSTEM)
    services.verify(made.changeover_id, actor=SYSTEM)
    with pytest.raises(DoubleValuesError):
        services.cut_over(made.changeover_id, actor=SYSTEM)
    lender.execute("UPDATE customer SET mobile = '19990000002' WHERE id = 2")
    view = services.abandon(made.changeover_id, actor=SYSTEM)
    assert view.state is ChangeoverState.ABANDONED
    assert columns_left(lender) == ["id", "mobile"]
    assert lender.rows("SELECT indexdef FROM pg_indexes WHERE tablename = 'customer' ORDER BY 1") == before
    assert lender.rows("SELECT count(*) FROM pg_proc WHERE position('kuimen' in proname) > 0") == [(0,)]


def test_start_scrub_and_keys_take_two_persons(system: System, lender: Lender) -> None:
    del system
    people = staffed()
    fill(lender, ROWS)
    made = planned(lender)
    engineer = people.subject(ENGINEER)
    with pytest.raises(ChangeoverTransitionError):
        services.start(made.changeover_id, ticket_id=None, actor=engineer)
    ticket = services.request(made.changeover_id, services.START, maker=engineer, reason="换列")
    with pytest.raises(DeniedError):
        approvals.approve(ticket.ticket_id, checker=engineer)
    approvals.approve(ticket.ticket_id, checker=people.checker)
    again = planned(lender)
    with pytest.raises(TicketMismatchError):
        services.start(again.changeover_id, ticket_id=ticket.ticket_id, actor=engineer)

    asked = handing_out.request_keys(APPLICATION, maker=people.maker, reason="交付应用")
    approvals.approve(asked.ticket_id, checker=people.checker)
    held = handing_out.hand_out_keys(APPLICATION, ticket_id=asked.ticket_id, actor=people.maker)
    with pytest.raises(TicketTransitionError):
        handing_out.hand_out_keys(APPLICATION, ticket_id=asked.ticket_id, actor=people.maker)
    document = sealed_key_document(
        held, application=APPLICATION, passphrase="words of the core system", salt=bytes(16), iterations=1000
    )
    opened = open_key_document(document, passphrase="words of the core system")
    place = made.plan.place_of(made.plan.columns[0])
    assert opened.keys_of(place).sealing == application_keys(APPLICATION).keys_of(place).sealing
    assert UUID(bytes=opened.institution)
