"""Use cases of the vault: seal, bind, find, list. Opening is not here: it belongs to disclosure alone.

Clause: CQJR-5.3-d, CQJR-5.4-g, CQJR-5.5-c, JRT0171-6.1.3-b
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import connection, transaction

from kuimen.foundation import clock
from kuimen.foundation.identifiers import RecordId
from kuimen.foundation.sensitive import Sensitive
from kuimen.gate.audit import services as audit
from kuimen.gate.keys import services as keys
from kuimen.gate.keys.arrays import bytea_array, int_array, uuid_array
from kuimen.gate.keys.keyring import Keyring
from kuimen.gate.vault import store
from kuimen.gate.vault.errors import BoundRecordDiffersError, ElementNotIndexedError, RecordNotFoundError
from kuimen.gate.vault.models import Record
from kuimen.gate.vault.opening import open_stored
from kuimen.gate.vault.part_tags import write_part_tags
from kuimen.gate.vault.rows.store import Place
from kuimen.gate.vault.rows.tying import Tie, alarmed, revision_facts, row_keys
from kuimen.gate.vault.rules import (
    SHOWN,
    RecordEvent,
    RecordState,
    SealOutcome,
    is_indexed,
    second_write,
    state_after,
    states_before,
)
from kuimen.gate.vault.sealing import (
    Coordinates,
    SealedItem,
    SealItem,
    checked,
    class_of,
    coordinates_of,
    seal_batch,
)
from kuimen.gate.vault.store import StoredRecord
from kuimen.kernels.ciphers import blind_tag, normalise_for_index
from kuimen.kernels.elements.model import Element

__all__ = [
    "RecordSummary",
    "SealItem",
    "SealOutcome",
    "SealedRef",
    "bind_many",
    "find_records",
    "records_of",
    "records_of_many",
    "seal_many",
]

_FIND = """
    SELECT DISTINCT tag.record_id FROM vault_index AS tag
    JOIN unnest(%s::int[], %s::bytea[]) AS asked (generation, tag) USING (generation, tag)
    JOIN vault_record AS record ON record.record_id = tag.record_id
    WHERE tag.element = %s AND record.state = ANY(%s) ORDER BY tag.record_id
"""
_COUNT = "SELECT count(*) FROM vault_record WHERE record_id = ANY(%s::uuid[])"
_BIND = """
    UPDATE vault_record SET state = %s, bound_at = %s
    WHERE record_id = ANY(%s::uuid[]) AND state = ANY(%s)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedRef:
    """Where an item is now. The record id is what business tables keep instead of the value."""

    record_id: RecordId
    outcome: SealOutcome
    state: RecordState


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordSummary:
    """A record without its content."""

    record_id: RecordId
    element: Element
    person_ref: UUID | None
    state: RecordState
    source_table: str
    source_column: str


def seal_many(
    items: Sequence[SealItem], *, actor: audit.Actor = audit.SYSTEM, replace_bound: bool = False
) -> list[SealedRef]:
    """Seal a batch in one transaction and return where each item is, in the same order.

    Items whose source coordinates are known already are settled, not doubled: the same value keeps its record, another
    value in a pending record is sealed anew under the same record id.

    Args:
        items: what to seal, of any number of elements and persons; a few thousand are a good batch.
        actor: who does it, for the audit entry (one per batch, with counts).
        replace_bound: also seal anew over bound records, when the source's application wrote a new value there.

    Raises:
        UnknownElementError, ElementNotSealableError, ValueRefusedError, SourceCoordinatesError: an item is not fit.
        BoundRecordDiffersError: a bound record holds another value or person; nothing of the batch was written.
        RowAlteredError: a row that the batch adds to does not fit its seal; the alarm is recorded, nothing was written.
        KeysLockedError, KeyDestroyedError, KeyStoreError, VaultBusyError: nothing of the batch was written.
    """
    if not items:
        return []
    clear = checked(items)
    ring = keys.keyring()
    sealed = seal_batch(ring, items, clear)  # before the transaction: missing keys are made at once and stay
    row_keys(ring)
    with transaction.atomic(), store.translated():
        created = store.insert(sealed, sealed_at=clock.now())
        refs: dict[Coordinates, SealedRef] = {
            coordinates_of(one.item): SealedRef(
                record_id=RecordId(one.record_id), outcome=SealOutcome.CREATED, state=RecordState.PENDING
            )
            for one in sealed
            if one.record_id in created
        }
        known = {
            coordinates_of(item): (item, data)
            for item, data in zip(items, clear, strict=True)
            if coordinates_of(item) not in refs
        }
        stored = store.locked_at(known)
        tie = Tie(ring, {_place_of(item) for item in items}, without=created)
        if tie.broken:
            raise alarmed(tie.broken)
        settled, resealed = _settle(ring, known, stored, replace_bound=replace_bound)
        refs |= settled
        written = [*(one for one in sealed if one.record_id in created), *resealed]
        clear_of = dict(zip(map(coordinates_of, items), clear, strict=True))
        tagged = [(one.record_id, one.item.element, clear_of[coordinates_of(one.item)]) for one in written]
        write_part_tags(ring, tagged, replace=bool(resealed))
        counted = tie.seal((_place_of(one.item), one.record_id, one.sealed) for one in written)
        _record_batch(items, refs, revision_facts(counted), actor)
    return [refs[coordinates_of(item)] for item in items]


