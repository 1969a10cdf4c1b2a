"""What a team leader does with cases: deal out, assign, hold; all of it without a personal value."""

from datetime import date
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from kuimen.entrypoints.console.context import may
from kuimen.entrypoints.console.forms import FormInputError
from kuimen.entrypoints.console.language import say
from kuimen.entrypoints.console.overview import subject_or_login
from kuimen.entrypoints.console.words import HOLD_REASONS
from kuimen.foundation import clock
from kuimen.gate.access.rules import Action, Role, Subject
from kuimen.scenarios.collections import services
from kuimen.scenarios.collections.rules import HoldReason
from kuimen.scenarios.collections.services import CaseSummary
from kuimen.scenarios.collections.services.stepping import DEFAULT_TERM, LONGEST_TERM


def dispatching(subject: Subject) -> dict[str, object] | None:
    """Return what the forms of a dispatcher offer, or None for everybody else."""
    if not may(subject, Action.CASE_ASSIGN):
        return None
    return {
        "collectors": services.collectors(subject),
        "until": clock.today() + DEFAULT_TERM,
        "earliest": clock.today(),
        "latest": clock.today() + LONGEST_TERM,
    }


def hold_reasons() -> list[dict[str, str]]:
    """Return why collecting may stop, for a list to choose from."""
    return [{"code": code.value, "title_zh": zh, "title_en": en} for code, (zh, en) in HOLD_REASONS.items()]


@login_required
@require_POST
def deal(request: HttpRequest) -> HttpResponse:
    """Deal every waiting case out to the chosen collectors, one by one."""
    subject = subject_or_login(request)
    waiting = services.waiting_cases(subject)
    chosen = list(dict.fromkeys(request.POST.getlist("assignee")))
    dealt = services.assign_evenly(subject, waiting, assignees=chosen, until=_until(request))
    counts = "，".join(f"{staff_no} {count}" for staff_no, count in dealt.items())
    messages.success(request, say(f"已分派 {len(waiting)} 件：{counts}", f"{len(waiting)} cases dealt out: {counts}"))
    return redirect("cases")


@login_required
@require_POST
def assign(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Give one case to one collector."""
    subject = subject_or_login(request)
    after = services.assign(subject, case_id, assignee=request.POST.get("assignee", ""), until=_until(request))
    messages.success(request, say(f"已分派给 {after.assignee}", f"Assigned to {after.assignee}"))
    return redirect("case", case_id=case_id)


@login_required
@require_POST
def hold(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Stop collecting at once."""
    reason = request.POST.get("hold_reason", "")
    if reason not in set(HoldReason):
        raise FormInputError("hold_reason: choose one of the reasons offered on the page")
    subject = subject_or_login(request)
    after = services.hold(subject, case_id, reason=HoldReason(reason))
    return after_step(request, subject, after)


def after_step(request: HttpRequest, subject: Subject, after: CaseSummary) -> HttpResponse:
    """Go on with the case, or back to the list where the step has taken it out of this person's hands."""
    messages.success(request, f"{after.number} · {say(after.state_zh, after.state_en)}")
    leads = Role.TEAM_LEADER in subject.roles and (subject.in_house or after.agency == subject.agency_id)
    if leads or after.assignee == subject.staff_no:
        return redirect("case", case_id=after.case_id)
    return redirect("cases")


def _until(request: HttpRequest) -> date | None:
    text = request.POST.get("until", "")
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise FormInputError("until: write the date as YYYY-MM-DD") from None
