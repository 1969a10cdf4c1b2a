"""Tags of parts: which indexes stand, the tag of a part, and writing them with the record they belong to.

A writer holds a shared lock until its transaction ends and reads under it which indexes stand; whoever begins or drops
one takes the lock alone. So no record is committed without the tags of an index that was begun before, and none with a
tag of one that is gone.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import pyarrow as pa
from django.db import connection

from kuimen.gate.keys.arrays import int_array, uuid_array
from kuimen.gate.keys.errors import KeyMissingError
from kuimen.gate.keys.keyring import Keyring
from kuimen.gate.vault import store
from kuimen.gate.vault.models import PartIndex
from kuimen.gate.vault.part_rules import NO_PART, WRITTEN, IndexName, Part, PartIndexState, part_of
from kuimen.kernels.ciphers import blind_index, normalise_for_index
from kuimen.kernels.elements.model import Element

_LOCK: Final = 0x6B75_7061_7274  # "kupart"
_HASH_BITS: Final = 32
_DELETE: Final = "DELETE FROM vault_part_tag WHERE record_id = ANY(%s::uuid[])"
_INSERT: Final = """
    INSERT INTO vault_part_tag (record_id, index_id, tag)
    SELECT record_id, %s, tag FROM unnest(%s::uuid[], %s::int[]) AS new (record_id, tag)
    ON CONFLICT (record_id, index_id) DO NOTHING
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingIndex:
    """An index that writers fill."""

    index_id: int
    name: IndexName
    generation: int
    bits: int
    state: PartIndexState


def lock_shared() -> None:
    """Keep indexes from being begun or dropped until this transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [_LOCK])


def lock_alone() -> None:
    """Wait for every writer under way and keep new ones out until this transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def standing(name: IndexName | None = None) -> list[StandingIndex]:
    """Return the indexes that are filled, the newest generation of each first."""
    rows = PartIndex.objects.filter(state__in=[state.value for state in WRITTEN])
    if name is not None:
        rows = rows.filter(element=name.element.value, part=name.part.value)
    return [
        StandingIndex(
            index_id=row.pk,
            name=IndexName(element=Element(row.element), part=Part(row.part)),
            generation=row.generation,
            bits=row.bits,
            state=PartIndexState(row.state),
        )
        for row in rows.order_by("element", "part", "-generation")
    ]


def tags_of(ring: Keyring, index: StandingIndex, values: Sequence[bytes]) -> list[int]:
    """Return the tag of each clear value's part, `NO_PART` where it has none. Cost: about 3 µs a value.

    Raises:
        KeyMissingError: the key database does not hold the index's generation.
    """
    element, part = index.name.element.value, index.name.part
    return _tags(ring, index, [part_of(part, normalise_for_index(element, value.decode("utf-8"))) for value in values])


def tag_of_part(ring: Keyring, index: StandingIndex, part: str) -> int:
    """Return the tag of a part that is cut out already."""
    return _tags(ring, index, [part])[0]


def _tags(ring: Keyring, index: StandingIndex, parts: Sequence[str | None]) -> list[int]:
    column = pa.array(parts, type=pa.large_string())
    shift = _HASH_BITS - index.bits
    return [
        NO_PART if digest is None else int.from_bytes(digest, "big") >> shift
        for digest in blind_index(column, _key(ring, index), bits=_HASH_BITS).to_pylist()
    ]


def _key(ring: Keyring, index: StandingIndex) -> bytes:
    name = index.name.text
    try:
        return ring.index_key(name, index.generation).key
    except KeyMissingError:  # made by another process after this one filled its cache
        ring.tree.forget_index(name)
        return ring.index_key(name, index.generation).key


def write_part_tags(ring: Keyring, rows: Sequence[tuple[UUID, Element, bytes]], *, replace: bool = False) -> None:
    """Tag records under every index that stands, in the caller's transaction. Cost: two queries where none stands.

    Args:
        ring: the unlocked keyring.
        rows: record, element and clear value.
        replace: the records were written over; what they were tagged with before goes.
    """
    if not rows:
        return
    lock_shared()
    indexes = standing()
    with store.translated(), connection.cursor() as cursor:
        if replace:
            cursor.execute(_DELETE, [uuid_array(record_id for record_id, _, _ in rows)])
        if not indexes:
            return
        of_element: dict[Element, list[tuple[UUID, bytes]]] = defaultdict(list)
        for record_id, element, clear in rows:
            of_element[element].append((record_id, clear))
        for index in indexes:
            chosen = of_element.get(index.name.element, [])
            if not chosen:
                continue
            tags = tags_of(ring, index, [clear for _, clear in chosen])
            cursor.execute(_INSERT, [index.index_id, uuid_array(record_id for record_id, _ in chosen), int_array(tags)])
