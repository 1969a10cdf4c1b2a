"""Plan and make test data: the two calls that a program, the command line and the register use."""

import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa

from kuimen.kernels.ciphers import sm3
from kuimen.kernels.fabrication import FictitiousRanges, Made, Survey
from kuimen.kernels.fabrication.draws import mixed
from kuimen.sources.errors import SourceLocationError
from kuimen.sources.folder import FolderSource
from kuimen.sources.opening import connection_parameters, is_database, open_source
from kuimen.sources.postgresql import PostgresSource, label_of
from kuimen.sources.relations import Source
from kuimen.sources.scan import scan_open
from kuimen.sources.testdata.errors import OriginalsLeftError, TestDataSourceError
from kuimen.sources.testdata.planning import PlannedTable, TestDataPlan, build_plan
from kuimen.sources.testdata.proof import Prover, TestDataProof
from kuimen.sources.testdata.reading import Batch, DatabaseReader, FolderReader, Reader
from kuimen.sources.testdata.writing import DatabaseTarget, FolderTarget, Target

Progress = Callable[[str, int, int], None]

KEY_BYTES: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a source or a target is.

    Attributes:
        location: PostgreSQL address, folder or CSV file.
        credentials_file: user and password of a database.
    """

    location: str
    credentials_file: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TestDataReport:
    """What was made.

    Attributes:
        label: name of the source.
        target: name of the target.
        rows: by table.
        columns: made in all.
        proof: what was searched; its residual is 0, or nothing was handed over.
        rules_not_kept: constraints of the source that the made data do not keep and that were left off.
        seconds: on the wall.
        repeatable: a seed was given; else the key of the package was drawn and is gone.
        fingerprint: SM3 of the package key's SM3, so that two packages can be told apart or alike; not the key.
    """

    __test__ = False

    label: str
    target: str
    rows: Mapping[str, int]
    columns: int
    proof: TestDataProof
    rules_not_kept: tuple[str, ...]
    seconds: float
    repeatable: bool
    fingerprint: str


def plan_test_data(
    source: Place,
    *,
    overlay: str | None = None,
    chosen: Mapping[str, str] | None = None,
    progress: Progress | None = None,
) -> TestDataPlan:
    """Scan a source and decide what is made of every column; nothing is written.

    Args:
        source: database, folder or CSV file.
        overlay: additional recognition tables, ``fictitious`` or None.
        chosen: by ``table.column``, a treatment or an element that the scan did not find.
        progress: called with (what, done, total).

    Raises:
        SourceLocationError, SourceUnavailableError, TestDataSourceError, TestDataPlanError: as named.
    """
    with ExitStack() as stack:
        opened = stack.enter_context(open_source(source.location, credentials_file=source.credentials_file))
        return _planned(opened, _reader(stack, opened, source), overlay=overlay, chosen=chosen, progress=progress)


def make_test_data(
    source: Place,
    target: Place,
    *,
    seed: bytes | None = None,
    overlay: str | None = None,
    chosen: Mapping[str, str] | None = None,
    ranges: FictitiousRanges | None = None,
    progress: Progress | None = None,
) -> TestDataReport:
    """Make test data of every table of a source, prove that no original is left, and hand them over.

    Args:
        source: database, folder or CSV file.
        target: an empty PostgreSQL database or folder.
        seed: at least 16 secret bytes; the same seed and data give the same package. None draws a key that nobody
            keeps: nobody can then tell whom a made-up person stands for, nor make the package once more.
        overlay: additional recognition tables, ``fictitious`` or None.
        chosen: by ``table.column``, a treatment or an element.
        ranges: where made-up mobiles and cards come from.
        progress: called with (what, done, total).

    Raises:
        TestDataPlanError: the plan has blockers; nothing was written.
        OriginalsLeftError: the proof found originals; what was made was taken back.
        RangeExhaustedError, ColumnValuesError, TestDataSourceError, TestDataTargetError: as named; nothing stays.
    """
    began = time.monotonic()
    key = sm3(b"kuimen test data\x00" + seed) if seed is not None else secrets.token_bytes(KEY_BYTES)
    tell = progress or (lambda _what, _done, _total: None)
    with ExitStack() as stack:
        opened = stack.enter_context(open_source(source.location, credentials_file=source.credentials_file))
        reader = _reader(stack, opened, source)
        plan = _planned(opened, reader, overlay=overlay, chosen=chosen, progress=progress)
        plan.require_free()
        into = stack.enter_context(_target(target, reader))
        made = _surveyed(plan, reader, key=key, ranges=ranges, tell=tell)
        for table in plan.tables:
            into.create(table)
        rows = {table.name: into.write(table, _made(made, reader, table, tell=tell)) for table in plan.tables}
        broken = into.finish(plan.tables)
        proof = _proven(plan, made, into, tell=tell)
        if proof.residual:
            raise OriginalsLeftError(
                "proof: originals are left in "
                + ", ".join(f"{name} ({hits})" for name, hits in sorted(proof.hits.items()))
                + "; everything was taken back. Name a treatment for the column that holds them"
            )
        into.keep()
    return TestDataReport(
        label=plan.label,
        target=into.label,
        rows=rows,
        columns=sum(len(table.spec.columns) for table in plan.tables),
        proof=proof,
        rules_not_kept=tuple(broken),
        seconds=time.monotonic() - began,
        repeatable=seed is not None,
        fingerprint=sm3(sm3(key)).hex()[:16],
    )


def _reader(stack: ExitStack, opened: Source, source: Place) -> Reader:
    if isinstance(opened, PostgresSource):
        parameters = connection_parameters(source.location, credentials_file=source.credentials_file)
        return stack.enter_context(DatabaseReader(parameters))
    if isinstance(opened, FolderSource):
        return FolderReader(Path(source.location).expanduser())
    raise TestDataSourceError("source: test data are made from PostgreSQL databases and CSV files")


def _target(target: Place, reader: Reader) -> DatabaseTarget | FolderTarget:
    if is_database(target.location):
        parameters = connection_parameters(target.location, credentials_file=target.credentials_file)
        connection = reader.connection if isinstance(reader, DatabaseReader) else None
        return DatabaseTarget(parameters, source=connection, label=label_of(parameters))
    if "://" in target.location:
        raise SourceLocationError("to: a PostgreSQL address or a folder")
    return FolderTarget(Path(target.location).expanduser())


def _planned(
    opened: Source,
    reader: Reader,
    *,
    overlay: str | None,
    chosen: Mapping[str, str] | None,
    progress: Progress | None,
) -> TestDataPlan:
    def tell(done: int, total: int, _name: str) -> None:
        if progress is not None:
            progress("识别 scan", done, total)

    rows = list(scan_open(opened, overlay=overlay, progress=tell))
    enums = reader.enums() if isinstance(reader, DatabaseReader) else ()
    return build_plan(opened.label, opened.describe(), rows, chosen=chosen, enums=enums)


def _columns_of(table: PlannedTable) -> list[str]:
    return [column.name for column in table.spec.columns]


def _surveyed(
    plan: TestDataPlan, reader: Reader, *, key: bytes, ranges: FictitiousRanges | None, tell: Progress
) -> Made:
    survey = Survey(key=key, ranges=ranges)
    for done, table in enumerate(plan.tables):
        tell("取样 survey", done, len(plan.tables))
        for batch in reader.batches(table.relation, _columns_of(table)):
            survey.look(table.spec, batch)
    tell("取样 survey", len(plan.tables), len(plan.tables))
    return survey.finish()


def _made(made: Made, reader: Reader, table: PlannedTable, *, tell: Progress) -> Iterator[Batch]:
    first = 0
    for batch in reader.batches(table.relation, _columns_of(table)):
        rows = len(next(iter(batch.values())))
        order = pa.array(np.argsort(mixed(np.arange(first, first + rows, dtype=np.uint64), made.key.hex())))
        # shuffled, or the place of a row would tell whom it stands for
        yield {name: column.take(order) for name, column in made.fabricate(table.spec, batch, first_row=first).items()}
        first += rows
        tell(f"生成 make {table.name}", first, max(table.rows, first))


def _proven(plan: TestDataPlan, made: Made, into: Target, *, tell: Progress) -> TestDataProof:
    prover = Prover(made.originals)
    for done, table in enumerate(plan.tables):
        tell("复查 prove", done, len(plan.tables))
        for batch in into.read(table):
            prover.read(table.spec, batch)
    tell("复查 prove", len(plan.tables), len(plan.tables))
    return prover.proof()
