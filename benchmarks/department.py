"""A collection department in the installation of the run: every overdue loan of the tape, six sealed values each."""

from dataclasses import dataclass
from random import Random
from uuid import UUID

from benchmarks.installed import OFFICERS, Installed
from kuimen.entrypoints.demo.lender.tape import TapeLoan, read_tape
from kuimen.entrypoints.demo.people import SignIn
from kuimen.entrypoints.demo.staff import subject
from kuimen.entrypoints.installation.servers import MAIN_DATABASE
from kuimen.foundation.identifiers import new_ref
from kuimen.foundation.sensitive import Sensitive
from kuimen.gate.access.rules import Subject
from kuimen.gate.approvals import services as approvals
from kuimen.gate.audit.services import SYSTEM
from kuimen.gate.disclosure import services as disclosure
from kuimen.gate.disclosure.rules import LimitName
from kuimen.gate.vault import services as vault
from kuimen.kernels.ciphers import sm3
from kuimen.kernels.elements.fictitious import make_identity
from kuimen.ledger.loans import services as ledger
from kuimen.ledger.loans.rules import ControlTotals, LoanRow, LoanStatus, to_cents
from kuimen.scenarios.collections import services as collections
from kuimen.scenarios.collections.rules import PAGE_ELEMENTS

SOURCE = "bench_lender"
LEADERS = ("L0001", "L0002", "L0003", "L0004")
COLLECTORS = ("C0001", "C0002", "C0003")  # each holds a page of fifty and more
REVEALS_PER_DAY = 50  # the highest that the standards leave room for
OVERDUE = {
    "In Grace Period": LoanStatus.GRACE,
    "Late (16-30 days)": LoanStatus.LATE_16_30,
    "Late (31-120 days)": LoanStatus.LATE_31_120,
    "Charged Off": LoanStatus.CHARGED_OFF,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Department:
    """Leaders see every case; each collector holds some of them and may reveal fifty values a day."""

    leaders: tuple[Subject, ...]
    collectors: tuple[Subject, ...]
    sign_in: SignIn  # of the first collector
    held: dict[str, tuple[UUID, ...]]  # staff number of a collector → cases


def open_department(installed: Installed) -> Department:
    """Hire everybody, import the loans, seal their borrowers, build the cases and deal them out."""
    for one in LEADERS:
        installed.hire(one, post="collection-lead", role="team_leader")
    collector_sign_ins = [installed.hire(one, post="collection", role="collector") for one in COLLECTORS]
    rows = [_row(loan) for loan in read_tape() if loan.status in OVERDUE]
    ledger.import_loans(rows, source_id=SOURCE, totals=ControlTotals.of(rows), actor=SYSTEM)
    items = [item for number, row in enumerate(rows) for item in _items(number, row.customer_ref)]
    vault.bind_many([one.record_id for one in vault.seal_many(items)])
    collections.build_cases()
    leader = subject(LEADERS[0])
    collections.assign_evenly(leader, collections.waiting_cases(leader), assignees=list(COLLECTORS))
    _raise_quota()
    with installed.plain(MAIN_DATABASE) as admin:
        admin.execute("ANALYZE")  # as the server itself does within a minute
    collectors = tuple(subject(one) for one in COLLECTORS)
    return Department(
        leaders=tuple(subject(one) for one in LEADERS),
        collectors=collectors,
        sign_in=collector_sign_ins[0],
        held={one.staff_no: _held(one) for one in collectors},
    )


def _held(collector: Subject) -> tuple[UUID, ...]:
    return tuple(case.case_id for case in collections.list_cases(collector).cases)


def _raise_quota() -> None:
    """Set the day's clear views by four eyes, as an institution would."""
    maker, checker = (subject(one) for one, _ in OFFICERS)
    name = LimitName.REVEALS_PER_DAY.value
    content = disclosure.limit_request(name, REVEALS_PER_DAY)
    ticket = approvals.request("disclosure.set_limit", content, maker=maker, reason="基准测试需要更高额度")
    approvals.approve(ticket.ticket_id, checker=checker)
    disclosure.set_limit(name, REVEALS_PER_DAY, ticket_id=ticket.ticket_id, actor=maker)


def _row(loan: TapeLoan) -> LoanRow:
    return LoanRow(
        table="core.t_loan",
        key=f"L{loan.number}",
        digest=sm3(f"row {loan.number}".encode()),
        customer_ref=new_ref(),
        facility_key=f"F{loan.number}",
        principal=to_cents(loan.amount),
        annual_rate=loan.annual_rate,
        term_months=loan.term_months,
        instalment=to_cents(loan.instalment),
        issued_on=loan.issue_month,
        status=OVERDUE[loan.status],
        balance=to_cents(loan.balance),
        paid_principal=to_cents(loan.paid_principal),
        paid_interest=to_cents(loan.paid_interest),
        paid_late_fees=to_cents(loan.paid_late_fees),
    )


def _items(number: int, customer_ref: UUID) -> list[vault.SealItem]:
    identity = make_identity(Random(number), number)  # noqa: S311 - impossible people, nothing secret
    return [
        vault.SealItem(
            element=element,
            value=Sensitive(getattr(identity, element.value), element=element.value),
            source_id=SOURCE,
            source_table="core.t_cust_info",
            source_column=element.value,
            source_key=number.to_bytes(32, "big"),
            person_ref=customer_ref,
        )
        for element in PAGE_ELEMENTS
    ]
