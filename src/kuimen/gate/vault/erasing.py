"""What the vault does when a person's records of one class are suspended, resumed or destroyed.

A destroyed record keeps its row: business tables refer to it, and its source coordinates keep the same value from being
imported again. Its sealed bytes are written over with a tombstone and its tags are deleted, so that this database alone
holds nothing that a key of any backup could open.

Clause: JRT0171-6.1.5-a
"""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db import connection

from kuimen.foundation.errors import KuimenError
from kuimen.gate.audit import services as audit
from kuimen.gate.keys import services as keys
from kuimen.gate.keys.keyring import Keyring
from kuimen.gate.vault import store
from kuimen.gate.vault.models import Record
from kuimen.gate.vault.opening import open_each
from kuimen.gate.vault.rows.store import Place
from kuimen.gate.vault.rows.tying import Tie, alarmed, record_revisions, row_keys
from kuimen.gate.vault.rules import RecordEvent, RecordState, state_after, states_before
from kuimen.kernels.elements.model import RetentionClass

_SUSPEND = """
    UPDATE vault_record SET state = %s
    WHERE person_ref = %s AND retention_class = %s AND state = ANY(%s)
"""
_RESUME = """
    UPDATE vault_record SET state = CASE WHEN bound_at IS NULL THEN %s ELSE %s END
    WHERE person_ref = %s AND retention_class = %s AND state = ANY(%s)
"""
_DELETE_TAGS = """
    DELETE FROM vault_index USING vault_record AS record
    WHERE record.record_id = vault_index.record_id AND record.person_ref = %s AND record.retention_class = %s
"""
_LOCK = """
    SELECT source_id, source_table, source_key FROM vault_record
    WHERE person_ref = %s AND retention_class = %s AND state = ANY(%s) ORDER BY record_id FOR NO KEY UPDATE
"""
_DELETE_PART_TAGS = """
    DELETE FROM vault_part_tag USING vault_record AS record
    WHERE record.record_id = vault_part_tag.record_id AND record.person_ref = %s AND record.retention_class = %s
"""
# The header stays, so that the row still is of the sealed form; nonce, text and tag become zeros.
_DESTROY = """
    UPDATE vault_record SET state = %s, sealed = substring(sealed FOR 6) || decode(repeat('00', 28), 'hex')
    WHERE person_ref = %s AND retention_class = %s AND state = ANY(%s)
    RETURNING element, record_id, sealed, source_id, source_table, source_key
"""
_HELD = """
    SELECT count(*) FILTER (WHERE state = 'destroyed'), count(*) FILTER (WHERE state <> 'destroyed'),
        count(*) FILTER (WHERE state = 'destroyed'
            AND substring(sealed FROM 7) <> decode(repeat('00', 28), 'hex')),
        (SELECT count(*) FROM vault_index AS tag JOIN vault_record AS marked USING (record_id)
            WHERE marked.person_ref = %s AND marked.retention_class = %s)
        + (SELECT count(*) FROM vault_part_tag AS tag JOIN vault_record AS marked USING (record_id)
            WHERE marked.person_ref = %s AND marked.retention_class = %s)
    FROM vault_record WHERE person_ref = %s AND retention_class = %s
"""
_LEFT_OVER = """
    SELECT count(*) FILTER (WHERE substring(sealed FROM 7) <> decode(repeat('00', 28), 'hex')),
        (SELECT count(*) FROM vault_index AS tag JOIN vault_record AS marked USING (record_id)
            WHERE marked.state = 'destroyed')
        + (SELECT count(*) FROM vault_part_tag AS tag JOIN vault_record AS marked USING (record_id)
            WHERE marked.state = 'destroyed'),
        count(*)
    FROM vault_record WHERE state = 'destroyed'
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """What was destroyed of one person and class."""

    records: int
    tags: int
    elements: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What the vault holds of one person and class."""

    destroyed: int
    standing: int
    tombstones_with_content: int
    tags: int


NOWHERE: Final = Erased(records=0, tags=0, elements=())


