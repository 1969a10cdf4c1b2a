"""Functions for DuckDB: `kuimen_detect`, `kuimen_redact`, `kuimen_mask` and their kin in SQL.

>>> import duckdb
>>> from kuimen.entrypoints.bulk.duck import register
>>> register(duckdb.connect()).sql("SELECT kuimen_redact('联系邮箱a.b@example.com')").fetchone()
('联系邮箱<email>',)
"""

from typing import Any

import pyarrow as pa

from kuimen.entrypoints.bulk.batches import findings_of_values
from kuimen.entrypoints.bulk.errors import BulkColumnError, BulkEngineError
from kuimen.kernels.detection import Likelihood
from kuimen.kernels.detection.redaction import replace_findings
from kuimen.kernels.elements.model import Element
from kuimen.kernels.elements.overlay import tables_for
from kuimen.kernels.masking import mask

_FINDING = pa.struct(
    [
        pa.field("element", pa.string()),
        pa.field("start", pa.int32()),
        pa.field("end", pa.int32()),
        pa.field("category", pa.string()),
        pa.field("likelihood", pa.string()),
    ]
)
_FOUND = 'STRUCT("element" VARCHAR, "start" INTEGER, "end" INTEGER, category VARCHAR, likelihood VARCHAR)[]'
Connection = Any
"""A duckdb.DuckDBPyConnection."""


def register(connection: Connection, *, overlay: str | None = None) -> Connection:
    """Add the functions to a connection and return it.

    `kuimen_detect(text)` gives a list of {element, start, end, category, likelihood}; `kuimen_redact(text)` the text
    without its personal data; `kuimen_mask(value, element)` a value masked as its element demands. NULL gives NULL.

    Args:
        connection: an open connection.
        overlay: `fictitious` also accepts the identities of demonstrations.

    Raises:
        BulkEngineError: DuckDB is not installed.
    """
    try:
        from duckdb.sqltypes import VARCHAR  # noqa: PLC0415 - an extra
    except ImportError:
        raise BulkEngineError("duckdb: run pip install 'kuimen[duckdb]'") from None
    tables = tables_for(overlay)

    def found(texts: pa.ChunkedArray) -> pa.Array:
        values = texts.to_pylist()
        rows: list[list[dict[str, object]] | None] = [None if value is None else [] for value in values]
        for row, several in findings_of_values(values, min_likelihood=Likelihood.POSSIBLE, tables=tables):
            rows[row] = [
                {
                    "element": str(one.element),
                    "start": one.start,
                    "end": one.end,
                    "category": str(one.category),
                    "likelihood": str(one.likelihood),
                }
                for one in several
            ]
        return pa.array(rows, pa.list_(_FINDING))

    def redacted(texts: pa.ChunkedArray) -> pa.Array:
        values = texts.to_pylist()
        for row, several in findings_of_values(values, min_likelihood=Likelihood.POSSIBLE, tables=tables):
            values[row] = replace_findings(values[row] or "", several)
        return pa.array(values, pa.string())

    for name, function, arguments, result in (
        ("kuimen_detect", found, [VARCHAR], connection.dtype(_FOUND)),
        ("kuimen_redact", redacted, [VARCHAR], VARCHAR),
        ("kuimen_mask", _masked, [VARCHAR, VARCHAR], VARCHAR),
    ):
        connection.create_function(name, function, arguments, result, type="arrow", null_handling="special")
    return connection


def _masked(values: pa.ChunkedArray, elements: pa.ChunkedArray) -> pa.Array:
    """Mask values, element by element; most calls name one."""
    texts = pa.array(values.to_pylist(), pa.string())
    names = elements.to_pylist()
    shown: list[str | None] = [None] * len(texts)
    for name in dict.fromkeys(names):
        if name is None:
            continue
        try:
            element = Element(name)
        except ValueError:
            raise BulkColumnError("kuimen_mask: the second argument is no name of the element table") from None
        rows = [row for row, one in enumerate(names) if one == name]
        masked = mask(texts.take(pa.array(rows, pa.int64())), str(element)).to_pylist()
        for row, text in zip(rows, masked, strict=True):
            shown[row] = text
    return pa.array(shown, pa.string())
