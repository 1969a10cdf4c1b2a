"""Loans are read from schemas that other people invented, in one snapshot, and never through their values."""

from collections.abc import Iterator
from decimal import Decimal
from uuid import UUID

import pytest

from fixtures.installed import Installation, System
from fixtures.lender import Lender, lender_database
from kuimen.gate.audit.services import SYSTEM
from kuimen.ledger.intake import IntakeMapping, LoanSource, open_loan_source, row_digest
from kuimen.ledger.loans import services
from kuimen.ledger.loans.errors import IntakeMappingError, LoanRowError, SourceUnreadableError
from kuimen.ledger.loans.models import Loan, Transaction
from kuimen.ledger.loans.rules import LoanStatus

SCHEMA = (
    'CREATE SCHEMA "Kredit"',
    (
        'CREATE TABLE "Kredit"."借据表" (fil text, nr integer, "本金" double precision, zins numeric, monate text,'
        " rate_ numeric, ausgezahlt timestamp, zustand text, rest numeric, getilgt numeric, zinsen numeric,"
        " gebuehr numeric, customer_ref uuid, PRIMARY KEY (fil, nr))"
    ),
    (
        'CREATE TABLE "Kredit".zahlung (fil text, nr integer, lfd integer, am text, betrag numeric, zins numeric,'
        " PRIMARY KEY (fil, nr, lfd))"
    ),
    (
        'INSERT INTO "Kredit"."借据表" VALUES'
        " ('A', 1, 1000, 12.5, '12', 89.09, '2026-01-31 10:00', 'ok', 900.004, 100, 10.00, 0,"
        " '99000000-0000-4000-8000-000000000011'),"
        " ('A', 2, 500, 0, '5', 100, '2026-02-28', 'spaet', 500, 0, 0, 0, '99000000-0000-4000-8000-000000000012')"
    ),
    "INSERT INTO \"Kredit\".zahlung VALUES ('A', 1, 1, '2026-02-28', 60, 6), ('A', 1, 2, '2026-03-31', 40, 4)",
)
MAPPING = {
    "loans": {
        "schema": "Kredit",
        "table": "借据表",
        "key": ["fil", "nr"],
        "fields": {
            "principal": "本金", "annual_rate": "zins", "term_months": "monate", "instalment": "rate_",
            "issued_on": "ausgezahlt", "status": "zustand", "balance": "rest", "paid_principal": "getilgt",
            "paid_interest": "zinsen", "paid_late_fees": "gebuehr",
        },
        "statuses": {"ok": "normal", "spaet": "grace"},
    },
    "customer": {"reference": "customer_ref"},
    "payments": {
        "schema": "Kredit", "table": "zahlung", "key": ["fil", "nr", "lfd"], "loan": {"fil": "fil", "nr": "nr"},
        "fields": {"paid_on": "am", "principal": "betrag", "interest": "zins"},
    },
}  # fmt: skip


@pytest.fixture
def lender(installation: Installation) -> Iterator[Lender]:
    with lender_database(installation) as made:
        made.execute(*SCHEMA)
        yield made


def read(lender: Lender) -> tuple[LoanSource, list[object]]:
    with open_loan_source(lender.dsn, IntakeMapping.from_data(MAPPING)) as source:
        return source, list(source.rows())


def test_a_schema_of_other_names_is_imported_to_the_cent(system: System, lender: Lender) -> None:
    with open_loan_source(lender.dsn, IntakeMapping.from_data(MAPPING)) as source:
        report = services.import_loans(source.rows(), source_id="kredit", totals=source.totals(), actor=SYSTEM)
        assert source.rounded == 1
    assert report.totals.balance == Decimal("1400.00")
    assert Loan.objects.get(source_key="A/1").balance == Decimal("900.00")
    assert Loan.objects.get(source_key="A/2").status_id == LoanStatus.GRACE
    assert Transaction.objects.filter(loan__source_key="A/1", kind="principal").count() == 2


