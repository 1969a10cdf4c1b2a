"""What a clause is. Pure data: the catalogue never decides anything."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from kuimen.standard.errors import UnknownClauseError

TO_CONFIRM_ZH = "待核"


class Strength(StrEnum):
    """How binding a clause is."""

    SHALL = "shall"
    SHOULD = "should"


class Automatable(StrEnum):
    """How much of a clause a machine can see; only `full` may be judged by a control alone."""

    FULL = "full"
    PARTIAL = "partial"
    MANUAL = "manual"


class Numbering(StrEnum):
    """Whether the printed clause number is certain."""

    CONFIRMED = "confirmed"
    LETTER_TO_CONFIRM = "letter_to_confirm"


class Confidence(StrEnum):
    """How far the restated content of a clause can be relied on."""

    TEXT_READ = "text_read"
    RESTATED = "restated"
    TO_CONFIRM = "to_confirm"


class Status(StrEnum):
    """How far the product carries a clause. It never says that an institution complies."""

    IMPLEMENTED = "implemented"
    PARTIAL = "partial"
    PLANNED = "planned"
    OUTSIDE_SOFTWARE = "outside_software"


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """A later rule that replaces or narrows one figure of a clause.

    Attributes:
        rule: id of the later rule.
        figure: which figure it touches.
        stated: what the clause itself says.
        prevailing: what holds now.
        since: ISO date from which it holds.
        note_zh: explanation in Chinese.
        note_en: explanation in English.
    """

    rule: str
    figure: str
    stated: str
    prevailing: str
    since: str
    note_zh: str
    note_en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """One requirement that can be judged.

    Attributes:
        id: stable id, such as `CQJR-5.4-d`.
        standard: printed number of the standard or rule.
        section: printed clause number, without the mark of uncertainty.
        numbering: whether the letter of the number is certain.
        list: which of the four lists the clause stands in.
        scenario: business scenario or protection topic.
        strength: shall or should.
        kind: technical, process, document, physical or mixed.
        automatable: how much of it a machine can see.
        condition_zh: when the clause applies, empty when always.
        condition_en: the same in English.
        title_zh: short title in Chinese.
        title_en: short title in English.
        statement_zh: own-words statement in Chinese.
        statement_en: own-words statement in English.
        what_software_does: the mechanism that would carry the clause.
        evidence: what an assessor would ask for.
        related: ids of related clauses.
        source: provenance of the restatement.
        confidence: how far the restatement can be relied on.
        overridden_by: later rules that replace or narrow a figure.
        status: how far the product carries the clause.
        status_reason_zh: why, in Chinese.
        status_reason_en: why, in English.
    """

    id: str
    standard: str
    section: str
    numbering: Numbering
    list: str
    scenario: str
    strength: Strength
    kind: str
    automatable: Automatable
    condition_zh: str
    condition_en: str
    title_zh: str
    title_en: str
    statement_zh: str
    statement_en: str
    what_software_does: str
    evidence: tuple[str, ...]
    related: tuple[str, ...]
    source: str
    confidence: Confidence
    overridden_by: tuple[Override, ...]
    status: Status
    status_reason_zh: str
    status_reason_en: str

    @property
    def status_reason(self) -> str:
        """Reason of the status in Chinese."""
        return self.status_reason_zh

    @property
    def printed(self) -> str:
        """The clause number as printed, marked 待核 where the letter is not certain."""
        return f"{self.section}（{TO_CONFIRM_ZH}）" if self.numbering is Numbering.LETTER_TO_CONFIRM else self.section

    @property
    def chapter(self) -> str:
        """The part of the number that groups clauses in a report, such as `5.4` or `Annex A`."""
        if self.section.startswith("Annex"):
            return self.section
        parts = self.section.split(" ", maxsplit=1)[0].split(".")
        return ".".join(parts[:2])


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A heading with children but no requirement of its own; it is never judged."""

    id: str
    title_zh: str
    title_en: str
    children: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """A chapter that groups clauses of one standard in a report."""

    number: str
    title_zh: str
    title_en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClauseList:
    """One of the lists the catalogue is made of; `chapters` is empty where it spans many standards."""

    name: str
    standard: str
    title_zh: str
    title_en: str
    chapters: tuple[Chapter, ...]
    clauses: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """All clauses, in the order of their standards.

    Attributes:
        version: version of the catalogue data.
        as_of: ISO date of the state of knowledge.
        clauses: clause by id.
        groups: group head by id.
        lists: list by name.
        note_zh: how far to rely on the catalogue.
        note_en: the same in English.
    """

    version: str
    as_of: str
    clauses: Mapping[str, Clause]
    groups: Mapping[str, Group]
    lists: Mapping[str, ClauseList]
    note_zh: str
    note_en: str

    def clause(self, clause_id: str) -> Clause:
        """Return one clause.

        Raises:
            UnknownClauseError: the catalogue holds no such clause.
        """
        try:
            return self.clauses[clause_id]
        except KeyError:
            raise UnknownClauseError(f"clause {clause_id!r} is not in the catalogue; check the id") from None

    def of_list(self, name: str) -> tuple[Clause, ...]:
        """Return the clauses of one list in order."""
        return tuple(self.clauses[clause_id] for clause_id in self.lists[name].clauses)

    def counts(self) -> Mapping[str, int]:
        """Return the number of clauses per list, of group heads and in total."""
        sizes = {name: len(entry.clauses) for name, entry in self.lists.items()}
        return MappingProxyType({**sizes, "group_heads": len(self.groups), "total": len(self.clauses)})
