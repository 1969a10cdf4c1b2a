"""Rules, plans and customer texts of the institution, and the consent acts of one customer."""

from datetime import datetime
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
from kuimen.entrypoints.console.words import PURPOSES
from kuimen.foundation import clock
from kuimen.gate.access import services as access
from kuimen.gate.access.rules import Action, Purpose, Resource
from kuimen.gate.access.services import reading as people
from kuimen.gate.consent import reading as consents
from kuimen.gate.consent import services as consent
from kuimen.gate.consent.rules import ActKind, ActState, CustomerAct
from kuimen.governance.documents import services
from kuimen.governance.documents.rules import (
    EVENT_SCENARIOS,
    KIND_TITLES,
    LONGEST_REVIEW,
    POLICY_DOMAINS,
    STATE_TITLES,
    TOPIC_TITLES,
    TextKind,
    TextState,
    Topic,
)
from kuimen.governance.documents.services import Draft, TextView

KIND_WORDS = {ActKind.CLICK: ("点击同意", "Clicked"), ActKind.TICK: ("主动勾选", "Ticked")}
STATE_WORDS = {
    ActState.GIVEN: ("有效", "Given"),
    ActState.EXPIRED: ("已到期", "Expired"),
    ActState.WITHDRAWN: ("已撤回", "Withdrawn"),
}


@login_required
@require_GET
def register(request: HttpRequest) -> HttpResponse:
    """Show every document and what no document covers."""
    subject = subject_or_login(request)
    rows = services.texts_seen_by(subject)
    in_force = [row for row in rows if row.state is TextState.IN_FORCE and not row.overdue]
    covered = {topic for row in in_force for topic in row.topics}
    context = {
        "rows": [_row(row) for row in rows],
        "coverage": [
            {**_pair(TOPIC_TITLES[topic]), "covered": topic in covered, "plan": topic in EVENT_SCENARIOS}
            for topic in (*POLICY_DOMAINS, Topic.CLASSIFICATION, Topic.LOGS, Topic.CONTINUITY, *EVENT_SCENARIOS)
        ],
        "may_draft": may(subject, Action.DOCUMENT_DRAFT),
        "may_consents": may(subject, Action.CONSENT_READ),
    }
    return render(request, "console/texts.html", context)


@login_required
@require_GET
def draft_page(request: HttpRequest) -> HttpResponse:
    """Show the form for a new document, or for the next version of one."""
    subject = subject_or_login(request)
    access.require(subject, Action.DOCUMENT_DRAFT, Resource(kind="text"))
    former = request.GET.get("from", "")
    today = clock.today()
    context = {
        "former": services.text_seen_by(subject, _uuid(former)) if former else None,
        "kinds": [{"code": kind.value, **_pair(titles)} for kind, titles in KIND_TITLES.items()],
        "topics": [{"code": topic.value, **_pair(titles)} for topic, titles in TOPIC_TITLES.items()],
        "posts": people.posts(),
        "today": today,
        "latest": today + LONGEST_REVIEW,
    }
    return render(request, "console/text_draft.html", context)


@login_required
@require_POST
def draft(request: HttpRequest) -> HttpResponse:
    """Put a version forward."""
    kind, topics = request.POST.get("kind", ""), request.POST.getlist("topics")
    if kind not in set(TextKind) or not set(topics) <= set(Topic):
        raise FormInputError("kind, topics: choose among those offered on the page")
    given = Draft(
        kind=TextKind(kind),
        code=request.POST.get("code", "").strip(),
        title=request.POST.get("title", ""),
        body=request.POST.get("body", "").replace("\r\n", "\n"),
        topics=[Topic(topic) for topic in topics],
        owner_post=request.POST.get("owner_post", ""),
        review_by=day_of(request, "review_by"),
    )
    text_id = services.draft_text(given, author=subject_or_login(request))
    messages.success(request, say("已提交，待另一名主管批准", "Put forward; another officer decides"))
    return redirect("document", text_id=text_id)


@login_required
@require_GET
def one(request: HttpRequest, text_id: UUID) -> HttpResponse:
    """Show one version with its words and what may be done."""
    subject = subject_or_login(request)
    view = services.text_seen_by(subject, text_id)
    mine = view.drafted_by == subject.staff_no
    context = {
        **_row(view),
        "text": view,
        "mine": mine,
        "may_decide": may(subject, Action.DOCUMENT_APPROVE) and not mine,
        "may_draft": may(subject, Action.DOCUMENT_DRAFT),
        "drafted": view.state is TextState.DRAFTED,
        "in_force": view.state is TextState.IN_FORCE,
    }
    return render(request, "console/text.html", context)


