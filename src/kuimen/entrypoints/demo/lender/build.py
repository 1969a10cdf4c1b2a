"""Create the demo lender's database and files: plain text throughout, as Kuimen would find it."""

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from random import Random

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from kuimen.entrypoints.demo.lender import people as folk
from kuimen.entrypoints.demo.lender import rows as draw
from kuimen.entrypoints.demo.lender import writings
from kuimen.entrypoints.demo.lender.errors import ForeignDatabaseError, LenderUnavailableError
from kuimen.entrypoints.demo.lender.tape import read_tape

DATABASE = "legacy_core"
ROLE = "legacy_app"
SEED = 20_180_831
MARK = "Kuimen demonstration lender: invented people, may be dropped and made again"
EXPORT_FILE = "export/overdue_customers_20180831.csv"
LOG_FILE = "logs/core-lending.log"

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class LenderSummary:
    """What was made.

    Attributes:
        conninfo: how to reach the database as its own role, without the password.
        password: of the role; kept out of `repr`.
        rows: rows of each table, by `schema.table`.
        files: lines of each file, by path below `folder`.
    """

    database: str
    role: str
    conninfo: str
    password: str = field(repr=False)
    folder: Path
    rows: dict[str, int]
    files: dict[str, int]
    customers: int
    loans: int

    @property
    def dsn(self) -> str:
        """The connection string with the password."""
        return make_conninfo(self.conninfo, password=self.password)


def create_lender(
    dsn_admin: str,
    folder: Path,
    *,
    seed: int = SEED,
    password: str | None = None,
    progress: Progress | None = None,
) -> LenderSummary:
    """Create the database `legacy_core` with its own role, and the log and export files, from one seed.

    A database made by an earlier run is dropped and made again; one of the same name without our mark is left alone.
    The same seed gives the same rows and files. About 230,000 rows; some 10 seconds on one core.

    Args:
        dsn_admin: connection string of a role that may create roles and databases.
        folder: where the operations log and the CSV export go; created when missing.
        seed: of all that is invented; the loans are real and the same for every seed.
        password: for the lender's role; drawn when not given.
        progress: called with (step, done, total).

    Raises:
        ForeignDatabaseError: `legacy_core` exists and is not ours.
        LoanTapeMissingError: the `demo` extra is not installed.
        LenderUnavailableError: the server refused.
    """
    told = progress or _silent
    secret = password or secrets.token_urlsafe(24)
    told("book", 0, 1)
    book = make_book(seed)
    told("book", 1, 1)
    try:
        with psycopg.connect(dsn_admin, autocommit=True) as admin:
            _make_database(admin, secret)
        conninfo = _own_conninfo(dsn_admin)
        with psycopg.connect(make_conninfo(conninfo, password=secret)) as connection:
            counts = _fill(connection, book, seed, told)
    except psycopg.Error as error:
        message = f"the demo lender's database could not be made: SQLSTATE {error.sqlstate or 'none'}"
        raise LenderUnavailableError(message) from None
    files = _write_files(folder, book, seed, told)
    return LenderSummary(
        database=DATABASE,
        role=ROLE,
        conninfo=conninfo,
        password=secret,
        folder=folder,
        rows=counts,
        files=files,
        customers=len(book.customers),
        loans=len(book.loans),
    )


def make_book(seed: int) -> draw.Book:
    """Draw people and cards and join them to the real loans."""
    rng = _generator(seed, "book")
    customers = folk.make_customers(rng)
    staff = folk.make_staff(rng)
    first_cards = [
        draw.Card(card_id=person.index + 1, owner=person, number=person.identity.bank_card) for person in customers
    ]
    tape = read_tape()
    loans = tuple(
        draw.HeldLoan(
            loan=loan,
            holder=holder,
            card=first_cards[holder.index],
            loan_no=f"LN{loan.issue_month:%Y%m}{loan.number:06d}",
            apply_no=f"AP{loan.issue_month:%Y%m}{loan.number:06d}",
        )
        for loan, holder in zip(tape, folk.assign_loans(rng, len(tape), customers), strict=True)
    )
    return draw.Book(customers=customers, staff=staff, cards=tuple(first_cards), loans=loans)


def _own_conninfo(dsn_admin: str) -> str:
    """Return how the lender's role reaches its database on the same server, without any password."""
    parameters = conninfo_to_dict(dsn_admin)
    parameters.pop("password", None)
    return make_conninfo("", **{**parameters, "dbname": DATABASE, "user": ROLE})


