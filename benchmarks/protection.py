"""`protect` end to end on a lender's table: plan, prepare, seal, verify, cut over, bind; against one plain UPDATE."""

from collections.abc import Iterator
from random import Random

import psycopg

from benchmarks.measurement import Measurement, seconds_of
from benchmarks.run import Run
from kuimen.gate.audit.services import SYSTEM
from kuimen.governance.protection import services as protection
from kuimen.kernels.elements.fictitious import make_identity

DATABASE, WARM_UP = "bench_source", "bench_warm_up"
SEALED = 5
CREATE = """
    CREATE TABLE t_cust_info (
        cust_no bigint PRIMARY KEY, cust_name varchar(40), cert_no varchar(18), phone varchar(20), home_addr text,
        card_no varchar(30), branch varchar(8), opened_on date
    )
"""
FILL = "COPY t_cust_info (cust_no, cust_name, cert_no, phone, home_addr, card_no, branch, opened_on) FROM STDIN"
UPDATE = """
    UPDATE t_cust_info SET cust_name = md5(cust_name), cert_no = left(md5(cert_no), 18), phone = left(md5(phone), 20),
        home_addr = md5(home_addr), card_no = left(md5(card_no), 30)
"""


def measure(run: Run) -> list[Measurement]:
    rows = run.sized(20_000, 1_000)
    protect(run, WARM_UP, 200)  # loads libraries, makes the first keys
    planning, protecting = protect(run, DATABASE, rows)
    with run.installed.plain() as copy:
        make_table(copy, rows)
        update = seconds_of(lambda: copy.execute(UPDATE))
    limit = f"one plain UPDATE of the same {rows:,} rows, {SEALED} columns"
    return [
        Measurement(
            what="rows: plan, seal, verify, cut over", value=rows / (planning + protecting), limit=limit,
            limit_value=rows / update,
        ),
        Measurement(what="rows: without the plan", value=rows / protecting, limit=limit, limit_value=rows / update),
    ]  # fmt: skip


def protect(run: Run, database: str, rows: int) -> tuple[float, float]:
    """Fill a new database and protect it; return the seconds of planning and of everything after."""
    address = run.installed.make_database(database)
    with psycopg.connect(address, autocommit=True) as lender:
        make_table(lender, rows)
    plans: list[protection.ProtectionPlan] = []
    reports: list[protection.ProtectReport] = []
    planning = seconds_of(lambda: plans.append(protection.plan(address, actor=SYSTEM, overlay="fictitious")))
    protecting = seconds_of(lambda: reports.append(protection.protect(plans[0], actor=SYSTEM)))
    assert reports[0].values_sealed == reports[0].values_verified == SEALED * rows, reports[0]
    return planning, protecting


def make_table(connection: psycopg.Connection, rows: int) -> None:
    connection.execute(CREATE)
    with connection.cursor().copy(FILL) as lines:
        for row in people(rows):
            lines.write_row(row)
    connection.execute("ANALYZE t_cust_info")


def people(rows: int) -> Iterator[tuple[object, ...]]:
    for number in range(rows):
        one = make_identity(Random(number), number)  # noqa: S311 - impossible people, nothing secret
        yield (
            number, one.person_name, one.resident_id, one.mobile, one.address, one.bank_card, f"B{number % 40:03d}",
            one.id_valid_from,
        )  # fmt: skip
