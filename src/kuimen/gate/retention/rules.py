"""The clocks: per person and retention class due, not due until, or blocked by; with reason and clause. Pure.

Two figures of T/CQJR are overridden by later law: 5 years for transaction records became 10 on 2026-01-01, and the
longer term prevails. The adverse item stays at 5 years *and must go then*, although the transactions it came from stay.

Clause: CQJR-5.2-e, CQJR-6.5-c
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final
from uuid import UUID

from kuimen.kernels.elements.model import RetentionClass

__all__ = ["RetentionClass"]


class EventKind(StrEnum):
    """What starts a clock when it ends."""

    RELATIONSHIP = "relationship"
    ADVERSE = "adverse"
    COLLECTION = "collection"
    CONSENT = "consent"


class HoldKind(StrEnum):
    """What stops a destruction that would be due."""

    AML = "aml"
    LEGAL = "legal"


class Verdict(StrEnum):
    """What the clocks say about one class of one person."""

    DUE = "due"
    NOT_DUE = "not_due"
    BLOCKED = "blocked"
    NO_CLOCK = "no_clock"


@dataclass(frozen=True, slots=True, kw_only=True)
class TermRule:
    """How long a class is kept.

    Attributes:
        starts_at_end_of: the event whose end starts the clock.
        years: how long after that.
        clause: the clause of the standards that this term carries out.
        basis_zh: the rule in words, for readers of Chinese.
        basis_en: the same for readers of English.
        overrides: what the standard itself says where a later rule prevails; empty otherwise.
    """

    starts_at_end_of: EventKind
    years: int
    clause: str
    basis_zh: str
    basis_en: str
    overrides: str = ""


TERMS: Final[Mapping[RetentionClass, TermRule]] = MappingProxyType(
    {
        RetentionClass.IDENTITY_TRANSACTION: TermRule(
            starts_at_end_of=EventKind.RELATIONSHIP,
            years=10,
            clause="CQJR-6.5-c",
            basis_zh="客户身份资料和交易记录自业务关系结束起至少10年（反洗钱法第34条、2025年第11号令第44条，2026-01-01起）",
            basis_en=(
                "identity and transaction records: at least 10 years from the end of the relationship "
                "(AML Law art. 34, order 2025 No. 11 art. 44, from 2026-01-01)"
            ),
            overrides="T/CQJR 6.5 c): 5 years",
        ),
        RetentionClass.ADVERSE_ITEM: TermRule(
            starts_at_end_of=EventKind.ADVERSE,
            years=5,
            clause="CQJR-5.2-e",
            basis_zh="个人不良信息自不良行为或事件终止之日起5年，超过的应当删除",
            basis_en="adverse items: 5 years from the day the adverse event ended, then deleted",
        ),
        RetentionClass.COLLECTION_RECORD: TermRule(
            starts_at_end_of=EventKind.COLLECTION,
            years=5,
            clause="CQJR-5.4-g",
            basis_zh="催收记录自催收结束起不少于5年（消费金融公司管理办法，2024）",
            basis_en="collection records: at least 5 years from their end (Consumer Finance Company Measures 2024)",
        ),
        RetentionClass.CONSENT_BASED: TermRule(
            starts_at_end_of=EventKind.CONSENT,
            years=0,
            clause="JRT0171-6.1.5-b",
            basis_zh="基于同意处理的信息，同意撤回或期满即到期；从未取得同意的，业务关系结束即到期",
            basis_en="consent-based data: due when consent ends; where there never was one, when the relationship ends",
        ),
    }
)

# An AML investigation keeps what it investigates; a court or a supervisor may keep everything.
BLOCKED_BY: Final[Mapping[HoldKind, frozenset[RetentionClass]]] = MappingProxyType(
    {
        HoldKind.AML: frozenset({RetentionClass.IDENTITY_TRANSACTION}),
        HoldKind.LEGAL: frozenset(RetentionClass),
    }
)
HOLD_TITLES: Final[Mapping[HoldKind, tuple[str, str, str]]] = MappingProxyType(
    {
        HoldKind.AML: ("反洗钱调查未结束", "an AML investigation is open", "CQJR-6.5-c"),
        HoldKind.LEGAL: ("司法或监管要求保全", "a legal hold stands", "CQJR-5.2-e"),
    }
)
EVENT_TITLES: Final[Mapping[EventKind, tuple[str, str]]] = MappingProxyType(
    {
        EventKind.RELATIONSHIP: ("业务关系", "business relationship"),
        EventKind.ADVERSE: ("不良事件", "adverse event"),
        EventKind.COLLECTION: ("催收", "collection"),
        EventKind.CONSENT: ("同意", "consent"),
    }
)
CLASS_TITLES: Final[Mapping[RetentionClass, tuple[str, str]]] = MappingProxyType(
    {
        RetentionClass.IDENTITY_TRANSACTION: ("身份与交易", "identity and transaction"),
        RetentionClass.ADVERSE_ITEM: ("不良信息", "adverse item"),
        RetentionClass.COLLECTION_RECORD: ("催收记录", "collection record"),
        RetentionClass.CONSENT_BASED: ("基于同意", "consent-based"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockEvent:
    """Something whose end starts a clock; open as long as `ended_on` is None.

    Attributes:
        person_ref: whose.
        kind: what it is.
        ended_on: the day on which it ended, by the business clock; None while it lasts.
        evidence: where that can be looked up: a reference, never a value.
    """

    person_ref: UUID
    kind: EventKind
    ended_on: date | None
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What the clocks say about one class, and why.

    Attributes:
        due_on: the first day on which destruction is due; None where no clock has started.
        reason_zh: why, in one sentence.
        reason_en: the same in English.
        clause: the clause that the reason rests on.
    """

    retention_class: RetentionClass
    verdict: Verdict
    due_on: date | None
    reason_zh: str
    reason_en: str
    clause: str