@login_required
@require_POST
def decide(request: HttpRequest, text_id: UUID) -> HttpResponse:
    """Approve, refuse, repeal, withdraw or acknowledge a version."""
    subject = subject_or_login(request)
    reason = request.POST.get("reason", "").strip()
    match request.POST.get("decision", ""):
        case "approve":
            services.approve_text(text_id, officer=subject)
        case "refuse":
            services.refuse_text(text_id, officer=subject, reason=reason)
        case "repeal":
            services.repeal_text(text_id, officer=subject, reason=reason)
        case "withdraw":
            services.withdraw_text(text_id, author=subject)
        case "acknowledge":
            services.acknowledge(text_id, reader=subject)
        case _:
            raise FormInputError("decision: choose one of the buttons of the page")
    messages.success(request, say("已办理并记入审计", "Done and on record"))
    return redirect("document", text_id=text_id)


@login_required
@require_GET
def consent_page(request: HttpRequest) -> HttpResponse:
    """Show the texts in force for customers, and the acts of one customer by reference."""
    subject = subject_or_login(request)
    access.require(subject, Action.CONSENT_READ, Resource(kind="consent"))
    typed = request.GET.get("customer", "").strip()
    customer = _uuid(typed) if typed else None
    acts = consents.acts_of(subject, customer) if customer else []
    now = clock.now().astimezone(clock.SHANGHAI)
    context = {
        "texts": consents.current_documents(),
        "customer": typed,
        "acts": [
            {"act": act, "state": _pair(STATE_WORDS[act.state]), "purpose": _pair(PURPOSES[act.purpose]),
             "kind": _pair(KIND_WORDS[ActKind(act.kind)]), "given": act.state is ActState.GIVEN} for act in acts
        ],
        "may_record": may(subject, Action.CONSENT_RECORD) and customer is not None,
        "purposes": [{"code": purpose.value, **_pair(PURPOSES[purpose.value])} for purpose in Purpose],
        "kinds": [{"code": kind.value, **_pair(words)} for kind, words in KIND_WORDS.items()],
        "now": now.strftime("%Y-%m-%dT%H:%M"),
    }  # fmt: skip
    return render(request, "console/consents.html", context)


@login_required
@require_POST
def record_act(request: HttpRequest) -> HttpResponse:
    """Record what a customer was shown and did, from a paper or another channel."""
    customer = _uuid(request.POST.get("customer", "").strip())
    code, _, sm3 = request.POST.get("text", "").partition(":")
    act = CustomerAct(
        document=code,
        shown_sm3=sm3,
        purpose=request.POST.get("purpose", ""),
        kind=request.POST.get("kind", ""),
        initially_selected=request.POST.get("initially_selected", "") == "yes",
        shown_at=_moment(request.POST.get("shown_at", "")),
        channel=request.POST.get("channel", "").strip(),
    )
    consent.record_act_as(subject_or_login(request), customer, act)
    messages.success(request, say("已记录同意", "Consent recorded"))
    return redirect(f"/consents/?customer={customer}")


@login_required
@require_POST
def withdraw(request: HttpRequest, act_id: UUID) -> HttpResponse:
    """Record that a customer withdrew."""
    channel = request.POST.get("channel", "").strip() or "counter"
    consent.withdraw_as(subject_or_login(request), act_id, channel=channel)
    messages.success(request, say("已记录撤回，自此刻起失去依据", "Withdrawn; the basis ends at this moment"))
    return redirect(f"/consents/?customer={_uuid(request.POST.get('customer', ''))}")


def _row(view: TextView) -> dict[str, object]:
    return {
        "text": view,
        "kind": _pair(KIND_TITLES[view.kind]),
        "state": _pair(STATE_TITLES[view.state]),
        "topics": [_pair(TOPIC_TITLES[topic]) for topic in view.topics],
    }


def _pair(titles: tuple[str, str]) -> dict[str, str]:
    return {"title_zh": titles[0], "title_en": titles[1]}


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise FormInputError("reference: enter the whole reference, 36 signs") from None


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=clock.SHANGHAI)
    except ValueError:
        raise FormInputError("shown_at: give date and time") from None
