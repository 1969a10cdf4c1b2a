"""What the ledger tells the retention clocks about real loans of every status."""

from collections import defaultdict
from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest

from fixtures.installed import System
from fixtures.loans import changed, import_rows, sample_rows
from kuimen.gate.keys import services as keys
from kuimen.gate.retention import services as retention
from kuimen.gate.retention.facts import source_names
from kuimen.gate.retention.rules import EventKind, RetentionClass, Verdict
from kuimen.ledger.loans.ends import clock_events
from kuimen.ledger.loans.rules import LoanRow, LoanStatus, PaymentRow

PAID_ON = date(2016, 3, 4)


def settled_late(row: LoanRow) -> LoanRow:
    """Return a loan that was repaid late and in full on a day that its source tells."""
    payment = PaymentRow(
        key="P1", paid_on=PAID_ON, principal=row.principal, interest=row.paid_interest, late_fee=Decimal("15.00")
    )
    return changed(
        row, status=LoanStatus.SETTLED, balance=Decimal("0.00"), paid_principal=row.principal,
        paid_late_fees=Decimal("15.00"), payments=(payment,),
    )  # fmt: skip


@pytest.mark.clause("CQJR-5.2-e")
def test_open_loans_keep_their_clocks_from_starting_and_settled_ones_start_them(system: System) -> None:
    rows = sample_rows(1)
    late = settled_late(next(row for row in rows if row.status is LoanStatus.SETTLED))
    rows = [late if row.key == late.key else row for row in rows]
    import_rows(rows)

    found: dict[UUID, dict[EventKind, date | None]] = defaultdict(dict)
    for event in clock_events({row.customer_ref for row in rows}):
        found[event.person_ref][event.kind] = event.ended_on

    assert "loans" in source_names()
    assert found[late.customer_ref] == dict.fromkeys(
        (EventKind.RELATIONSHIP, EventKind.ADVERSE, EventKind.COLLECTION), PAID_ON
    )
    for row in rows:
        if row.status is not LoanStatus.SETTLED:
            assert set(found[row.customer_ref].values()) == {None}, row.status
            assert (EventKind.ADVERSE in found[row.customer_ref]) is (row.status is not LoanStatus.NORMAL), row.status


@pytest.mark.clause("CQJR-5.2-e")
def test_each_class_of_a_loan_repaid_more_than_ten_years_ago_is_due_since_its_own_day(system: System) -> None:
    late = settled_late(next(row for row in sample_rows(1) if row.status is LoanStatus.SETTLED))
    import_rows([late])
    for kind in RetentionClass:
        keys.keyring().person_keys([late.customer_ref], kind)

    verdicts = {one.retention_class: (one.verdict, one.due_on) for one in retention.decisions_of(late.customer_ref)}

    assert verdicts == {
        RetentionClass.ADVERSE_ITEM: (Verdict.DUE, date(2021, 3, 5)),
        RetentionClass.COLLECTION_RECORD: (Verdict.DUE, date(2021, 3, 5)),
        RetentionClass.CONSENT_BASED: (Verdict.DUE, PAID_ON),
        RetentionClass.IDENTITY_TRANSACTION: (Verdict.DUE, date(2026, 3, 5)),
    }
    assert "10年" in next(
        one.reason_zh
        for one in retention.decisions_of(late.customer_ref)
        if one.retention_class is RetentionClass.IDENTITY_TRANSACTION
    )
