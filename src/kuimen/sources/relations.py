"""The shape of a source: relations, columns, keys, samples. Plain values, no driver, no Django."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import TracebackType
from typing import Protocol, Self


class RelationKind(StrEnum):
    """What a relation is, which decides whether its values are read."""

    TABLE = "table"
    PARTITIONED = "partitioned table"
    MATERIALISED = "materialised view"
    VIEW = "view"
    FOREIGN = "foreign table"
    CSV = "csv file"
    JSONL = "jsonl file"
    LOG = "log file"
    PARQUET = "parquet file"
    SHEET = "worksheet"
    DOCUMENT = "document"
    PDF = "pdf document"
    IMAGE = "image"
    UNREAD = "unread"


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnInfo:
    """One column as the catalogue of the source describes it.

    Attributes:
        n_distinct: planner's estimate of distinct values; negative = share of rows, None = unknown.
        generated: computed by the database from other columns.
    """

    name: str
    type: str
    comment: str | None = None
    nullable: bool = True
    generated: bool = False
    n_distinct: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UniqueKey:
    """A primary key or unique constraint, in the order of its columns."""

    name: str
    columns: tuple[str, ...]
    primary: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignKey:
    """A declared reference from `columns` to `target_columns`."""

    name: str
    columns: tuple[str, ...]
    target_schema: str
    target_table: str
    target_columns: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RelationInfo:
    """A table, view or file.

    Attributes:
        schema: schema of a table; None for a file.
        name: table name, or path relative to the folder, with forward slashes.
        approx_rows: estimate without reading (tables), -1 when unknown.
        reason: why nothing is read, for kinds VIEW, FOREIGN and UNREAD.
        missed: data of this source stays unread for that reason; a view, a link or an empty file misses nothing.
        rewritable: protection knows how to rewrite a file of this form in place.
    """

    schema: str | None
    name: str
    kind: RelationKind
    columns: tuple[ColumnInfo, ...] = ()
    unique_keys: tuple[UniqueKey, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    approx_rows: int = -1
    size_bytes: int = 0
    comment: str | None = None
    reason: str | None = None
    missed: bool = False
    rewritable: bool = True

    @property
    def is_file(self) -> bool:
        """Tell files from tables."""
        return self.schema is None

    @property
    def primary_key(self) -> tuple[str, ...]:
        """Return the columns of the primary key, empty when there is none."""
        return next((key.columns for key in self.unique_keys if key.primary), ())

    def column(self, name: str) -> ColumnInfo:
        """Return one column by name; KeyError when it is not there."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextHit:
    """How often one element was met in a text file, and where first. Never the value."""

    element: str
    category: str
    likelihood: str
    count: int
    first_lines: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A part of a file that could not be read as its format says."""

    line: int
    reason: str


@dataclass(slots=True, kw_only=True)
class Sample:
    """Non-null values per column, as text.

    Attributes:
        values: per column, at most the asked number of non-null texts (cut at 4,096 characters).
        rows: rows in the relation, exact when `exact`, else the estimate.
        sampled: rows looked at.
        n_null: per column, nulls among the sampled rows.
        problems: lines of a file that are malformed.
    """

    values: Mapping[str, Sequence[str]]
    rows: int
    exact: bool
    sampled: int
    n_null: Mapping[str, int] = field(default_factory=dict)
    problems: Sequence[Problem] = ()


class Source(Protocol):
    """Anything that can be described and sampled without disturbing its users."""

    @property
    def label(self) -> str:
        """Return a name safe to print: place and database, never credentials."""
        ...

    @property
    def fingerprint(self) -> str:
        """Return what identifies the source itself, stable when its label or address changes."""
        ...

    def describe(self) -> list[RelationInfo]:
        """List every relation, including those that are named but not read."""
        ...

    def sample(self, relation: RelationInfo, n: int) -> Sample:
        """Return up to `n` non-null values per column, the same ones for the same data."""
        ...

    def close(self) -> None:
        """Release connections and files."""
        ...

    def __enter__(self) -> Self:
        """Open."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        ...
