"""The assessment page: verdicts clause by clause with evidence, a run button for assessors, the report."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from kuimen.assessment import services
from kuimen.assessment.reading import AssessmentView, ClauseView
from kuimen.assessment.report import report_file
from kuimen.assessment.rules import Conclusion, Verdict
from kuimen.entrypoints.console.context import may
from kuimen.entrypoints.console.language import say
from kuimen.entrypoints.console.overview import subject_or_login
from kuimen.entrypoints.console.words import CONCLUSIONS, fact_value, fact_words
from kuimen.gate.access import services as access
from kuimen.gate.access.rules import Action, Resource

Row = dict[str, object]
TONES = {Verdict.CONFORM: "good", Verdict.NONCONFORM: "bad", Verdict.INSUFFICIENT: "open"}
CONCLUSION_TONES = {
    Conclusion.CONFORM: Verdict.CONFORM,
    Conclusion.LARGELY: Verdict.PARTIAL,
    Conclusion.NONCONFORM: Verdict.NONCONFORM,
    Conclusion.OPEN: Verdict.INSUFFICIENT,
}
# what needs somebody comes first
ORDER = (
    Verdict.NONCONFORM,
    Verdict.PARTIAL,
    Verdict.INSUFFICIENT,
    Verdict.CONFORM,
    Verdict.NOT_APPLICABLE,
    Verdict.NOT_ASSESSED,
)


@login_required
@require_GET
def assessment(request: HttpRequest) -> HttpResponse:
    """Show the newest assessment."""
    subject = subject_or_login(request)
    access.require(subject, Action.ASSESSMENT_READ, Resource(kind="assessment"))
    found = services.latest()
    chosen = {"verdict": request.GET.get("verdict", ""), "standard": request.GET.get("standard", "")}
    context: dict[str, object] = {
        "assessment": found,
        "may_run": may(subject, Action.ASSESSMENT_RUN),
        "chosen": chosen,
        "verdicts": [{"code": v.value, "title_zh": v.title_zh, "title_en": v.title_en.capitalize()} for v in Verdict],
    }
    if found is not None:
        wanted = [
            item
            for item in found.clauses
            if (not chosen["verdict"] or item.verdict.value == chosen["verdict"])
            and (not chosen["standard"] or item.clause.standard == chosen["standard"])
        ]
        looked_at = [item for item in wanted if item.verdict is not Verdict.NOT_ASSESSED]
        context |= {
            "cards": _cards(found),
            "conclusion": {"title": say(*CONCLUSIONS[found.conclusion]), "tone": CONCLUSION_TONES[found.conclusion]},
            "standards": list(dict.fromkeys(item.clause.standard for item in found.clauses)),
            "rows": [_row(item) for item in sorted(looked_at, key=lambda item: ORDER.index(item.verdict))],
            "unseen": [_row(item) for item in wanted if item.verdict is Verdict.NOT_ASSESSED],
        }
    return render(request, "console/assessment.html", context)


@login_required
@require_POST
def run(request: HttpRequest) -> HttpResponse:
    """Run every control now."""
    subject = subject_or_login(request)
    access.require(subject, Action.ASSESSMENT_RUN, Resource(kind="assessment"))
    found = services.run_assessment(access.actor_of(subject))
    seen, total = found.clauses_assessed, found.clauses_total
    messages.success(
        request,
        say(
            f"评估 {found.number} 完成：已查看 {seen} / {total} 条",
            f"Assessment {found.number} done: {seen} of {total} clauses looked at",
        ),
    )
    return redirect("assessment")


@login_required
@require_GET
def report(request: HttpRequest, assessment_id: UUID) -> FileResponse:
    """Hand out the report."""
    access.require(
        subject_or_login(request), Action.ASSESSMENT_READ, Resource(kind="assessment", ref=str(assessment_id))
    )
    path = report_file(assessment_id)
    return FileResponse(path.open("rb"), content_type="application/pdf", filename=path.name)


def _cards(found: AssessmentView) -> list[Row]:
    return [
        {
            "code": verdict.value,
            "title_zh": verdict.title_zh,
            "title_en": verdict.title_en.capitalize(),
            "figure": count,
            "tone": TONES.get(verdict, "") if count else "",
        }
        for verdict, count in found.verdicts.items()
    ]


def _row(item: ClauseView) -> Row:
    evidence = [
        {
            "title_zh": observation.get("title_zh", piece.probe),
            "title_en": observation.get("title_en", piece.probe),
            "facts": [
                {"title": say(*fact_words(name)), "value": say("，", ", ").join(fact_value(name, value)) or "—"}
                for name, value in dict(observation.get("facts", {})).items()
            ],
            "label": piece.label,
            "probe": piece.probe,
            "observed_at": piece.observed_at,
            "sm3": piece.sm3,
        }
        for piece in item.evidence
        for observation in piece.document.get("observations", [{}])
    ]
    return {
        "clause_id": item.clause.id, "title_zh": item.clause.title_zh, "title_en": item.clause.title_en,
        "standard": item.clause.standard, "probes": item.probes, "judged": item.judged,
        "remedy_zh": item.finding.remedy_zh, "remedy_en": item.finding.remedy_en,
        "verdict": item.verdict.value, "verdict_zh": item.verdict.title_zh,
        "verdict_en": item.verdict.title_en.capitalize(),
        "reason_zh": item.finding.reason_zh, "reason_en": item.finding.reason_en, "evidence": evidence,
    }  # fmt: skip