def test_an_interest_free_loan_has_a_schedule(system: System, lender: Lender) -> None:
    with open_loan_source(lender.dsn, IntakeMapping.from_data(MAPPING)) as source:
        services.import_loans(source.rows(), source_id="kredit", totals=source.totals(), actor=SYSTEM)
    lines = Loan.objects.get(source_key="A/2").instalments.order_by("number")
    assert [(line.principal, line.interest) for line in lines] == [(Decimal("100.00"), Decimal("0.00"))] * 5


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("SET zustand = 'neu' WHERE nr = 2", r"row A/2: status is a word"),
        ("SET customer_ref = NULL WHERE nr = 1", r"row A/1: customer_ref holds no customer reference"),
        ("SET monate = 'zwölf' WHERE nr = 1", r"row A/1: term_months is not a number"),
        ("SET monate = '1.5' WHERE nr = 1", r"row A/1: term_months is not a whole number"),
        ("SET rest = 'NaN' WHERE nr = 1", r"row A/1: balance is not a finite number"),
        ("SET zustand = NULL WHERE nr = 1", r"row A/1: status is a word"),
        ("SET getilgt = NULL WHERE nr = 1", r"row A/1: paid_principal is not a number"),
    ],
)
def test_a_row_that_does_not_fit_is_named_by_place_and_field(lender: Lender, change: str, message: str) -> None:
    lender.execute(f'UPDATE "Kredit"."借据表" {change}')
    with pytest.raises(LoanRowError, match=message):
        read(lender)


def test_a_loan_without_its_customer_row_is_no_silent_loss(lender: Lender) -> None:
    lender.execute(
        'CREATE TABLE "Kredit".kunde (knr integer PRIMARY KEY, ref uuid)',
        "INSERT INTO \"Kredit\".kunde VALUES (1, '99000000-0000-4000-8000-000000000011')",
    )
    customer = {"schema": "Kredit", "table": "kunde", "join": {"nr": "knr"}, "reference": "ref"}
    with open_loan_source(lender.dsn, IntakeMapping.from_data({**MAPPING, "customer": customer})) as source:
        rows = source.rows()
        assert next(rows).customer_ref == UUID("99000000-0000-4000-8000-000000000011")
        with pytest.raises(LoanRowError, match="row A/2"):
            next(rows)


def test_a_missing_table_column_or_server_is_told_without_the_drivers_text(lender: Lender) -> None:
    lender.execute('ALTER TABLE "Kredit"."借据表" RENAME COLUMN rest TO geheim')
    with pytest.raises(SourceUnreadableError, match="42703"):
        read(lender)
    with (
        pytest.raises(SourceUnreadableError) as caught,
        open_loan_source("host=/nowhere dbname=none password=hunter2hunter2", IntakeMapping.from_data(MAPPING)),
    ):
        pass
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_the_source_is_read_only_and_one_snapshot(lender: Lender) -> None:
    with open_loan_source(lender.dsn, IntakeMapping.from_data(MAPPING)) as source:
        before = source.totals()
        lender.execute('DELETE FROM "Kredit"."借据表"')
        assert len(list(source.rows())) == before.count == 2


@pytest.mark.parametrize("part", ["loans", "customer", "payments"])
def test_an_incomplete_mapping_is_refused(part: str) -> None:
    broken = {**MAPPING, part: {"table": "x"}}
    with pytest.raises(IntakeMappingError):
        IntakeMapping.from_data(broken)


def test_the_digest_of_a_row_depends_on_every_value_and_its_place() -> None:
    row = {"principal": Decimal("1.00"), "status": "ok"}
    digests = {
        row_digest("a.t", {"id": 1}, row),
        row_digest("a.u", {"id": 1}, row),
        row_digest("a.t", {"id": 2}, row),
        row_digest("a.t", {"id": 1}, {**row, "status": "late"}),
        row_digest("a.t", {"id": 1}, {**row, "principal": Decimal("1.01")}),
    }
    assert len(digests) == 5
    assert {len(digest) for digest in digests} == {32}
