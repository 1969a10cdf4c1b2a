"""Analysis releases: applications, decisions, measured risk, what is out and until when, and test data made."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from kuimen.entrypoints.console.context import may
from kuimen.entrypoints.console.forms import FormInputError
from kuimen.entrypoints.console.language import say
from kuimen.entrypoints.console.overview import subject_or_login
from kuimen.entrypoints.console.people import day_of
from kuimen.entrypoints.console.words import PURPOSES, words_of
from kuimen.foundation import clock
from kuimen.gate.access.rules import Action, Purpose, Subject
from kuimen.gate.keys import services as keys
from kuimen.governance.releases import services
from kuimen.governance.releases.rules import (
    FIELDS,
    FORM_TITLES,
    LABEL_TITLES,
    LEAST,
    LONGEST_KEEP,
    RECIPIENT_TITLES,
    STATE_TITLES,
    Form,
    RecipientKind,
    ReleaseState,
)
from kuimen.governance.releases.services import Application, ReleaseView


@login_required
@require_GET
def register(request: HttpRequest) -> HttpResponse:
    """Show every release, what waits for deletion, and test data."""
    subject = subject_or_login(request)
    today = clock.today()
    found = services.releases_seen_by(subject)
    context = {
        "rows": [_row(one, subject) for one in found],
        "measured": any(one.computed_at for one in found),
        "demands": services.demands(reader=subject) if keys.is_unlocked() else (),
        "locked": not keys.is_unlocked(),
        "runs": services.test_data_runs(reader=subject),
        "may_apply": may(subject, Action.RELEASE_APPLY),
        "may_end": may(subject, Action.RELEASE_END),
        "fields": [{"code": one.name, **_pair((one.title_zh, one.title_en))} for one in FIELDS.values()],
        "kinds": [
            {"code": kind.value, "least": LEAST[kind], **_pair(titles)} for kind, titles in RECIPIENT_TITLES.items()
        ],
        "forms": [{"code": form.value, **_pair(titles)} for form, titles in FORM_TITLES.items()],
        "purposes": [{"code": one.value, **_pair(words_of(PURPOSES, one.value))} for one in Purpose],
        "latest": today + LONGEST_KEEP,
        "today": today,
    }
    return render(request, "console/releases.html", context)


@login_required
@require_POST
def apply(request: HttpRequest) -> HttpResponse:
    """Apply for a release."""
    subject = subject_or_login(request)
    given = request.POST
    try:
        application = Application(
            title=given.get("title", ""),
            purpose=Purpose(given.get("purpose", "")),
            reason=given.get("reason", ""),
            recipient=given.get("recipient", ""),
            recipient_kind=RecipientKind(given.get("recipient_kind", "")),
            columns=given.getlist("columns"),
            keep_until=day_of(request, "keep_until"),
            form=Form(given.get("form", "")),
            pseudonym=bool(given.get("pseudonym")),
            k=int(given["k"]) if given.get("k") else None,
        )
    except ValueError:
        raise FormInputError("purpose, recipient_kind, form, k: choose them on the page") from None
    services.apply(application, applicant=subject)
    messages.success(request, say("已提交，等待另一人审批", "Submitted; another person decides"))
    return redirect("releases")


@login_required
@require_POST
def step(request: HttpRequest, release_id: UUID) -> HttpResponse:
    """Take one step with a release."""
    subject = subject_or_login(request)
    wanted, reason = request.POST.get("step", ""), request.POST.get("reason", "")
    if wanted == "approve":
        services.approve(release_id, officer=subject)
        told = say("已批准", "Approved")
    elif wanted == "refuse":
        services.refuse(release_id, officer=subject, reason=reason)
        told = say("已驳回", "Refused")
    elif wanted == "withdraw":
        services.withdraw(release_id, applicant=subject)
        told = say("已撤回", "Withdrawn")
    elif wanted == "end":
        services.end(release_id, actor_subject=subject, reason=reason)
        told = say(
            "已终止，密钥已销毁，已要求接收方删除", "Ended; the key is gone and the recipient was told to delete"
        )
    elif wanted == "confirm":
        services.confirm(release_id, officer=subject, confirmation=reason)
        told = say("已登记接收方删除", "The recipient's deletion is on record")
    elif wanted == "release":
        return _compute(request, release_id, subject)
    else:
        raise FormInputError("step: approve, refuse, withdraw, release, end or confirm")
    messages.success(request, told)
    return redirect("releases")


def _compute(request: HttpRequest, release_id: UUID, subject: Subject) -> HttpResponse:
    """Compute; that bounds are missed is an answer of the page, not a fault of the reader."""
    done = services.release(release_id, applicant=subject)
    if done.state is ReleaseState.MISSED:
        messages.error(request, say("未达到批准的阈值，未发布；实测值见下", "Bounds missed, nothing released"))
        return redirect("releases")
    label = say(*LABEL_TITLES[done.standing]) if done.standing else ""
    messages.success(request, say(f"已发布 {done.rows:,} 行：{label}", f"Released {done.rows:,} rows: {label}"))
    return redirect("releases")


@login_required
@require_POST
def fetch(request: HttpRequest, release_id: UUID) -> HttpResponse:
    """Hand the package out; recorded every time."""
    subject = subject_or_login(request)
    view = services.release_seen_by(subject, release_id)
    body = services.fetch(release_id, reader=subject)
    answer = HttpResponse(body, content_type="text/csv; charset=utf-8")
    standing = view.standing.value if view.standing else ""
    answer["Content-Disposition"] = f'attachment; filename="release-{release_id}-{standing}.csv"'
    answer["Cache-Control"] = "no-store"
    return answer


@login_required
@require_POST
def confirm_person(request: HttpRequest, export_id: UUID) -> HttpResponse:
    """Enter that a recipient deleted one person."""
    subject = subject_or_login(request)
    services.confirm_person(export_id, officer=subject, confirmation=request.POST.get("reason", ""))
    messages.success(request, say("已登记接收方删除", "The recipient's deletion is on record"))
    return redirect("releases")


def _row(one: ReleaseView, subject: Subject) -> dict[str, object]:
    mine = one.applied_by == subject.staff_no
    released = one.state is ReleaseState.RELEASED
    label = LABEL_TITLES[one.standing] if one.standing else ("", "")
    measured = one.measured
    return {
        "release": one,
        "state": _pair(STATE_TITLES[one.state]),
        "label": _pair(label),
        "kind": _pair(RECIPIENT_TITLES[one.recipient_kind]),
        "columns": [_pair((FIELDS[name].title_zh, FIELDS[name].title_en)) for name in one.columns],
        "k": measured.get("k", measured.get("k_best")),
        "k_before": measured.get("k_before"),
        "unique_before": measured.get("unique_before"),
        "l_measured": measured.get("l"),
        "t_measured": measured.get("t"),
        "may_decide": one.state is ReleaseState.APPLIED and not mine and may(subject, Action.RELEASE_DECIDE),
        "may_withdraw": mine and one.state in {ReleaseState.APPLIED, ReleaseState.APPROVED},
        "may_compute": one.state is ReleaseState.APPROVED and may(subject, Action.RELEASE_FETCH),
        "may_fetch": released and one.keep_until >= clock.today() and may(subject, Action.RELEASE_FETCH),
        "may_end": released and may(subject, Action.RELEASE_END),
        "may_confirm": one.state is ReleaseState.ENDED and may(subject, Action.RELEASE_END),
    }


def _pair(titles: tuple[str, str]) -> dict[str, str]:
    return {"title_zh": titles[0], "title_en": titles[1]}
