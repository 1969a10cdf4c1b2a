"""A steward's word on a column: whose it needs, what it lowers, and how it meets the next scan."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID

from kuimen.kernels.detection.evidence import Likelihood
from kuimen.kernels.elements import ELEMENT_TABLE, Category, Element, Storage
from kuimen.sources.scan import NOT_READ, SEALED, ScanRow

_GRAVITY = {Category.C3: 3, Category.C2: 2, Category.C1: 1, Category.NONE: 0}
_STRICTNESS = {Storage.DESTROY: 3, Storage.SEAL: 2, Storage.DISSOCIATE: 1, Storage.PLAIN: 0}


class Verdict(StrEnum):
    """What a steward says of the scanner's finding."""

    CONFIRMED = "confirmed"
    CHANGED = "changed"
    REFUSED = "refused"


class Scope(StrEnum):
    """How far a correction reaches."""

    COLUMN = "column"
    NAME = "name"


class CorrectionState(StrEnum):
    """Life of a correction."""

    PROPOSED = "proposed"
    IN_FORCE = "in_force"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    SUPERSEDED = "superseded"


class CorrectionEvent(StrEnum):
    """What can happen to a correction."""

    APPROVE = "approve"
    REFUSE = "refuse"
    WITHDRAW = "withdraw"
    SUPERSEDE = "supersede"


CORRECTION_TRANSITIONS: Mapping[tuple[CorrectionState, CorrectionEvent], CorrectionState] = MappingProxyType(
    {
        (CorrectionState.PROPOSED, CorrectionEvent.APPROVE): CorrectionState.IN_FORCE,
        (CorrectionState.PROPOSED, CorrectionEvent.REFUSE): CorrectionState.REFUSED,
        (CorrectionState.PROPOSED, CorrectionEvent.WITHDRAW): CorrectionState.WITHDRAWN,
        (CorrectionState.PROPOSED, CorrectionEvent.SUPERSEDE): CorrectionState.SUPERSEDED,
        (CorrectionState.IN_FORCE, CorrectionEvent.SUPERSEDE): CorrectionState.SUPERSEDED,
    }
)


def next_correction_state(state: CorrectionState, event: CorrectionEvent) -> CorrectionState | None:
    """Return the state after `event`, or None where the table does not allow it."""
    return CORRECTION_TRANSITIONS.get((state, event))


def lowers(before: Sequence[str], after: str) -> bool:
    """Tell whether an element in place of others takes protection away: class, level, or how it is stored.

    Args:
        before: what the directory and the scanner say, empty for nothing personal.
        after: what the steward says.
    """
    return any(_weight(after)[place] < _weight(one)[place] for one in before for place in range(3))


def _weight(element: str) -> tuple[int, int, int]:
    if not element:
        return 0, 0, 0
    rule = ELEMENT_TABLE[Element(element)]
    return _GRAVITY[rule.category], rule.level, _STRICTNESS[rule.storage]


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectionRule:
    """A correction in force, as a scan meets it.

    Attributes:
        scope: one place, or every column of this name.
        place: schema, table, column and file; for a rule of names the column in lower case alone counts.
        element: what it holds, empty for nothing personal.
    """

    correction_id: UUID
    scope: Scope
    place: tuple[str, str, str, str]
    element: str
    verdict: Verdict


class RuleBook:
    """The corrections in force for one source; a word on one place outweighs one on a name."""

    def __init__(self, rules: Sequence[CorrectionRule]) -> None:
        self._places = {rule.place: rule for rule in rules if rule.scope is Scope.COLUMN}
        self._names = {rule.place[2].lower(): rule for rule in rules if rule.scope is Scope.NAME}

    def rule_for(self, place: tuple[str, str, str, str]) -> CorrectionRule | None:
        """Return what is in force for a place: schema, table, column, file."""
        return self._places.get(place) or self._names.get(place[2].lower())


def place_of_row(row: ScanRow) -> tuple[str, str, str, str]:
    """Return where a row of a scan lies: schema, table, column, file."""
    return row.schema or "", row.table or "", row.replaces or row.column or "", row.file or ""


def corrected(row: ScanRow, book: RuleBook) -> tuple[ScanRow, CorrectionRule | None]:
    """Return a row as the steward sees it, and the rule that did it.

    References of the vault and what was not read stay as they are; masks stay masks.
    """
    if row.column is None or row.replaces is not None or row.state in (NOT_READ, SEALED) or row.type == "log":
        return row, None
    rule = book.rule_for(place_of_row(row))
    if rule is None:
        return row, None
    said = f"correction {rule.correction_id}: {rule.verdict}, the scan said {row.element or 'nothing'}"
    if not rule.element:
        return replace(
            row, element=None, category=str(Category.NONE), level=None, likelihood=None, secondary=(),
            evidence=(*row.evidence, said),
        ), rule  # fmt: skip
    if row.element == rule.element:
        return replace(row, likelihood=str(Likelihood.VERY_LIKELY), evidence=(*row.evidence, said)), rule
    known = ELEMENT_TABLE[Element(rule.element)]
    category, level = (row.category, row.level) if row.masked else (str(known.category), known.level)
    return replace(
        row, element=rule.element, category=category, level=level, likelihood=str(Likelihood.VERY_LIKELY),
        evidence=(*row.evidence, said),
    ), rule  # fmt: skip
