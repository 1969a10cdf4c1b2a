"""Use cases of the assessment room: run, read, judge, approve."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from kuimen.assessment.errors import (
    AssessmentNotFoundError,
    JudgementDecidedError,
    JudgementNotFoundError,
    ReasonMissingError,
    SamePersonError,
    VerdictNotForPeopleError,
)
from kuimen.assessment.evidence import canonical, digests_of, evidence_body
from kuimen.assessment.models import Assessment, ClauseResult, EvidenceItem, Judgement, JudgementDecision
from kuimen.assessment.reading import AssessmentView, ClauseView, view, view_of
from kuimen.assessment.report import render_report, report_file
from kuimen.assessment.rules import METHOD, OPEN_VERDICTS, Finding, ProbeReport, Verdict, machine_finding, may_approve
from kuimen.assessment.running import ProbeRun, Progress, all_probes, run_probes
from kuimen.foundation import clock
from kuimen.foundation.identifiers import new_ref
from kuimen.gate.audit.services import Actor, record, record_refusal
from kuimen.standard import Catalogue, Outcome, ProbeContext, load_catalogue

__all__ = [
    "AssessmentView",
    "ClauseView",
    "approve_judgement",
    "history",
    "judge",
    "latest",
    "render_report",
    "report_file",
    "run_assessment",
    "view",
]

# One run at a time: two would fight for the same number, and a second one would show nothing new.
_RUN_LOCK = 0x6B75_696D_6173


def run_assessment(actor: Actor, *, institution: str = "", progress: Progress | None = None) -> AssessmentView:
    """Run every control against the live system and keep what was found.

    The probes read one snapshot and can change nothing; results, evidence with digests, and the audit entry that
    carries the digest of all of them are then written in one transaction.

    Args:
        actor: who asked for it.
        institution: name to print; the configured one when empty.
        progress: called with (done, total, clause id).

    Raises:
        AuditUnavailableError: the audit log takes no entry; nothing is kept.
    """
    catalogue = load_catalogue()
    context = ProbeContext(at=clock.now(), institution=str(settings.KUIMEN_INSTITUTION_ID))
    runs = run_probes(all_probes(), context=context, progress=progress)
    assessment_id = new_ref()
    evidence = _evidence(assessment_id, runs)
    results = _results(assessment_id, catalogue, runs)
    snapshot = digests_of(_snapshot_bytes(results, evidence))
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_RUN_LOCK])
        number = _next_number(context.at.strftime("%Y%m%d"))
        entry = record(
            "assessment.run",
            actor=actor,
            object_type="assessment",
            object_ref=str(assessment_id),
            purpose="compliance_assessment",
            facts={"number": number, "snapshot_sm3": snapshot.sm3.hex(), **_counts(results, runs)},
        )
        Assessment.objects.create(
            assessment_id=assessment_id,
            number=number,
            institution_id=str(settings.KUIMEN_INSTITUTION_ID),
            institution_name=institution or settings.KUIMEN_INSTITUTION_NAME,
            actor_ref=actor.ref,
            actor_label=actor.label,
            started_at=context.at,
            finished_at=max(clock.now(), context.at),
            period_days=context.period.days,
            product_version=version("kuimen"),
            catalogue_version=catalogue.version,
            method=METHOD,
            snapshot_sm3=snapshot.sm3,
            snapshot_sha256=snapshot.sha256,
            audit_entry=entry,
        )
        ClauseResult.objects.bulk_create(results)
        EvidenceItem.objects.bulk_create(evidence)
    return view(assessment_id)


def _counts(results: Sequence[ClauseResult], runs: Sequence[ProbeRun]) -> dict[str, int]:
    verdicts = [Verdict(row.verdict) for row in results]
    return {
        "clauses_total": len(results),
        "clauses_assessed": sum(verdict is not Verdict.NOT_ASSESSED for verdict in verdicts),
        "probes": len(runs),
        "probes_broken": sum(bool(run.fault) for run in runs),
        **{f"verdict_{verdict}": verdicts.count(verdict) for verdict in Verdict},
    }


def latest() -> AssessmentView | None:
    """Return the newest assessment, or None where none was ever run."""
    found = Assessment.objects.first()
    return None if found is None else view_of(found)


def history(limit: int = 20) -> list[Assessment]:
    """Return the newest runs, newest first, without their clauses."""
    return list(Assessment.objects.all()[:limit])


def judge(
    actor: Actor, *, assessment_id: UUID, clause_id: str, verdict: Verdict, reason: str, evidence_reference: str
) -> UUID:
    """Enter what a person judges about one clause; it counts once a second person approves it.

    Args:
        actor: who judges.
        assessment_id: the run it belongs to. A judgement never carries over to another run.
        clause_id: the clause.
        verdict: 符合, 部分符合, 不符合 or 不适用.
        reason: why, in words.
        evidence_reference: where the evidence can be found again.

    Returns:
        Id of the judgement.

    Raises:
        AssessmentNotFoundError, UnknownClauseError: there is no such run or clause.
        VerdictNotForPeopleError: the verdict is an open one.
        ReasonMissingError: reason or evidence reference is empty.
    """
    load_catalogue().clause(clause_id)
    if verdict in OPEN_VERDICTS:
        raise VerdictNotForPeopleError(
            "verdict: choose 符合, 部分符合, 不符合 or 不适用; leave an open clause unjudged"
        )
    if not reason.strip() or not evidence_reference.strip():
        raise ReasonMissingError("reason and evidence_reference: both are needed; write them")
    with transaction.atomic():
        assessment = Assessment.objects.filter(pk=assessment_id).first()
        if assessment is None:
            raise AssessmentNotFoundError("assessment: no run has this id; list the runs and choose one")
        judgement = Judgement.objects.create(
            judgement_id=new_ref(),
            assessment=assessment,
            clause_id=clause_id,
            verdict=verdict.value,
            reason=reason.strip(),
            evidence_reference=evidence_reference.strip(),
            judged_by=actor.ref,
            judged_at=clock.now(),
        )
        record(
            "assessment.judge",
            actor=actor,
            object_type="judgement",
            object_ref=str(judgement.pk),
            purpose="compliance_assessment",
            facts={"assessment": str(assessment_id), "clause": clause_id, "verdict": verdict.value},
        )
    return UUID(str(judgement.pk))


def approve_judgement(actor: Actor, *, judgement_id: UUID, approved: bool) -> None:
    """Approve or refuse a judgement as the second person.

    Raises:
        JudgementNotFoundError: there is no such judgement.
        SamePersonError: the actor made the judgement; the attempt is recorded.
        JudgementDecidedError: somebody decided already.
    """
    with transaction.atomic():
        judgement = Judgement.objects.filter(pk=judgement_id).first()
        if judgement is None:
            raise JudgementNotFoundError("judgement: none has this id; list the open judgements")
        # Of two deciders at once the primary key lets one through; rows of this room are never locked or changed.
        same = not may_approve(judged_by=judgement.judged_by, approver=actor.ref)
        if not same:
            decision, created = JudgementDecision.objects.get_or_create(
                judgement=judgement,
                defaults={"approved": approved, "decided_by": actor.ref, "decided_at": clock.now()},
            )
            if not created:
                raise JudgementDecidedError("judgement: it was decided already; make a new one")
            record(
                "assessment.approve_judgement" if decision.approved else "assessment.refuse_judgement",
                actor=actor,
                object_type="judgement",
                object_ref=str(judgement_id),
                purpose="compliance_assessment",
                facts={"clause": judgement.clause_id, "verdict": judgement.verdict},
            )
    if same:
        record_refusal(
            "assessment.approve_judgement",
            actor=actor,
            object_type="judgement",
            object_ref=str(judgement_id),
            purpose="compliance_assessment",
            facts={"reason": "same_person"},
        )
        raise SamePersonError("judgement: who judged may not approve; ask a second person")


def _evidence(assessment_id: UUID, runs: Sequence[ProbeRun]) -> list[EvidenceItem]:
    items = []
    for number, run in enumerate(runs, start=1):
        body = evidence_body(assessment_id, probe=run.probe, result=run.result, fault=run.fault, at=run.at)
        digests = digests_of(body)
        outcome = Outcome.INSUFFICIENT if run.result is None else run.result.outcome
        items.append(
            EvidenceItem(
                assessment_id=assessment_id,
                number=number,
                clause_id=run.probe.clause,
                probe=run.probe.name,
                outcome=outcome.value,
                fault=run.fault,
                observed_at=run.at,
                body=body,
                sm3=digests.sm3,
                sha256=digests.sha256,
            )
        )
    return items


def _reports(runs: Sequence[ProbeRun]) -> Mapping[str, list[ProbeReport]]:
    by_clause: defaultdict[str, list[ProbeReport]] = defaultdict(list)
    for run in runs:
        result = run.result
        by_clause[run.probe.clause].append(
            ProbeReport(
                name=run.probe.name,
                outcome=Outcome.INSUFFICIENT if result is None else result.outcome,
                fault=run.fault,
                remedy_zh="" if result is None else result.remedy_zh,
                remedy_en="" if result is None else result.remedy_en,
            )
        )
    return by_clause


def _results(assessment_id: UUID, catalogue: Catalogue, runs: Sequence[ProbeRun]) -> list[ClauseResult]:
    reports = _reports(runs)
    rows = []
    for position, clause in enumerate(catalogue.clauses.values()):
        own = reports.get(clause.id, [])
        finding: Finding = machine_finding(clause, own)
        rows.append(
            ClauseResult(
                assessment_id=assessment_id,
                position=position,
                clause_id=clause.id,
                verdict=finding.verdict.value,
                reason_zh=finding.reason_zh,
                reason_en=finding.reason_en,
                remedy_zh=finding.remedy_zh,
                remedy_en=finding.remedy_en,
                refuted=any(report.outcome is Outcome.REFUTED for report in own),
                probes=len(own),
            )
        )
    return rows


def _snapshot_bytes(results: Sequence[ClauseResult], evidence: Sequence[EvidenceItem]) -> bytes:
    return canonical(
        {
            "results": [[row.clause_id, row.verdict, row.probes] for row in results],
            "evidence": [[item.number, bytes(item.sm3).hex()] for item in evidence],
        }
    )


def _next_number(day: str) -> str:
    taken = Assessment.objects.filter(number__startswith=f"KM-{day}-").count()
    return f"KM-{day}-{taken + 1:03d}"
