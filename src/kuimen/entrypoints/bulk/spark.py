"""Apache Spark: the same kernels on the same batches, through `mapInArrow`. Needs the extra `spark` and a Java runtime.

>>> from kuimen.entrypoints.bulk.spark import redact_table  # doctest: +SKIP
>>> redact_table(spark.table("ods.call_notes")).write.saveAsTable("dwd.call_notes_clean")  # doctest: +SKIP
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from kuimen.entrypoints.bulk import batches
from kuimen.entrypoints.bulk.errors import BulkColumnError, BulkEngineError
from kuimen.kernels.detection import ColumnFinding, Likelihood
from kuimen.kernels.elements.model import Element
from kuimen.kernels.elements.overlay import tables_for

SparkFrame = Any
"""A pyspark.sql.DataFrame."""
_CLASSIFIED_ROWS = 1000
_SEED = 20240612


def _schema_of(frame: SparkFrame) -> pa.Schema:
    """Return the Arrow schema of a Spark frame, as far as text is concerned.

    Raises:
        BulkEngineError: Spark is not installed.
    """
    try:
        from pyspark.sql.types import CharType, StringType, VarcharType  # noqa: PLC0415 - an extra
    except ImportError:
        raise BulkEngineError("spark: run pip install 'kuimen[spark]'; a Java runtime is needed too") from None
    return pa.schema(
        [
            (field.name, pa.string() if isinstance(field.dataType, StringType | CharType | VarcharType) else pa.null())
            for field in frame.schema.fields
        ]
    )


def detect_table(
    frame: SparkFrame,
    columns: Sequence[str] | None = None,
    *,
    keys: Sequence[str],
    min_likelihood: Likelihood | str = Likelihood.POSSIBLE,
    overlay: str | None = None,
) -> SparkFrame:
    """Return what the text of a table holds, with `keys` to say in which row; rows of Spark have no numbers.

    Raises:
        BulkColumnError: a named column is not there or holds no text.
        BulkEngineError: Spark is not installed.
    """
    schema = _schema_of(frame)
    chosen = batches.text_columns(schema, columns)
    missing = [name for name in keys if name not in schema.names]
    if missing or not keys:
        raise BulkColumnError("keys: name columns of the table that tell its rows apart")
    tables_for(overlay)
    least = Likelihood(min_likelihood)

    def work(stream: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        tables = tables_for(overlay)
        for batch in stream:
            yield batches.detect_batch(batch, chosen, keys=keys, min_likelihood=least, tables=tables)

    fields = [f"{_quoted(name)} {frame.schema[name].dataType.simpleString()}" for name in keys]
    fields += ["column string", "element string", "`start` int", "`end` int", "category string", "likelihood string"]
    return frame.mapInArrow(work, ", ".join(fields))


def redact_table(
    frame: SparkFrame,
    columns: Sequence[str] | None = None,
    *,
    style: str = "label",
    min_likelihood: Likelihood | str = Likelihood.POSSIBLE,
    overlay: str | None = None,
) -> SparkFrame:
    """Return the table without the personal data in its text; errors as above."""
    chosen = batches.text_columns(_schema_of(frame), columns)
    tables_for(overlay)
    least = Likelihood(min_likelihood)

    def work(stream: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        tables = tables_for(overlay)
        for batch in stream:
            yield batches.redact_batch(batch, chosen, style=style, min_likelihood=least, tables=tables)

    return frame.mapInArrow(work, frame.schema)


def mask_table(frame: SparkFrame, elements: Mapping[str, Element | str]) -> SparkFrame:
    """Return the table with the named columns masked as their elements demand; errors as above."""
    checked = batches.checked_elements(_schema_of(frame), elements)

    def work(stream: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in stream:
            yield batches.mask_batch(batch, checked)

    return frame.mapInArrow(work, frame.schema)


def classify_table(frame: SparkFrame, *, name: str = "", overlay: str | None = None) -> list[ColumnFinding]:
    """Name the element of every column from up to 1,000 rows that reach the driver; comments of columns count."""
    _schema_of(frame)
    rows = int(frame.count())
    few = frame
    if rows > _CLASSIFIED_ROWS:
        few = frame.sample(fraction=min(1.0, 1.2 * _CLASSIFIED_ROWS / rows), seed=_SEED).limit(_CLASSIFIED_ROWS)
    table = few.toArrow()
    comments = {field.name: field.metadata.get("comment", "") for field in frame.schema.fields}
    schema = pa.schema([field.with_metadata({"comment": comments.get(field.name, "")}) for field in table.schema])
    return batches.classify_table(table.cast(schema), name=name, overlay=overlay)


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"
