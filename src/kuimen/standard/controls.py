"""The @control decorator: a probe that looks at the live system and reports what it saw, bound to a clause.

A probe reads; it never changes anything and never decides a verdict. What follows from its outcome is decided by the
rules of the assessment room, because a control may refute a clause that needs a person, but can never confirm it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from kuimen.standard.errors import DuplicateControlError, EmptyEvidenceError
from kuimen.standard.loader import load_catalogue

Fact = str | int | bool


class Outcome(StrEnum):
    """What a probe found. An error of the probe is none of these; the assessment turns it into INSUFFICIENT."""

    HOLDS = "holds"
    REFUTED = "refuted"
    INSUFFICIENT = "insufficient"
    NOT_APPLICABLE = "not_applicable"


# From gravest to lightest: of several outcomes for one clause the gravest speaks.
GRAVITY = (Outcome.REFUTED, Outcome.INSUFFICIENT, Outcome.HOLDS, Outcome.NOT_APPLICABLE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One thing that was seen.

    Attributes:
        title_zh: what was looked at, in Chinese.
        title_en: the same in English.
        facts: counts, names of tables, states; references but never a personal value.
        reference: where it can be looked up again (table, entry id, file), empty when it is only a count.
    """

    title_zh: str
    title_en: str
    facts: Mapping[str, Fact] = field(default_factory=dict)
    reference: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeResult:
    """What a probe reports.

    Attributes:
        outcome: what was found.
        observations: what was seen; at least one, whatever the outcome, for nothing seen proves nothing.
        remedy_zh: what to do when the outcome is REFUTED, in Chinese.
        remedy_en: the same in English.
    """

    outcome: Outcome
    observations: tuple[Observation, ...]
    remedy_zh: str = ""
    remedy_en: str = ""

    def __post_init__(self) -> None:
        if not self.observations:
            raise EmptyEvidenceError(f"a probe reported {self.outcome} without an observation; add what was seen")
        if self.outcome is Outcome.REFUTED and not (self.remedy_zh and self.remedy_en):
            raise EmptyEvidenceError("a probe reported refuted without a remedy; say in both languages what to do")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeContext:
    """What a probe may know.

    Attributes:
        at: the moment of the assessment.
        institution: identifier of the institution, empty where none is set up.
        period: how far back probes look at events.
    """

    at: datetime
    institution: str = ""
    period: timedelta = timedelta(days=30)

    @property
    def since(self) -> datetime:
        """Start of the period that probes look at."""
        return self.at - self.period


Probe = Callable[[ProbeContext], ProbeResult]


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredProbe:
    """One probe under its name.

    Attributes:
        clause: id of the clause it looks at.
        name: dotted name of the function.
        title_zh: what it looks at, in Chinese.
        title_en: the same in English.
        function: the probe.
    """

    clause: str
    name: str
    title_zh: str
    title_en: str
    function: Probe

    @property
    def room(self) -> str:
        """The package that owns the probe, such as `gate.audit`."""
        return self.name.removeprefix("kuimen.").rpartition(".controls.")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """All probes of one clause."""

    clause: str
    probes: tuple[RegisteredProbe, ...]

    @property
    def title_zh(self) -> str:
        """Titles of the probes in Chinese."""
        return "；".join(probe.title_zh for probe in self.probes)

    @property
    def title_en(self) -> str:
        """Titles of the probes in English."""
        return "; ".join(probe.title_en for probe in self.probes)

    def probe(self, context: ProbeContext) -> ProbeResult:
        """Run every probe and report the gravest outcome with all observations."""
        results = [registered.function(context) for registered in self.probes]
        outcome = min((result.outcome for result in results), key=GRAVITY.index)
        return ProbeResult(
            outcome=outcome,
            observations=tuple(seen for result in results for seen in result.observations),
            remedy_zh="；".join(result.remedy_zh for result in results if result.remedy_zh),
            remedy_en="; ".join(result.remedy_en for result in results if result.remedy_en),
        )


_REGISTRY: dict[str, RegisteredProbe] = {}


def control(clause_id: str, *, title_zh: str, title_en: str) -> Callable[[Probe], Probe]:
    """Register a probe as control of a clause. A clause may have several, in several rooms.

    Args:
        clause_id: id of the clause in the catalogue.
        title_zh: what the probe looks at, in Chinese.
        title_en: the same in English.

    Returns:
        A decorator that leaves the function unchanged.

    Raises:
        UnknownClauseError: the catalogue holds no such clause; raised when the module is imported.
        DuplicateControlError: the same function is registered twice for the clause.
    """
    load_catalogue().clause(clause_id)

    def register(function: Probe) -> Probe:
        name = f"{function.__module__}.{function.__qualname__}"
        key = f"{clause_id} {name}"
        if key in _REGISTRY:
            raise DuplicateControlError(f"control {name} is already registered for {clause_id}; remove one")
        _REGISTRY[key] = RegisteredProbe(
            clause=clause_id, name=name, title_zh=title_zh, title_en=title_en, function=function
        )
        return function

    return register


def registered_controls() -> Mapping[str, Control]:
    """Return the controls by clause id, in the order of the catalogue.

    Only modules that have been imported count: the assessment room imports the controls of every installed room first.
    """
    by_clause: dict[str, list[RegisteredProbe]] = {}
    for entry in _REGISTRY.values():
        by_clause.setdefault(entry.clause, []).append(entry)
    return MappingProxyType(
        {
            clause_id: Control(clause=clause_id, probes=tuple(sorted(by_clause[clause_id], key=lambda e: e.name)))
            for clause_id in load_catalogue().clauses
            if clause_id in by_clause
        }
    )
