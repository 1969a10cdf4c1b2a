"""Stewards' words on columns: made by one person, decided by another where they lower a class, kept over every scan.

Clause: CQJR-6.2-a
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet

from kuimen.foundation import clock
from kuimen.foundation.identifiers import new_ref
from kuimen.gate.access.rules import Action, Resource, Subject
from kuimen.gate.access.services import actor_of, require
from kuimen.gate.audit import services as audit
from kuimen.governance.inventory.correction_rules import (
    CorrectionEvent,
    CorrectionRule,
    CorrectionState,
    RuleBook,
    Scope,
    Verdict,
    corrected,
    lowers,
    next_correction_state,
)
from kuimen.governance.inventory.errors import (
    CorrectionInputError,
    CorrectionTransitionError,
    UnknownAssetError,
    UnknownCorrectionError,
)
from kuimen.governance.inventory.models import Asset, Correction, DataSource
from kuimen.governance.inventory.rules import AssetState
from kuimen.kernels.detection import ColumnSample, Likelihood, classify_columns
from kuimen.kernels.elements import ELEMENT_TABLE, Category, Element
from kuimen.sources.scan import ScanRow

_SHORTEST_REASON, _LONGEST_REASON = 2, 200
_EVENTS = {
    CorrectionEvent.APPROVE: "inventory.correction_approve",
    CorrectionEvent.REFUSE: "inventory.correction_refuse",
    CorrectionEvent.WITHDRAW: "inventory.correction_withdraw",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectionView:
    """A correction as pages and clients see it; places and elements, never a value."""

    correction_id: UUID
    place: str
    source: str
    scope: Scope
    verdict: Verdict
    element: str
    found_element: str
    lowers: bool
    state: CorrectionState
    reason: str
    proposed_by: str
    proposed_at: datetime
    decided_by: str
    decided_at: datetime | None


def correct(
    asset_id: int, *, steward: Subject, element: str, reason: str, scope: Scope = Scope.COLUMN
) -> CorrectionView:
    """Say what a column holds. What lowers a class or its protection waits for another person; the rest holds at once.

    Args:
        asset_id: the directory's entry of a column.
        steward: who says it; needs the right to correct.
        element: name of the element, empty for "nothing personal"; the element that was found confirms it.
        reason: why, in words without anybody's number.
        scope: this place, or every column of this name in the institution.

    Raises:
        NotPermittedError: the steward may not.
        UnknownAssetError: the directory has no such column.
        CorrectionInputError: no such element, no reason, or the entry is a whole file.
    """
    require(steward, Action.INVENTORY_CORRECT, Resource(kind="asset", ref=str(asset_id)))
    with transaction.atomic():
        return _correct(asset_id, actor=actor_of(steward), element=element, reason=reason, scope=scope)


def correct_at_terminal(
    asset_id: int, *, actor: audit.Actor, element: str, reason: str, scope: Scope = Scope.COLUMN
) -> CorrectionView:
    """Say at the machine itself what a column holds; as :func:`correct`, and what lowers still waits for an officer."""
    with transaction.atomic():
        return _correct(asset_id, actor=actor, element=element, reason=reason, scope=scope)


def _correct(asset_id: int, *, actor: audit.Actor, element: str, reason: str, scope: Scope) -> CorrectionView:
    asset = Asset.objects.select_for_update(of=("self",)).filter(pk=asset_id, source__active=True).first()
    if asset is None:
        raise UnknownAssetError("asset_id: the directory holds no such entry")
    if not asset.column_name or asset.facet:
        raise CorrectionInputError("asset_id: a correction is about one column; this entry is a file")
    if element and element not in set(Element):
        raise CorrectionInputError("element: no element of the table has this name")
    if not _SHORTEST_REASON <= len(reason.strip()) <= _LONGEST_REASON:
        raise CorrectionInputError("reason: say why in 2 to 200 characters")
    lowering = lowers((asset.element, asset.found_element or asset.element), element)
    if scope is Scope.NAME and not lowering:
        lowering = any(lowers((other.element,), element) for other in _of_name(asset.column_name).exclude(pk=asset.pk))
    verdict = Verdict.REFUSED if not element else Verdict.CHANGED
    if element and element == (asset.found_element or asset.element):
        verdict = Verdict.CONFIRMED
    row = Correction(
        correction_id=new_ref(),
        source=asset.source,
        schema_name=asset.schema_name,
        table_name=asset.table_name,
        column_name=asset.column_name,
        file_name=asset.file_name,
        scope=scope.value,
        verdict=verdict.value,
        element=element,
        found_element=asset.found_element or asset.element,
        heading={"table": asset.table_name, "name": asset.column_name, "type": asset.value_type},
        lowers=lowering,
        state=(CorrectionState.PROPOSED if lowering else CorrectionState.IN_FORCE).value,
        reason=reason.strip(),
        proposed_by=actor.ref,
        proposed_at=clock.now(),
    )
    _supersede(row, proposals_too=True)
    row.save(force_insert=True)
    _record(row, "inventory.correct", actor=actor)
    if not lowering:
        _take_effect(row)
    return as_view(row)


def approve_correction(correction_id: UUID, *, checker: Subject) -> CorrectionView:
    """Let a lowering correction take effect, as another person than who made it.

    Raises:
        NotPermittedError, DutySeparationError: the checker may not, or made it.
        UnknownCorrectionError, CorrectionTransitionError: no such correction; it is decided already.
    """
    return _decide(correction_id, CorrectionEvent.APPROVE, checker=checker)


def refuse_correction(correction_id: UUID, *, checker: Subject, reason: str) -> CorrectionView:
    """Refuse a lowering correction; errors as in :func:`approve_correction`."""
    return _decide(correction_id, CorrectionEvent.REFUSE, checker=checker, reason=reason)


def withdraw_correction(correction_id: UUID, *, steward: Subject) -> CorrectionView:
    """Withdraw one's own proposal; of another's it says not found."""
    with transaction.atomic():
        row = _locked(correction_id)
        if row.proposed_by != steward.staff_no:
            raise UnknownCorrectionError("correction_id: no such correction")
        if _advance(row, CorrectionEvent.WITHDRAW):
            row.save(update_fields=["state"])
            _record(row, _EVENTS[CorrectionEvent.WITHDRAW], actor=actor_of(steward))
            return as_view(row)
    raise _refused(correction_id, CorrectionEvent.WITHDRAW, actor=actor_of(steward))


def _decide(correction_id: UUID, event: CorrectionEvent, *, checker: Subject, reason: str = "") -> CorrectionView:
    seen = Correction.objects.filter(correction_id=correction_id).first()
    if seen is None:
        raise UnknownCorrectionError("correction_id: no such correction")
    target = Resource(kind="correction", ref=str(correction_id), maker=seen.proposed_by)
    require(checker, Action.INVENTORY_DECIDE, target)
    with transaction.atomic():
        row = _locked(correction_id)
        if _advance(row, event):
            row.decided_by, row.decided_at, row.decision_reason = checker.staff_no, clock.now(), reason.strip()
            if event is CorrectionEvent.APPROVE:
                _supersede(row, proposals_too=False)
            row.save(update_fields=["state", "decided_by", "decided_at", "decision_reason"])
            _record(row, _EVENTS[event], actor=actor_of(checker))
            if event is CorrectionEvent.APPROVE:
                _take_effect(row)
            return as_view(row)
    raise _refused(correction_id, event, actor=actor_of(checker))


def _locked(correction_id: UUID) -> Correction:
    row = Correction.objects.select_for_update(of=("self",)).filter(correction_id=correction_id).first()
    if row is None:
        raise UnknownCorrectionError("correction_id: no such correction")
    return row


def _advance(row: Correction, event: CorrectionEvent) -> bool:
    after = next_correction_state(CorrectionState(row.state), event)
    if after is None:
        return False
    row.state = after.value
    return True


def _refused(correction_id: UUID, event: CorrectionEvent, *, actor: audit.Actor) -> CorrectionTransitionError:
    """Put the refusal on record and return the error to raise."""
    audit.record_refusal(
        _EVENTS[event],
        actor=actor,
        object_type="correction",
        object_ref=str(correction_id),
        facts={"reason": "transition"},
    )
    return CorrectionTransitionError("correction_id: it is decided already; look at it again")


def _rivals(row: Correction) -> QuerySet[Correction]:
    """Return the corrections that say something of the same thing."""
    if row.scope == Scope.NAME.value:
        return Correction.objects.filter(scope=Scope.NAME.value, column_name__iexact=row.column_name)
    return Correction.objects.filter(
        scope=Scope.COLUMN.value,
        source_id=row.source_id,
        schema_name=row.schema_name,
        table_name=row.table_name,
        column_name=row.column_name,
        file_name=row.file_name,
    )


def _supersede(row: Correction, *, proposals_too: bool) -> None:
    """End what is said of the same thing; a proposal leaves what is in force in force until it is decided."""
    ending = set()
    if row.state == CorrectionState.IN_FORCE.value:
        ending.add(CorrectionState.IN_FORCE.value)
    if proposals_too:
        ending.add(CorrectionState.PROPOSED.value)
    rivals = _rivals(row).filter(state__in=ending).exclude(correction_id=row.correction_id)
    rivals.update(state=CorrectionState.SUPERSEDED.value)


def _of_name(column_name: str) -> QuerySet[Asset]:
    return Asset.objects.filter(column_name__iexact=column_name, facet="", source__active=True, present=True)


def _take_effect(row: Correction) -> None:
    """Write a correction into the entries it is about, as the next scan would."""
    if row.scope == Scope.NAME.value:
        assets = _of_name(row.column_name).exclude(correction__scope=Scope.COLUMN.value)
    else:
        assets = Asset.objects.filter(
            source_id=row.source_id,
            schema_name=row.schema_name,
            table_name=row.table_name,
            column_name=row.column_name,
            file_name=row.file_name,
            facet="",
        )
    for asset in assets.filter(~Q(state__in=(AssetState.SEALED.value, AssetState.NOT_READ.value))):
        if asset.correction_id is None:
            asset.found_element = asset.element
        asset.correction, asset.element, asset.review = row, row.element, False
        if not row.element:
            asset.category, asset.level, asset.likelihood, asset.drifted_at = Category.NONE.value, None, "", None
        else:
            rule = ELEMENT_TABLE[Element(row.element)]
            if not asset.masked:
                asset.category, asset.level = rule.category.value, rule.level
            asset.likelihood = Likelihood.VERY_LIKELY.value
        asset.save(
            update_fields=[
                "correction", "found_element", "element", "category", "level", "likelihood", "drifted_at", "review",
            ]
        )  # fmt: skip


def rules_for(source: DataSource) -> RuleBook:
    """Return the corrections in force that a scan of this source meets."""
    found = Correction.objects.filter(state=CorrectionState.IN_FORCE.value).filter(
        Q(source=source) | Q(scope=Scope.NAME.value)
    )
    return RuleBook([as_rule(row) for row in found])


def as_rule(row: Correction) -> CorrectionRule:
    """Return a correction as a scan meets it."""
    return CorrectionRule(
        correction_id=row.correction_id,
        scope=Scope(row.scope),
        place=(row.schema_name, row.table_name, row.column_name, row.file_name),
        element=row.element,
        verdict=Verdict(row.verdict),
    )


def as_corrected(rows: list[ScanRow], source: DataSource) -> list[ScanRow]:
    """Return the rows of a scan as stewards see them; for those who act on a scan directly."""
    book = rules_for(source)
    return [corrected(row, book)[0] for row in rows]


def corrections(*, state: CorrectionState | None = None, limit: int = 500) -> list[CorrectionView]:
    """Return corrections, newest first."""
    found = Correction.objects.select_related("source").filter(source__active=True)
    if state is not None:
        found = found.filter(state=state.value)
    return [as_view(row) for row in found[:limit]]


def as_view(row: Correction) -> CorrectionView:
    """Return a correction for pages and clients."""
    return CorrectionView(
        correction_id=row.correction_id,
        place=str(row),
        source=row.source.label,
        scope=Scope(row.scope),
        verdict=Verdict(row.verdict),
        element=row.element,
        found_element=row.found_element,
        lowers=row.lowers,
        state=CorrectionState(row.state),
        reason=row.reason,
        proposed_by=row.proposed_by,
        proposed_at=row.proposed_at,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
    )


def _record(row: Correction, action: str, *, actor: audit.Actor) -> None:
    audit.record(
        action,
        actor=actor,
        object_type="correction",
        object_ref=str(row.correction_id),
        facts={
            "place": str(row),
            "scope": row.scope,
            "found": row.found_element,
            "element": row.element,
            "lowers": row.lowers,
            "state": row.state,
            "reason": row.reason,
        },
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayedCorrection:
    """A correction in force held against the directory and against today's recogniser.

    Attributes:
        recognised: what the recogniser says of the heading alone, empty for nothing.
        holds: every entry that it is about says what it says.
        learned: the recogniser has come to say the same by itself.
    """

    correction_id: UUID
    place: str
    element: str
    recognised: str
    holds: bool
    learned: bool


def replay_corrections() -> list[ReplayedCorrection]:
    """Replay every correction in force as a regression case."""
    rows = list(Correction.objects.filter(state=CorrectionState.IN_FORCE.value, source__active=True))
    samples = [
        ColumnSample(table=row.heading.get("table", ""), name=row.column_name, type=row.heading.get("type", ""))
        for row in rows
    ]
    found = classify_columns(samples) if samples else []
    return [
        ReplayedCorrection(
            correction_id=row.correction_id,
            place=str(row),
            element=row.element,
            recognised=str(finding.element or ""),
            holds=_holds(row),
            learned=str(finding.element or "") == row.element,
        )
        for row, finding in zip(rows, found, strict=True)
    ]


def _holds(row: Correction) -> bool:
    about = row.assets.filter(present=True).exclude(state__in=(AssetState.SEALED.value, AssetState.NOT_READ.value))
    if row.scope == Scope.COLUMN.value:
        place = Asset.objects.filter(
            source_id=row.source_id, schema_name=row.schema_name, table_name=row.table_name,
            column_name=row.column_name, file_name=row.file_name, facet="", present=True, state=AssetState.CLEAR.value,
        )  # fmt: skip
        return not place.exclude(element=row.element).exists()
    return not about.exclude(element=row.element).exists()
