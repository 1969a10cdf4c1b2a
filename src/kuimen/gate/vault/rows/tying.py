"""Checking and renewing the seals of rows.

Whoever writes a field renews the seal of its row in the same transaction, in this order: lock the records that are
written, lock the seals, read the rows, check what stood there before, write, seal anew. A row that does not hold is
never sealed anew: what somebody put back would then pass for genuine.
"""

import hmac
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Final
from uuid import UUID

from kuimen.gate.audit import services as audit
from kuimen.gate.keys.keyring import Keyring
from kuimen.gate.keys.material import IndexKeyMaterial
from kuimen.gate.vault.errors import RowAlteredError, VaultBusyError
from kuimen.gate.vault.rows.store import Place, Seal, StoredRow, insert_seals, locked_rows, update_seals
from kuimen.gate.vault.unsealing import keys_in_use, unsealed
from kuimen.kernels.ciphers import RowContent, row_seals

KEY_NAME: Final = "row_seal"
FACT: Final = "row_revisions"
_ATTEMPTS: Final = 5
_NAMED_IN_ALARM: Final = 20
Fields = dict[UUID, bytes]


def row_keys(ring: Keyring) -> tuple[IndexKeyMaterial, ...]:
    """Return the keys of row seals, the active one first; called before a transaction, for the first call makes one."""
    return ring.index_keys(KEY_NAME)


def broken_rows(ring: Keyring, rows: Sequence[StoredRow]) -> list[StoredRow]:
    """Return the rows whose seal does not fit what stands in them; those without a seal are not among them."""
    keys = {one.generation: one.key for one in row_keys(ring)} if any(row.seal for row in rows) else {}
    by_generation: dict[int, list[tuple[StoredRow, Seal]]] = defaultdict(list)
    for row in rows:
        if row.seal is not None:
            by_generation[row.seal.generation].append((row, row.seal))
    broken: list[StoredRow] = []
    for generation, members in by_generation.items():
        key = keys.get(generation)
        if key is None:
            broken += [row for row, _ in members]
            continue
        contents = [
            RowContent(
                row_key=row.place[2],
                revision=seal.revision,
                fields=[(record.record_id, record.sealed) for record in row.members],
            )
            for row, seal in members
        ]
        for (row, seal), tag in zip(
            members, row_seals(contents, key, institution=ring.institution_id.bytes), strict=True
        ):
            if not hmac.compare_digest(tag, seal.tag):
                broken.append(row)
    return broken


def robbed_rows(ring: Keyring, rows: Sequence[StoredRow]) -> list[StoredRow]:
    """Return the rows without a seal that hold a field which was written with one: somebody removed the seal."""
    bare = [row for row in rows if row.seal is None and row.members]
    if not bare:
        return []
    records = [record for row in bare for record in row.members]
    held = keys_in_use(ring, records)
    found = unsealed(ring, records, [held.get(record.record_id) for record in records])
    tied = {record.record_id for record, is_tied in zip(records, found.tied, strict=True) if is_tied}
    return [row for row in bare if any(record.record_id in tied for record in row.members)]


def alarmed(rows: Sequence[StoredRow], *, wanted: Collection[UUID] | None = None) -> RowAlteredError:
    """Record rows that do not hold, whatever becomes of the transaction, and return the error to raise.

    Args:
        rows: those rows.
        wanted: the records to name; all of them where None.
    """
    every = [record for row in rows for record in row.members]
    records = [record for record in every if wanted is None or record.record_id in wanted] or every
    audit.record_refusal(
        "vault.tamper_alarm",
        actor=audit.SYSTEM,
        object_type="vault",
        object_ref=str(records[0].record_id) if records else "",
        outcome=audit.Outcome.FAILED,
        facts={
            "rows": len(rows),
            "first": [str(record.record_id) for record in records[:_NAMED_IN_ALARM]],
            "elements": sorted({record.element for record in every}),
        },
    )
    return RowAlteredError([record.record_id for record in records], elements={record.element for record in every})