def suspend_records(person_ref: UUID, retention_class: RetentionClass) -> int:
    """Show these records to nobody from now on; return how many. Runs in the caller's transaction."""
    with store.translated(), connection.cursor() as cursor:
        place = [person_ref, retention_class.value]
        cursor.execute(_SUSPEND, [state_after(RecordEvent.SUSPEND), *place, states_before(RecordEvent.SUSPEND)])
        return int(cursor.rowcount)


def resume_records(person_ref: UUID, retention_class: RetentionClass) -> int:
    """Bring suspended records back to what they were; return how many. Runs in the caller's transaction."""
    with store.translated(), connection.cursor() as cursor:
        states = [state_after(RecordEvent.RESUME_UNBOUND), state_after(RecordEvent.RESUME)]
        cursor.execute(_RESUME, [*states, person_ref, retention_class.value, states_before(RecordEvent.RESUME)])
        return int(cursor.rowcount)


def destroy_records(
    ring: Keyring, person_ref: UUID, retention_class: RetentionClass, *, actor: audit.Actor = audit.SYSTEM
) -> Erased:
    """Destroy records and tags of one person and class, whatever state they are in; doing it again changes nothing.

    The rows that lose a field are sealed anew. One whose seal does not hold loses the field too and keeps its seal, so
    that it is still found; the alarm is recorded. Runs in the caller's transaction.
    """
    before = states_before(RecordEvent.DESTROY)
    row_keys(ring)
    with store.translated(), connection.cursor() as cursor:
        cursor.execute(_LOCK, [person_ref, retention_class.value, before])
        places = {_place(*found) for found in cursor.fetchall()}
        tie = Tie(ring, places)
        if tie.broken:
            alarmed(tie.broken)
        cursor.execute(_DELETE_TAGS, [person_ref, retention_class.value])
        tags = int(cursor.rowcount)
        cursor.execute(_DELETE_PART_TAGS, [person_ref, retention_class.value])
        tags += int(cursor.rowcount)
        cursor.execute(_DESTROY, [state_after(RecordEvent.DESTROY), person_ref, retention_class.value, before])
        gone = cursor.fetchall()
    written = [(_place(*place), record_id, bytes(sealed)) for _, record_id, sealed, *place in gone]
    record_revisions(tie.seal(written), actor=actor)
    elements = {str(row[0]) for row in gone}
    return Erased(records=len(gone), tags=tags, elements=tuple(sorted(elements)))


def _place(source_id: str, table: str, key: bytes) -> Place:
    return (source_id, table, bytes(key))


def held_of(person_ref: UUID, retention_class: RetentionClass) -> Held:
    """Count what the vault holds of one person and class."""
    place = [person_ref, retention_class.value]
    with store.translated(), connection.cursor() as cursor:
        cursor.execute(_HELD, [*place, *place, *place])
        destroyed, standing, content, tags = (int(count) for count in cursor.fetchone())
    return Held(destroyed=destroyed, standing=standing, tombstones_with_content=content, tags=tags)


def left_over() -> tuple[int, int, int]:
    """Return (tombstones that still have content, tags of tombstones, tombstones); for probes."""
    with store.translated(), connection.cursor() as cursor:
        cursor.execute(_LEFT_OVER)
        content, tags, tombstones = (int(count) for count in cursor.fetchone())
    return content, tags, tombstones


def try_tombstones(limit: int) -> tuple[int, int]:
    """Try to open destroyed records, for probes; return how many were tried and how many opened, never a value.

    Cost: one query and an unwrapping a record, at most `limit`. While the keys are locked none is tried.
    """
    if not keys.is_unlocked():
        return 0, 0
    ids = Record.objects.filter(state=RecordState.DESTROYED.value).values_list("record_id", flat=True)
    sample = store.by_ids(list(ids[:limit]))
    opened = 0
    for record in sample:
        try:
            found = open_each(keys.keyring(), [record])
        except KuimenError:  # a destroyed key is what a tombstone should meet
            continue
        opened += len(found)
    return len(sample), opened
