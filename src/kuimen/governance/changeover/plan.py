"""A plan of a changeover: places, names and counts, never values. It is stored with its job."""

from dataclasses import dataclass
from uuid import UUID

from pydantic import TypeAdapter

from kuimen.kernels.sealed_columns import ColumnPlace


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """What the operator should know; a blocker stops the start."""

    blocker: bool
    message_zh: str
    message_en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnChange:
    """One column that changes over.

    Attributes:
        sealed: name of the binary column that takes its place.
        index: name of its blind index, empty where the element gets none.
        indexed: it has indexes of its own; unique: one of them is unique.
    """

    name: str
    type: str
    element: str
    sealed: str
    index: str = ""
    nullable: bool = True
    indexed: bool = False
    unique: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TableChange:
    """What happens to one table.

    Attributes:
        key, key_types: columns that tell rows apart, with their types; values are bound to them.
        rows: as estimated by the server.
        bytes: of the table with its indexes and TOAST, as the rewrite at the end will hold it locked.
    """

    source_id: UUID
    label: str
    application: str
    schema: str
    name: str
    key: tuple[str, ...]
    key_types: tuple[str, ...]
    columns: tuple[ColumnChange, ...]
    rows: int = 0
    bytes: int = 0
    remarks: tuple[Remark, ...] = ()

    @property
    def blockers(self) -> list[Remark]:
        """Return what stands in the way."""
        return [remark for remark in self.remarks if remark.blocker]

    @property
    def place(self) -> str:
        """Return `schema.table` for reports."""
        return f"{self.schema}.{self.name}"

    def place_of(self, column: ColumnChange) -> ColumnPlace:
        """Return where the values of a sealed column belong; the same as the type or field of the ORM says."""
        return ColumnPlace(table=self.name, column=column.sealed, element=column.element)


_ADAPTER = TypeAdapter(TableChange)


def dump_change(plan: TableChange) -> dict[str, object]:
    """Return the plan as JSON-ready values."""
    dumped: dict[str, object] = _ADAPTER.dump_python(plan, mode="json")
    return dumped


def load_change(stored: object) -> TableChange:
    """Return the plan that :func:`dump_change` wrote."""
    return _ADAPTER.validate_python(stored)
