"""Assessments: run, read, judge, report."""

from datetime import datetime
from uuid import UUID

from django.http import FileResponse, HttpRequest
from ninja import Router, Schema, Status
from pydantic import Field

from kuimen.assessment import services
from kuimen.assessment.reading import AssessmentView
from kuimen.assessment.report import report_file
from kuimen.assessment.rules import Verdict
from kuimen.entrypoints.api.bodies import NO_NUL, Strict
from kuimen.entrypoints.api.caller import caller_of
from kuimen.entrypoints.api.idempotency import Answer, do_once
from kuimen.gate.access import services as access
from kuimen.gate.access.rules import Action, Resource, Subject

router = Router()


class Summary(Schema):
    """One assessment in numbers."""

    assessment_id: UUID
    number: str
    finished_at: datetime
    clauses_total: int
    clauses_assessed: int
    by_verdict: dict[str, int]


class ClauseOut(Schema):
    """One clause with its verdict; `evidence` are the digests of what was seen."""

    clause_id: str
    verdict: str
    reason_zh: str
    reason_en: str
    evidence: list[str]


class Detail(Summary):
    """One assessment with every clause."""

    clauses: list[ClauseOut]


class JudgementIn(Strict):
    """What a person judges; it counts once a second person approves it."""

    clause_id: str = Field(max_length=64, pattern=NO_NUL)
    verdict: Verdict
    reason: str = Field(max_length=2000, pattern=NO_NUL)
    evidence_reference: str = Field(max_length=500, pattern=NO_NUL)


class DecisionIn(Strict):
    """Approve or refuse a judgement."""

    approved: bool


def _may(subject: Subject, action: Action) -> None:
    access.require(subject, action, Resource(kind="assessment"))


def summary_of(view: AssessmentView) -> Summary:
    """Count an assessment."""
    return Summary(
        assessment_id=view.assessment_id,
        number=view.number,
        finished_at=view.finished_at,
        clauses_total=view.clauses_total,
        clauses_assessed=view.clauses_assessed,
        by_verdict={verdict.value: count for verdict, count in view.verdicts.items()},
    )


def _detail(view: AssessmentView) -> Detail:
    clauses = [
        ClauseOut(
            clause_id=item.clause.id,
            verdict=item.verdict.value,
            reason_zh=item.finding.reason_zh,
            reason_en=item.finding.reason_en,
            evidence=[evidence.sm3 for evidence in item.evidence],
        )
        for item in view.clauses
    ]
    return Detail(**summary_of(view).dict(), clauses=clauses)


@router.post("", response=dict[str, object], summary="Run every control")
def run(request: HttpRequest) -> Answer:
    """Run every control against the live system; takes seconds."""
    subject = caller_of(request)
    _may(subject, Action.ASSESSMENT_RUN)

    def act() -> Answer:
        view = services.run_assessment(access.actor_of(subject))
        return summary_of(view).model_dump(mode="json")

    return do_once(request, subject, {}, act)


@router.get("/latest", response={200: Detail, 204: None}, summary="Newest assessment")
def latest(request: HttpRequest) -> Status[Detail] | Status[None]:
    """Return the newest assessment; 204 where none was ever run."""
    _may(caller_of(request), Action.ASSESSMENT_READ)
    view = services.latest()
    return Status(204, None) if view is None else Status(200, _detail(view))


@router.get("/{assessment_id}", response=Detail, summary="One assessment")
def one(request: HttpRequest, assessment_id: UUID) -> Detail:
    """Return one assessment with every clause."""
    _may(caller_of(request), Action.ASSESSMENT_READ)
    return _detail(services.view(assessment_id))


@router.get("/{assessment_id}/report", summary="Report as PDF")
def report(request: HttpRequest, assessment_id: UUID) -> FileResponse:
    """Return the report of one assessment (application/pdf)."""
    subject = caller_of(request)
    _may(subject, Action.ASSESSMENT_READ)
    path = report_file(assessment_id)
    return FileResponse(path.open("rb"), content_type="application/pdf", filename=path.name)


@router.post("/{assessment_id}/judgements", response=dict[str, object], summary="Judge one clause")
def judge(request: HttpRequest, assessment_id: UUID, body: JudgementIn) -> Answer:
    """Enter what a person judges about one clause."""
    subject = caller_of(request)
    _may(subject, Action.ASSESSMENT_RUN)

    def act() -> Answer:
        judgement = services.judge(access.actor_of(subject), assessment_id=assessment_id, **body.dict())
        return {"judgement_id": str(judgement)}

    return do_once(request, subject, body.model_dump(mode="json"), act)


@router.post("/judgements/{judgement_id}/decision", response=dict[str, object], summary="Second person decides")
def decide(request: HttpRequest, judgement_id: UUID, body: DecisionIn) -> Answer:
    """Approve or refuse a judgement as the second person."""
    subject = caller_of(request)
    _may(subject, Action.ASSESSMENT_RUN)

    def act() -> Answer:
        services.approve_judgement(access.actor_of(subject), judgement_id=judgement_id, approved=body.approved)
        return {"judgement_id": str(judgement_id), "approved": body.approved}

    return do_once(request, subject, body.model_dump(mode="json"), act)
