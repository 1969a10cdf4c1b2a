"""One suite for both engines: what Arrow does in one process, Spark does on many, value for value."""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

import pyarrow as pa
import pytest
from typing_extensions import override

from fixtures.lender import mobile, person_name, resident_id
from kuimen.entrypoints import bulk
from kuimen.entrypoints.bulk import batches
from kuimen.entrypoints.bulk.errors import BulkColumnError
from kuimen.kernels.detection import Likelihood, detect
from kuimen.kernels.elements.overlay import FICTITIOUS

PEOPLE = 60


class Engine(Protocol):
    """What the suite asks of an engine; tables go in and come out as Arrow."""

    def detect(self, table: pa.Table, columns: Sequence[str] | None = None) -> list[tuple[Any, ...]]: ...

    def redact(self, table: pa.Table, *, style: str = "label") -> pa.Table: ...

    def mask(self, table: pa.Table, elements: Mapping[str, str]) -> pa.Table: ...

    def classify(self, table: pa.Table) -> dict[str, str | None]: ...


class ArrowEngine(Engine):
    @override
    def detect(self, table: pa.Table, columns: Sequence[str] | None = None) -> list[tuple[Any, ...]]:
        found = bulk.detect_table(table, columns, overlay="fictitious").to_pylist()
        ids = table.column("id").to_pylist()
        return sorted((ids[row.pop("row")], *row.values()) for row in found)

    @override
    def redact(self, table: pa.Table, *, style: str = "label") -> pa.Table:
        return bulk.redact_table(table, style=style, overlay="fictitious")

    @override
    def mask(self, table: pa.Table, elements: Mapping[str, str]) -> pa.Table:
        return bulk.mask_table(table, elements)

    @override
    def classify(self, table: pa.Table) -> dict[str, str | None]:
        found = bulk.classify_table(table, name="kh", overlay="fictitious")
        return {one.name: one.element and str(one.element) for one in found}


class SparkEngine(Engine):
    def __init__(self, session: Any) -> None:  # noqa: ANN401 - a SparkSession
        self._session = session

    def _frame(self, table: pa.Table) -> Any:  # noqa: ANN401 - a Spark frame
        return self._session.createDataFrame(table).repartition(2)

    def _sorted(self, frame: Any) -> pa.Table:  # noqa: ANN401 - a Spark frame
        return frame.toArrow().sort_by("id")

    @override
    def detect(self, table: pa.Table, columns: Sequence[str] | None = None) -> list[tuple[Any, ...]]:
        from kuimen.entrypoints.bulk import spark

        found = spark.detect_table(self._frame(table), columns, keys=["id"], overlay="fictitious").toArrow()
        return sorted(tuple(row.values()) for row in found.to_pylist())

    @override
    def redact(self, table: pa.Table, *, style: str = "label") -> pa.Table:
        from kuimen.entrypoints.bulk import spark

        return self._sorted(spark.redact_table(self._frame(table), style=style, overlay="fictitious"))

    @override
    def mask(self, table: pa.Table, elements: Mapping[str, str]) -> pa.Table:
        from kuimen.entrypoints.bulk import spark

        return self._sorted(spark.mask_table(self._frame(table), elements))

    @override
    def classify(self, table: pa.Table) -> dict[str, str | None]:
        from kuimen.entrypoints.bulk import spark

        found = spark.classify_table(self._frame(table), name="kh", overlay="fictitious")
        return {one.name: one.element and str(one.element) for one in found}


