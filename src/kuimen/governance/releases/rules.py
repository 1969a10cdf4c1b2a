"""Releases: their life, what they may be made of, how strict they must be, and what they may call themselves. Pure.

JR/T 0171-2020 draws the line that `label_of` keeps: what carries a pseudonym, or an exact fact of one person, is
去标识化 — it stays personal financial information, is registered for each person and demanded back on erasure. Only
what leads back to nobody, by measure and not by word, may be called 匿名化.

Clause: JRT0171-6.1.4.5-b, JRT0171-6.1.4.4-c
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from kuimen.kernels.anonymity import Bounds, Dates, Prefixes, Ranges, Standing
from kuimen.kernels.anonymity.ways import Way
from kuimen.kernels.elements import Element, RetentionClass

LONGEST_KEEP: Final = timedelta(days=366)
DEMAND_TERM: Final = timedelta(days=30)  # a recipient has this long to delete and to say so
LARGEST_SUPPRESSED: Final = 0.10


class ReleaseState(StrEnum):
    """Life of a release."""

    APPLIED = "applied"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    MISSED = "missed"
    RELEASED = "released"
    ENDED = "ended"
    DELETED = "deleted"


class ReleaseEvent(StrEnum):
    """What can happen to a release."""

    APPROVE = "approve"
    REFUSE = "refuse"
    WITHDRAW = "withdraw"
    MISS = "miss"
    RELEASE = "release"
    END = "end"
    CONFIRM = "confirm"


TRANSITIONS: Final[Mapping[tuple[ReleaseState, ReleaseEvent], ReleaseState]] = MappingProxyType(
    {
        (ReleaseState.APPLIED, ReleaseEvent.APPROVE): ReleaseState.APPROVED,
        (ReleaseState.APPLIED, ReleaseEvent.REFUSE): ReleaseState.REFUSED,
        (ReleaseState.APPLIED, ReleaseEvent.WITHDRAW): ReleaseState.WITHDRAWN,
        (ReleaseState.APPROVED, ReleaseEvent.WITHDRAW): ReleaseState.WITHDRAWN,
        (ReleaseState.APPROVED, ReleaseEvent.MISS): ReleaseState.MISSED,
        (ReleaseState.APPROVED, ReleaseEvent.RELEASE): ReleaseState.RELEASED,
        # the package key is destroyed and the recipient is told to delete
        (ReleaseState.RELEASED, ReleaseEvent.END): ReleaseState.ENDED,
        (ReleaseState.ENDED, ReleaseEvent.CONFIRM): ReleaseState.DELETED,
    }
)
STATE_TITLES: Final[Mapping[ReleaseState, tuple[str, str]]] = MappingProxyType(
    {
        ReleaseState.APPLIED: ("待审批", "Waits for approval"),
        ReleaseState.APPROVED: ("已批准待计算", "Approved, to be computed"),
        ReleaseState.REFUSED: ("已驳回", "Refused"),
        ReleaseState.WITHDRAWN: ("已撤回", "Withdrawn"),
        ReleaseState.MISSED: ("未达阈值，未发布", "Bounds missed, not released"),
        ReleaseState.RELEASED: ("已发布", "Released"),
        ReleaseState.ENDED: ("已终止，待删除确认", "Ended, deletion demanded"),
        ReleaseState.DELETED: ("接收方已确认删除", "Deletion confirmed"),
    }
)


def next_state(state: ReleaseState, event: ReleaseEvent) -> ReleaseState | None:
    """Return the state after `event`, or None where the table does not allow it."""
    return TRANSITIONS.get((state, event))


class Form(StrEnum):
    """What leaves."""

    ROWS = "rows"  # a row a person
    COUNTS = "counts"  # how many persons, by two columns


class RecipientKind(StrEnum):
    """To whom; the further away, the stricter."""

    INTERNAL = "internal"
    PARTNER = "partner"
    PUBLIC = "public"


FORM_TITLES: Final = {Form.ROWS: ("逐人明细", "A row a person"), Form.COUNTS: ("汇总计数", "Counts")}
RECIPIENT_TITLES: Final = {
    RecipientKind.INTERNAL: ("本机构", "Within the institution"),
    RecipientKind.PARTNER: ("合作机构", "A partner"),
    RecipientKind.PUBLIC: ("公开", "The public"),
}
# The least that a release must keep; an application may ask for more, never for less.
LEAST: Final[Mapping[RecipientKind, Bounds]] = MappingProxyType(
    {
        RecipientKind.INTERNAL: Bounds(k=5, l_distinct=1, t=1.0, largest_suppressed=LARGEST_SUPPRESSED),
        RecipientKind.PARTNER: Bounds(k=10, l_distinct=2, t=0.6, largest_suppressed=LARGEST_SUPPRESSED),
        RecipientKind.PUBLIC: Bounds(k=20, l_distinct=2, t=0.4, largest_suppressed=LARGEST_SUPPRESSED),
    }
)
# What a table must have been measured at before it may be called anonymised.
ANONYMISED: Final = Bounds(k=20, l_distinct=2, t=0.4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A column that a release may have.

    Attributes:
        way: how it is generalised where somebody could be found by it; None for a sensitive one.
        element: what must be opened in the vault for it, None for a fact of the ledger.
        classes: whose clocks end the life of what it tells.
        exact: it says a figure of one person to the last unit.
    """

    name: str
    title_zh: str
    title_en: str
    way: Way | None = None
    element: Element | None = None
    classes: frozenset[RetentionClass] = frozenset({RetentionClass.IDENTITY_TRANSACTION})
    exact: bool = False