def bind_many(record_ids: Collection[UUID], *, actor: audit.Actor = audit.SYSTEM) -> int:
    """Mark records as bound: their source holds the reference and no clear value any more.

    Returns:
        How many changed; those bound before are left as they are.

    Raises:
        RecordNotFoundError: one of the ids is not in the vault; nothing changed.
    """
    wanted = set(record_ids)
    if not wanted:
        return 0
    with transaction.atomic(), store.translated():
        with connection.cursor() as cursor:
            cursor.execute(_COUNT, [uuid_array(wanted)])
            found = int(cursor.fetchone()[0])
        if found != len(wanted):
            raise RecordNotFoundError(
                f"{len(wanted) - found} of the record ids are not in the vault; nothing was bound"
            )
        with connection.cursor() as cursor:
            before = states_before(RecordEvent.BIND)
            cursor.execute(_BIND, [state_after(RecordEvent.BIND), clock.now(), uuid_array(wanted), before])
            changed = int(cursor.rowcount)
        audit.record("vault.bind", actor=actor, object_type="vault", facts={"records": len(wanted), "changed": changed})
    return changed


def find_records(element: Element | str, value: Sensitive[str]) -> list[RecordId]:
    """Return the records that hold exactly this value, however it is written. Cost: one index look-up a generation.

    Raises:
        ElementNotIndexedError: the element is not searchable.
    """
    name = Element(element)
    if not is_indexed(name):
        raise ElementNotIndexedError(f"records are not searchable by {name}; use an identifier such as the mobile")
    normalised = normalise_for_index(name, value.reveal_for("vault.find"))
    searched = keys.keyring().index_keys(name.value)
    tags = [blind_tag(material.key, normalised) for material in searched]
    with store.translated(), connection.cursor() as cursor:
        cursor.execute(
            _FIND, [int_array(one.generation for one in searched), bytea_array(tags), name.value, list(SHOWN)]
        )
        return [RecordId(row[0]) for row in cursor.fetchall()]


def records_of(person_ref: UUID, elements: Collection[Element | str] | None = None) -> list[RecordSummary]:
    """Return a person's records without content, newest first, bound ones before pending ones.

    Suspended and destroyed records are not among them.
    """
    by_element = records_of_many([person_ref], elements).get(person_ref, {})
    return [summary for summaries in by_element.values() for summary in summaries]


def records_of_many(
    person_refs: Collection[UUID], elements: Collection[Element | str] | None = None
) -> dict[UUID, dict[Element, list[RecordSummary]]]:
    """Return the records of many persons in one query: person → element → summaries, the current one first."""
    rows = Record.objects.filter(person_ref__in=list(person_refs), state__in=SHOWN)
    if elements is not None:
        rows = rows.filter(element__in=[Element(one).value for one in elements])
    found: dict[UUID, dict[Element, list[RecordSummary]]] = defaultdict(lambda: defaultdict(list))
    with store.translated():
        # "bound" sorts before "pending"
        ordered = rows.order_by("state", "-sealed_at", "record_id").values_list(
            "record_id", "element", "person_ref", "state", "source_table", "source_column"
        )
        for record_id, element, person_ref, state, table, column in ordered:
            if person_ref is None:
                continue
            found[person_ref][Element(element)].append(
                RecordSummary(
                    record_id=RecordId(record_id),
                    element=Element(element),
                    person_ref=person_ref,
                    state=RecordState(state),
                    source_table=table,
                    source_column=column,
                )
            )
    return {person: dict(by_element) for person, by_element in found.items()}


def _place_of(item: SealItem) -> Place:
    return (item.source_id, item.source_table, item.source_key)


def _settle(
    ring: Keyring,
    known: Mapping[Coordinates, tuple[SealItem, bytes]],
    stored: Sequence[StoredRecord],
    *,
    replace_bound: bool,
) -> tuple[dict[Coordinates, SealedRef], list[SealedItem]]:
    """Compare items with the records that already stand at their coordinates; seal anew where they differ."""
    if any(record.state not in SHOWN for record in stored):
        raise BoundRecordDiffersError(
            "a record at these source coordinates was suspended or erased; nothing is written over it"
        )
    opened = open_stored(ring, stored)
    refs: dict[Coordinates, SealedRef] = {}
    differing: list[tuple[SealItem, bytes]] = []
    for record in stored:
        item, data = known[record.coordinates]
        same_person = (record.person_ref, record.retention_class, record.element) == (
            item.person_ref,
            class_of(item),
            item.element.value,
        )
        outcome = second_write(
            state=record.state,
            same_value=opened[record.record_id] == data,
            same_person=same_person,
            replace_bound=replace_bound,
        )
        if outcome is None:
            raise BoundRecordDiffersError(
                "a bound record at these source coordinates holds another value or person; "
                "read the source again, and make sure that its row key is unique"
            )
        refs[record.coordinates] = SealedRef(record_id=RecordId(record.record_id), outcome=outcome, state=record.state)
        if outcome is SealOutcome.RESEALED:
            differing.append((item, data))
    if not differing:
        return refs, []
    items, clear = zip(*differing, strict=True)
    resealed = seal_batch(ring, items, clear, record_ids={one.coordinates: one.record_id for one in stored})
    store.reseal(resealed, sealed_at=clock.now())
    return refs, resealed


def _record_batch(
    items: Sequence[SealItem],
    refs: Mapping[Coordinates, SealedRef],
    revisions: Mapping[str, audit.FactValue],
    actor: audit.Actor,
) -> None:
    outcomes = Counter(ref.outcome.value for ref in refs.values())
    elements = Counter(item.element.value for item in items)
    audit.record(
        "vault.seal",
        actor=actor,
        object_type="source_table",
        object_ref=", ".join(sorted({f"{item.source_id}/{item.source_table}" for item in items}))[:200],
        facts={
            "records": len(items),
            "elements": [f"{element}={count}" for element, count in sorted(elements.items())],
            **{outcome.value: outcomes[outcome.value] for outcome in SealOutcome},
            **revisions,
        },
    )
