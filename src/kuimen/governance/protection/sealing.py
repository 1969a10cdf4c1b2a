"""Move values to the vault in batches: vault first, then a compare-and-swap of the reference in the source.

One batch is one transaction of the source. It reads row versions, seals their values in the vault's own transaction,
then writes the references to exactly those row versions (`ctid` and `xmin`): a row that the application changed in
between is left alone and met again in the next pass. A crash at any point leaves either nothing, or a pending record
that the next run finds at the same source coordinates.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID

from psycopg import sql

from kuimen.foundation.identifiers import RecordId
from kuimen.foundation.sensitive import Sensitive
from kuimen.gate.audit.services import Actor
from kuimen.gate.disclosure.services import bulk_for_system
from kuimen.gate.vault.rules import LARGEST_VALUE_BYTES
from kuimen.gate.vault.services import SealItem, seal_many
from kuimen.governance.protection.errors import VerificationError
from kuimen.governance.protection.parallel import over_ranges
from kuimen.governance.protection.plan import ColumnPlan, TablePlan
from kuimen.governance.protection.preparing import block_ranges, leaf_tables
from kuimen.governance.protection.purging import Purger
from kuimen.governance.protection.session import Connection, SourceSession, column, joined, table_name, translated
from kuimen.kernels.ciphers import HmacSM3
from kuimen.kernels.elements import Element

BATCH_ROWS = 2_000
BLOCKS_PER_READ = 24
VERIFY = "protection.verify"


@dataclass(slots=True, kw_only=True)
class SealCounts:
    """What one or more passes over a table did.

    Attributes:
        purged: (element, value) of what was cut out of free text, needles of the proof; never written anywhere.
    """

    sealed: dict[str, int] = field(default_factory=dict)
    purged: list[tuple[str, str]] = field(default_factory=list, repr=False)
    conflicts: int = 0
    oversized: int = 0

    def add(self, other: "SealCounts") -> None:
        """Add another pass."""
        for name, count in other.sealed.items():
            self.sealed[name] = self.sealed.get(name, 0) + count
        self.purged += other.purged
        self.conflicts += other.conflicts
        self.oversized += other.oversized

    @property
    def total(self) -> int:
        """Return how many values got a reference."""
        return sum(self.sealed.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class SealContext:
    """What sealing needs beside the table.

    Attributes:
        coordinate_key: key of the digest that names a row in the vault without telling its key.
        purger: cuts elements that may never be stored out of free text.
        advance: called with the number of values done.
    """

    source_id: UUID
    coordinate_key: bytes
    purger: Purger
    actor: Actor
    advance: Callable[[int], None] = lambda _count: None


@dataclass(slots=True, kw_only=True)
class _Row:
    """One row version on its way to the vault; `clear` and `refs` run parallel to the plan's sealed columns."""

    ctid: str
    xmin: str
    key: bytes
    person: UUID | None
    clear: tuple[str | None, ...]
    refs: list[UUID | None]


def seal_pass(session: SourceSession, plan: TablePlan, context: SealContext) -> SealCounts:
    """Seal everything of a table that is not sealed yet, once through its blocks.

    Raises:
        VaultBusyError, KeysLockedError, SourceLostError …: nothing is lost; run again.
    """
    counts = SealCounts()
    if not plan.sealed:
        return counts
    for schema, leaf in leaf_tables(session.connection, plan):
        ranges = block_ranges(session.connection, schema, leaf, BLOCKS_PER_READ)
        work = partial(_seal_range, plan=plan, leaf=(schema, leaf), context=context)
        for once in over_ranges(session, ranges, work, tell=lambda once: context.advance(once.total)):
            counts.add(once)
    return counts


def _seal_range(
    session: SourceSession, bounds: tuple[str, str], *, plan: TablePlan, leaf: tuple[str, str], context: SealContext
) -> SealCounts:
    counts = SealCounts()
    with session.transaction() as connection:
        rows = _read(connection, _pending_query(plan, *leaf), bounds, plan, context)
        for batch in _batches(rows):
            counts.add(_seal_batch(connection, plan, leaf, batch, context))
    return counts


def seal_locked(connection: Connection, plan: TablePlan, context: SealContext) -> SealCounts:
    """Seal the stragglers of a table that the caller holds locked, inside the caller's transaction."""
    counts = SealCounts()
    if not plan.sealed:
        return counts
    for schema, leaf in leaf_tables(connection, plan):
        rows = _read(connection, _pending_query(plan, schema, leaf), ("(0,0)", "(4294967294,0)"), plan, context)
        for batch in _batches(rows):
            counts.add(_seal_batch(connection, plan, (schema, leaf), batch, context))
            pairs = [
                (ref, expected(one, clear, context.purger))
                for row in batch
                for one, clear, ref in zip(plan.sealed, row.clear, row.refs, strict=True)
                if ref is not None and clear is not None
            ]
            if mismatches(pairs):
                raise VerificationError(
                    f"{plan.place}: a value sealed just now does not open to itself; cut-over undone"
                )
    return counts


def expected(one: ColumnPlan, clear: str, purger: Purger) -> str:
    """Return what a clear value must open to: itself, or itself without forbidden elements."""
    return purger.purge(clear)[0] if one.purge else clear


def mismatches(pairs: Sequence[tuple[UUID, str]]) -> set[UUID]:
    """Open records and compare in memory; return the ids that do not hold what is expected."""
    wanted = dict(pairs)
    wrong = set(wanted)
    for record_id, value in bulk_for_system(VERIFY, [RecordId(one) for one in wanted], procedure=VERIFY):
        if value.reveal_for(VERIFY) == wanted[record_id]:
            wrong.discard(record_id)
    return wrong


