"""What waits for a second person: changes, applications, drafts, tickets; decided here, each by somebody else."""

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
from kuimen.entrypoints.console.people import change_row, grant_row, slip_or_back
from kuimen.entrypoints.console.words import ACTIONS, words_of
from kuimen.gate.access import services as access
from kuimen.gate.access.rules import Action, GrantState, Resource, Subject
from kuimen.gate.access.services import reading
from kuimen.gate.approvals import services as approvals
from kuimen.gate.approvals.rules import Ticket
from kuimen.governance.documents import services as documents
from kuimen.governance.documents.rules import KIND_TITLES, TextState


@login_required
@require_GET
def desk(request: HttpRequest) -> HttpResponse:
    """Show everything that waits and who may decide it."""
    subject = subject_or_login(request)
    officer = may(subject, Action.STAFF_DECIDE)
    drafts = documents.texts_seen_by(subject, state=TextState.DRAFTED) if may(subject, Action.DOCUMENT_READ) else []
    waiting = reading.changes_seen_by(subject, waiting=True) if officer else []
    grants = reading.grants_seen_by(subject, state=GrantState.APPLIED) if officer else []
    context = {
        "changes": [{**change_row(c), "mine": c.maker == subject.staff_no, "own": c.target == subject.staff_no}
                    for c in waiting],
        "grants": [{**grant_row(g), "mine": g.applied_by == subject.staff_no, "own": g.staff_no == subject.staff_no}
                   for g in grants],
        "drafts": [{"text": d, "title_zh": KIND_TITLES[d.kind][0], "title_en": KIND_TITLES[d.kind][1],
                    "mine": d.drafted_by == subject.staff_no} for d in drafts],
        "tickets": tickets_for(subject),
        "may_approve_texts": may(subject, Action.DOCUMENT_APPROVE),
    }  # fmt: skip
    return render(request, "console/desk.html", context)


@login_required
@require_POST
def decide_change(request: HttpRequest, change_id: UUID) -> HttpResponse:
    """Approve, refuse, countersign or withdraw a change."""
    subject = subject_or_login(request)
    match request.POST.get("decision", ""):
        case "approve":
            return slip_or_back(request, access.approve_change(change_id, officer=subject))
        case "refuse":
            done = access.refuse_change(change_id, officer=subject, reason=_reason(request))
        case "countersign":
            done = access.countersign_change(change_id, officer=subject)
        case "withdraw":
            done = access.withdraw_change(change_id, officer=subject)
        case _:
            raise FormInputError("decision: choose one of the buttons of the page")
    return slip_or_back(request, done)


@login_required
@require_POST
def decide_grant(request: HttpRequest, grant_id: UUID) -> HttpResponse:
    """Approve, refuse, withdraw or revoke a role."""
    subject = subject_or_login(request)
    match request.POST.get("decision", ""):
        case "approve":
            access.approve_grant(grant_id, officer=subject)
        case "refuse":
            access.refuse_grant(grant_id, officer=subject, reason=_reason(request))
        case "withdraw":
            access.withdraw_grant(grant_id, applicant=subject)
        case "revoke":
            access.revoke_grant(grant_id, officer=subject, reason=_reason(request))
        case _:
            raise FormInputError("decision: choose one of the buttons of the page")
    return _done(request, subject)


@login_required
@require_POST
def decide_ticket(request: HttpRequest, ticket_id: UUID) -> HttpResponse:
    """Approve or refuse a ticket."""
    subject = subject_or_login(request)
    match request.POST.get("decision", ""):
        case "approve":
            approvals.approve(ticket_id, checker=subject)
        case "refuse":
            approvals.refuse(ticket_id, checker=subject, reason=_reason(request))
        case _:
            raise FormInputError("decision: choose one of the buttons of the page")
    return _done(request, subject)


def tickets_for(subject: Subject) -> list[dict[str, object]]:
    """Return the tickets that this person may decide, with the words of what they ask for."""
    return [
        {"ticket": ticket, "title_zh": zh, "title_en": en}
        for ticket in approvals.waiting_for(subject)
        if _may_decide(subject, ticket)
        for zh, en in (words_of(ACTIONS, ticket.action),)
    ]


def _may_decide(subject: Subject, ticket: Ticket) -> bool:
    target = Resource(kind="ticket", ref=str(ticket.ticket_id), maker=ticket.maker)
    return may(subject, Action.APPROVAL_DECIDE, target, {"requested": ticket.action})


def _reason(request: HttpRequest) -> str:
    reason = request.POST.get("reason", "").strip()
    if not reason:
        raise FormInputError("reason: say why")
    return reason


def _done(request: HttpRequest, subject: Subject) -> HttpResponse:
    messages.success(request, say("已办理并记入审计", "Done and on record"))
    return redirect("desk") if may(subject, Action.STAFF_DECIDE) else redirect("own")
