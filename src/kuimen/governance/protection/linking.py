"""Find the table of persons, and how the rows of other tables reach their person. Pure."""

from collections.abc import Mapping, Sequence

from kuimen.governance.protection.plan import ColumnPlan, PersonLink
from kuimen.kernels.elements import Element
from kuimen.sources.relations import RelationInfo

Place = tuple[str, str]
_IDENTIFIERS = (Element.RESIDENT_ID, Element.PASSPORT, Element.OTHER_CERTIFICATE, Element.MOBILE, Element.BANK_CARD)
_GENERIC = frozenset({"id", "no", "code", "name", "key", "uuid", "seq", "num", "编号", "序号", "kuimen_row"})


def person_table(tables: Mapping[Place, RelationInfo], columns: Mapping[Place, Sequence[ColumnPlan]]) -> Place | None:
    """Return the table with one row per person: a name and, best, a resident ID; the most referenced, then longest."""
    referenced: dict[Place, int] = dict.fromkeys(tables, 0)
    for relation in tables.values():
        for key in relation.foreign_keys:
            target = (key.target_schema, key.target_table)
            if target in referenced:
                referenced[target] += 1
    best: tuple[tuple[int, int, int], Place] | None = None
    for place, plans in columns.items():
        elements = {plan.element for plan in plans if plan.reference}
        ranks = [rank for rank, element in enumerate(_IDENTIFIERS) if element in elements]
        if Element.PERSON_NAME not in elements or not ranks:
            continue
        score = (-ranks[0], referenced[place], tables[place].approx_rows)
        if best is None or score > best[0]:
            best = (score, place)
    return best[1] if best else None


def link_tables(
    tables: Mapping[Place, RelationInfo], columns: Mapping[Place, Sequence[ColumnPlan]], person: Place | None
) -> dict[Place, PersonLink]:
    """Return for each reachable table the shortest way to its person, declared keys before guessed ones."""
    if person is None:
        return {}
    links: dict[Place, PersonLink] = {}
    frontier = [person]
    while frontier:
        reached = []
        for target in frontier:
            for place, relation in tables.items():
                if place == person or place in links or place not in columns:
                    continue
                link = _declared(relation, target)
                if link is not None:
                    links[place] = link
                    reached.append(place)
        if not reached:
            reached = _guess_more(tables, columns, person, links)
        frontier = reached
    return links


def _declared(relation: RelationInfo, target: Place) -> PersonLink | None:
    for key in relation.foreign_keys:
        if (key.target_schema, key.target_table) == target:
            return PersonLink(
                columns=key.columns,
                schema=target[0],
                table=target[1],
                target_columns=key.target_columns,
                declared=True,
            )
    return None


def _guess_more(
    tables: Mapping[Place, RelationInfo],
    columns: Mapping[Place, Sequence[ColumnPlan]],
    person: Place,
    links: dict[Place, PersonLink],
) -> list[Place]:
    """Reach one more ring of tables through columns of the same name, or the same resident ID."""
    reached = []
    known = [person, *links]
    for place, relation in tables.items():
        if place in known or place not in columns:
            continue
        for target in known:
            link = _same_named(relation, tables[target]) or _same_identity(columns[place], columns[target], target)
            if link is not None:
                links[place] = link
                reached.append(place)
                break
    return reached


def _same_named(relation: RelationInfo, target: RelationInfo) -> PersonLink | None:
    types = {column.name: column.type for column in relation.columns}
    for key in target.unique_keys:
        if len(key.columns) != 1:
            continue
        name = key.columns[0]
        kind = target.column(name).type
        candidates = (name, f"{target.name}_{name}", f"{target.name.rstrip('s')}_{name}")
        for candidate in candidates:
            if candidate.lower() not in _GENERIC and types.get(candidate) == kind:
                return PersonLink(
                    columns=(candidate,),
                    schema=target.schema or "",
                    table=target.name,
                    target_columns=(name,),
                    declared=False,
                )
    return None


def _same_identity(own: Sequence[ColumnPlan], other: Sequence[ColumnPlan], target: Place) -> PersonLink | None:
    mine = [plan.name for plan in own if plan.element == Element.RESIDENT_ID]
    theirs = [plan.name for plan in other if plan.element == Element.RESIDENT_ID]
    if len(mine) != 1 or len(theirs) != 1:
        return None
    return PersonLink(
        columns=(mine[0],), schema=target[0], table=target[1], target_columns=(theirs[0],), declared=False
    )
