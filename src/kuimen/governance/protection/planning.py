"""Decide what happens to every column of a source: pure, from its shape, its scan and its catalogue."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from kuimen.governance.protection.catalogue import TableFacts
from kuimen.governance.protection.linking import link_tables, person_table
from kuimen.governance.protection.naming import with_suffix
from kuimen.governance.protection.notes import finding, note_table, note_unread
from kuimen.governance.protection.plan import ColumnPlan, FilePlan, PersonLink, PlanFinding, ProtectionPlan, TablePlan
from kuimen.governance.protection.rules import REMOVED, Action, Severity, action_for
from kuimen.kernels.elements import Element, Storage, rule_of
from kuimen.sources.marks import (
    CUSTOMER_REF,
    CUSTOMER_REF_COLUMN,
    MASKED_VIEW,
    ROW_KEY,
    ROW_KEY_COLUMN,
    sealed_mark,
)
from kuimen.sources.relations import ColumnInfo, RelationInfo, RelationKind
from kuimen.sources.scan import ScanRow

_TABLES = frozenset({RelationKind.TABLE, RelationKind.PARTITIONED})
Place = tuple[str, str]


def build_plan(
    source_id: UUID,
    *,
    label: str,
    relations: Sequence[RelationInfo],
    scan: Sequence[ScanRow],
    facts: Mapping[Place, TableFacts],
) -> ProtectionPlan:
    """Return the plan for a database; nothing is read or written here."""
    found: dict[tuple[str | None, str | None, str | None], ScanRow] = {
        (row.schema, row.table, row.column): row for row in scan if row.column is not None
    }
    tables = {(relation.schema or "", relation.name): relation for relation in relations if relation.kind in _TABLES}
    findings: list[PlanFinding] = []
    columns = {
        place: _column_plans(relation, found, facts[place], findings)
        for place, relation in tables.items()
        if place in facts
    }
    _follow_parents(tables, columns)
    _block_dependants(columns, facts, findings)
    note_unread(relations, scan, findings)
    person = person_table(tables, columns)
    links = link_tables(tables, columns, person)
    groups = _groups(tables, columns)
    view_names = {(relation.schema or "", relation.name) for relation in relations}
    plans = [
        _table_plan(
            tables[place],
            plans,
            facts[place],
            link=links.get(place),
            is_person=place == person,
            group=groups[place],
            views=_view_names(place[0], relations, view_names),
        )
        for place, plans in columns.items()
    ]
    for plan in plans:
        note_table(plan, facts[plan.schema, plan.name], findings)
    if person is None and any(plan.sealed for plan in plans):
        findings.append(
            finding(
                Severity.WARNING,
                label,
                "未找到客户主表（证件号或手机号加姓名），按表密钥密封，不能按人销毁",
                "no table of persons found; values are sealed under table keys and cannot be erased per person",
            )
        )
    ordered = sorted((plan for plan in plans if plan.has_work), key=lambda plan: _order(plan, links, person))
    return ProtectionPlan(source_id=source_id, label=label, tables=tuple(ordered), findings=tuple(findings))


def build_file_plan(
    source_id: UUID, *, label: str, relations: Sequence[RelationInfo], scan: Sequence[ScanRow]
) -> ProtectionPlan:
    """Return the plan for a folder or file."""
    findings: list[PlanFinding] = []
    note_unread(relations, scan, findings)
    files = []
    for relation in relations:
        rows = [row for row in scan if row.file == relation.name and row.element is not None]
        if not rows or relation.kind is RelationKind.UNREAD:
            continue
        if not relation.rewritable:
            findings.append(
                finding(
                    Severity.WARNING,
                    relation.name,
                    "该格式不能就地改写，请删除或脱敏后重新导出",
                    "files of this form are not rewritten; delete it, or export it again without personal data",
                )
            )
            continue
        columns = tuple(
            ColumnPlan(
                name=row.column,
                type=row.type,
                action=Action.LEAVE if action_for(row.element) is Action.LEAVE else Action.DESTROY,
                element=row.element,
            )
            for row in rows
            if row.column is not None and action_for(row.element) is not Action.DISSOCIATE
        )
        elements = tuple(row.element for row in rows if row.column is None and row.element is not None)
        if elements or any(column.action is Action.DESTROY for column in columns):
            files.append(FilePlan(name=relation.name, kind=relation.kind.value, columns=columns, elements=elements))
    return ProtectionPlan(source_id=source_id, label=label, files=tuple(files), findings=tuple(findings))


def _column_plans(
    relation: RelationInfo,
    found: Mapping[tuple[str | None, str | None, str | None], ScanRow],
    facts: TableFacts,
    findings: list[PlanFinding],
) -> list[ColumnPlan]:
    place = f"{relation.schema}.{relation.name}"
    existing = {mark.column: column.name for column in relation.columns if (mark := sealed_mark(column.comment))}
    names = {column.name for column in relation.columns}
    plans = []
    for column in relation.columns:
        if sealed_mark(column.comment) or column.comment in {CUSTOMER_REF, ROW_KEY}:
            continue
        row = found.get((relation.schema, relation.name, column.name))
        element = row.element if row is not None and not row.masked else None
        action = Action.DERIVED if column.generated and element is not None else action_for(element)
        plan = ColumnPlan(
            name=column.name,
            type=column.type,
            action=action,
            element=element,
            nullable=column.nullable,
            purge=_may_hold_forbidden(row),
        )
        plans.append(_refuse_impossible(plan, column, facts, place, findings))
    derived = _derived(plans, facts)
    taken = set(names)
    finished = []
    for plan in plans:
        chosen = replace(plan, action=Action.DERIVED) if plan.name in derived else plan
        if chosen.action is Action.SEAL:
            reference = existing.get(plan.name) or with_suffix(plan.name, "_ref", taken=taken)
            taken.add(reference)
            rule = rule_of(Element(str(plan.element)))
            chosen = replace(chosen, reference=reference, retention_class=rule.retention_class.value)
        finished.append(chosen)
    return finished


def _may_hold_forbidden(row: ScanRow | None) -> bool:
    if row is None or row.element is None:
        return False
    return row.element == Element.FREE_TEXT or any(
        rule_of(Element(element)).storage is Storage.DESTROY for element in row.secondary
    )


def _refuse_impossible(
    plan: ColumnPlan, column: ColumnInfo, facts: TableFacts, place: str, findings: list[PlanFinding]
) -> ColumnPlan:
    if plan.action not in REMOVED:
        return plan
    refusals = (
        (not facts.owned, "当前角色不是表的属主", "this role does not own the table"),
        (column.name in facts.partition_key, "该列是分区键", "the column is a partition key"),
        (
            column.name in facts.inherited_columns or facts.has_children,
            "表参与继承，请分别改造",
            "the table takes part in inheritance",
        ),
    )
    for refused, message_zh, message_en in refusals:
        if refused:
            findings.append(finding(Severity.BLOCKER, f"{place}.{column.name}", message_zh, message_en))
            return replace(plan, action=Action.BLOCKED, reason=message_en)
    return plan


def _derived(plans: Sequence[ColumnPlan], facts: TableFacts) -> set[str]:
    """Generated columns go with any column they are computed from."""
    going = {plan.name for plan in plans if plan.action in {Action.SEAL, Action.DESTROY}}
    return {name for name, origins in facts.generated_from.items() if origins & going}


def _follow_parents(tables: Mapping[Place, RelationInfo], columns: dict[Place, list[ColumnPlan]]) -> None:
    """Give a foreign key on a sealed column the parent's reference instead of a record of its own."""
    changed = True
    while changed:
        changed = False
        for place, relation in tables.items():
            if place not in columns:
                continue
            for key in relation.foreign_keys:
                target = (key.target_schema, key.target_table)
                parents = {plan.name: plan for plan in columns.get(target, ())}
                for child_name, parent_name in zip(key.columns, key.target_columns, strict=True):
                    parent = parents.get(parent_name)
                    if parent is None or parent.action not in {Action.SEAL, Action.FOLLOW}:
                        continue
                    if (target, parent_name) == (place, child_name):
                        continue
                    join = tuple(zip(key.columns, key.target_columns, strict=True))
                    changed |= _follow(columns[place], child_name, parent, target, relation, join=join)


