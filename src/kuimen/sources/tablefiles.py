"""Workbooks and Parquet files as tables: described cheaply, sampled in one bounded pass."""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO, Any
from zipfile import BadZipFile

from kuimen.sources.encodings import decode_lenient
from kuimen.sources.errors import RelationUnreadableError
from kuimen.sources.relations import ColumnInfo, Sample
from kuimen.sources.sampling import SURPLUS, Reservoir, flatten
from kuimen.sources.stored import MAX_IN_MEMORY_BYTES, StoredFile, members_of
from kuimen.sources.textfiles import looks_like_data, unique_names

_HEADER_ROWS = 10
_BATCH_ROWS = 1024
_STRATA = 16
_LEAST_VALUES = 20
_SPARSE_ROWS = 200_000
_LONGEST_SHARED_STRINGS = 4 * MAX_IN_MEMORY_BYTES


def cell_text(value: object) -> str:
    """Return a cell as a person sees it: no trailing `.0`, no bytes; empty for nothing."""
    if value is None:
        return ""
    if isinstance(value, bytes):
        return decode_lenient(value)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


@contextmanager
def _workbook(stored: StoredFile) -> Iterator[Any]:
    import openpyxl  # noqa: PLC0415 - half a second that only workbooks need

    for member in members_of(stored):
        if member.reason is not None:
            raise RelationUnreadableError(f"workbook: {member.reason}")
        if member.name.endswith("sharedStrings.xml") and member.size > _LONGEST_SHARED_STRINGS:
            raise RelationUnreadableError("workbook: its string table expands beyond 256 MiB; export it as CSV")
    try:
        with stored.seekable() as stream, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # styles and validations that openpyxl does not know
            book = openpyxl.load_workbook(stream, read_only=True, data_only=True, keep_links=False)
            try:
                yield book
            finally:
                book.close()
    except (OSError, ValueError, KeyError, TypeError, AttributeError, SyntaxError, BadZipFile, EOFError):
        raise RelationUnreadableError("workbook: broken or of a form that is not known") from None


def sheets_of(stored: StoredFile) -> list[str]:
    """Return the names of the worksheets, hidden ones included.

    Raises:
        RelationUnreadableError: the workbook is broken or too large.
    """
    with _workbook(stored) as book:
        return [sheet.title for sheet in book.worksheets]


def sample_sheet(stored: StoredFile, sheet: str, n: int) -> Sample:
    """Read a worksheet once; its header is the first row of several filled cells that look like no data.

    Raises:
        RelationUnreadableError: the workbook is broken or too large.
    """
    reservoir = Reservoir(n)
    with _workbook(stored) as book:
        rows = (tuple(map(cell_text, row)) for row in book[sheet].iter_rows(values_only=True))
        filled = (row for row in rows if any(row))
        head = [row for _, row in zip(range(_HEADER_ROWS), filled, strict=False)]
        at, columns = _header(head)
        for name in columns:
            reservoir.values[name] = []
        for row in head[:at]:  # a title above the table may hold a name too
            for cell in row:
                reservoir.offer(SURPLUS, cell)
        number = reservoir.offer_rows(columns, head[at + 1 :] if columns else [])
        number += reservoir.offer_rows(columns, filled)
    return reservoir.sample(rows=number)


def _header(head: Sequence[Sequence[str]]) -> tuple[int, tuple[str, ...]]:
    """Return the place of the header among the first rows, -1 for none, and the names of the columns."""
    width = max(map(len, head), default=0)
    most = max((sum(map(bool, row)) for row in head), default=0)
    for place, row in enumerate(head):
        cells = [cell for cell in row if cell]
        if 2 * len(cells) <= most and most > 1:
            continue
        if any(looks_like_data(cell) for cell in cells):
            break
        return place, unique_names([*row, *[""] * (width - len(row))])
    return -1, unique_names([""] * width)


@contextmanager
def _parquet(stored: StoredFile) -> Iterator[Any]:
    import pyarrow as pa  # noqa: PLC0415 - only Parquet files need it
    from pyarrow import parquet  # noqa: PLC0415

    stream: IO[bytes] = stored.seekable()
    try:
        with stream, parquet.ParquetFile(stream) as file:
            yield file
    except (OSError, ValueError, pa.ArrowException):
        raise RelationUnreadableError("parquet: broken, encrypted or of a form that is not known") from None


def parquet_shape(stored: StoredFile) -> tuple[tuple[ColumnInfo, ...], int]:
    """Return the columns that are no structures or lists, whose parts a sample names, and the number of rows.

    Raises:
        RelationUnreadableError: the file is broken or encrypted.
    """
    with _parquet(stored) as file:
        return (
            tuple(
                ColumnInfo(name=field.name, type=str(field.type))
                for field in file.schema_arrow
                if not _is_nested(field)
            ),
            int(file.metadata.num_rows),
        )


def sample_parquet(stored: StoredFile, n: int) -> Sample:
    """Read rows from groups spread over the file; columns that are almost empty are followed further.

    Raises:
        RelationUnreadableError: the file is broken or encrypted.
    """
    reservoir = Reservoir(n)
    with _parquet(stored) as file:
        rows, groups = int(file.metadata.num_rows), int(file.metadata.num_row_groups)
        for field in file.schema_arrow:
            if not _is_nested(field):
                reservoir.values[field.name] = []
        step = max(1, groups // _STRATA)
        chosen = list(range(0, groups, step))
        wanted = max(_BATCH_ROWS, 8 * n // max(1, len(chosen)))
        sampled = sum(_take(reservoir, file, groups=[group], limit=wanted) for group in chosen)
        sparse = [name for name, kept in reservoir.values.items() if len(kept) < min(n, _LEAST_VALUES)]
        known = set(file.schema_arrow.names)
        sparse = [name for name in sparse if name in known]
        if sparse and sampled < rows:
            _take(reservoir, file, groups=list(range(groups)), limit=_SPARSE_ROWS, columns=sparse)
    return reservoir.sample(rows=rows, sampled=sampled)


def _is_nested(field: Any) -> bool:  # noqa: ANN401 - a pyarrow field
    return bool(field.type.num_fields)


def _take(
    reservoir: Reservoir,
    file: Any,  # noqa: ANN401 - a ParquetFile
    *,
    groups: list[int],
    limit: int,
    columns: list[str] | None = None,
) -> int:
    seen = 0
    for batch in file.iter_batches(batch_size=_BATCH_ROWS, row_groups=groups, columns=columns):
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            for value in column.to_pylist():
                if isinstance(value, dict | list):
                    for inner, text in flatten(value, name):
                        reservoir.offer(inner, text)
                else:
                    reservoir.offer(name, cell_text(value))
        seen += batch.num_rows
        if seen >= limit:
            break
    return seen