def _generator(seed: int, part: str) -> Random:
    """Return the generator of one part, so that a change in one table moves no other."""
    return Random(f"{seed}/{part}")  # noqa: S311 - invented data must be reproducible


def _make_database(admin: psycopg.Connection, password: str) -> None:
    """Drop our own earlier database, then create role and database."""
    found = admin.execute(
        "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s", (DATABASE,)
    ).fetchone()
    if found is not None:
        if found[0] != MARK:
            message = f"a database named {DATABASE} exists and was not made by this demonstration: rename or drop it"
            raise ForeignDatabaseError(message)
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(DATABASE)))
    # The server sees the verifier only, so that no statement log can hold the password.
    verifier = admin.pgconn.encrypt_password(password.encode(), ROLE.encode(), b"scram-sha-256").decode()
    exists = admin.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (ROLE,)).fetchone()
    command = "ALTER ROLE {} LOGIN PASSWORD {}" if exists else "CREATE ROLE {} LOGIN PASSWORD {}"
    admin.execute(sql.SQL(command).format(sql.Identifier(ROLE), sql.Literal(verifier)))
    admin.execute(
        sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE template0 ENCODING 'UTF8'").format(
            sql.Identifier(DATABASE), sql.Identifier(ROLE)
        )
    )
    admin.execute(sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(DATABASE), sql.Literal(MARK)))


def _fill(connection: psycopg.Connection, book: draw.Book, seed: int, progress: Progress) -> dict[str, int]:
    """Create the tables and copy every row in, in one transaction."""
    payments = [payment for held in book.loans for payment in draw.split_payments(held)]
    remarks = writings.remarks(book, _generator(seed, "remarks"))
    tables: list[tuple[str, str, Iterable[draw.Row]]] = [
        ("core", "t_cust_info", draw.customer_rows(book, _generator(seed, "customers"), remarks)),
        ("core", "t_login_account", draw.login_rows(book, _generator(seed, "logins"))),
        ("core", "t_contact", draw.contact_rows(book, _generator(seed, "contacts"))),
        ("core", "t_bank_card", draw.card_rows(book, _generator(seed, "cards"))),
        ("core", "device_info", draw.device_rows(book, _generator(seed, "devices"))),
        ("core", "t_apply", draw.apply_rows(book)),
        ("core", "t_loan", draw.loan_rows(book)),
        ("core", "t_repay", draw.repay_rows(payments)),
        ("core", "t_deduct_flow", draw.deduct_rows(book, payments, _generator(seed, "deductions"))),
        ("core", "pay_order", writings.pay_order_rows(book, _generator(seed, "orders"))),
        ("core", "staff_info", draw.staff_rows(book)),
        ("core", "coll_note", writings.note_rows(book, _generator(seed, "notes"))),
        ("ops", "sms_log", writings.sms_rows(book, _generator(seed, "messages"))),
        ("ops", "app_log", writings.app_log_rows(book, _generator(seed, "app log"))),
    ]
    schema = resources.files("kuimen.entrypoints.demo.lender").joinpath("schema.sql").read_bytes()
    connection.execute(schema)
    counts: dict[str, int] = {}
    for done, (namespace, table, rows) in enumerate(tables):
        progress("tables", done, len(tables))
        counts[f"{namespace}.{table}"] = _copy(connection, sql.Identifier(namespace, table), rows)
    progress("tables", len(tables), len(tables))
    connection.execute("ANALYZE")
    connection.commit()
    return counts


def _copy(connection: psycopg.Connection, table: sql.Identifier, rows: Iterable[draw.Row]) -> int:
    count = 0
    with connection.cursor() as cursor, cursor.copy(sql.SQL("COPY {} FROM STDIN").format(table)) as copy:
        for row in rows:
            copy.write_row(row)
            count += 1
    return count


def _write_files(folder: Path, book: draw.Book, seed: int, progress: Progress) -> dict[str, int]:
    """Leave the operations log and the export lying about."""
    progress("files", 0, 2)
    for name in (LOG_FILE, EXPORT_FILE):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
    lines = writings.write_log_file(folder / LOG_FILE, book, _generator(seed, "log file"))
    progress("files", 1, 2)
    exported = writings.write_export(folder / EXPORT_FILE, book)
    progress("files", 2, 2)
    return {LOG_FILE: lines, EXPORT_FILE: exported}


def _silent(_step: str, _done: int, _total: int) -> None:
    """Tell nobody."""
