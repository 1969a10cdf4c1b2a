"""Gather originals from the vault, search and re-scan; the counting part of the proof."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import psycopg
from django.db import connections
from psycopg import sql

from kuimen.foundation.errors import KuimenError
from kuimen.foundation.identifiers import RecordId
from kuimen.gate.audit import services as audit
from kuimen.gate.disclosure.services import bulk_for_system
from kuimen.governance.inventory import services as inventory
from kuimen.governance.inventory.models import DataSource
from kuimen.governance.inventory.own_rules import own_rules
from kuimen.governance.inventory.rules import TO_BE_PROTECTED, SourceKind
from kuimen.governance.protection.originals import Original
from kuimen.governance.protection.places import ServerPlaces, find_places
from kuimen.governance.protection.plan import ProtectionPlan
from kuimen.governance.protection.preparing import block_ranges, leaves
from kuimen.governance.protection.proof import (
    TEXT_TYPES,
    ProofPlace,
    ProofReport,
    other_database,
    search_places,
    server_files,
    split_needles,
)
from kuimen.governance.protection.rules import SHARED_VOCABULARY
from kuimen.governance.protection.session import SourceSession, column, joined, table_name
from kuimen.kernels.elements import Element
from kuimen.sources.marks import SealedMark, sealed_mark
from kuimen.sources.relations import RelationInfo, RelationKind
from kuimen.sources.scan import CLEAR, NOT_READ, ScanRow, scan_open

Progress = Callable[[int, int, str], None]
PURPOSE = "residual_proof"
_BLOCKS = 500
_CHECKPOINT_DENIED = "pages not yet written by the server (CHECKPOINT is not permitted to this role)"
_RESUMED = "values destroyed by another process: only their columns were re-scanned"
_HOLDERS = frozenset({RelationKind.TABLE, RelationKind.PARTITIONED, RelationKind.MATERIALISED})


def prove_source(
    plan: ProtectionPlan,
    row: DataSource,
    *,
    parameters: Mapping[str, str],
    actor: audit.Actor,
    folders: Sequence[Path],
    progress: Progress | None,
) -> ProofReport:
    """Prove a database; see `services.prove`."""
    session = SourceSession(parameters)
    try:
        originals, not_covered = _originals(plan, row, session)
        raw, rescan = split_needles(originals)
        try:
            session.connection.execute("CHECKPOINT")
        except psycopg.Error:
            not_covered.append(_CHECKPOINT_DENIED)
        places = find_places(session)
        files = [*server_files(places), *((f"folder {folder.name}", _files(folder)) for folder in folders)]
        searched, unread = search_places(raw, files, progress=progress)
        _mark_foreign(searched, places)
        equal = _equal_cells(session, row, {original.text for original in rescan if _is_distinctive(original)})
    finally:
        session.close()
    with inventory.reopen(row) as source:
        scan = list(scan_open(source, overlay=row.overlay or None, rules=own_rules()))
    inventory.record_scan(scan, actor, source_id=row.source_id)
    scan = inventory.as_corrected(scan, row)
    clear, clear_values = _still_clear(scan)
    return ProofReport(
        needles_raw=len(raw),
        needles_rescan=len(rescan),
        residual_clear_values=sum(place.hits for place in searched if not place.foreign) + clear_values + equal,
        places=tuple(searched),
        columns_rescanned=sum(one.column is not None for one in scan),
        clear_columns=clear,
        not_covered=(*not_covered, *_uncovered(places, searched), *unread, *_unread_relations(scan)),
    )


def prove_files(plan: ProtectionPlan, row: DataSource, *, actor: audit.Actor, progress: Progress | None) -> ProofReport:
    """Prove a folder: the removed values are looked for in it, and it is scanned again."""
    gone = plan.originals.destroyed
    raw, rescan = split_needles(gone or [])
    root = Path(row.location["path"])
    searched, unread = search_places(raw, [("folder", _files(root))], progress=progress)
    with inventory.reopen(row) as source:
        scan = list(scan_open(source, overlay=row.overlay or None, rules=own_rules()))
    inventory.record_scan(scan, actor, source_id=row.source_id)
    scan = inventory.as_corrected(scan, row)
    clear, clear_values = _still_clear(scan)
    not_covered = ["copies and backups of the folder, free blocks of the file system"]
    if gone is None and plan.files:
        not_covered.append(_RESUMED)
    return ProofReport(
        needles_raw=len(raw),
        needles_rescan=len(rescan),
        residual_clear_values=sum(place.hits for place in searched) + clear_values,
        places=tuple(searched),
        columns_rescanned=sum(one.column is not None for one in scan),
        clear_columns=clear,
        not_covered=(*not_covered, *unread, *_unread_relations(scan)),
    )


def _files(folder: Path) -> list[Path]:
    if folder.is_file():
        return [folder]
    return [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink()]


def _originals(plan: ProtectionPlan, row: DataSource, session: SourceSession) -> tuple[list[Original], list[str]]:
    """Open every record the source refers to, whoever verified it, and add what this process destroyed."""
    originals = list(sealed_originals(row, session))
    not_covered = []
    gone = plan.originals.destroyed
    if gone is None and plan.columns_to_destroy:
        not_covered.append(_RESUMED)
    return originals + (gone or []), not_covered


def known_originals(plans: Sequence[ProtectionPlan]) -> Iterator[Original]:
    """Yield the originals of every protected database that is reached, from the plans or else from the vault."""
    verified = {one.source_id: one.originals.verified for one in plans}
    for row in DataSource.objects.filter(kind=SourceKind.POSTGRESQL.value, active=True, protected_at__isnull=False):
        seen = verified.get(row.source_id)
        if seen is not None:
            yield from seen
            continue
        try:
            session = SourceSession(inventory.connection_of(row))
        except KuimenError:
            continue
        try:
            yield from sealed_originals(row, session)
        finally:
            session.close()


def sealed_originals(row: DataSource, session: SourceSession) -> Iterator[Original]:
    """Yield the value of every record that the source's reference columns name, opened through disclosure."""
    with inventory.reopen(row) as source:
        relations = source.describe()
    for relation in relations:
        marks = {one.name: mark for one in relation.columns if (mark := sealed_mark(one.comment)) and not mark.follows}
        if not marks or relation.kind not in _HOLDERS:
            continue
        for ids, mark in _references(session, relation, marks):
            opened = bulk_for_system(PURPOSE, ids, procedure="protection.prove")
            as_text = mark.type.startswith(TEXT_TYPES)
            for _, value in opened:
                yield Original(element=value.element, text=value.reveal_for(PURPOSE), stored_as_text=as_text)


