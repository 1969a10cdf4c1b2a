"""What readers of an assessment get: plain values, computed from the kept rows and never stored."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID

from kuimen.assessment.errors import AssessmentNotFoundError
from kuimen.assessment.models import Assessment, ClauseResult, Judgement
from kuimen.assessment.rules import Conclusion, Finding, Verdict, conclude, tally, with_judgement
from kuimen.standard import Clause, load_catalogue


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceView:
    """One piece of evidence.

    Attributes:
        label: its number as printed, such as `E-0007`.
        clause_id: the clause it belongs to.
        probe: dotted name of the probe.
        outcome: what the probe found.
        fault: code of the error it broke with, empty when it did not.
        observed_at: when it looked.
        document: the parsed body.
        sm3: 64 hexadecimal digits.
        sha256: 64 hexadecimal digits.
    """

    label: str
    clause_id: str
    probe: str
    outcome: str
    fault: str
    observed_at: datetime
    document: Mapping[str, Any]
    sm3: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClauseView:
    """One clause with its verdict.

    Attributes:
        clause: the clause.
        finding: verdict and reason, approved judgement included.
        probes: how many probes looked.
        evidence: what they saw.
        judged: whether an approved judgement of a person is in the verdict.
    """

    clause: Clause
    finding: Finding
    probes: int
    evidence: tuple[EvidenceView, ...]
    judged: bool

    @property
    def verdict(self) -> Verdict:
        """What is said about the clause."""
        return self.finding.verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessmentView:
    """One assessment.

    Attributes:
        assessment_id: its id.
        number: its number as printed.
        institution_id: identifier of the institution.
        institution_name: its name.
        actor_ref: who asked for the run.
        actor_label: the same for readers.
        started_at: when it began; every probe saw the state of this moment.
        finished_at: when it ended.
        period_days: how far back probes looked at events.
        product_version: version of the software.
        catalogue_version: version of the catalogue.
        method: method of the verdicts.
        snapshot_sm3: digest of all results and evidence digests, as recorded in the audit log.
        snapshot_sha256: the same bytes under SHA-256.
        audit_entry: the audit entry of the run.
        clauses: every clause in the order of the catalogue.
    """

    assessment_id: UUID
    number: str
    institution_id: str
    institution_name: str
    actor_ref: str
    actor_label: str
    started_at: datetime
    finished_at: datetime
    period_days: int
    product_version: str
    catalogue_version: str
    method: str
    snapshot_sm3: str
    snapshot_sha256: str
    audit_entry: UUID
    clauses: tuple[ClauseView, ...]

    @property
    def verdicts(self) -> Mapping[Verdict, int]:
        """Number of clauses per verdict; every verdict is present."""
        return MappingProxyType(tally([entry.verdict for entry in self.clauses]))

    @property
    def clauses_total(self) -> int:
        """Number of clauses in scope."""
        return len(self.clauses)

    @property
    def clauses_assessed(self) -> int:
        """Number of clauses that a control or a person has looked at, whatever came of it."""
        return self.clauses_total - self.verdicts[Verdict.NOT_ASSESSED]

    @property
    def conclusion(self) -> Conclusion:
        """What may be said about the whole."""
        return conclude([entry.verdict for entry in self.clauses])

    @property
    def evidence(self) -> tuple[EvidenceView, ...]:
        """All evidence in the order of its numbers."""
        return tuple(sorted((item for entry in self.clauses for item in entry.evidence), key=lambda item: item.label))

    def by_list(self) -> Mapping[str, Mapping[Verdict, int]]:
        """Return the verdicts counted per list of the catalogue."""
        return self._counted(lambda clause: clause.list)

    def by_chapter(self, list_name: str) -> Mapping[str, Mapping[Verdict, int]]:
        """Return the verdicts of one list counted per chapter, in the order of the standard."""
        chosen = [entry for entry in self.clauses if entry.clause.list == list_name]
        return self._counted(lambda clause: clause.chapter, chosen)

    def _counted(
        self, key: Callable[[Clause], str], chosen: Sequence[ClauseView] | None = None
    ) -> Mapping[str, Mapping[Verdict, int]]:
        groups: dict[str, list[Verdict]] = {}
        for entry in self.clauses if chosen is None else chosen:
            groups.setdefault(key(entry.clause), []).append(entry.verdict)
        return MappingProxyType({name: MappingProxyType(tally(found)) for name, found in groups.items()})


def _evidence_by_clause(assessment: Assessment) -> Mapping[str, list[EvidenceView]]:
    by_clause: dict[str, list[EvidenceView]] = {}
    for item in assessment.evidence.all():
        by_clause.setdefault(item.clause_id, []).append(
            EvidenceView(
                label=f"E-{item.number:04d}",
                clause_id=item.clause_id,
                probe=item.probe,
                outcome=item.outcome,
                fault=item.fault,
                observed_at=item.observed_at,
                document=MappingProxyType(json.loads(bytes(item.body))),
                sm3=bytes(item.sm3).hex(),
                sha256=bytes(item.sha256).hex(),
            )
        )
    return by_clause


def _finding(row: ClauseResult, judgement: Judgement | None) -> Finding:
    machine = Finding(
        verdict=Verdict(row.verdict),
        reason_zh=row.reason_zh,
        reason_en=row.reason_en,
        remedy_zh=row.remedy_zh,
        remedy_en=row.remedy_en,
    )
    if judgement is None:
        return machine
    return with_judgement(machine, verdict=Verdict(judgement.verdict), reason=judgement.reason, refuted=row.refuted)


def view_of(assessment: Assessment) -> AssessmentView:
    """Return everything about one assessment. Cost: three queries."""
    catalogue = load_catalogue()
    evidence = _evidence_by_clause(assessment)
    # Of several approved judgements of one clause the newest speaks.
    approved = {entry.clause_id: entry for entry in assessment.judgements.filter(decision__approved=True)}
    clauses = tuple(
        ClauseView(
            clause=catalogue.clause(row.clause_id),
            finding=_finding(row, approved.get(row.clause_id)),
            probes=row.probes,
            evidence=tuple(evidence.get(row.clause_id, ())),
            judged=row.clause_id in approved,
        )
        for row in assessment.results.all()
    )
    return AssessmentView(
        assessment_id=UUID(str(assessment.pk)),
        number=assessment.number,
        institution_id=assessment.institution_id,
        institution_name=assessment.institution_name,
        actor_ref=assessment.actor_ref,
        actor_label=assessment.actor_label,
        started_at=assessment.started_at,
        finished_at=assessment.finished_at,
        period_days=assessment.period_days,
        product_version=assessment.product_version,
        catalogue_version=assessment.catalogue_version,
        method=assessment.method,
        snapshot_sm3=bytes(assessment.snapshot_sm3).hex(),
        snapshot_sha256=bytes(assessment.snapshot_sha256).hex(),
        audit_entry=assessment.audit_entry,
        clauses=clauses,
    )


def view(assessment_id: UUID) -> AssessmentView:
    """Return one assessment with its clauses, evidence and approved judgements. Cost: four queries.

    Raises:
        AssessmentNotFoundError: there is none with this id.
    """
    found = Assessment.objects.filter(pk=assessment_id).first()
    if found is None:
        raise AssessmentNotFoundError("assessment: no run has this id; list the runs and choose one")
    return view_of(found)