def pending_rows(connection: Connection, plan: TablePlan) -> int:
    """Count rows that hold a clear value without a reference, followers of foreign keys included."""
    if not plan.referenced:
        return 0
    with translated():
        row = connection.execute(
            sql.SQL("SELECT count(*) FROM {} AS t WHERE {}").format(
                table_name(plan.schema, plan.name), _pending(plan.referenced)
            )
        ).fetchone()
    return int(row[0]) if row else 0


def _pending(columns: Sequence[ColumnPlan]) -> sql.Composed:
    return joined(
        [sql.SQL("({} IS NOT NULL AND {} IS NULL)").format(column(one.name), column(one.reference)) for one in columns],
        " OR ",
    )


def _pending_query(plan: TablePlan, schema: str, leaf: str) -> sql.Composed:
    person = column(plan.customer_ref) if plan.customer_ref else sql.SQL("NULL::uuid")
    return sql.SQL(
        "SELECT t.ctid::text, t.xmin::text, ARRAY[{keys}]::text[], {person}, ARRAY[{values}]::text[], ARRAY[{refs}]"
        " FROM ONLY {table} AS t WHERE t.ctid >= %s::tid AND t.ctid < %s::tid AND ({pending})"
    ).format(
        keys=joined([sql.SQL("{}::text").format(column(name)) for name in plan.key], ", "),
        person=person,
        values=joined([sql.SQL("{}::text").format(column(one.name)) for one in plan.sealed], ", "),
        refs=joined([column(one.reference) for one in plan.sealed], ", "),
        table=table_name(schema, leaf),
        pending=_pending(plan.sealed),
    )


def _read(
    connection: Connection, query: sql.Composed, bounds: tuple[str, str], plan: TablePlan, context: SealContext
) -> list[_Row]:
    prefix = f"{context.source_id}\x00{plan.schema}\x00{plan.name}\x00".encode()
    tagger = HmacSM3(context.coordinate_key)
    return [
        _Row(
            ctid=ctid,
            xmin=xmin,
            key=coordinate(tagger, prefix, key),
            person=person,
            clear=tuple(values),
            refs=list(refs),
        )
        for ctid, xmin, key, person, values, refs in connection.execute(query, bounds).fetchall()
    ]


def coordinate(tagger: HmacSM3, prefix: bytes, parts: Sequence[str | None]) -> bytes:
    """Return the 32 bytes that name a row in the vault: keyed, length-prefixed, telling nothing of the row's key."""
    encoded = b"".join(
        b"\x00" if part is None else b"\x01" + len(raw := part.encode()).to_bytes(4, "big") + raw for part in parts
    )
    return tagger.tag(prefix + encoded)


def _batches(rows: Sequence[_Row]) -> Iterator[Sequence[_Row]]:
    for start in range(0, len(rows), BATCH_ROWS):
        yield rows[start : start + BATCH_ROWS]


def _seal_batch(
    connection: Connection, plan: TablePlan, leaf: tuple[str, str], rows: Sequence[_Row], context: SealContext
) -> SealCounts:
    counts = SealCounts()
    items: list[SealItem] = []
    places: list[tuple[_Row, int]] = []
    columns = [(position, one, Element(str(one.element))) for position, one in enumerate(plan.sealed)]
    for row in rows:
        for position, one, element in columns:
            clear = row.clear[position]
            if clear is None or row.refs[position] is not None:
                continue
            text = clear
            if one.purge:
                text, removed = context.purger.purge(clear)
                counts.purged += removed
            if len(text.encode()) > LARGEST_VALUE_BYTES:
                counts.oversized += 1
                continue
            items.append(
                SealItem(
                    element=element,
                    value=Sensitive(text, element=element.value),
                    source_id=str(context.source_id),
                    source_table=plan.place,
                    source_column=one.name,
                    source_key=row.key,
                    person_ref=row.person,
                )
            )
            places.append((row, position))
    for (row, position), ref in zip(places, seal_many(items, actor=context.actor), strict=True):
        row.refs[position] = ref.record_id
    written = _swap(connection, plan, leaf, rows)
    for row, position in places:
        if row.ctid in written:
            name = columns[position][1].name
            counts.sealed[name] = counts.sealed.get(name, 0) + 1
        else:
            counts.conflicts += 1
    return counts


def _swap(connection: Connection, plan: TablePlan, leaf: tuple[str, str], rows: Sequence[_Row]) -> set[str]:
    """Write references to the very row versions that were read; return the tuple ids that took them.

    The reading transaction is still open, so no rewrite of the table can have moved another row to the same place.
    """
    names = [sql.Identifier(f"r{position}") for position in range(len(plan.sealed))]
    statement = sql.SQL(
        "UPDATE ONLY {table} AS t SET {sets} FROM unnest(%s::text[]::tid[], %s::text[]::xid[], {types})"
        " AS v(tid, version, {names}) WHERE t.ctid = v.tid AND t.xmin = v.version RETURNING v.tid::text"
    ).format(
        table=table_name(*leaf),
        sets=joined(
            [
                sql.SQL("{} = v.{}").format(sql.Identifier(one.reference), name)
                for one, name in zip(plan.sealed, names, strict=True)
            ],
            ", ",
        ),
        types=joined([sql.SQL("%s::uuid[]") for _ in names], ", "),
        names=joined(list(names), ", "),
    )
    arguments: list[Any] = [[row.ctid for row in rows], [row.xmin for row in rows]]
    arguments += [[row.refs[position] for row in rows] for position in range(len(names))]
    return {row[0] for row in connection.execute(statement, arguments).fetchall()}