def decide(
    retention_class: RetentionClass, events: Collection[ClockEvent], holds: Collection[HoldKind], *, today: date
) -> Decision:
    """Decide about one class of one person.

    Args:
        retention_class: which class.
        events: everything known of this person that can start a clock, of whatever kind.
        holds: the holds in force on this person.
        today: the business day.

    Returns:
        The decision. Where nothing is known that starts the clock, it is `NO_CLOCK` and never due by itself: nobody
        guesses when a relationship ended.
    """
    rule = TERMS[retention_class]
    starts = _starts(retention_class, events)
    if not starts:
        title_zh, title_en = EVENT_TITLES[rule.starts_at_end_of]
        return _decision(
            retention_class,
            Verdict.NO_CLOCK,
            None,
            f"未登记任何{title_zh}，期限尚未起算，不得自动销毁",
            f"no {title_en} is known, so no clock has started; it is not destroyed by itself",
        )
    still_open = next((event for event in starts if event.ended_on is None), None)
    if still_open is not None:
        title_zh, title_en = EVENT_TITLES[still_open.kind]
        return _decision(
            retention_class,
            Verdict.NOT_DUE,
            None,
            f"{title_zh}尚未终止，期限未起算：{rule.basis_zh}",
            f"the {title_en} has not ended, so the clock has not started: {rule.basis_en}",
        )
    ended_on = max(event.ended_on for event in starts if event.ended_on is not None)
    due_on = due_day(ended_on, rule.years)
    if today < due_on:
        return _decision(
            retention_class,
            Verdict.NOT_DUE,
            due_on,
            f"{ended_on}终止，{due_on}到期：{rule.basis_zh}",
            f"it ended on {ended_on} and is due on {due_on}: {rule.basis_en}",
        )
    return _due_unless_held(retention_class, holds, ended_on=ended_on, due_on=due_on)


def due_day(ended_on: date, years: int) -> date:
    """Return the first day after a term of whole years; one of 0 years is due on the day itself.

    A term that would end on a day its last month does not have ends with that month.
    """
    if years == 0:
        return ended_on
    try:
        return ended_on.replace(year=ended_on.year + years) + timedelta(days=1)
    except ValueError:
        return date(ended_on.year + years, 3, 1)  # 29 February: the term ended on the 28th