class Tie:
    """The rows that a transaction is about to write, locked, read and checked."""

    def __init__(self, ring: Keyring, places: Collection[Place], *, without: Collection[UUID] = ()) -> None:
        """Lock and check rows.

        Args:
            ring: the unlocked keyring; :func:`row_keys` was called before the transaction.
            places: every row that will be written.
            without: records that this transaction has inserted already.
        """
        self._ring = ring
        self._new = set(without)
        self._rows = locked_rows(places, without=self._new)
        self.broken = [*broken_rows(ring, list(self._rows.values())), *robbed_rows(ring, list(self._rows.values()))]
        self._barred = {row.place for row in self.broken}

    def holds(self, place: Place) -> bool:
        """Return whether a row was found as its seal says."""
        return place not in self._barred

    def seal(self, written: Iterable[tuple[Place, UUID, bytes]]) -> Counter[tuple[str, str]]:
        """Seal rows anew after fields were written; return how many revisions were added, by source and table.

        Args:
            written: row, record and new sealed bytes of each field; fields of rows that do not hold are left alone.
        """
        fields: dict[Place, Fields] = defaultdict(dict)
        for place, record_id, sealed in written:
            if place not in self._barred:
                fields[place][record_id] = sealed
        active = row_keys(self._ring)[0]
        counted: Counter[tuple[str, str]] = Counter()
        waiting = list(fields)
        for _ in range(_ATTEMPTS):
            seals = self._made(waiting, fields, active)
            first = {place: seal for place, seal in seals.items() if seal.revision == 1}
            done = insert_seals(first.items())
            done |= update_seals((place, seal) for place, seal in seals.items() if seal.revision > 1)
            counted.update((source_id, table) for source_id, table, _ in done)
            waiting = [place for place in waiting if place not in done]
            if not waiting:
                return counted
            self._read_again(waiting)  # another process sealed these rows for the first time meanwhile
        raise VaultBusyError(
            "rows of the vault are written by several processes at once; nothing was written, try again"
        )

    def _made(
        self, places: Sequence[Place], fields: dict[Place, Fields], active: IndexKeyMaterial
    ) -> dict[Place, Seal]:
        contents = []
        for place in places:
            row = self._rows.get(place)
            before = _fields(row) if row else {}
            revision = row.seal.revision if row and row.seal else 0
            contents.append(_content(place, revision + 1, before | fields[place]))
        tags = row_seals(contents, active.key, institution=self._ring.institution_id.bytes)
        return {
            place: Seal(revision=content.revision, generation=active.generation, tag=tag)
            for place, content, tag in zip(places, contents, tags, strict=True)
        }

    def _read_again(self, places: Collection[Place]) -> None:
        """Check what the other process sealed, over the fields as they stood before this transaction wrote any."""
        known = {
            record.record_id: record for place in places if (row := self._rows.get(place)) for record in row.members
        }
        found = locked_rows(places, without=self._new)
        rows = [
            StoredRow(
                place=row.place,
                members=tuple(known.get(record.record_id, record) for record in row.members),
                seal=row.seal,
            )
            for row in found.values()
        ]
        broken = broken_rows(self._ring, rows)
        if broken:
            raise alarmed(broken)
        self._rows |= {row.place: row for row in rows}


def revision_facts(counted: Counter[tuple[str, str]]) -> dict[str, list[str]]:
    """Return the fact of an audit entry by which rows put back as a whole are found; see `verifying`."""
    return {FACT: [f"{source_id}/{table}={count}" for (source_id, table), count in sorted(counted.items())]}


def record_revisions(counted: Counter[tuple[str, str]], *, actor: audit.Actor) -> None:
    """Record what a job or an erasure added, in its transaction."""
    if counted:
        audit.record(
            "vault.row_seals",
            actor=actor,
            object_type="vault",
            facts={"rows": counted.total(), **revision_facts(counted)},
        )


def _fields(row: StoredRow) -> Fields:
    return {record.record_id: record.sealed for record in row.members}


def _content(place: Place, revision: int, fields: Fields) -> RowContent:
    return RowContent(row_key=place[2], revision=revision, fields=list(fields.items()))
