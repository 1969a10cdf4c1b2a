"""The rows of the lender's tables, in the order of their foreign keys.

Each function yields tuples in the column order of `schema.sql`. Loan facts come from the tape unchanged; people,
cards, devices and texts are drawn from the seeded generator.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from hashlib import md5
from random import Random
from typing import Any

from kuimen.entrypoints.demo.lender import people as folk
from kuimen.entrypoints.demo.lender.people import Colleague, Customer
from kuimen.entrypoints.demo.lender.tape import TapeLoan
from kuimen.foundation.clock import SHANGHAI

Row = tuple[Any, ...]
CENT = Decimal("0.01")
SNAPSHOT = date(2018, 8, 31)  # the tape holds loans of early 2018 with two to six instalments paid


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One bound bank card."""

    card_id: int
    owner: Customer
    number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldLoan:
    """One loan of the tape with its holder and the card it was paid out to."""

    loan: TapeLoan
    holder: Customer
    card: Card
    loan_no: str
    apply_no: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """One repayment: a part of the totals that the tape publishes."""

    loan_no: str
    paid_on: date
    principal: Decimal
    interest: Decimal
    late_fee: Decimal
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """Everything that the rows are drawn from."""

    customers: tuple[Customer, ...]
    staff: tuple[Colleague, ...]
    cards: tuple[Card, ...]
    loans: tuple[HeldLoan, ...]


def at(day: date, rng: Random) -> datetime:
    """Return a moment of a working day in Shanghai."""
    seconds = rng.randrange(9 * 3600, 18 * 3600)
    return datetime(day.year, day.month, day.day, tzinfo=SHANGHAI) + timedelta(seconds=seconds)


def chance(rng: Random, percent: int) -> bool:
    """Tell with the given probability, in percent."""
    return rng.randrange(100) < percent


def customer_rows(book: Book, rng: Random, remark_of: Sequence[str | None]) -> Iterator[Row]:
    """Yield `core.t_cust_info`."""
    for person in book.customers:
        identity = person.identity
        yield (
            person.cust_no,
            identity.person_name,
            "10",
            identity.resident_id,
            identity.mobile,
            1 + chance(rng, 4) + chance(rng, 1),
            "1" if identity.sex == "男" else "2",
            identity.birth_date,
            identity.ethnicity,
            identity.email,
            identity.address,
            identity.education,
            identity.marital_status,
            identity.wechat,
            remark_of[person.index],
            rng.choice("ABCD"),
            rng.choice(folk.CHANNELS),
            person.opened_at,
            person.opened_at + timedelta(days=rng.randrange(1, 300)),
        )


def login_rows(book: Book, rng: Random) -> Iterator[Row]:
    """Yield `core.t_login_account`: passwords as the weak digests that old systems keep."""
    for person in book.customers:
        yield (
            700_001 + person.index,
            person.cust_no,
            person.identity.mobile,
            md5(f"demo-{person.index}-{rng.random()}".encode(), usedforsecurity=False).hexdigest(),
            person.identity.ip,
            person.opened_at + timedelta(days=rng.randrange(300, 400)),
            1,
        )


def contact_rows(book: Book, rng: Random) -> Iterator[Row]:
    """Yield `core.t_contact`: one or two third persons for each customer."""
    for person, neighbour in zip(book.customers, reversed(book.customers), strict=True):
        identity = person.identity
        yield (person.cust_no, 1, identity.contact_relation, identity.contact_name, identity.contact_mobile)
        if chance(rng, 30):
            yield (person.cust_no, 2, "同事", neighbour.identity.person_name, neighbour.identity.mobile)


def card_rows(book: Book, rng: Random) -> Iterator[Row]:
    """Yield `core.t_bank_card`."""
    for card in book.cards:
        yield (
            card.card_id,
            card.owner.cust_no,
            card.number,
            card.owner.identity.person_name,
            Decimal(card.owner.identity.mobile),
            rng.choice(folk.BANKS),
            "D",
            "Y" if card.card_id <= len(book.customers) else "N",
            card.owner.opened_at.date(),
        )


def device_rows(book: Book, rng: Random) -> Iterator[Row]:
    """Yield `core.device_info` for about half of the customers."""
    for person in book.customers[::2]:
        yield (
            person.cust_no,
            1,
            person.identity.imei,
            person.identity.mac,
            person.identity.ip,
            f"{rng.uniform(105.3, 110.1):.6f},{rng.uniform(28.2, 32.1):.6f}",
            rng.choice(folk.PHONE_MODELS),
            f"4.{rng.randrange(9)}.{rng.randrange(20)}",
        )