def _references(
    session: SourceSession, relation: RelationInfo, marks: Mapping[str, SealedMark]
) -> Iterator[tuple[list[RecordId], SealedMark]]:
    wanted = joined([column(name) for name in marks], ", ")
    for schema, leaf in leaves(session.connection, relation.schema or "public", relation.name):
        query = sql.SQL("SELECT {} FROM ONLY {} AS t WHERE t.ctid >= %s::tid AND t.ctid < %s::tid").format(
            wanted, table_name(schema, leaf)
        )
        for bounds in block_ranges(session.connection, schema, leaf, _BLOCKS):
            with session.transaction() as connection:
                rows = connection.execute(query, bounds).fetchall()
            for position, mark in enumerate(marks.values()):
                ids = [RecordId(found[position]) for found in rows if found[position] is not None]
                if ids:
                    yield ids, mark


def _is_distinctive(original: Original) -> bool:
    return Element(original.element) not in SHARED_VOCABULARY and bool(original.text.strip())


def _equal_cells(session: SourceSession, row: DataSource, short: set[str]) -> int:
    """Count cells of text columns that equal a short original, such as a name of two characters."""
    if not short:
        return 0
    hits = 0
    with inventory.reopen(row) as source:
        for relation in source.describe():
            for name in _text_columns(relation):
                hits += _count_equal(session, relation, name, short)
    return hits


def _text_columns(relation: RelationInfo) -> list[str]:
    if relation.kind not in _HOLDERS:
        return []
    return [one.name for one in relation.columns if one.type.startswith(TEXT_TYPES)]


def _count_equal(session: SourceSession, relation: RelationInfo, name: str, short: set[str]) -> int:
    query = sql.SQL("SELECT {}::text, count(*) FROM {} AS t GROUP BY 1").format(
        column(name), table_name(relation.schema or "public", relation.name)
    )
    with session.transaction() as connection, connection.cursor(name="kuimen_proof") as cursor:
        cursor.itersize = 20_000
        cursor.execute(query)
        return sum(count for text, count in cursor if text in short)


def _still_clear(scan: Iterable[ScanRow]) -> tuple[tuple[str, ...], int]:
    rows = [one for one in scan if one.state == CLEAR and one.element in TO_BE_PROTECTED and not one.masked]
    names = [".".join(part for part in (one.schema, one.table, one.file, one.column) if part) for one in rows]
    return tuple(names), sum(one.hits or max(one.rows, 1) for one in rows)


def _mark_foreign(searched: Sequence[ProofPlace], places: ServerPlaces) -> None:
    """Mark the databases of others; Kuimen's own may hold no original any more than the source."""
    own = {connections[alias].settings_dict["NAME"] for alias in connections}
    foreign = {other_database(name) for _, name in places.other_databases if name not in own}
    for place in searched:
        place.foreign = place.name in foreign


def _uncovered(places: ServerPlaces, searched: Sequence[ProofPlace]) -> list[str]:
    found = list(places.not_covered)
    if places.data_directory is None:
        found.append(f"table files and write-ahead log: {places.data_reason}")
    if places.log_directory is None:
        found.append(f"server log: {places.log_reason}")
    found.extend(
        f"{place.name} of the same server holds {place.hits} hits; it is not part of this job, protect it by itself"
        for place in searched
        if place.foreign and place.hits
    )
    return found


def _unread_relations(scan: Iterable[ScanRow]) -> list[str]:
    found = []
    for one in scan:
        if one.state == NOT_READ:
            place = ".".join(part for part in (one.schema, one.table, one.file, one.column) if part)
            found.append(f"{place or one.source}: {one.reason}")
    return found
