"""Generations of a blind-index key: which are written and searched, and how an old one ends.

The active and every retired generation are written and searched. A suspended one is neither, and can be restored; a
destroyed one is gone.

Clause: JRT0171-6.2.4-a
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from kuimen.foundation import clock
from kuimen.gate.audit import services as audit
from kuimen.gate.keys import store
from kuimen.gate.keys.errors import KeyMissingError, KeyTransitionError
from kuimen.gate.keys.models import IndexKey
from kuimen.gate.keys.rules import KeyEvent, KeyState, next_state
from kuimen.gate.keys.uses import record_at_once


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexGeneration:
    """One generation of an element's index key, without its material."""

    element: str
    generation: int
    state: KeyState
    since: datetime


def index_generations(element: str | None = None) -> list[IndexGeneration]:
    """Return every generation of one element, or of all, oldest first."""
    rows = IndexKey.objects.using(store.DATABASE).order_by("element", "generation")
    if element is not None:
        rows = rows.filter(element=element)
    with store.translated():
        return [
            IndexGeneration(
                element=row.element,
                generation=row.generation,
                state=KeyState(row.state),
                since=row.state_since or row.created_at,
            )
            for row in rows
        ]


def change_index_generation(element: str, generation: int, *, event: KeyEvent, actor: audit.Actor) -> None:
    """Suspend, restore or destroy one generation; whoever calls has heard two persons.

    A generation that is already in the state the event leads to stays so, and the call ends well.

    Raises:
        KeyMissingError: there is no such generation.
        KeyTransitionError: the state table does not allow it.
    """
    with store.translated(), transaction.atomic(using=store.DATABASE):
        rows = IndexKey.objects.using(store.DATABASE).select_for_update()
        row = rows.filter(element=element, generation=generation).first()
        if row is None:
            raise KeyMissingError(f"the index of {element} has no generation {generation}")
        after = next_state(KeyState(row.state), event)
        reached = {KeyEvent.SUSPEND: KeyState.SUSPENDED, KeyEvent.DESTROY: KeyState.DESTROYED}.get(event)
        if after is None and (reached is None or row.state != reached.value):
            raise KeyTransitionError(f"an index key in state {row.state} does not take the event {event}")
        if after is not None:
            row.state, row.state_since = after.value, clock.now()
            if after is KeyState.DESTROYED:
                row.wrapped = None
            row.save(using=store.DATABASE, update_fields=["state", "state_since", "wrapped"])
        record_at_once(
            f"keys.index_key_{event.value}", object_type="key", object_ref=f"{element}/{generation}", actor=actor
        )
