"""An import brings in what the source says, to the cent, or nothing."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import psycopg
import pytest
from django.db.models import Sum

from fixtures.at_once import at_once
from fixtures.installed import System
from fixtures.loans import SOURCE, changed, import_rows, sample_rows
from kuimen.gate.audit.models import Entry
from kuimen.gate.audit.services import SYSTEM
from kuimen.gate.consent import services as consent
from kuimen.gate.consent.models import BasisRecord
from kuimen.ledger.customers import services as customers
from kuimen.ledger.loans import services
from kuimen.ledger.loans.errors import LoanNotFoundError, LoanRowError, ReconciliationError
from kuimen.ledger.loans.models import Facility, Instalment, Loan, Status, Transaction
from kuimen.ledger.loans.rules import STATUS_TABLE, ControlTotals, LoanStatus, PaymentRow, TransactionKind

CENT = Decimal("0.01")


def nothing_is_there() -> bool:
    return not any(model.objects.exists() for model in (Loan, Facility, Instalment, Transaction, BasisRecord))


def test_counts_and_sums_in_equal_counts_and_sums_out(system: System) -> None:
    rows = sample_rows()
    report = import_rows(rows)
    assert report.created == report.customers == len(rows)
    assert services.ledger_totals(SOURCE) == ControlTotals.of(rows) == report.totals
    assert customers.count() == len(rows)
    assert Entry.objects.filter(action="ledger.import", outcome="done", object_ref=SOURCE).count() == 1


def test_a_second_import_imports_nothing_twice(system: System) -> None:
    rows = sample_rows()
    import_rows(rows)
    postings = Transaction.objects.count()
    again = import_rows(rows)
    assert (again.created, again.updated, again.unchanged) == (0, 0, len(rows))
    assert (again.instalments, again.transactions, again.legal_bases, again.customers) == (0, 0, 0, 0)
    assert Transaction.objects.count() == postings


@pytest.mark.parametrize("field", ["principal", "balance", "paid_principal", "paid_interest", "paid_late_fees"])
def test_one_cent_of_difference_stops_everything(system: System, field: str) -> None:
    rows = sample_rows(1)
    totals = ControlTotals.of(rows)
    wrong = replace(totals, **{field: getattr(totals, field) + CENT})
    with pytest.raises(ReconciliationError, match=field):
        services.import_loans(rows, source_id=SOURCE, totals=wrong, actor=SYSTEM)
    assert nothing_is_there()
    assert Entry.objects.filter(action="ledger.import", outcome="refused").count() == 1


def test_a_lost_row_stops_everything(system: System) -> None:
    rows = sample_rows()
    with pytest.raises(ReconciliationError, match="count"):
        services.import_loans(rows[1:], source_id=SOURCE, totals=ControlTotals.of(rows), actor=SYSTEM)
    assert nothing_is_there()


def test_a_loan_that_vanished_from_the_source_stops_the_next_import(system: System) -> None:
    rows = sample_rows()
    import_rows(rows)
    with pytest.raises(ReconciliationError, match="ledger"):
        import_rows(rows[1:])
    assert Loan.objects.count() == len(rows)


def test_a_bad_row_is_named_by_place_and_field_and_never_by_value(system: System) -> None:
    rows = sample_rows(1)
    rows[2] = changed(rows[2], balance=rows[2].balance + CENT)
    with pytest.raises(LoanRowError, match=rf"core\.t_loan row {rows[2].key}: balance") as caught:
        import_rows(rows)
    assert str(rows[2].balance) not in str(caught.value)
    assert nothing_is_there()


def test_a_row_that_comes_twice_is_refused(system: System) -> None:
    rows = sample_rows(1)
    with pytest.raises(LoanRowError, match="twice"):
        import_rows([*rows, rows[0]])
    assert nothing_is_there()


def test_a_repaid_loan_changes_its_facts_and_gains_the_missing_postings(system: System) -> None:
    rows = sample_rows(1)
    import_rows(rows)
    late = next(row for row in rows if row.status is LoanStatus.LATE_31_120)
    repaid = changed(
        late, status=LoanStatus.SETTLED, balance=Decimal("0.00"), paid_principal=late.principal,
        paid_interest=late.paid_interest + 5,
    )  # fmt: skip
    report = import_rows([repaid if row is late else row for row in rows])
    assert (report.created, report.updated, report.transactions) == (0, 1, 2)
    loan = Loan.objects.get(source_key=late.key)
    assert loan.status_id == LoanStatus.SETTLED
    posted = dict(loan.transactions.values_list("kind").annotate(Sum("amount")))
    assert posted[TransactionKind.PRINCIPAL] == late.principal
    assert posted[TransactionKind.INTEREST] == repaid.paid_interest


def test_repayments_of_the_source_become_postings_and_must_add_up(system: System) -> None:
    row = next(row for row in sample_rows(1) if row.status is LoanStatus.NORMAL)
    parts = tuple(
        PaymentRow(key=str(n), paid_on=date(2018, 3 + n, 1), principal=principal, interest=interest)
        for n, (principal, interest) in enumerate(
            [(Decimal("10.00"), Decimal("1.00")), (row.paid_principal - 10, row.paid_interest - 1)]
        )
    )
    short = changed(row, payments=parts[:1])
    with pytest.raises(LoanRowError, match=r"payments\.principal, payments\.interest"):
        import_rows([short])
    import_rows([changed(row, payments=parts)])
    assert Transaction.objects.filter(kind=TransactionKind.PRINCIPAL).count() == 2


def test_schedules_repay_exactly_what_was_lent(system: System) -> None:
    rows = sample_rows(1)
    report = import_rows(rows)
    assert report.instalments == sum(row.term_months for row in rows)
    sums = dict(Instalment.objects.values_list("loan").annotate(Sum("principal")))
    assert sums == dict(Loan.objects.values_list("pk", "principal"))


def test_the_loss_of_a_charged_off_loan_is_what_is_neither_repaid_nor_owed(system: System) -> None:
    rows = [row for row in sample_rows(3) if row.status is LoanStatus.CHARGED_OFF]
    import_rows(rows)
    losses = dict(Transaction.objects.filter(kind=TransactionKind.WRITE_OFF).values_list("loan__source_key", "amount"))
    assert losses == {row.key: row.principal - row.paid_principal - row.balance for row in rows}
    assert all(loss > 0 for loss in losses.values())


@pytest.mark.clause("CQJR-5.4-a")
def test_each_loan_carries_its_contract_with_the_source_row_as_evidence(system: System) -> None:
    rows = sample_rows(1)
    import_rows(rows)
    for row in rows:
        basis = consent.basis_for(row.customer_ref, "collection")
        assert basis is not None
        assert basis.basis == "contract"
        assert basis.evidence_digest == row.digest
        assert row.key in basis.evidence


def test_nobody_rewrites_or_deletes_a_posting(system: System) -> None:
    import_rows(sample_rows(1))
    for role in ("kuimen_app", "kuimen_owner"):
        with system.connect(role) as connection:
            for statement in (
                "UPDATE loans_transaction SET amount = 0",
                "DELETE FROM loans_transaction",
                "TRUNCATE loans_transaction",
            ):
                with pytest.raises(psycopg.Error):
                    connection.execute(statement)


def test_the_database_itself_refuses_principal_that_does_not_add_up(system: System) -> None:
    import_rows(sample_rows(1))
    with system.connect("kuimen_owner") as connection:
        with pytest.raises(psycopg.errors.CheckViolation):
            connection.execute("UPDATE loans_loan SET balance = balance + 1")
        with pytest.raises(psycopg.errors.CheckViolation):
            connection.execute("UPDATE loans_loan SET balance = balance - 1, written_off = 1 WHERE status = 'normal'")


def test_the_status_table_says_what_the_rules_say(system: System) -> None:
    found = {
        row.code: (row.title_zh, row.title_en, row.overdue, row.days_from, row.days_to) for row in Status.objects.all()
    }
    assert found == {
        code.value: (rule.title_zh, rule.title_en, rule.overdue, rule.days_from, rule.days_to)
        for code, rule in STATUS_TABLE.items()
    }


def test_facts_are_given_by_reference_and_an_unknown_loan_is_not_found(system: System) -> None:
    rows = sample_rows(2)
    import_rows(rows)
    overdue = services.overdue_loans()
    assert {facts.status for facts in overdue} == {status for status, rule in STATUS_TABLE.items() if rule.overdue}
    assert services.loan(overdue[0].loan_ref) == overdue[0]
    assert services.totals_by_status()[LoanStatus.GRACE] == 2
    with pytest.raises(LoanNotFoundError):
        services.loan(rows[0].customer_ref)


def test_two_imports_at_once_import_every_loan_once(system: System) -> None:
    rows = sample_rows(1)
    reports = at_once(lambda: import_rows(rows), lambda: import_rows(rows))
    assert sorted(report.created for report in reports if isinstance(report, services.ImportReport)) == [0, len(rows)]


def test_an_instalment_that_never_repays_is_named_by_its_row(system: System) -> None:
    rows = sample_rows(1)
    rows[0] = changed(rows[0], instalment=CENT)
    with pytest.raises(LoanRowError, match=rf"row {rows[0].key}: instalment"):
        import_rows(rows)
    assert nothing_is_there()
    assert Entry.objects.filter(action="ledger.import", outcome="refused").count() == 1


def test_two_tables_of_one_source_are_reconciled_apart(system: System) -> None:
    rows = sample_rows(1)
    import_rows(rows)
    others = [replace(row, table="core.t_old_loan") for row in rows]
    assert import_rows([replace(row, facility_key=f"old {row.facility_key}") for row in others]).created == len(rows)
    assert services.ledger_totals(SOURCE).count == 2 * len(rows)
