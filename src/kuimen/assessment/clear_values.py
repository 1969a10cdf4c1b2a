"""Looks through the installation's own tables for personal values that stand in clear.

PostgreSQL narrows down: only cells with a number of the right shape and boundaries leave the database. Detection then
decides with check digits and tables. Values are counted and dropped; only names of columns go on.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from django.db import connection
from psycopg import sql

from kuimen.kernels.detection import Likelihood, detect
from kuimen.kernels.elements import Element
from kuimen.kernels.elements.overlay import tables_for

# What a number of these shapes can turn out to be, its label included: 「联系人 139…」 is a contact.
LOOKED_FOR = frozenset(
    {
        Element.RESIDENT_ID,
        Element.OTHER_CERTIFICATE,
        Element.MOBILE,
        Element.CONTACT_RELATION,
        Element.BANK_CARD,
        Element.ACCOUNT_NUMBER,
        Element.TRACK_DATA,
    }
)
# An 11 digit mobile, an 18 sign certificate, a card of 13 to 19 digits, with nothing alphanumeric beside them: digests,
# references and sealed values hold such runs by chance, always inside longer words.
_SHAPE = r"(^|[^0-9A-Za-z_+/=-])(1[3-9][0-9]{9}|[1-9][0-9]{16}[0-9Xx]|[3-9][0-9]{12,18})($|[^0-9A-Za-z_+/=-])"
_COLUMNS = """
SELECT c.relname, a.attname, t.typname
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_type t ON t.oid = a.atttypid
WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
AND (t.typname IN ('text', 'varchar', 'bpchar', 'json', 'jsonb', 'int8', 'numeric')
     OR (c.relname = 'audit_entry' AND a.attname = 'body'))
AND has_column_privilege(c.oid, a.attnum, 'SELECT')
-- sums of money have decimals, and a short text has no room for a number of eleven digits
AND NOT (t.typname = 'numeric' AND a.atttypmod > 4 AND ((a.atttypmod - 4) & 65535) > 0)
AND NOT (t.typname IN ('varchar', 'bpchar') AND a.atttypmod BETWEEN 5 AND 14)
ORDER BY c.relname, a.attnum
"""
# A run of eleven digits is all that most cells lack; asking that first halves the reading time.
_DIGITS = "[0-9]{11}"
_NUMBERS = frozenset({"int8", "numeric"})
_MOST_CELLS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearValues:
    """What was found.

    Attributes:
        tables: tables looked through.
        columns: columns looked through.
        found: number of cells with a personal value in clear, by `table.column`.
    """

    tables: int
    columns: int
    found: Mapping[str, int]


def find_clear_values(*, overlay: str | None) -> ClearValues:
    """Look through every readable text, JSON and number column. Cost: one sequential read of each table.

    Args:
        overlay: the overlay that the installation recognises.
    """
    with connection.cursor() as cursor:
        cursor.execute(_COLUMNS)
        columns = [(str(table), str(column), str(kind)) for table, column, kind in cursor.fetchall()]
    recognised = tables_for(overlay or None)
    found: Counter[str] = Counter()
    for table, column, kind in columns:
        # No text of ours has a reason to hold such a number; a column of numbers holds sums and counters.
        least = Likelihood.LIKELY if kind in _NUMBERS else Likelihood.UNLIKELY
        for cell in _suspicious_cells(table, column, kind=kind):
            findings = detect(cell, min_likelihood=least, tables=recognised)
            if any(finding.element in LOOKED_FOR for finding in findings):
                found[f"{table}.{column}"] += 1
    return ClearValues(tables=len({table for table, _, _ in columns}), columns=len(columns), found=dict(found))


def _suspicious_cells(table: str, column: str, *, kind: str) -> Iterator[str]:
    cell = sql.SQL("encode({}, 'escape')") if kind == "bytea" else sql.SQL("{}::text")
    text = cell.format(sql.Identifier(column))
    statement = sql.SQL("SELECT {cell} FROM {table} WHERE {cell} ~ %s AND {cell} ~ %s LIMIT %s").format(
        cell=text, table=sql.Identifier(table)
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [_DIGITS, _SHAPE, _MOST_CELLS])
        for (value,) in cursor.fetchall():
            yield str(value)