def apply_rows(book: Book) -> Iterator[Row]:
    """Yield `core.t_apply`: the real applicants' facts of the tape."""
    for held in book.loans:
        loan = held.loan
        yield (
            held.apply_no,
            held.holder.cust_no,
            loan.job,
            loan.employment_years,
            loan.home_ownership,
            loan.region,
            loan.annual_income,
            loan.income_verified,
            loan.debt_to_income,
            loan.purpose,
            loan.delinquencies_2y,
            loan.inquiries_12m,
            loan.credit_lines,
            loan.credit_limit,
            loan.credit_used,
            loan.grade,
            loan.sub_grade,
            "A",
        )


def loan_rows(book: Book) -> Iterator[Row]:
    """Yield `core.t_loan`: the tape's amounts, rates, status and totals, none of them changed."""
    for held in book.loans:
        loan = held.loan
        yield (
            held.loan_no,
            held.holder.cust_no,
            held.apply_no,
            held.card.card_id,
            loan.amount,
            loan.annual_rate,
            loan.term_months,
            loan.instalment,
            loan.issue_month,
            loan.status,
            loan.balance,
            loan.paid_total,
            loan.paid_principal,
            loan.paid_interest,
            loan.paid_late_fees,
            loan.disbursement_method,
            loan.listing_status,
            loan.application_type,
        )


def split_payments(held: HeldLoan) -> list[Payment]:
    """Divide the published totals of one loan into instalments whose sums are exactly those totals to the cent.

    The tape publishes totals only. The number of payments is `paid_total / instalment`, at most one a month until the
    snapshot; what does not divide goes to the last payment, as an early settlement does.
    """
    loan = held.loan
    totals = [part.quantize(CENT) for part in (loan.paid_principal, loan.paid_interest, loan.paid_late_fees)]
    if not any(totals):
        return []
    months = (SNAPSHOT.year - loan.issue_month.year) * 12 + SNAPSHOT.month - loan.issue_month.month
    count = max(1, min(int((loan.paid_total / loan.instalment).to_integral_value()), months))
    payments = []
    for number in range(1, count + 1):
        last = number == count
        principal, interest = ((part / count).quantize(CENT) for part in totals[:2])
        if last:
            principal = totals[0] - principal * (count - 1)
            interest = totals[1] - interest * (count - 1)
        month = loan.issue_month.month + number
        payments.append(
            Payment(
                loan_no=held.loan_no,
                paid_on=date(loan.issue_month.year + (month - 1) // 12, (month - 1) % 12 + 1, 1 + loan.number % 28),
                principal=principal,
                interest=interest,
                late_fee=totals[2] if last else Decimal(0),
                kind="S" if last and loan.status == "Fully Paid" else "N",
            )
        )
    return payments


def repay_rows(payments: Sequence[Payment]) -> Iterator[Row]:
    """Yield `core.t_repay`."""
    for number, payment in enumerate(payments, start=1):
        yield (
            number,
            payment.loan_no,
            payment.paid_on,
            payment.principal,
            payment.interest,
            payment.late_fee,
            payment.kind,
        )


def deduct_rows(book: Book, payments: Sequence[Payment], rng: Random) -> Iterator[Row]:
    """Yield `core.t_deduct_flow`: tries that failed and the one that succeeded, and the tries on overdue loans."""
    flow = 0
    for number, payment in enumerate(payments, start=1):
        tries = 1 + chance(rng, 45) + chance(rng, 20)
        moment = at(payment.paid_on, rng)
        for attempt in range(1, tries + 1):
            flow += 1
            good = attempt == tries
            code, text = ("0000", "成功") if good else ("1016", "余额不足")
            when = moment - timedelta(hours=3 * (tries - attempt))
            yield (flow, payment.loan_no, number if good else None, attempt, code, text, when)
    for held in book.loans:
        if held.loan.overdue:
            for attempt in range(1, 13):
                flow += 1
                when = at(SNAPSHOT - timedelta(days=attempt), rng)
                yield (flow, held.loan_no, None, attempt, "1016", "余额不足", when)


def staff_rows(book: Book) -> Iterator[Row]:
    """Yield `core.staff_info`."""
    for colleague in book.staff:
        identity = colleague.identity
        yield (
            colleague.staff_no,
            identity.person_name,
            identity.mobile,
            identity.resident_id,
            identity.email,
            colleague.department,
            colleague.post,
            "Y",
        )
