"""The lender's people: impossible identities and what such systems keep about them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from kuimen.foundation.clock import SHANGHAI
from kuimen.kernels.elements.fictitious import FictitiousIdentity, make_identity

# 9,600 people hold the 10,000 loans: some hold two, as in any book, and rules that count per person need that.
CUSTOMERS = 9_600
STAFF = 60
COLLECTORS = 24  # the first so many members of staff write collection notes
STAFF_INDEX = 50_000

CHANNELS = ("APP", "H5", "门店", "合作机构A", "合作机构B")
BANKS = ("江城银行", "渝川银行", "山城商业银行", "长江农商银行")
PHONE_MODELS = ("Mate 40", "P50", "Redmi K40", "iPhone 12", "OPPO R17", "vivo X60")
OPENED = datetime(2017, 6, 1, 9, 0, tzinfo=SHANGHAI)


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """One customer of the lender; the reference number carries no personal fact."""

    index: int
    cust_no: str
    identity: FictitiousIdentity
    opened_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Colleague:
    """One member of the lender's staff."""

    staff_no: str
    identity: FictitiousIdentity
    department: str
    post: str


def make_customers(rng: Random) -> tuple[Customer, ...]:
    """Draw the customers, in order of their customer number."""
    return tuple(
        Customer(
            index=index,
            cust_no=f"C{10_000_001 + index}",
            identity=make_identity(rng, index),
            opened_at=OPENED + timedelta(minutes=rng.randrange(300_000)),
        )
        for index in range(CUSTOMERS)
    )


def make_staff(rng: Random) -> tuple[Colleague, ...]:
    """Draw the staff: collectors first, then the rest of the house."""
    posts = (("贷后管理部", "催收员"),) * COLLECTORS + (
        ("贷后管理部", "催收主管"),
        ("信息技术部", "运维工程师"),
        ("风险管理部", "策略分析师"),
        ("客户服务部", "客服专员"),
    ) * STAFF
    return tuple(
        Colleague(
            staff_no=f"E{1001 + number}",
            identity=make_identity(rng, STAFF_INDEX + number),
            department=posts[number][0],
            post=posts[number][1],
        )
        for number in range(STAFF)
    )


def assign_loans(rng: Random, count: int, people: Sequence[Customer]) -> list[Customer]:
    """Give each loan its holder: everybody holds one, and the loans left over go to people drawn at random."""
    holders = list(people[:count])
    holders += [people[rng.randrange(len(people))] for _ in range(count - len(holders))]
    return holders