def _follow(
    plans: list[ColumnPlan],
    child_name: str,
    parent: ColumnPlan,
    target: Place,
    relation: RelationInfo,
    *,
    join: tuple[tuple[str, str], ...],
) -> bool:
    for position, plan in enumerate(plans):
        if plan.name != child_name or plan.action in {Action.FOLLOW, Action.BLOCKED}:
            continue
        existing = {mark.column: column.name for column in relation.columns if (mark := sealed_mark(column.comment))}
        taken = {column.name for column in relation.columns} | {other.reference for other in plans}
        plans[position] = replace(
            plan,
            action=Action.FOLLOW,
            element=parent.element,
            reference=plan.reference or existing.get(child_name) or with_suffix(child_name, "_ref", taken=taken),
            retention_class=parent.retention_class,
            parent_schema=target[0],
            parent_table=target[1],
            parent_column=parent.name,
            join=join,
        )
        return True
    return False


def _block_dependants(
    columns: dict[Place, list[ColumnPlan]], facts: Mapping[Place, TableFacts], findings: list[PlanFinding]
) -> None:
    """Name views that are rebuilt on the masked view, and refuse columns on which something else stands."""
    for place, plans in columns.items():
        for position, plan in enumerate(plans):
            if plan.action not in REMOVED:
                continue
            for dependant in facts[place].standing_on(plan.name):
                where = f"{place[0]}.{place[1]}.{plan.name}"
                if dependant.kind in {"view", "materialised view"}:
                    findings.append(
                        finding(
                            Severity.WARNING,
                            where,
                            f"视图 {dependant.name} 依赖该列，将改为基于脱敏视图重建",
                            f"view {dependant.name} stands on it and will be rebuilt on the masked view",
                        )
                    )
                else:
                    findings.append(
                        finding(
                            Severity.BLOCKER,
                            where,
                            f"{dependant.kind} {dependant.name} 依赖该列，请先改造",
                            f"{dependant.kind} {dependant.name} stands on it; change it first",
                        )
                    )
                    plans[position] = replace(plan, action=Action.BLOCKED, reason=dependant.kind)


