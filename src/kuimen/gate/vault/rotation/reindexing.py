"""Re-index: two generations of an element's tags side by side, read either, write both, cut over, drop.

Beginning makes the next generation of the index key. From then on every writer tags under both, and searches look in
both, so that nothing is missed while the job tags what was there before. Cutting over stops the old generation from
being written and searched; dropping deletes its tags and destroys its key. Both need two persons; see `approved`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import connection, transaction

from kuimen.foundation import clock
from kuimen.gate.audit import services as audit
from kuimen.gate.keys.arrays import bytea_array, uuid_array
from kuimen.gate.keys.index_generations import IndexGeneration, change_index_generation, index_generations
from kuimen.gate.keys.keyring import Keyring
from kuimen.gate.keys.pacing import Advance
from kuimen.gate.keys.rules import KeyEvent, KeyState
from kuimen.gate.keys.tree import CACHE_LIFETIME, OPENS
from kuimen.gate.vault import store
from kuimen.gate.vault.errors import NotReadyToCutOverError, RotationInputError
from kuimen.gate.vault.models import RotationJob
from kuimen.gate.vault.rotation.jobs import Prepared
from kuimen.gate.vault.rotation.resealing import opened_rows, read_records
from kuimen.gate.vault.rules import is_indexed
from kuimen.gate.vault.sealing import Tagger
from kuimen.gate.vault.store import StoredRecord

_UNTAGGED: Final = """
    SELECT record_id, element, person_ref, key_scope, retention_class, key_generation, sealed, state,
        source_id, source_table, source_column, source_key
    FROM vault_record AS record
    WHERE record_id > %s AND element = %s AND state IN ('pending', 'bound') AND NOT EXISTS (
        SELECT 1 FROM vault_index AS tag WHERE tag.record_id = record.record_id AND tag.generation = %s
    )
    ORDER BY record_id LIMIT %s
"""
_COUNT_UNTAGGED: Final = """
    SELECT count(*) FROM vault_record AS record
    WHERE element = %s AND state <> 'destroyed' AND NOT EXISTS (
        SELECT 1 FROM vault_index AS tag WHERE tag.record_id = record.record_id AND tag.generation = %s
    )
"""
# The row is held while its tag is written: a writer who changes the value comes before and is seen, or comes after and
# replaces the tag.
_TAG: Final = """
    WITH held AS (
        SELECT record.record_id, record.element, new.tag
        FROM vault_record AS record
        JOIN unnest(%s::uuid[], %s::bytea[], %s::bytea[]) AS new (record_id, sealed, tag)
            ON record.record_id = new.record_id AND record.sealed = new.sealed
        ORDER BY record.record_id FOR SHARE OF record
    )
    INSERT INTO vault_index (record_id, element, generation, tag)
    SELECT record_id, element, %s, tag FROM held
    ON CONFLICT (record_id, generation) DO NOTHING
"""
_DROP: Final = """
    DELETE FROM vault_index WHERE id IN (
        SELECT id FROM vault_index WHERE element = %s AND generation = %s ORDER BY id LIMIT %s
    )
"""
_TAGS_OF: Final = "SELECT count(*) FROM vault_index WHERE element = %s AND generation = %s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tagged(Prepared):
    """A batch with its new tags."""

    rows: Sequence[tuple[StoredRecord, bytes]] = ()


class ReIndexing:
    """Tag every record of an element under the generation of the job."""

    def __init__(self, ring: Keyring, job: RotationJob) -> None:
        """Tag under the job's generation."""
        self._ring = ring
        self._job = job

    def read(self, after: UUID, limit: int) -> list[StoredRecord]:
        """Return the next records without a tag of this generation."""
        return read_records(_UNTAGGED, [after, self._job.subject, self._job.generation, limit])

    def prepare(self, rows: Sequence[StoredRecord]) -> Tagged:
        """Open the records and make their tags."""
        opened, broken = opened_rows(self._ring, rows)
        tagger = Tagger(self._ring, self._job.subject)
        tagged = [
            (row, tag)
            for row, clear in opened
            for generation, tag in tagger.tags(clear)
            if generation == self._job.generation
        ]
        return Tagged(attempted=len(tagged), broken=broken, rows=tagged)

    def write(self, prepared: Prepared) -> int:
        """Insert the tags of records that still hold the value they were made of."""
        rows = prepared.rows if isinstance(prepared, Tagged) else ()
        with store.translated(), connection.cursor() as cursor:
            cursor.execute(
                _TAG,
                [
                    uuid_array(row.record_id for row, _ in rows),
                    bytea_array(row.sealed for row, _ in rows),
                    bytea_array(tag for _, tag in rows),
                    self._job.generation,
                ],
            )
            return int(cursor.rowcount)

    def left(self) -> int:
        """Count the records without a tag of this generation, suspended ones among them."""
        return untagged(self._job.subject, self._job.generation)