_ADVERSE: Final = frozenset({RetentionClass.IDENTITY_TRANSACTION, RetentionClass.ADVERSE_ITEM})
FIELDS: Final[Mapping[str, Field]] = MappingProxyType(
    {
        one.name: one
        for one in (
            Field(name="age", title_zh="年龄", title_en="Age", way=Ranges([5, 10, 20]), element=Element.RESIDENT_ID),
            Field(name="sex", title_zh="性别", title_en="Sex", way=Prefixes([1]), element=Element.RESIDENT_ID),
            Field(
                name="region", title_zh="户籍地区代码", title_en="Area code", way=Prefixes([4, 2]),
                element=Element.RESIDENT_ID,
            ),
            Field(name="issued", title_zh="首笔放款日", title_en="First issued", way=Dates()),
            Field(name="term", title_zh="最长期限（月）", title_en="Longest term (months)", way=Ranges([12, 36])),
            Field(name="amount", title_zh="借款总额（元）", title_en="Borrowed", way=Ranges([1_000, 5_000, 20_000])),
            Field(name="loans", title_zh="借款笔数", title_en="Loans"),
            Field(name="status", title_zh="最差还款状态", title_en="Worst status", classes=_ADVERSE),
            Field(name="overdue", title_zh="是否逾期", title_en="Overdue", classes=_ADVERSE),
            Field(name="balance", title_zh="余额（元）", title_en="Balance (yuan)", exact=True),
        )
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What an application asks for.

    Attributes:
        columns: names of `FIELDS`.
        pseudonym: each row carries a pseudonym of its person, of this package only.
        keep_until: last day on which the recipient may have it.
    """

    columns: tuple[str, ...]
    form: Form
    pseudonym: bool
    recipient_kind: RecipientKind
    bounds: Bounds
    keep_until: date


def flaw_of(wanted: Wanted, *, today: date) -> str | None:  # noqa: PLR0911 - one line a rule
    """Return what is wrong with an application, or None."""
    unknown = [name for name in wanted.columns if name not in FIELDS]
    if unknown or len(set(wanted.columns)) != len(wanted.columns):
        return f"columns: each one once, out of {', '.join(FIELDS)}"
    quasi, _ = roles_of(wanted.columns)
    if not quasi:
        return "columns: at least one by which persons are grouped"
    if wanted.form is Form.COUNTS and (len(wanted.columns) != 2 or wanted.pseudonym):  # noqa: PLR2004 - rows and columns
        return "columns: counts have exactly two columns and no pseudonym"
    if wanted.form is Form.COUNTS and any(FIELDS[name].exact for name in wanted.columns):
        return "columns: counts have no exact figures"
    if wanted.recipient_kind is RecipientKind.PUBLIC and wanted.form is Form.ROWS:
        return "form: the public gets counts, no rows"
    least = LEAST[wanted.recipient_kind]
    bounds = wanted.bounds
    is_less = bounds.k < least.k or bounds.l_distinct < least.l_distinct or bounds.t > least.t
    if is_less or bounds.largest_suppressed > least.largest_suppressed:
        return f"bounds: the policy asks for k {least.k}, l {least.l_distinct}, t {least.t} or stricter"
    if not today < wanted.keep_until <= today + LONGEST_KEEP:
        return "keep_until: a day after today and within 366 days"
    return None


def roles_of(columns: Collection[str]) -> tuple[list[str], list[str]]:
    """Return the columns by which somebody could be found, and those that nobody shall learn of a person."""
    quasi = [name for name in columns if FIELDS[name].way is not None]
    return quasi, [name for name in columns if FIELDS[name].way is None]


def classes_of(columns: Collection[str]) -> list[RetentionClass]:
    """Return the retention classes that the columns tell of."""
    return sorted({kind for name in columns for kind in FIELDS[name].classes})


def label_of(wanted: Wanted, *, k: int, l_distinct: int, t: float) -> Standing:
    """Return what a release may call itself, by what was measured on it.

    Args:
        wanted: what it is made of.
        k: persons of the smallest group or shown cell.
        l_distinct: fewest different sensitive values of a group; of counts, which tell none, any.
        t: largest distance of a group; likewise.
    """
    if wanted.pseudonym or any(FIELDS[name].exact for name in wanted.columns):
        return Standing.DEIDENTIFIED
    _, sensitive = roles_of(wanted.columns)
    diverse = wanted.form is Form.COUNTS or (l_distinct >= ANONYMISED.l_distinct and t <= ANONYMISED.t + 1e-9)
    if k >= ANONYMISED.k and (diverse or not sensitive):
        return Standing.ANONYMISED
    return Standing.DEIDENTIFIED


LABEL_TITLES: Final[Mapping[Standing, tuple[str, str]]] = MappingProxyType(
    {
        Standing.DEIDENTIFIED: (
            "去标识化（仍属个人金融信息）",
            "De-identified: still personal financial information",
        ),
        Standing.ANONYMISED: ("匿名化", "Anonymised"),
    }
)
