"""Reads the catalogue data of the package. Cached: one read a process, about a tenth of a second."""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

import yaml

from kuimen.standard.clauses import (
    Automatable,
    Catalogue,
    Chapter,
    Clause,
    ClauseList,
    Confidence,
    Group,
    Numbering,
    Override,
    Status,
    Strength,
)
from kuimen.standard.errors import BrokenCatalogueError

# libyaml parses the 200 kB of the catalogue ten times faster; wheels without it still work.
_YAML_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_data(name: str) -> Any:  # noqa: ANN401 - a YAML document has no narrower type; the schema gives it one
    """Return the parsed content of one data file of the package."""
    text = files("kuimen.standard").joinpath("data", name).read_bytes()
    return yaml.load(text, Loader=_YAML_LOADER)  # noqa: S506 - both loaders above are safe loaders


class _Statuses:
    """Answers the status of a clause: its own entry, or the default of its list and scenario."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self._own: Mapping[str, Mapping[str, str]] = data["clauses"]
        self._defaults: list[Mapping[str, str]] = data["defaults"]

    def of(self, clause_id: str, *, list_name: str, scenario: str) -> Mapping[str, str]:
        own = self._own.get(clause_id)
        if own is not None:
            return own
        for default in self._defaults:
            if default["list"] == list_name and default.get("scenario", scenario) == scenario:
                return default
        # Silence must never read as a claim, so a clause that no default covers stops the load.
        raise BrokenCatalogueError(f"status.yaml: no status and no default for clause {clause_id}")

    def unknown(self, known: Mapping[str, Clause]) -> list[str]:
        return sorted(set(self._own) - set(known))


def _clause(row: Mapping[str, Any], *, head: Mapping[str, Any], statuses: _Statuses) -> Clause:
    status = statuses.of(row["id"], list_name=head["list"], scenario=row["scenario"])
    return Clause(
        id=row["id"],
        standard=row.get("standard", head["standard"]),
        section=row["section"],
        numbering=Numbering(row.get("numbering", "confirmed")),
        list=head["list"],
        scenario=row["scenario"],
        strength=Strength(row["strength"]),
        kind=row["kind"],
        automatable=Automatable(row["automatable"]),
        condition_zh=row.get("condition_zh", ""),
        condition_en=row.get("condition_en", ""),
        title_zh=row["title_zh"],
        title_en=row["title_en"],
        statement_zh=row["statement_zh"],
        statement_en=row["statement_en"],
        what_software_does=row["what_software_does"],
        evidence=tuple(row["evidence"]),
        related=tuple(row["related"]),
        source=row["source"],
        confidence=Confidence(row["confidence"]),
        overridden_by=tuple(Override(**entry) for entry in row.get("overridden_by", ())),
        status=Status(status["status"]),
        status_reason_zh=status["reason_zh"],
        status_reason_en=status["reason_en"],
    )


def contradictions(catalogue: Catalogue, *, counts: Mapping[str, int]) -> Iterator[str]:
    """Yield what a schema cannot see: dangling ids, wrong counts, a clause outside every chapter."""
    for clause in catalogue.clauses.values():
        cited = (*clause.related, *(override.rule for override in clause.overridden_by))
        yield from (
            f"{clause.id}: cites unknown clause {target}" for target in cited if target not in catalogue.clauses
        )
        chapters = {chapter.number for chapter in catalogue.lists[clause.list].chapters}
        if chapters and clause.chapter not in chapters:
            yield f"{clause.id}: stands in no chapter of its list"
    yield from _broken_groups(catalogue)
    found = catalogue.counts()
    actual = {**found, "cqjr009_group_heads": found["group_heads"]}
    for name, expected in counts.items():
        if actual.get(name) != expected:
            yield f"meta.yaml: {name} is {actual.get(name)}, declared {expected}"


def _broken_groups(catalogue: Catalogue) -> Iterator[str]:
    for group in catalogue.groups.values():
        if group.id in catalogue.clauses:
            yield f"{group.id}: is a group head and a clause at once"
        yield from (f"{group.id}: unknown child {child}" for child in group.children if child not in catalogue.clauses)


@cache
def load_catalogue() -> Catalogue:
    """Return the catalogue of clauses that this version of the product carries.

    Raises:
        BrokenCatalogueError: the data files contradict each other.
    """
    meta = read_data("meta.yaml")
    statuses = _Statuses(read_data("status.yaml"))
    clauses: dict[str, Clause] = {}
    groups: dict[str, Group] = {}
    lists: dict[str, ClauseList] = {}
    for name in meta["files"]:
        data = read_data(name)
        rows = [_clause(row, head=data, statuses=statuses) for row in data["clauses"]]
        for row in rows:
            if row.id in clauses:
                raise BrokenCatalogueError(f"{name}: clause {row.id} stands twice in the catalogue")
            clauses[row.id] = row
        groups |= {row["id"]: Group(**{**row, "children": tuple(row["children"])}) for row in data["groups"]}
        lists[data["list"]] = ClauseList(
            name=data["list"],
            standard=data["standard"],
            title_zh=data["title_zh"],
            title_en=data["title_en"],
            chapters=tuple(Chapter(**row) for row in data["chapters"]),
            clauses=tuple(row.id for row in rows),
        )
    catalogue = Catalogue(
        version=meta["version"],
        as_of=meta["as_of"],
        clauses=MappingProxyType(clauses),
        groups=MappingProxyType(groups),
        lists=MappingProxyType(lists),
        note_zh=meta["note_zh"],
        note_en=meta["note_en"],
    )
    broken = [f"status.yaml: unknown clause {name}" for name in statuses.unknown(clauses)]
    broken += contradictions(catalogue, counts=meta["counts"])
    if broken:
        raise BrokenCatalogueError("; ".join(broken))
    return catalogue
