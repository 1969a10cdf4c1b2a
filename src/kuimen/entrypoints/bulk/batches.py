"""The kernels on record batches: every engine calls these, so that every engine finds the same.

Batches in, batches out; rows keep their order, nulls stay null, schemas are kept.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence

import pyarrow as pa

from kuimen.entrypoints.bulk.errors import BulkColumnError
from kuimen.kernels.detection import ColumnFinding, ColumnSample, Finding, Likelihood, classify_columns, detect
from kuimen.kernels.detection.redaction import replace_findings
from kuimen.kernels.elements.model import Element
from kuimen.kernels.elements.overlay import RecognitionTables, tables_for
from kuimen.kernels.masking import mask, mask_free_text

_BLOCK_CHARACTERS = 1 << 15
_LONG_VALUE = 1 << 13
_CLASSIFIED_VALUES = 1000

FINDINGS = pa.schema(
    [
        pa.field("row", pa.int64()),
        pa.field("column", pa.string()),
        pa.field("element", pa.string()),
        pa.field("start", pa.int32()),
        pa.field("end", pa.int32()),
        pa.field("category", pa.string()),
        pa.field("likelihood", pa.string()),
    ]
)
"""One row for each datum; `row` counts the rows of the table that was given, from 0. Never a value."""


def text_columns(schema: pa.Schema, columns: Sequence[str] | None = None) -> list[str]:
    """Return the columns that hold text, or those named.

    Raises:
        BulkColumnError: a named column is not there or holds no text.
    """
    texts = [field.name for field in schema if _is_text(field.type)]
    if columns is None:
        return texts
    wrong = [name for name in columns if name not in texts]
    if wrong:
        raise BulkColumnError(f"columns: {', '.join(wrong)} must be in the table and hold text")
    return list(columns)


def _is_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def findings_of_values(
    values: Sequence[str | None],
    *,
    min_likelihood: Likelihood,
    tables: RecognitionTables,
    elements: frozenset[Element] | None = None,
) -> Iterator[tuple[int, list[Finding]]]:
    """Yield (place, findings) for every value that holds any; offsets count in the value.

    Short values are laid out as lines of one text, which the kernel reads once; a line is judged by itself.
    """
    gathered: list[str] = []
    starts: list[int] = []
    places: list[int] = []
    length = 0

    def found_in(text: str) -> list[Finding]:
        return detect(text, elements=elements, min_likelihood=min_likelihood, tables=tables)

    def flush() -> Iterator[tuple[int, list[Finding]]]:
        by_place: dict[int, list[Finding]] = {}
        for one in found_in("\n".join(gathered)):
            line = bisect_right(starts, one.start) - 1
            by_place.setdefault(places[line], []).append(_moved(one, -starts[line]))
        yield from by_place.items()

    for place, value in enumerate(values):
        if not value:
            continue
        if len(value) > _LONG_VALUE or "\n" in value or "\r" in value:
            if found := found_in(value):
                yield place, found
            continue
        starts.append(length)
        places.append(place)
        gathered.append(value)
        length += len(value) + 1
        if length >= _BLOCK_CHARACTERS:
            yield from flush()
            gathered, starts, places, length = [], [], [], 0
    if gathered:
        yield from flush()


def _moved(one: Finding, by: int) -> Finding:
    return Finding(
        element=one.element,
        start=one.start + by,
        end=one.end + by,
        category=one.category,
        likelihood=one.likelihood,
        evidence=one.evidence,
    )


def detect_batch(
    batch: pa.RecordBatch,
    columns: Sequence[str],
    *,
    first_row: int = 0,
    keys: Sequence[str] = (),
    min_likelihood: Likelihood = Likelihood.POSSIBLE,
    tables: RecognitionTables,
) -> pa.RecordBatch:
    """Return the findings of a batch, ordered by column, row and start; `keys` are columns to carry along."""
    rows: list[tuple[int, str, Finding]] = []
    for name in columns:
        values = batch.column(name).to_pylist()
        found = sorted(
            findings_of_values(values, min_likelihood=min_likelihood, tables=tables), key=lambda pair: pair[0]
        )
        rows += [(place, name, one) for place, several in found for one in several]
    numbers = pa.array([place for place, _, _ in rows], pa.int64())
    arrays = [
        pa.array([first_row + place for place, _, _ in rows], pa.int64()),
        pa.array([name for _, name, _ in rows], pa.string()),
        pa.array([str(one.element) for _, _, one in rows], pa.string()),
        pa.array([one.start for _, _, one in rows], pa.int32()),
        pa.array([one.end for _, _, one in rows], pa.int32()),
        pa.array([str(one.category) for _, _, one in rows], pa.string()),
        pa.array([str(one.likelihood) for _, _, one in rows], pa.string()),
    ]
    carried = [batch.column(name).take(numbers) for name in keys]
    schema = findings_schema(batch.schema, keys)
    shown = arrays if not keys else [*carried, *arrays[1:]]
    return pa.RecordBatch.from_arrays(shown, schema=schema)


def findings_schema(schema: pa.Schema, keys: Sequence[str] = ()) -> pa.Schema:
    """Return the schema of findings: with `keys`, these stand in place of the row number."""
    if not keys:
        return FINDINGS
    return pa.schema([*(schema.field(name) for name in keys), *list(FINDINGS)[1:]])


def redact_batch(
    batch: pa.RecordBatch,
    columns: Sequence[str],
    *,
    style: str = "label",
    min_likelihood: Likelihood = Likelihood.POSSIBLE,
    tables: RecognitionTables,
) -> pa.RecordBatch:
    """Return the batch with every finding in its text replaced by its element, or masked (`style="mask"`)."""
    write = mask_free_text if style == "mask" else replace_findings
    arrays = list(batch.columns)
    for name in columns:
        place = batch.schema.get_field_index(name)
        values: list[str | None] = batch.column(name).to_pylist()
        touched = False
        for row, found in findings_of_values(values, min_likelihood=min_likelihood, tables=tables):
            values[row] = write(values[row] or "", found)
            touched = True
        if touched:
            arrays[place] = pa.array(values, pa.string()).cast(batch.schema.field(place).type)
    return pa.RecordBatch.from_arrays(arrays, schema=batch.schema)


def mask_batch(batch: pa.RecordBatch, elements: Mapping[str, Element]) -> pa.RecordBatch:
    """Return the batch with whole columns masked by the rules of their elements."""
    arrays = list(batch.columns)
    for name, element in elements.items():
        place = batch.schema.get_field_index(name)
        kind = batch.schema.field(place).type
        plain = arrays[place].cast(pa.string()) if _is_text(kind) else arrays[place]
        arrays[place] = mask(plain, str(element)).cast(kind)
    return pa.RecordBatch.from_arrays(arrays, schema=batch.schema)


def checked_elements(schema: pa.Schema, elements: Mapping[str, Element | str]) -> dict[str, Element]:
    """Return the elements of columns to mask.

    Raises:
        BulkColumnError: a column is not there or holds no text, or an element has no such name.
    """
    text_columns(schema, list(elements))
    try:
        return {name: Element(element) for name, element in elements.items()}
    except ValueError:
        raise BulkColumnError("elements: a name is not one of the element table") from None


def detect_table(
    table: pa.Table,
    columns: Sequence[str] | None = None,
    *,
    min_likelihood: Likelihood | str = Likelihood.POSSIBLE,
    overlay: str | None = None,
) -> pa.Table:
    """Return what the text of a table holds, as a table of `FINDINGS`.

    Raises:
        BulkColumnError: a named column is not there or holds no text.
        UnknownOverlayError: there is no such overlay.
    """
    chosen, tables = text_columns(table.schema, columns), tables_for(overlay)
    batches, first_row = [], 0
    for batch in table.to_batches():
        batches.append(
            detect_batch(batch, chosen, first_row=first_row, min_likelihood=Likelihood(min_likelihood), tables=tables)
        )
        first_row += batch.num_rows
    return pa.Table.from_batches(batches, schema=FINDINGS)


def redact_table(
    table: pa.Table,
    columns: Sequence[str] | None = None,
    *,
    style: str = "label",
    min_likelihood: Likelihood | str = Likelihood.POSSIBLE,
    overlay: str | None = None,
) -> pa.Table:
    """Return the table without the personal data in its text; errors as in `detect_table`."""
    chosen, tables = text_columns(table.schema, columns), tables_for(overlay)
    least = Likelihood(min_likelihood)
    return pa.Table.from_batches(
        [redact_batch(batch, chosen, style=style, min_likelihood=least, tables=tables) for batch in table.to_batches()],
        schema=table.schema,
    )


def mask_table(table: pa.Table, elements: Mapping[str, Element | str]) -> pa.Table:
    """Return the table with the named columns masked as their elements demand.

    Raises:
        BulkColumnError: a column is not there or holds no text, or an element has no such name.
    """
    checked = checked_elements(table.schema, elements)
    return pa.Table.from_batches([mask_batch(batch, checked) for batch in table.to_batches()], schema=table.schema)


def classify_table(table: pa.Table, *, name: str = "", overlay: str | None = None) -> list[ColumnFinding]:
    """Name the element of every column from its name, type and up to 1,000 values spread over the table."""
    step = max(1, table.num_rows // _CLASSIFIED_VALUES)
    looked = table.take(pa.array(range(0, table.num_rows, step), pa.int64())) if step > 1 else table
    samples = [
        ColumnSample(
            table=name,
            name=field.name,
            comment=(field.metadata or {}).get(b"comment", b"").decode(),
            type=str(field.type),
            values=[value for value in looked.column(place).to_pylist() if value is not None],
            n_rows=table.num_rows,
        )
        for place, field in enumerate(table.schema)
    ]
    return list(classify_columns(samples, tables=tables_for(overlay)))