@pytest.fixture(scope="module")
def spark_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    pyspark_sql = pytest.importorskip("pyspark.sql")
    folder = tmp_path_factory.mktemp("spark")
    before = dict(os.environ)
    os.environ["PYSPARK_PYTHON"] = sys.executable
    session = (
        pyspark_sql.SparkSession.builder.master("local[2]")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.sql.execution.arrow.pyspark.enabled", "true")
        .config("spark.sql.warehouse.dir", str(folder))
        .config("spark.local.dir", str(folder))
        .config("spark.sql.shuffle.partitions", "2")
        .config("spark.driver.memory", "1g")
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("OFF")
    yield session
    session.stop()
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(params=["arrow", pytest.param("spark", marks=pytest.mark.slow)])
def engine(request: pytest.FixtureRequest) -> Engine:
    if request.param == "arrow":
        return ArrowEngine()
    return SparkEngine(request.getfixturevalue("spark_session"))


@pytest.fixture(scope="module")
def table() -> pa.Table:
    notes = [
        None
        if index % 7 == 0
        else ""
        if index % 7 == 1
        else f"客户{person_name(index)}\n手机{mobile(index)}"
        if index % 7 == 2
        else f"致电 {mobile(index)}，身份证{resident_id(index)}，𠮷"
        for index in range(PEOPLE)
    ]
    return pa.table(
        {
            "id": pa.array(range(PEOPLE), pa.int64()),
            "xm": [person_name(index) for index in range(PEOPLE)],
            "sjhm": [mobile(index) if index % 5 else None for index in range(PEOPLE)],
            "bz": notes,
            "je": pa.array([index * 1.5 for index in range(PEOPLE)], pa.float64()),
        }
    )


def test_findings_are_those_of_the_kernel_in_every_row(engine: Engine, table: pa.Table) -> None:
    found = engine.detect(table, ["bz"])
    alone = sorted(
        (row, "bz", str(one.element), one.start, one.end, str(one.category), str(one.likelihood))
        for row, text in enumerate(table.column("bz").to_pylist())
        for one in detect(text or "", tables=FICTITIOUS)
    )
    assert found == alone
    assert {one[2] for one in found} >= {"mobile", "resident_id"}


def test_redaction_keeps_rows_order_nulls_and_types(engine: Engine, table: pa.Table) -> None:
    clean = engine.redact(table)
    assert clean.schema.names == table.schema.names
    assert clean.num_rows == table.num_rows
    assert clean.column("je").to_pylist() == table.column("je").to_pylist()
    before, after = table.column("bz").to_pylist(), clean.column("bz").to_pylist()
    assert [text is None for text in after] == [text is None for text in before]
    assert not any(mobile(row) in (text or "") for row, text in enumerate(after))
    assert any("<mobile>" in (text or "") for text in after)
    assert any(
        "1999****" in (text or "") or "199****" in (text or "")
        for text in engine.redact(table, style="mask")["bz"].to_pylist()
    )


def test_whole_columns_are_masked_by_the_rules_of_their_element(engine: Engine, table: pa.Table) -> None:
    masked = engine.mask(table, {"sjhm": "mobile", "xm": "person_name"})
    shown = masked.column("sjhm").to_pylist()
    assert shown[1] == f"199****{mobile(1)[-4:]}"
    assert shown[0] is None
    assert not {person_name(row) for row in range(PEOPLE)} & set(masked.column("xm").to_pylist())


def test_columns_are_named_alike(engine: Engine, table: pa.Table) -> None:
    found = engine.classify(table)
    assert (found["sjhm"], found["xm"]) == ("mobile", "person_name")


def test_a_wrong_column_is_refused_before_anything_runs(engine: Engine, table: pa.Table) -> None:
    with pytest.raises(BulkColumnError):
        engine.detect(table, ["nowhere"])
    with pytest.raises(BulkColumnError):
        engine.detect(table, ["je"])
    with pytest.raises(BulkColumnError):
        engine.mask(table, {"sjhm": "no_such_element"})


def test_values_read_together_give_what_each_gives_alone() -> None:
    values = [
        f"{'手机' if index % 3 else ''}{mobile(index)}{'，' * (index % 2)}{person_name(index)}先生"
        for index in range(500)
    ]
    values += ["a\rb" + mobile(1), "x" * 9000 + mobile(2), "", "单独一行"]
    together = dict(batches.findings_of_values(values, min_likelihood=Likelihood.POSSIBLE, tables=FICTITIOUS))
    for row, value in enumerate(values):
        assert together.get(row, []) == detect(value, tables=FICTITIOUS), row


def test_data_frames_keep_index_and_other_objects() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(
        {"a": [f"电话{mobile(1)}", None, 5], "b": [1, 2, 3]}, index=["x", "y", "z"], columns=["a", "b"]
    )
    clean = bulk.redact_frame(frame, overlay="fictitious")
    assert list(clean.index) == ["x", "y", "z"]
    assert clean["a"].tolist() == ["电话<mobile>", None, 5]
    assert bulk.detect_frame(frame, overlay="fictitious")[["row", "element"]].values.tolist() == [[0, "mobile"]]
    assert bulk.mask_frame(frame, {"a": "free_text"})["a"].tolist()[1:] == [None, 5]
    assert frame["a"].tolist()[0] == f"电话{mobile(1)}", "the frame that was given stays as it was"


def test_sql_functions_find_what_the_kernel_finds() -> None:
    duckdb = pytest.importorskip("duckdb")
    from kuimen.entrypoints.bulk.duck import register

    with duckdb.connect() as connection:
        register(connection, overlay="fictitious")
        connection.execute(
            "CREATE TABLE t AS SELECT * FROM (VALUES (?), (?), (NULL)) v(note)", [f"手机{mobile(3)}", "无"]
        )
        rows = connection.execute("SELECT kuimen_redact(note), len(kuimen_detect(note)) FROM t").fetchall()
        assert rows == [("手机<mobile>", 1), ("无", 0), (None, None)]
        found = connection.execute("SELECT kuimen_detect(note)[1] FROM t LIMIT 1").fetchone()
        assert (found[0]["element"], found[0]["start"], found[0]["end"]) == ("mobile", 2, 13)
        shown = connection.execute(
            "SELECT kuimen_mask(?, 'mobile'), kuimen_mask(NULL, 'mobile')", [mobile(3)]
        ).fetchone()
        assert shown == (f"199****{mobile(3)[-4:]}", None)
