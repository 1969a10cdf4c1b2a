"""Writes a report to its place, keeps its digests, and finds it again."""

from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import transaction

from kuimen.assessment.errors import ReportUnavailableError
from kuimen.assessment.evidence import digests_of
from kuimen.assessment.models import JudgementDecision, Report
from kuimen.assessment.reading import view
from kuimen.assessment.report.document import report_document
from kuimen.assessment.report.typesetting import typeset
from kuimen.foundation import clock
from kuimen.gate.audit.services import SYSTEM, Actor, record


def render_report(assessment_id: UUID, path: Path | None = None, *, actor: Actor = SYSTEM) -> Report:
    """Set one assessment as PDF, write it, and keep its digests.

    The same assessment gives the same bytes every time, so a printed report can be compared with a new one; an approved
    judgement changes it.

    Args:
        assessment_id: the assessment.
        path: where to write; the report folder of the installation, under the assessment's number, when None.
        actor: who asked for it.

    Raises:
        AssessmentNotFoundError: there is none with this id.
        ReportUnavailableError: the typesetter or its fonts are missing, or the file cannot be written.
    """
    shown = view(assessment_id)
    pdf = typeset(report_document(shown), moment=shown.started_at)
    target = path or Path(settings.KUIMEN_REPORT_DIR) / f"{shown.number}.pdf"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(pdf)
    except OSError:
        raise ReportUnavailableError("path: the report cannot be written there; choose a writable folder") from None
    digests = digests_of(pdf)
    with transaction.atomic():
        record(
            "assessment.report",
            actor=actor,
            object_type="assessment",
            object_ref=str(assessment_id),
            purpose="compliance_assessment",
            facts={"number": shown.number, "bytes": len(pdf), "sm3": digests.sm3.hex()},
        )
        return Report.objects.create(
            assessment_id=assessment_id,
            path=str(target),
            rendered_at=clock.now(),
            sm3=digests.sm3,
            sha256=digests.sha256,
        )


def report_file(assessment_id: UUID, *, actor: Actor = SYSTEM) -> Path:
    """Return the file of the report, set anew where there is none, it was altered, or a judgement came since.

    Raises:
        AssessmentNotFoundError, ReportUnavailableError: as in :func:`render_report`.
    """
    newest = Report.objects.filter(assessment_id=assessment_id).last()
    if newest is not None and _is_current(newest):
        return Path(newest.path)
    return Path(render_report(assessment_id, actor=actor).path)


def _is_current(report: Report) -> bool:
    path = Path(report.path)
    decided = JudgementDecision.objects.filter(
        judgement__assessment_id=report.assessment_id, decided_at__gte=report.rendered_at
    )
    if not path.is_file() or decided.exists():
        return False
    return digests_of(path.read_bytes()).sm3 == bytes(report.sm3)
