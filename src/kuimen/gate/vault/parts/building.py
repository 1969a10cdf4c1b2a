"""Building and dropping an index of a part: planned, approved by a second person, filled by a job that can be killed.

From its beginning every writer fills it; the job tags what was there before. Searches use it when nothing is left. A
further generation is built beside a ready one, under another key and with tags of the length that the records of today
want; searches go on with the older one until the newer is complete, and the older one is then dropped.

Clause: JRT0171-6.2.4-a
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Final
from uuid import UUID

from django.db import connection, transaction

from kuimen.foundation import clock
from kuimen.gate.access.rules import Action, Resource, Subject
from kuimen.gate.access.services import actor_of, require
from kuimen.gate.approvals import services as approvals
from kuimen.gate.approvals.rules import Ticket
from kuimen.gate.audit import services as audit
from kuimen.gate.keys import services as keys
from kuimen.gate.keys.arrays import bytea_array, int_array, uuid_array
from kuimen.gate.keys.index_generations import change_index_generation, index_generations
from kuimen.gate.keys.keyring import Keyring
from kuimen.gate.keys.pacing import Advance
from kuimen.gate.keys.rules import KeyEvent, KeyState
from kuimen.gate.vault import store
from kuimen.gate.vault.errors import LeakyPartIndexError, PartIndexStateError
from kuimen.gate.vault.models import PartIndex
from kuimen.gate.vault.part_rules import (
    IndexName,
    PartIndexEvent,
    PartIndexState,
    next_part_state,
)
from kuimen.gate.vault.part_tags import StandingIndex, lock_alone, standing, tags_of
from kuimen.gate.vault.parts.leakage import told
from kuimen.gate.vault.parts.planner import Plan, plan_element, plan_of
from kuimen.gate.vault.rotation import jobs
from kuimen.gate.vault.rotation.jobs import Prepared, RotationReport
from kuimen.gate.vault.rotation.resealing import opened_rows, read_records
from kuimen.gate.vault.rules import RotationKind
from kuimen.gate.vault.store import StoredRecord
from kuimen.kernels.elements.model import Element

PLAN: Final = "vault.part_index_plan"
BUILD: Final = "vault.part_index_build"
DROP: Final = "vault.part_index_drop"
READY: Final = "vault.part_index_ready"

_UNTAGGED: Final = """
    SELECT record_id, element, person_ref, key_scope, retention_class, key_generation, sealed, state,
        source_id, source_table, source_column, source_key
    FROM vault_record AS record
    WHERE record_id > %s AND element = %s AND state IN ('pending', 'bound') AND NOT EXISTS (
        SELECT 1 FROM vault_part_tag AS tag WHERE tag.record_id = record.record_id AND tag.index_id = %s
    )
    ORDER BY record_id LIMIT %s
"""
_COUNT_UNTAGGED: Final = """
    SELECT count(*) FROM vault_record AS record
    WHERE element = %s AND state <> 'destroyed' AND NOT EXISTS (
        SELECT 1 FROM vault_part_tag AS tag WHERE tag.record_id = record.record_id AND tag.index_id = %s
    )
"""
# The row is held while its tag is written: a writer who changes the value comes before and is seen, or comes after and
# replaces the tag.
_TAG: Final = """
    WITH held AS (
        SELECT record.record_id, new.tag
        FROM vault_record AS record
        JOIN unnest(%s::uuid[], %s::bytea[], %s::int[]) AS new (record_id, sealed, tag)
            ON record.record_id = new.record_id AND record.sealed = new.sealed
        ORDER BY record.record_id FOR SHARE OF record
    )
    INSERT INTO vault_part_tag (record_id, index_id, tag)
    SELECT record_id, %s, tag FROM held
    ON CONFLICT (record_id, index_id) DO NOTHING