def _starts(retention_class: RetentionClass, events: Collection[ClockEvent]) -> Sequence[ClockEvent]:
    """Return the events that this class's clock hangs on."""
    kind = TERMS[retention_class].starts_at_end_of
    chosen = [event for event in events if event.kind is kind]
    if not chosen and retention_class is RetentionClass.CONSENT_BASED:
        # Taken over with a contract, without any act of consent: the purpose ends with the relationship.
        return [event for event in events if event.kind is EventKind.RELATIONSHIP]
    return chosen


def _due_unless_held(
    retention_class: RetentionClass, holds: Collection[HoldKind], *, ended_on: date, due_on: date
) -> Decision:
    rule = TERMS[retention_class]
    for hold in HoldKind:
        if hold in holds and retention_class in BLOCKED_BY[hold]:
            title_zh, title_en, clause = HOLD_TITLES[hold]
            return Decision(
                retention_class=retention_class,
                verdict=Verdict.BLOCKED,
                due_on=due_on,
                reason_zh=f"{due_on}已到期，但{title_zh}，暂不得销毁",
                reason_en=f"due since {due_on}, but {title_en}; it stays until that is lifted",
                clause=clause,
            )
    return _decision(
        retention_class,
        Verdict.DUE,
        due_on,
        f"{ended_on}终止，{due_on}到期：{rule.basis_zh}",
        f"it ended on {ended_on} and has been due since {due_on}: {rule.basis_en}",
    )


def _decision(
    retention_class: RetentionClass, verdict: Verdict, due_on: date | None, reason_zh: str, reason_en: str
) -> Decision:
    return Decision(
        retention_class=retention_class,
        verdict=verdict,
        due_on=due_on,
        reason_zh=reason_zh,
        reason_en=reason_en,
        clause=TERMS[retention_class].clause,
    )


# The life of one erasure: one class of one person.


class ErasureState(StrEnum):
    """Life of an erasure."""

    DUE = "due"
    SUSPENDED = "suspended"
    DESTROYED = "destroyed"
    LAPSED = "lapsed"


class ErasureEvent(StrEnum):
    """What can happen to an erasure."""

    SUSPEND = "suspend"
    RESUME = "resume"
    DESTROY = "destroy"
    LAPSE = "lapse"  # no longer due: a new relationship, a hold, a corrected date


ERASURE_TRANSITIONS: Final[Mapping[tuple[ErasureState, ErasureEvent], ErasureState]] = MappingProxyType(
    {
        (ErasureState.DUE, ErasureEvent.SUSPEND): ErasureState.SUSPENDED,
        (ErasureState.DUE, ErasureEvent.LAPSE): ErasureState.LAPSED,
        (ErasureState.SUSPENDED, ErasureEvent.RESUME): ErasureState.DUE,
        (ErasureState.SUSPENDED, ErasureEvent.DESTROY): ErasureState.DESTROYED,
    }
)
OPEN_STATES: Final = (ErasureState.DUE, ErasureState.SUSPENDED)


def next_state(state: ErasureState, event: ErasureEvent) -> ErasureState | None:
    """Return the state after `event`, or None where the table does not allow it."""
    return ERASURE_TRANSITIONS.get((state, event))


# What a backup still holds.


class BackupStanding(StrEnum):
    """Whether a backup still holds sealed bytes and wrapped key of what was erased."""

    HOLDS_UNTIL = "holds_until"
    HOLDS_UNKNOWN = "holds_unknown"
    TAKEN_AFTER = "taken_after"
    EXPIRED = "expired"


def standing(*, taken_on: date, expires_on: date | None, destroyed_on: date, today: date) -> BackupStanding:
    """Return how a backup stands to an erasure; one of the same day counts as taken before."""
    if taken_on > destroyed_on:
        return BackupStanding.TAKEN_AFTER
    if expires_on is None:
        return BackupStanding.HOLDS_UNKNOWN
    return BackupStanding.EXPIRED if expires_on < today else BackupStanding.HOLDS_UNTIL
