"""The life of a collection case as one table, and the pure decisions around it.

Clause: CQJR-5.4-a
Clause: CQJR-5.4-b
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from kuimen.gate.access.rules import Action
from kuimen.gate.disclosure import rules as door
from kuimen.kernels.elements.model import Element

PURPOSE: Final = "collection"  # everything disclosed for a case is bound to this purpose
PAGE_ROWS: Final = 50


class CaseState(StrEnum):
    """Where a case stands."""

    CREATED = "created"
    STRATEGISED = "strategised"
    ASSIGNED = "assigned"
    WORKING = "working"
    PROMISED = "promised"
    PTP_KEPT = "ptp_kept"
    PTP_BROKEN = "ptp_broken"
    HOLD = "hold"
    RECALLED = "recalled"
    LEGAL = "legal"
    WRITTEN_OFF = "written_off"
    SETTLED = "settled"
    CLOSED = "closed"


class CaseEvent(StrEnum):
    """What can happen to a case."""

    CHOOSE_STRATEGY = "choose_strategy"
    ASSIGN = "assign"
    START_WORK = "start_work"
    PROMISE = "promise"
    KEEP_PROMISE = "keep_promise"
    BREAK_PROMISE = "break_promise"
    HOLD = "hold"
    RELEASE = "release"
    RECALL = "recall"
    SUE = "sue"
    RETURN_FROM_COURT = "return_from_court"
    WRITE_OFF = "write_off"
    SETTLE = "settle"
    CLOSE = "close"


STATE_TITLES: Final[Mapping[CaseState, tuple[str, str]]] = MappingProxyType(
    {
        CaseState.CREATED: ("已建案", "Created"),
        CaseState.STRATEGISED: ("已定策略", "Strategy chosen"),
        CaseState.ASSIGNED: ("已分案", "Assigned"),
        CaseState.WORKING: ("作业中", "Being worked"),
        CaseState.PROMISED: ("承诺还款", "Promised"),
        CaseState.PTP_KEPT: ("已履约", "Promise kept"),
        CaseState.PTP_BROKEN: ("已爽约", "Promise broken"),
        CaseState.HOLD: ("暂停", "On hold"),
        CaseState.RECALLED: ("已退案", "Recalled"),
        CaseState.LEGAL: ("诉讼", "In court"),
        CaseState.WRITTEN_OFF: ("已核销", "Written off"),
        CaseState.SETTLED: ("已结清", "Settled"),
        CaseState.CLOSED: ("已关闭", "Closed"),
    }
)

# Somebody holds the case: an in-house collector or an agency may see it.
HELD_STATES: Final = frozenset(
    {CaseState.ASSIGNED, CaseState.WORKING, CaseState.PROMISED, CaseState.PTP_KEPT, CaseState.PTP_BROKEN}
)
# Money may come in and reasons to stop may arise in all of these.
OPEN_STATES: Final = frozenset(CaseState) - {CaseState.SETTLED, CaseState.CLOSED}
_UNHELD = (CaseState.CREATED, CaseState.STRATEGISED, CaseState.RECALLED)
_WORKED = (CaseState.WORKING, CaseState.PTP_KEPT, CaseState.PTP_BROKEN)

TRANSITIONS: Final[Mapping[tuple[CaseState, CaseEvent], CaseState]] = MappingProxyType(
    {
        (CaseState.CREATED, CaseEvent.CHOOSE_STRATEGY): CaseState.STRATEGISED,
        # A case may be dispatched by hand before a strategy exists.
        **{(state, CaseEvent.ASSIGN): CaseState.ASSIGNED for state in _UNHELD},
        (CaseState.WRITTEN_OFF, CaseEvent.ASSIGN): CaseState.ASSIGNED,  # 账销案存: still collectable
        (CaseState.ASSIGNED, CaseEvent.START_WORK): CaseState.WORKING,
        (CaseState.PTP_KEPT, CaseEvent.START_WORK): CaseState.WORKING,
        (CaseState.PTP_BROKEN, CaseEvent.START_WORK): CaseState.WORKING,
        (CaseState.WORKING, CaseEvent.PROMISE): CaseState.PROMISED,
        (CaseState.PROMISED, CaseEvent.KEEP_PROMISE): CaseState.PTP_KEPT,
        (CaseState.PROMISED, CaseEvent.BREAK_PROMISE): CaseState.PTP_BROKEN,
        # Dispute, complaint, hardship, death, fraud claim: the case leaves its collector at once …
        **{(state, CaseEvent.HOLD): CaseState.HOLD for state in OPEN_STATES - {CaseState.HOLD}},
        # … and comes back to the dispatcher, never to the collector who had it.
        (CaseState.HOLD, CaseEvent.RELEASE): CaseState.CREATED,
        **{(state, CaseEvent.RECALL): CaseState.RECALLED for state in HELD_STATES},
        **{(state, CaseEvent.SUE): CaseState.LEGAL for state in (*_UNHELD, *_WORKED)},
        (CaseState.LEGAL, CaseEvent.RETURN_FROM_COURT): CaseState.RECALLED,
        **{(state, CaseEvent.WRITE_OFF): CaseState.WRITTEN_OFF for state in (*_UNHELD, *_WORKED, CaseState.LEGAL)},
        **{(state, CaseEvent.SETTLE): CaseState.SETTLED for state in OPEN_STATES},
        (CaseState.SETTLED, CaseEvent.CLOSE): CaseState.CLOSED,
    }
)

# A case leaves whoever holds it when one of these happens.
ENDS_ASSIGNMENT: Final = frozenset(
    {CaseEvent.HOLD, CaseEvent.RECALL, CaseEvent.SUE, CaseEvent.WRITE_OFF, CaseEvent.SETTLE}
)


class HoldReason(StrEnum):
    """Why collecting stops."""

    DISPUTE = "dispute"
    COMPLAINT = "complaint"
    HARDSHIP = "hardship"
    DEATH = "death"
    FRAUD_CLAIM = "fraud_claim"


def next_state(state: CaseState, event: CaseEvent) -> CaseState | None:
    """Return the state after `event`, or None where the table does not allow it."""
    return TRANSITIONS.get((state, event))


def allowed_events(state: CaseState) -> tuple[CaseEvent, ...]:
    """Return what may happen to a case in `state`, in the order of the enumeration."""
    return tuple(event for event in CaseEvent if (state, event) in TRANSITIONS)


def replay(events: Iterable[CaseEvent]) -> CaseState | None:
    """Return the state that a history of events leads to from CREATED, or None if a step is not in the table."""
    state = CaseState.CREATED
    for event in events:
        following = next_state(state, event)
        if following is None:
            return None
        state = following
    return state


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerFact:
    """What the ledger says about one loan, as far as case building may know."""

    overdue: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildPlan:
    """What a nightly build does: loans that get a case and cases that leave the queue."""

    create: tuple[str, ...]
    settle: tuple[str, ...]


def plan_build(*, loans: Mapping[str, LedgerFact], open_cases: Mapping[str, CaseState]) -> BuildPlan:
    """Decide from ledger facts alone which cases begin and which end.

    Args:
        loans: ledger facts by loan reference; a loan that is missing here is unknown to the ledger.
        open_cases: state of each case that is not settled or closed, by loan reference.

    A case whose loan is no longer overdue settles; one whose loan the ledger does not know is left for the control to
    find, because settling it would hide the defect.
    """
    create = tuple(ref for ref, fact in loans.items() if fact.overdue and ref not in open_cases)
    settle = tuple(ref for ref in open_cases if ref in loans and not loans[ref].overdue)
    return BuildPlan(create=create, settle=settle)


# Which right an event needs. Settling has none: the ledger settles a case, nobody else.
EVENT_ACTIONS: Final[Mapping[CaseEvent, Action]] = MappingProxyType(
    {
        CaseEvent.CHOOSE_STRATEGY: Action.CASE_ASSIGN,
        CaseEvent.ASSIGN: Action.CASE_ASSIGN,
        CaseEvent.START_WORK: Action.CASE_WORK,
        CaseEvent.PROMISE: Action.CASE_WORK,
        CaseEvent.KEEP_PROMISE: Action.CASE_WORK,
        CaseEvent.BREAK_PROMISE: Action.CASE_WORK,
        CaseEvent.HOLD: Action.CASE_WORK,  # whoever hears of a dispute must be able to stop at once
        CaseEvent.RELEASE: Action.CASE_ASSIGN,
        CaseEvent.RECALL: Action.CASE_ASSIGN,
        CaseEvent.SUE: Action.CASE_ASSIGN,
        CaseEvent.RETURN_FROM_COURT: Action.CASE_ASSIGN,
        CaseEvent.WRITE_OFF: Action.CASE_ASSIGN,
        CaseEvent.CLOSE: Action.CASE_ASSIGN,
    }
)
# Events that need more than their name, and so have a use case of their own.
EVENTS_WITH_DETAILS: Final = frozenset({CaseEvent.ASSIGN, CaseEvent.HOLD})

# What a case page shows of a borrower, in this order; nothing else is asked of the gate for it (最小够用).
PAGE_ELEMENTS: Final = (
    Element.PERSON_NAME,
    Element.MOBILE,
    Element.RESIDENT_ID,
    Element.ADDRESS,
    Element.BANK_CARD,
    Element.EMAIL,
)
LIST_ELEMENTS: Final = (Element.PERSON_NAME, Element.MOBILE)
CHALLENGE_ELEMENTS: Final = (Element.RESIDENT_ID, Element.MOBILE, Element.BANK_CARD)


# Why one field may have to be seen in clear is decided for the whole house, at the door.
RevealReason = door.ReasonCode
REASON_TITLES: Final = door.REASON_TITLES

EVENT_TITLES: Final[Mapping[CaseEvent, tuple[str, str]]] = MappingProxyType(
    {
        CaseEvent.CHOOSE_STRATEGY: ("定策略", "Choose strategy"),
        CaseEvent.ASSIGN: ("分案", "Assign"),
        CaseEvent.START_WORK: ("开始作业", "Start work"),
        CaseEvent.PROMISE: ("记录承诺", "Record a promise"),
        CaseEvent.KEEP_PROMISE: ("承诺已履行", "Promise kept"),
        CaseEvent.BREAK_PROMISE: ("承诺未履行", "Promise broken"),
        CaseEvent.HOLD: ("暂停", "Hold"),
        CaseEvent.RELEASE: ("解除暂停", "Release"),
        CaseEvent.RECALL: ("退案", "Recall"),
        CaseEvent.SUE: ("移交诉讼", "Take to court"),
        CaseEvent.RETURN_FROM_COURT: ("诉讼退回", "Return from court"),
        CaseEvent.WRITE_OFF: ("核销", "Write off"),
        CaseEvent.SETTLE: ("结清", "Settle"),
        CaseEvent.CLOSE: ("关闭", "Close"),
    }
)
