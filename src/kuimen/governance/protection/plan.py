"""A protection plan: places and names. It is stored with its job, to resume after a crash; its originals never are."""

from dataclasses import dataclass, field
from uuid import UUID

from pydantic import TypeAdapter

from kuimen.governance.protection.originals import Originals
from kuimen.governance.protection.rules import REFERENCED, REMOVED, Action, Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanFinding:
    """Something the operator should know before it happens."""

    severity: Severity
    place: str
    message_zh: str
    message_en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnPlan:
    """What happens to one column.

    Attributes:
        reference: name of the column that will hold the vault's record ids.
        purge: values may contain elements that are never stored; they are cut out before sealing.
        parent_column: for FOLLOW, the column of the referenced table.
        join: for FOLLOW, all (own, parent) column pairs of the foreign key.
    """

    name: str
    type: str
    action: Action
    element: str | None = None
    nullable: bool = True
    reference: str = ""
    retention_class: str = ""
    purge: bool = False
    parent_schema: str = ""
    parent_table: str = ""
    parent_column: str = ""
    join: tuple[tuple[str, str], ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonLink:
    """How the rows of a table find their person: equal columns of a table that already knows it."""

    columns: tuple[str, ...]
    schema: str
    table: str
    target_columns: tuple[str, ...]
    declared: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TablePlan:
    """What happens to one table.

    Attributes:
        key: columns that name a row for the vault; `kuimen_row` alone where the table has no fit key of its own.
        adds_row_key: the row key column is added by protection.
        is_person: this is the table of persons; each row gets a customer reference of its own.
        group: tables of one group are cut over in one transaction.
    """

    schema: str
    name: str
    columns: tuple[ColumnPlan, ...]
    key: tuple[str, ...]
    adds_row_key: bool = False
    is_person: bool = False
    link: PersonLink | None = None
    customer_ref: str = ""
    view: str = ""
    rows: int = 0
    group: int = 0
    partitioned: bool = False

    @property
    def place(self) -> str:
        """Return `schema.table` for reports."""
        return f"{self.schema}.{self.name}"

    def acting(self, *actions: Action) -> list[ColumnPlan]:
        """Return the columns with one of these actions."""
        return [column for column in self.columns if column.action in actions]

    @property
    def sealed(self) -> list[ColumnPlan]:
        """Return the columns whose values go to the vault."""
        return self.acting(Action.SEAL)

    @property
    def removed(self) -> list[ColumnPlan]:
        """Return the columns that will not exist afterwards."""
        return self.acting(*REMOVED)

    @property
    def referenced(self) -> list[ColumnPlan]:
        """Return the columns that leave a reference behind."""
        return self.acting(*REFERENCED)

    @property
    def has_work(self) -> bool:
        """Tell whether anything is done to the table."""
        return bool(self.removed) or bool(self.customer_ref)


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePlan:
    """What happens to one file: its columns are masked, or its text is redacted."""

    name: str
    kind: str
    columns: tuple[ColumnPlan, ...] = ()
    elements: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtectionPlan:
    """Everything one job will do, in order.

    Attributes:
        originals: what the run that holds this object has seen in clear; in memory only.
    """

    source_id: UUID
    label: str
    job_id: UUID | None = None
    tables: tuple[TablePlan, ...] = ()
    files: tuple[FilePlan, ...] = ()
    findings: tuple[PlanFinding, ...] = field(default=())
    originals: Originals = field(default_factory=Originals, repr=False, compare=False)

    @property
    def blockers(self) -> list[PlanFinding]:
        """Return findings because of which something will stay in clear."""
        return [finding for finding in self.findings if finding.severity is Severity.BLOCKER]

    @property
    def columns_to_seal(self) -> int:
        """Count the columns whose values go to the vault."""
        return sum(len(table.sealed) for table in self.tables)

    @property
    def columns_to_destroy(self) -> int:
        """Count the columns whose values are destroyed."""
        return sum(len(table.acting(Action.DESTROY)) for table in self.tables)

    def table(self, schema: str, name: str) -> TablePlan:
        """Return one table's plan; KeyError when it has none."""
        for table in self.tables:
            if (table.schema, table.name) == (schema, name):
                return table
        raise KeyError((schema, name))


_ADAPTER = TypeAdapter(ProtectionPlan)


def dump_plan(plan: ProtectionPlan) -> dict[str, object]:
    """Return the plan as JSON-ready values, without originals."""
    dumped: dict[str, object] = _ADAPTER.dump_python(plan, mode="json", exclude={"originals"})
    return dumped


def load_plan(stored: object) -> ProtectionPlan:
    """Return the plan that :func:`dump_plan` wrote."""
    return _ADAPTER.validate_python(stored)
