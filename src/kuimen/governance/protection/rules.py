"""Pure decisions of protection: what happens to a column, how a job moves, what counts as a raw needle."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from kuimen.kernels.elements import Element, Storage, rule_of

RAW_NEEDLE_BYTES = 8
# Small vocabularies: the same text stands legitimately elsewhere, so that a raw hit would prove nothing.
SHARED_VOCABULARY = frozenset(
    {
        Element.SEX,
        Element.NATIONALITY,
        Element.ETHNICITY,
        Element.OCCUPATION,
        Element.BIRTH_DATE,
        Element.CARD_EXPIRY,
        Element.CONTACT_RELATION,
    }
)


class Action(StrEnum):
    """What happens to one column."""

    SEAL = "seal"
    FOLLOW = "follow"  # a foreign key on a sealed column: takes the parent's reference
    DESTROY = "destroy"
    DERIVED = "derived"  # computed by the database from a column that goes
    DISSOCIATE = "dissociate"
    LEAVE = "leave"
    BLOCKED = "blocked"


REMOVED = frozenset({Action.SEAL, Action.FOLLOW, Action.DESTROY, Action.DERIVED})
REFERENCED = frozenset({Action.SEAL, Action.FOLLOW})


class Severity(StrEnum):
    """How grave a finding of the plan is."""

    BLOCKER = "blocker"
    WARNING = "warning"
    NOTE = "note"


class JobState(StrEnum):
    """Life of a protection job."""

    PLANNED = "planned"
    RUNNING = "running"
    INCOMPLETE = "incomplete"
    DONE = "done"


class JobEvent(StrEnum):
    """What can happen to a job."""

    START = "start"
    FINISH = "finish"
    STOP = "stop"


class StepState(StrEnum):
    """Life of one table or file within a job; every state can be entered again after a crash."""

    PLANNED = "planned"
    PREPARED = "prepared"
    SEALED = "sealed"
    VERIFIED = "verified"
    CUT_OVER = "cut_over"
    DONE = "done"
    BLOCKED = "blocked"


class StepEvent(StrEnum):
    """What can happen to a step."""

    PREPARE = "prepare"
    SEAL = "seal"
    VERIFY = "verify"
    CUT_OVER = "cut_over"
    BIND = "bind"
    BLOCK = "block"


JOB_TRANSITIONS: Mapping[tuple[JobState, JobEvent], JobState] = MappingProxyType(
    {
        (JobState.PLANNED, JobEvent.START): JobState.RUNNING,
        (JobState.RUNNING, JobEvent.START): JobState.RUNNING,  # after a crash
        (JobState.RUNNING, JobEvent.FINISH): JobState.DONE,
        (JobState.RUNNING, JobEvent.STOP): JobState.INCOMPLETE,
    }
)
STEP_TRANSITIONS: Mapping[tuple[StepState, StepEvent], StepState] = MappingProxyType(
    {
        (StepState.PLANNED, StepEvent.PREPARE): StepState.PREPARED,
        (StepState.BLOCKED, StepEvent.PREPARE): StepState.PREPARED,
        (StepState.PREPARED, StepEvent.PREPARE): StepState.PREPARED,
        (StepState.SEALED, StepEvent.PREPARE): StepState.PREPARED,
        (StepState.VERIFIED, StepEvent.PREPARE): StepState.PREPARED,
        (StepState.PREPARED, StepEvent.SEAL): StepState.SEALED,
        (StepState.SEALED, StepEvent.VERIFY): StepState.VERIFIED,
        (StepState.VERIFIED, StepEvent.CUT_OVER): StepState.CUT_OVER,
        (StepState.PLANNED, StepEvent.CUT_OVER): StepState.CUT_OVER,  # a crash between both databases' commits
        (StepState.PREPARED, StepEvent.CUT_OVER): StepState.CUT_OVER,
        (StepState.SEALED, StepEvent.CUT_OVER): StepState.CUT_OVER,
        (StepState.CUT_OVER, StepEvent.CUT_OVER): StepState.CUT_OVER,
        (StepState.CUT_OVER, StepEvent.BIND): StepState.DONE,
        **{(state, StepEvent.BLOCK): StepState.BLOCKED for state in StepState if state is not StepState.DONE},
    }
)


def action_for(element: str | None) -> Action:
    """Return what the element table orders for a column of this element."""
    if element is None:
        return Action.LEAVE
    match rule_of(Element(element)).storage:
        case Storage.SEAL:
            return Action.SEAL
        case Storage.DESTROY:
            return Action.DESTROY
        case Storage.DISSOCIATE:
            return Action.DISSOCIATE
        case Storage.PLAIN:
            return Action.LEAVE


def is_raw_needle(value: str, *, element: str, stored_as_text: bool) -> bool:
    """Tell whether an original is searched byte by byte; the others are proven by re-scanning columns.

    Values of fewer than eight bytes and of small vocabularies occur by chance. Numbers and dates are stored in binary
    by the database, but their text may still stand in logs and files.
    """
    if Element(element) in SHARED_VOCABULARY:
        return False
    return len(value.encode()) >= RAW_NEEDLE_BYTES and (stored_as_text or value.isdigit())