"""
_DROP_TAGS: Final = "DELETE FROM vault_part_tag WHERE index_id = %s"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaggedParts(Prepared):
    """A batch with its tags."""

    rows: Sequence[tuple[StoredRecord, int]] = ()


class IndexingParts:
    """Tag every record of an element under one index of a part."""

    def __init__(self, ring: Keyring, index: StandingIndex) -> None:
        """Fill `index`."""
        self._ring = ring
        self._index = index

    def read(self, after: UUID, limit: int) -> list[StoredRecord]:
        """Return the next records without a tag of this index."""
        return read_records(_UNTAGGED, [after, self._index.name.element.value, self._index.index_id, limit])

    def prepare(self, rows: Sequence[StoredRecord]) -> TaggedParts:
        """Open the records and make their tags."""
        opened, broken = opened_rows(self._ring, rows)
        tags = tags_of(self._ring, self._index, [clear for _, clear in opened])
        tagged = [(row, tag) for (row, _), tag in zip(opened, tags, strict=True)]
        return TaggedParts(attempted=len(tagged), broken=broken, rows=tagged)

    def write(self, prepared: Prepared) -> int:
        """Insert the tags of records that still hold the value they were made of."""
        rows = prepared.rows if isinstance(prepared, TaggedParts) else ()
        with store.translated(), connection.cursor() as cursor:
            cursor.execute(
                _TAG,
                [
                    uuid_array(row.record_id for row, _ in rows),
                    bytea_array(row.sealed for row, _ in rows),
                    int_array(tag for _, tag in rows),
                    self._index.index_id,
                ],
            )
            return int(cursor.rowcount)

    def left(self) -> int:
        """Count the records that a search would miss, suspended ones among them."""
        with store.translated(), connection.cursor() as cursor:
            cursor.execute(_COUNT_UNTAGGED, [self._index.name.element.value, self._index.index_id])
            return int(cursor.fetchone()[0])


def plan(element: Element, *, reader: Subject, advance: Advance = lambda _done, _total: None) -> list[Plan]:
    """Measure an element and its declared parts, changing nothing; that its records were opened to count is recorded.

    Raises:
        NotPermittedError: the reader may not see the state of the keys.
        KeysLockedError, VaultBusyError, KeyStoreError: as named.
    """
    require(reader, Action.KEYS_READ, Resource(kind="keys"))
    plans = plan_element(element, advance=advance)
    with transaction.atomic():
        audit.record(
            PLAN,
            actor=actor_of(reader),
            object_type="vault",
            object_ref=element.value,
            facts={
                "records": plans[0].measures.records,
                "admitted": [one.name.part.value for one in plans if one.admitted],
            },
        )
    return plans


def ask_to_build(name: IndexName, *, maker: Subject, reason: str) -> Ticket:
    """Ask another officer to approve an index; the planner is heard first.

    Raises:
        NotPermittedError: the maker is no key custodian.
        LeakyPartIndexError: the planner refuses it; the refusal is recorded, no ticket is made.
    """
    _require(maker)
    _admitted(plan_of(name), maker)
    return _ask(BUILD, name, {}, maker=maker, reason=reason)


def build(
    name: IndexName,
    *,
    ticket_id: UUID,
    actor: Subject,
    batch: int = jobs.BATCH,
    rows_per_second: int | None = None,
    advance: Advance = lambda _done, _total: None,
) -> RotationReport:
    """Begin an index as approved, and fill it. The records are measured anew: what leaks by now is refused by now.

    Raises:
        LeakyPartIndexError: the planner refuses it now; nothing changed, the ticket is unused.
        PartIndexStateError: another generation of it is still being filled; resume that one.
        TicketNotFoundError, TicketMismatchError, TicketTransitionError: not approved so.
        RotationUnderWayError, VaultBusyError, KeyStoreError, KeysLockedError: as named; resume to go on.
    """
    _require(actor)
    destroy_dropped_keys(actor=actor_of(actor))
    planned = plan_of(name)
    _admitted(planned, actor)
    ring = keys.keyring()
    generation = _unused_generation(ring, name, actor=actor_of(actor))
    with transaction.atomic(), store.translated():
        approvals.redeem(ticket_id, _content(name, {}), actor=actor)
        lock_alone()
        for one in standing():
            if one.name.element is name.element and one.name != name:
                raise PartIndexStateError(f"{name.text}: {one.name.text} was begun meanwhile; one part at a time")
            if one.name == name and one.state is PartIndexState.BUILDING:
                raise PartIndexStateError(f"{name.text}: a generation of this index is still being filled; resume it")
        PartIndex.objects.create(
            element=name.element.value,
            part=name.part.value,
            generation=generation,
            bits=planned.measures.bits,
            measures=asdict(planned.measures),
            began_at=clock.now(),
        )
        jobs.begin(RotationKind.INDEX_PART, name.text, actor=actor_of(actor), generation=generation)
    return resume(name, actor=actor, batch=batch, rows_per_second=rows_per_second, advance=advance)


def resume(
    name: IndexName,
    *,
    actor: Subject,
    batch: int = jobs.BATCH,
    rows_per_second: int | None = None,
    advance: Advance = lambda _done, _total: None,
) -> RotationReport:
    """Fill the index that was begun, or go on with it; complete, it is ready to be searched. It was approved.

    Raises:
        NotPermittedError: the actor is no key custodian.
        PartIndexStateError: none is being filled.
        RotationUnderWayError, VaultBusyError, KeyStoreError, KeysLockedError: as named; resume to go on.
    """
    _require(actor)
    index = next((one for one in standing(name) if one.state is PartIndexState.BUILDING), None)
    if index is None:
        raise PartIndexStateError(f"{name.text}: no index of it is being filled; build one")
    job = jobs.running_job(RotationKind.INDEX_PART, name.text) or jobs.begin(
        RotationKind.INDEX_PART, name.text, actor=actor_of(actor), generation=index.generation
    )
    work = IndexingParts(keys.keyring(), index)
    report = jobs.run(job, work, actor=actor_of(actor), batch=batch, rows_per_second=rows_per_second, advance=advance)
    if report.finished:
        with transaction.atomic(), store.translated():
            _advance(index, PartIndexEvent.COMPLETE, ready_at=clock.now())
            audit.record(
                READY, actor=actor_of(actor), object_type="vault", object_ref=f"{name.text}/{index.generation}"
            )
    return report


def ask_to_drop(name: IndexName, generation: int, *, maker: Subject, reason: str) -> Ticket:
    """Ask another officer to approve the end of one generation of an index.

    Raises:
        NotPermittedError: the maker is no key custodian.
        PartIndexStateError: it does not stand.
    """
    _require(maker)
    _standing(name, generation)
    return _ask(DROP, name, {"generation": generation}, maker=maker, reason=reason)


def drop(name: IndexName, generation: int, *, ticket_id: UUID, actor: Subject) -> int:
    """Delete the tags of one generation and destroy its key, as approved; return how many tags are gone.

    The key is destroyed after the tags are gone for good. A process that dies in between leaves a key without tags,
    which :func:`destroy_dropped_keys` destroys.
    """
    _require(actor)
    with transaction.atomic(), store.translated():
        approvals.redeem(ticket_id, _content(name, {"generation": generation}), actor=actor)
        lock_alone()
        index = _standing(name, generation)
        if index.state is PartIndexState.BUILDING:
            job = jobs.running_job(RotationKind.INDEX_PART, name.text)
            if job is not None:
                jobs.set_aside(job, actor=actor_of(actor))
        _advance(index, PartIndexEvent.DROP, dropped_at=clock.now())
        with connection.cursor() as cursor:
            cursor.execute(_DROP_TAGS, [index.index_id])
            gone = int(cursor.rowcount)
        audit.record(
            DROP,
            actor=actor_of(actor),
            object_type="vault",
            object_ref=f"{name.text}/{generation}",
            facts={"tags": gone},
        )
    destroy_dropped_keys(actor=actor_of(actor))
    return gone


def refuse_other_ticket(ticket_id: UUID) -> None:
    """Raise unless a ticket is about an index of a part.

    Raises:
        PartIndexStateError: it asks for something else, which is approved elsewhere.
        TicketNotFoundError: no such ticket.
    """
    if approvals.find(ticket_id).action not in (BUILD, DROP):
        raise PartIndexStateError("ticket: it is not about an index; approve it where it was asked for")


def destroy_dropped_keys(*, actor: audit.Actor) -> int:
    """Destroy the keys of indexes that were dropped, where a process died before it could; return how many."""
    rows = list(PartIndex.objects.filter(state=PartIndexState.DROPPED.value, key_destroyed=False))
    for row in rows:
        name = f"{row.element}/{row.part}"
        for event in (KeyEvent.SUSPEND, KeyEvent.DESTROY):
            change_index_generation(name, row.generation, event=event, actor=actor)
        if keys.is_unlocked():
            keys.keyring().tree.forget_index(name)
        PartIndex.objects.filter(pk=row.pk).update(key_destroyed=True)
    return len(rows)


def _unused_generation(ring: Keyring, name: IndexName, *, actor: audit.Actor) -> int:
    """Return the generation of a key that no index used yet; one is made where there is none."""
    used = set(
        PartIndex.objects.filter(element=name.element.value, part=name.part.value).values_list("generation", flat=True)
    )
    active = next((one for one in index_generations(name.text) if one.state is KeyState.ACTIVE), None)
    if active is not None and active.generation not in used:
        return active.generation
    return ring.tree.rotate_index(name.text, actor=actor)


def _admitted(planned: Plan, actor: Subject) -> None:
    if planned.admitted:
        return
    audit.record_refusal(
        BUILD,
        actor=actor_of(actor),
        object_type="vault",
        object_ref=planned.name.text,
        facts={"reason": [flaw.value for flaw in planned.flaws]},
    )
    reasons = "; ".join(told(flaw, planned.measures)[1] for flaw in planned.flaws)
    raise LeakyPartIndexError(f"{planned.name.text} may have no index: {reasons}")


def _standing(name: IndexName, generation: int) -> StandingIndex:
    found = next((one for one in standing(name) if one.generation == generation), None)
    if found is None:
        raise PartIndexStateError(f"{name.text}: generation {generation} of its index does not stand")
    return found


def _advance(index: StandingIndex, event: PartIndexEvent, **moments: object) -> None:
    after = next_part_state(index.state, event)
    changed = after and PartIndex.objects.filter(pk=index.index_id, state=index.state.value).update(
        state=after.value, **moments
    )
    if not changed:
        raise PartIndexStateError(f"{index.name.text}: its state changed meanwhile; look again")


def _require(subject: Subject) -> None:
    require(subject, Action.KEYS_ROTATE, Resource(kind="keys"))


def _content(name: IndexName, more: dict[str, object]) -> dict[str, object]:
    return {"element": name.element.value, "part": name.part.value, **more}


def _ask(action: str, name: IndexName, more: dict[str, object], *, maker: Subject, reason: str) -> Ticket:
    return approvals.request(
        action, _content(name, more), maker=maker, reason=reason, object_type="vault", object_ref=name.text
    )