def _groups(tables: Mapping[Place, RelationInfo], columns: Mapping[Place, Sequence[ColumnPlan]]) -> dict[Place, int]:
    """Number the sets of tables that must be cut over together, because a foreign key joins sealed columns."""
    leader = {place: place for place in columns}

    def find(place: Place) -> Place:
        while leader[place] != place:
            place = leader[place]
        return place

    for place, plans in columns.items():
        for plan in plans:
            if plan.action is Action.FOLLOW:
                leader[find(place)] = find((plan.parent_schema, plan.parent_table))
    for place, relation in tables.items():
        gone = {plan.name for plan in columns.get(place, ()) if plan.action in REMOVED}
        for key in relation.foreign_keys:
            target = (key.target_schema, key.target_table)
            parent_gone = {plan.name for plan in columns.get(target, ()) if plan.action in REMOVED}
            if (
                target in leader
                and place in leader
                and (gone & set(key.columns) or parent_gone & set(key.target_columns))
            ):
                leader[find(place)] = find(target)
    numbers: dict[Place, int] = defaultdict(lambda: len(numbers))
    return {place: numbers[find(place)] for place in columns}


def _view_names(schema: str, relations: Sequence[RelationInfo], taken: set[Place]) -> set[str]:
    own = {relation.name for relation in relations if relation.comment == MASKED_VIEW and relation.schema == schema}
    return {name for place_schema, name in taken if place_schema == schema} - own


def _table_plan(
    relation: RelationInfo,
    columns: Sequence[ColumnPlan],
    facts: TableFacts,
    *,
    link: PersonLink | None,
    is_person: bool,
    group: int,
    views: set[str],
) -> TablePlan:
    removed = {plan.name for plan in columns if plan.action in REMOVED}
    key = _row_key(relation, removed)
    works = bool(removed) or link is not None or is_person
    return TablePlan(
        schema=relation.schema or "",
        name=relation.name,
        columns=tuple(columns),
        key=key or (ROW_KEY_COLUMN,),
        adds_row_key=not key and any(plan.action is Action.SEAL for plan in columns),
        is_person=is_person,
        link=link,
        customer_ref=_customer_ref(relation) if facts.owned and (is_person or link is not None) else "",
        view=with_suffix(relation.name, "_masked", taken=views) if removed and works else "",
        rows=relation.approx_rows,
        group=group,
        partitioned=relation.kind is RelationKind.PARTITIONED,
    )


def _customer_ref(relation: RelationInfo) -> str:
    for column in relation.columns:
        if column.comment == CUSTOMER_REF:
            return column.name
    return with_suffix(CUSTOMER_REF_COLUMN, "", taken={column.name for column in relation.columns})


def _row_key(relation: RelationInfo, removed: set[str]) -> tuple[str, ...]:
    """Return a key that survives: the primary key, else a unique key of columns that are never null."""
    for key in sorted(relation.unique_keys, key=lambda key: not key.primary):
        columns = [relation.column(name) for name in key.columns]
        if not removed & set(key.columns) and all(not column.nullable for column in columns):
            return key.columns
    return ()


def _order(plan: TablePlan, links: Mapping[Place, PersonLink], person: Place | None) -> tuple[int, int, str, str]:
    depth, place = 0, (plan.schema, plan.name)
    while place != person and depth < len(links) + 1:
        link = links.get(place)
        if link is None:
            depth = len(links) + 2
            break
        place, depth = (link.schema, link.table), depth + 1
    return depth, len(plan.acting(Action.FOLLOW)), plan.schema, plan.name
