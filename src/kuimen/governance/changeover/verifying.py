"""Open every sealed value of a table and compare it with the clear one beside it, in one snapshot and without locks."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from psycopg import sql

from kuimen.governance.changeover.following import Worker
from kuimen.governance.changeover.plan import ColumnChange, TableChange
from kuimen.governance.protection.session import Connection, SourceSession, column, joined, table_name
from kuimen.kernels.ciphers import HmacSM3
from kuimen.kernels.ciphers.errors import ColumnSealBrokenError
from kuimen.kernels.sealed_columns import SealedColumn, row_context

FETCH_ROWS = 5_000
MOST_UNEQUAL = 10_000


@dataclass(slots=True, kw_only=True)
class VerifyReport:
    """What verification saw: counts and keyed digests, never a value.

    Attributes:
        compared: values that opened to the clear one beside them, with the right blind index.
        pending: clear values without a sealed one; the worker is about to seal them.
        unequal: values that did not open, or not to the clear one, or had another index; put back to be sealed again.
        clear_digest, opened_digest: of everything compared, HMAC-SM3 of row key and value; equal if all is well.
    """

    rows: int = 0
    compared: int = 0
    pending: int = 0
    unequal: int = 0
    clear_digest: str = ""
    opened_digest: str = ""

    @property
    def whole(self) -> bool:
        """Tell whether every sealed value is the clear one."""
        return not self.unequal and self.clear_digest == self.opened_digest


@dataclass(slots=True)
class _Digest:
    """A running keyed digest of rows and values."""

    keyed: HmacSM3
    state: bytes = field(default=b"")

    def take(self, parts: Sequence[bytes]) -> None:
        self.state = self.keyed.tag(self.state + b"".join(len(part).to_bytes(4, "big") + part for part in parts))


def verify(session: SourceSession, worker: Worker, *, key: bytes) -> VerifyReport:
    """Compare the whole table as it stands at one moment; rows that are unequal lose their sealed value.

    Raises:
        KuimenError: keys or source failed; nothing was changed, run again.
    """
    report, plan = VerifyReport(), worker.plan
    clear, opened = _Digest(HmacSM3(key)), _Digest(HmacSM3(key))
    wrong: list[tuple[str, ...]] = []
    with session.transaction() as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        with connection.cursor(name="kuimen_verify") as cursor:
            cursor.itersize = FETCH_ROWS
            cursor.execute(_everything(plan))
            while rows := cursor.fetchmany(FETCH_ROWS):
                report.rows += len(rows)
                wrong += _compare(rows, worker, report, clear, opened)
                worker.advance(len(rows))
    report.clear_digest, report.opened_digest = clear.state.hex(), opened.state.hex()
    if wrong:
        with session.transaction() as connection:
            _forget(connection, plan, wrong[:MOST_UNEQUAL])
    return report


def _everything(plan: TableChange) -> sql.Composed:
    values: list[sql.Composable] = [
        part
        for one in plan.columns
        for part in (
            sql.SQL("{}::text").format(column(one.name)),
            column(one.sealed),
            column(one.index) if one.index else sql.SQL("NULL::bytea"),
        )
    ]
    return sql.SQL("SELECT ARRAY[{}], {} FROM {} AS t").format(
        joined([sql.SQL("{}::text").format(column(name)) for name in plan.key], ", "),
        joined(values, ", "),
        table_name(plan.schema, plan.name),
    )


def _compare(
    rows: Sequence[tuple[Any, ...]], worker: Worker, report: VerifyReport, clear: _Digest, opened: _Digest
) -> list[tuple[str, ...]]:
    source = worker.keys()
    wrong: set[tuple[str, ...]] = set()
    for place, one in enumerate(worker.plan.columns):
        start = 1 + 3 * place
        found = [(tuple(row[0]), *row[start : start + 3]) for row in rows]
        report.pending += sum(text is not None and sealed is None for _, text, sealed, _ in found)
        held = [row for row in found if row[2] is not None]
        texts = _opened(SealedColumn(worker.plan.place_of(one), keys=source), held, one)
        good = [(row, text) for row, text in zip(held, texts, strict=True) if text is not None and text == row[1]]
        bad = {row[0] for row, text in zip(held, texts, strict=True) if text is None or text != row[1]}
        report.compared += len(good)
        report.unequal += len(bad)
        wrong |= bad
        contexts = [row_context(row[0]) for row, _ in good]
        clear.take(
            [part for context, (row, _) in zip(contexts, good, strict=True) for part in (context, row[1].encode())]
        )
        opened.take(
            [part for context, (_, text) in zip(contexts, good, strict=True) for part in (context, text.encode())]
        )
    return list(wrong)


def _opened(sealing: SealedColumn, held: Sequence[tuple[Any, ...]], one: ColumnChange) -> list[str | None]:
    """Return the texts of sealed cells, None where one does not open or its index is another value's."""
    cells: list[bytes | None] = [bytes(row[2]) for row in held]
    contexts = [row_context(row[0]) for row in held]
    try:
        texts = sealing.open(cells, rows=contexts)
    except ColumnSealBrokenError as broken:
        for position in broken.positions:
            cells[position] = None
        texts = sealing.open(cells, rows=contexts)
    if not one.index:
        return texts
    tags = sealing.tags(texts)
    return [
        text if tag is not None and row[3] is not None and bytes(row[3]) == tag else None
        for text, tag, row in zip(texts, tags, held, strict=True)
    ]


def _forget(connection: Connection, plan: TableChange, keys: Sequence[tuple[str, ...]]) -> None:
    """Take unequal sealed values away, so that the worker meets their rows again."""
    targets = [name for one in plan.columns for name in ((one.sealed, one.index) if one.index else (one.sealed,))]
    given = [sql.Identifier(f"k{place}") for place in range(len(plan.key))]
    connection.execute(
        sql.SQL("UPDATE {} AS t SET {} FROM unnest({}) AS v({}) WHERE {}").format(
            table_name(plan.schema, plan.name),
            joined([sql.SQL("{} = NULL").format(sql.Identifier(name)) for name in targets], ", "),
            joined([sql.SQL("%s::text[]")] * len(given), ", "),
            joined([*given], ", "),
            joined(
                [
                    sql.SQL("{}::text = v.{}").format(column(name), key)
                    for name, key in zip(plan.key, given, strict=True)
                ],
                " AND ",
            ),
        ),
        [[key[place] for key in keys] for place in range(len(plan.key))],
    )
