"""Open every sealed value of a table and compare it with the clear one that still stands beside it, in memory."""

from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID

from psycopg import sql

from kuimen.governance.protection.originals import Original
from kuimen.governance.protection.parallel import over_ranges
from kuimen.governance.protection.plan import ColumnPlan, TablePlan
from kuimen.governance.protection.preparing import block_ranges, leaf_tables
from kuimen.governance.protection.proof import TEXT_TYPES
from kuimen.governance.protection.sealing import SealContext, expected, mismatches
from kuimen.governance.protection.session import Connection, SourceSession, column, joined, table_name

BLOCKS_PER_READ = 24


@dataclass(slots=True, kw_only=True)
class VerifyCounts:
    """What verification saw.

    Attributes:
        checked: values opened and compared.
        verified: what was compared, for the clean-up of the same process; never written anywhere.
        forgotten: references that no longer fitted their value and were taken back, to be sealed again.
    """

    checked: int = 0
    forgotten: int = 0
    verified: list[Original] = field(default_factory=list, repr=False)


def verify_table(session: SourceSession, plan: TablePlan, context: SealContext) -> VerifyCounts:
    """Verify every referenced value of a table's own records.

    Raises:
        SealedValueTamperedError: a record does not open where it stands; nothing of the source was changed.
    """
    counts = VerifyCounts()
    if not plan.sealed:
        return counts
    for schema, leaf in leaf_tables(session.connection, plan):
        query = sql.SQL(
            "SELECT t.ctid::text, t.xmin::text, ARRAY[{values}]::text[], ARRAY[{refs}] FROM ONLY {table} AS t"
            " WHERE t.ctid >= %s::tid AND t.ctid < %s::tid"
        ).format(
            values=joined([sql.SQL("{}::text").format(column(one.name)) for one in plan.sealed], ", "),
            refs=joined([column(one.reference) for one in plan.sealed], ", "),
            table=table_name(schema, leaf),
        )
        ranges = block_ranges(session.connection, schema, leaf, BLOCKS_PER_READ)
        work = partial(_verify_range, plan=plan, leaf=(schema, leaf), query=query, context=context)
        for once in over_ranges(session, ranges, work, tell=lambda once: context.advance(once.checked)):
            counts.checked += once.checked
            counts.forgotten += once.forgotten
            counts.verified += once.verified
    return counts


def _verify_range(
    session: SourceSession,
    bounds: tuple[str, str],
    *,
    plan: TablePlan,
    leaf: tuple[str, str],
    query: sql.Composed,
    context: SealContext,
) -> VerifyCounts:
    counts = VerifyCounts()
    with session.transaction() as connection:
        rows = connection.execute(query, bounds).fetchall()
        counts.verified, wrong = _compare(plan, rows, context)
        counts.checked = len(counts.verified)
        for position, versions in wrong.items():
            counts.forgotten += _forget(connection, leaf, plan.sealed[position], versions)
    return counts


def _compare(
    plan: TablePlan, rows: list[tuple[Any, ...]], context: SealContext
) -> tuple[list[Original], dict[int, list[tuple[str, str]]]]:
    pairs: list[tuple[UUID, str]] = []
    where: dict[UUID, tuple[int, str, str]] = {}
    columns = plan.sealed
    wrong: dict[int, list[tuple[str, str]]] = {}
    for ctid, xmin, values, refs in rows:
        for position, (clear, ref) in enumerate(zip(values, refs, strict=True)):
            if ref is None:
                continue
            if clear is None or ref in where:  # a value that went, or one record standing for two rows
                wrong.setdefault(position, []).append((ctid, xmin))
                continue
            where[ref] = (position, ctid, xmin)
            pairs.append((ref, expected(columns[position], clear, context.purger)))
    for ref in mismatches(pairs):
        position, ctid, xmin = where[ref]
        wrong.setdefault(position, []).append((ctid, xmin))
    originals = [
        Original(element=str(one.element), text=text, stored_as_text=one.type.startswith(TEXT_TYPES))
        for one, text in ((columns[where[ref][0]], text) for ref, text in pairs)
    ]
    return originals, wrong


def _forget(connection: Connection, leaf: tuple[str, str], one: ColumnPlan, versions: list[tuple[str, str]]) -> int:
    statement = sql.SQL(
        "UPDATE ONLY {} AS t SET {} = NULL FROM unnest(%s::text[]::tid[], %s::text[]::xid[]) AS v(tid, version)"
        " WHERE t.ctid = v.tid AND t.xmin = v.version"
    ).format(table_name(*leaf), sql.Identifier(one.reference))
    return connection.execute(statement, ([v[0] for v in versions], [v[1] for v in versions])).rowcount