def untagged(element: str, generation: int) -> int:
    """Count the records of an element that a search in one generation would miss."""
    with store.translated(), connection.cursor() as cursor:
        cursor.execute(_COUNT_UNTAGGED, [element, generation])
        return int(cursor.fetchone()[0])


def next_generation(ring: Keyring, element: str, *, actor: audit.Actor) -> int:
    """Return the generation that a re-index of an element fills: the one under way, or a new one.

    Raises:
        RotationInputError: the element has no index.
    """
    if not is_indexed(element):
        raise RotationInputError(f"element: {element} has no index; name one that is searchable")
    ring.index_key(element)
    in_use = [one for one in index_generations(element) if one.state in OPENS]
    if len(in_use) > 1:
        return next(one.generation for one in in_use if one.state is KeyState.ACTIVE)
    return ring.tree.rotate_index(element, actor=actor)


def refuse_unready_cut_over(element: str) -> tuple[IndexGeneration, list[IndexGeneration]]:
    """Return the active generation and those that cutting over would end.

    Raises:
        NotReadyToCutOverError: there is nothing to cut over, records lack the new tag, or a process may still hold the
            keys of before.
    """
    generations = index_generations(element)
    active = next((one for one in generations if one.state is KeyState.ACTIVE), None)
    retired = [one for one in generations if one.state is KeyState.RETIRED]
    if active is None or not retired:
        raise NotReadyToCutOverError(f"the index of {element} has one generation only; re-index it first")
    _refuse_before_every_cache_is_new(active.since)
    if count := untagged(element, active.generation):
        raise NotReadyToCutOverError(f"{count} records lack a tag of the new generation; run the re-index again")
    return active, retired


def cut_over(ring: Keyring, element: str, generation: int, *, actor: audit.Actor) -> list[int]:
    """Stop writing and searching the generations before this one; return them. Two persons were heard.

    Where that was done before, by a process that died before it could say so, it ends well.

    Raises:
        NotReadyToCutOverError: nothing changed.
    """
    known = index_generations(element)
    before = [one for one in known if one.state is KeyState.SUSPENDED and one.generation < generation]
    in_use = [one for one in known if one.state in OPENS]
    if before and [one.generation for one in in_use] == [generation]:
        return [one.generation for one in before]
    active, retired = refuse_unready_cut_over(element)
    if active.generation != generation:
        raise NotReadyToCutOverError(
            f"generation {generation} of the index of {element} is not the active one any more"
        )
    for one in retired:
        change_index_generation(element, one.generation, event=KeyEvent.SUSPEND, actor=actor)
    ring.tree.forget_index(element)
    return [one.generation for one in retired]


def refuse_unready_drop(element: str, generation: int) -> None:
    """Raise unless a generation is out of use everywhere.

    Raises:
        NotReadyToCutOverError: it is in use, or another process may not know yet that it is not.
    """
    found = next((one for one in index_generations(element) if one.generation == generation), None)
    if found is None or found.state in OPENS:
        raise NotReadyToCutOverError(f"generation {generation} of the index of {element} is in use; cut over first")
    if found.state is KeyState.SUSPENDED:
        _refuse_before_every_cache_is_new(found.since)


def drop(
    element: str,
    generation: int,
    *,
    actor: audit.Actor,
    batch: int = 10_000,
    advance: Advance = lambda _done, _total: None,
) -> int:
    """Delete the tags of a generation that is out of use, then destroy its key; return how many tags are gone.

    It can be cut at any point and repeated. Two persons were heard.
    """
    refuse_unready_drop(element, generation)
    total, gone = _tags_of(element, generation), 0
    while True:
        with store.translated(), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_DROP, [element, generation, batch])
            deleted = cursor.rowcount
        if not deleted:
            break
        gone += deleted
        advance(gone, total)
    change_index_generation(element, generation, event=KeyEvent.DESTROY, actor=actor)
    return gone


def _tags_of(element: str, generation: int) -> int:
    with store.translated(), connection.cursor() as cursor:
        cursor.execute(_TAGS_OF, [element, generation])
        return int(cursor.fetchone()[0])


def _refuse_before_every_cache_is_new(since: datetime) -> None:
    wait = since + CACHE_LIFETIME - clock.now()
    if wait.total_seconds() > 0:
        raise NotReadyToCutOverError(
            f"another process may hold the index keys of before for {int(wait.total_seconds()) + 1} seconds; wait"
        )
