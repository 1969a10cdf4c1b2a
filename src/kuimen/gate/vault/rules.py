"""Pure decisions of the vault: states of a record, which elements are searchable, what happens at a second write."""

from enum import StrEnum
from typing import Final

from kuimen.kernels.elements.model import Element

SOURCE_KEY_BYTES: Final = 32
LARGEST_VALUE_BYTES: Final = 1024 * 1024
SMALLEST_SEALED_BYTES: Final = 34


class RecordState(StrEnum):
    """Life of a record. A pending one may still have its clear original in the source; a bound one has none.

    A suspended one is shown to nobody and comes back unchanged; a destroyed one is a tombstone without content.
    """

    PENDING = "pending"
    BOUND = "bound"
    SUSPENDED = "suspended"
    DESTROYED = "destroyed"


class RecordEvent(StrEnum):
    """What can happen to a record."""

    RESEAL = "reseal"
    BIND = "bind"
    SUSPEND = "suspend"
    RESUME = "resume"
    RESUME_UNBOUND = "resume_unbound"  # of one that was never bound
    DESTROY = "destroy"  # two persons destroy what is suspended; the replay of their order meets a backup in any state


TRANSITIONS: Final[dict[tuple[RecordState, RecordEvent], RecordState]] = {
    (RecordState.PENDING, RecordEvent.RESEAL): RecordState.PENDING,
    (RecordState.BOUND, RecordEvent.RESEAL): RecordState.BOUND,
    (RecordState.PENDING, RecordEvent.BIND): RecordState.BOUND,
    (RecordState.PENDING, RecordEvent.SUSPEND): RecordState.SUSPENDED,
    (RecordState.BOUND, RecordEvent.SUSPEND): RecordState.SUSPENDED,
    (RecordState.SUSPENDED, RecordEvent.RESUME): RecordState.BOUND,
    (RecordState.SUSPENDED, RecordEvent.RESUME_UNBOUND): RecordState.PENDING,
    (RecordState.PENDING, RecordEvent.DESTROY): RecordState.DESTROYED,
    (RecordState.BOUND, RecordEvent.DESTROY): RecordState.DESTROYED,
    (RecordState.SUSPENDED, RecordEvent.DESTROY): RecordState.DESTROYED,
}
SHOWN: Final = (RecordState.PENDING, RecordState.BOUND)


class RotationKind(StrEnum):
    """What a rotation job does with records."""

    REENCRYPT = "reencrypt"
    REINDEX = "reindex"
    MERGE = "merge"
    INDEX_PART = "index_part"


class SealOutcome(StrEnum):
    """What sealing one item did."""

    CREATED = "created"
    UNCHANGED = "unchanged"
    RESEALED = "resealed"


# Elements whose values are so many that equal tags tell little. Names, sex, nationality, occupation, dates and places
# are left out on purpose: over a small set of values an index tells the values themselves.
INDEXED_ELEMENTS: Final = frozenset(
    {
        Element.RESIDENT_ID,
        Element.PASSPORT,
        Element.OTHER_CERTIFICATE,
        Element.MOBILE,
        Element.LANDLINE,
        Element.EMAIL,
        Element.BANK_CARD,
        Element.ACCOUNT_NUMBER,
        Element.WECHAT,
        Element.QQ,
        Element.IMEI,
        Element.DEVICE_ID,
        Element.USER_NAME,
    }
)


def next_state(state: RecordState, event: RecordEvent) -> RecordState | None:
    """Return the state after `event`, or None where the table has no such transition."""
    return TRANSITIONS.get((state, event))


def states_before(event: RecordEvent) -> list[str]:
    """Return the states that an event may meet, for the statement that carries it out."""
    return [state.value for state, known in TRANSITIONS if known is event]


def state_after(event: RecordEvent) -> str:
    """Return the one state that an event leads to."""
    (after,) = {state.value for (_, known), state in TRANSITIONS.items() if known is event}
    return after


def second_write(*, state: RecordState, same_value: bool, same_person: bool, replace_bound: bool) -> SealOutcome | None:
    """Decide about an item whose source coordinates are known already; None means conflict.

    A bound record has lost its clear original: writing another value over it would lose what it holds, so that needs
    `replace_bound`, which a caller sets only when the source itself was changed by its application. Nothing is written
    over a suspended or destroyed record: what was erased does not come back with the next import.
    """
    if state not in SHOWN:
        return None
    if same_value and same_person:
        return SealOutcome.UNCHANGED
    if state is RecordState.PENDING or replace_bound:
        return SealOutcome.RESEALED
    return None


def is_indexed(element: str) -> bool:
    """Return whether records of this element get a blind index."""
    return element in INDEXED_ELEMENTS


def table_key_scope(source_id: str, source_table: str) -> str:
    """Return the scope of the key for values of a table whose person is not known."""
    return f"vault/{source_id}/{source_table}"
