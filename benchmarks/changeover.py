"""Sealing the columns of a live table in place: the worker of `kuimen migrate-table` against one row at a time."""

from uuid import UUID

import psycopg

from benchmarks.measurement import Measurement, seconds_of
from benchmarks.run import Run
from kuimen.gate.audit.services import SYSTEM
from kuimen.governance.changeover import services, source
from kuimen.governance.changeover.following import Worker, follow
from kuimen.governance.changeover.keys import application_keys, claim, digest_key
from kuimen.governance.changeover.plan import TableChange
from kuimen.governance.changeover.triggers import SEALING
from kuimen.governance.changeover.verifying import verify
from kuimen.governance.protection.session import SourceSession
from kuimen.kernels.sealed_columns import SealedColumn, row_context
from kuimen.sources.opening import connection_parameters

DATABASE = "bench_changeover"
APPLICATION = "bench"
COLUMNS = ("mobile=mobile", "id_no=resident_id")
CREATE = "CREATE TABLE customer (id uuid PRIMARY KEY, mobile text, id_no varchar(18) NOT NULL UNIQUE)"
FETCH = "SELECT mobile, id_no FROM customer WHERE id = %s"
STORE = "UPDATE customer SET mobile_sealed = %s, mobile_index = %s, id_no_sealed = %s, id_no_index = %s WHERE id = %s"


def measure(run: Run) -> list[Measurement]:
    rows, single = run.sized(100_000, 2_000), run.sized(5_000, 200)
    address = run.installed.make_database(DATABASE)
    with psycopg.connect(address, autocommit=True) as lender:
        fill(lender, rows + single)
    made = services.plan(address, table="customer", columns=COLUMNS, application=APPLICATION, actor=SYSTEM).plan
    session = SourceSession(connection_parameters(address))
    try:
        session.connection.execute("SELECT set_config(%s, 'on', false)", (SEALING,))
        source.prepare(session, made)
        by_row = single / seconds_of(lambda: one_by_one(session, made, single))
        worker = Worker(
            plan=made,
            keys=lambda: application_keys(APPLICATION),
            claim=lambda values: claim(APPLICATION, values),
        )
        sealing = seconds_of(lambda: follow(session, worker))
        checking = seconds_of(lambda: verify(session, worker, key=digest_key()))
    finally:
        session.close()
    limit = f"{single:,} rows one by one: select, seal, update, each in its transaction"
    return [
        Measurement(
            what=f"change over {rows:,} rows of two columns: backfill", value=rows / sealing, limit=limit,
            limit_value=by_row,
        ),
        Measurement(
            what="verify them all in one snapshot", value=(rows + single) / checking, limit=limit, limit_value=by_row
        ),
    ]  # fmt: skip


def fill(connection: psycopg.Connection, rows: int) -> None:
    connection.execute(CREATE)
    with connection.cursor().copy("COPY customer (id, mobile, id_no) FROM STDIN") as lines:
        for number in range(rows):
            lines.write_row((key_of(number), f"1999000{number % 10_000:04d}", f"99010220{number:09d}X"))
    connection.execute("ANALYZE customer")


def key_of(number: int) -> UUID:
    return UUID(int=(number + 1) * 7919)


def one_by_one(session: SourceSession, made: TableChange, rows: int) -> None:
    keys = application_keys(APPLICATION)
    columns = [SealedColumn(made.place_of(one), keys=keys) for one in made.columns]
    for number in range(rows):
        found = session.connection.execute(FETCH, (key_of(number),)).fetchone()
        assert found is not None
        context = row_context((key_of(number),))
        cells: list[bytes | None] = []
        for column, text in zip(columns, found, strict=True):
            cells += [*column.seal([text], rows=[context]), *column.tags([text])]
        session.connection.execute(STORE, (*cells, key_of(number)))
