"""The collector's pages: list and case, masked by default, challenge and reveal in place."""

from uuid import UUID, uuid4

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_POST

from kuimen.entrypoints.console.context import may
from kuimen.entrypoints.console.dispatch import after_step, dispatching, hold_reasons
from kuimen.entrypoints.console.forms import FormInputError
from kuimen.entrypoints.console.language import say
from kuimen.entrypoints.console.overview import subject_or_login
from kuimen.entrypoints.console.problems import is_fragment
from kuimen.foundation import clock
from kuimen.foundation.sensitive import Sensitive
from kuimen.gate.access.rules import Action, Resource, Subject
from kuimen.gate.disclosure.rules import may_be_shown
from kuimen.gate.disclosure.services import REASON_TITLES, ReasonCode
from kuimen.kernels.elements.model import Element
from kuimen.kernels.elements.table import ELEMENT_TABLE
from kuimen.ledger.loans.rules import STATUS_TABLE, LoanStatus
from kuimen.scenarios.collections import services
from kuimen.scenarios.collections.rules import (
    CHALLENGE_ELEMENTS,
    EVENT_TITLES,
    EVENTS_WITH_DETAILS,
    PURPOSE,
    STATE_TITLES,
    CaseEvent,
    CaseState,
)
from kuimen.scenarios.collections.services import CaseView

Titled = dict[str, object]
CURRENCY_WORDS = {"CNY": "元", "USD": "美元", "HKD": "港元", "EUR": "欧元"}


@login_required
@require_GET
def case_list(request: HttpRequest) -> HttpResponse:
    """Show the cases this person may know of, 50 a page."""
    subject = subject_or_login(request)
    state, bucket = request.GET.get("state", ""), request.GET.get("bucket", "")
    number = request.GET.get("page", "1")
    found = services.list_cases(
        subject,
        page=int(number) if number.isdecimal() else 1,
        state=CaseState(state) if state in set(CaseState) else None,
        bucket=LoanStatus(bucket) if bucket in set(LoanStatus) else None,
    )
    rows = [{"case": case, **found.masked.get(case.case_id, {})} for case in found.cases]
    context = {
        "rows": rows, "watermark": found.watermark, "page": found.page, "pages": found.pages, "total": found.total,
        "buckets": [
            {"code": code, "title_zh": STATUS_TABLE[LoanStatus(code)].title_zh,
             "title_en": STATUS_TABLE[LoanStatus(code)].title_en, "count": count}
            for code, count in sorted(found.buckets.items())
        ],
        "states": [_titled(s.value, STATE_TITLES[s]) for s in CaseState],
        "chosen_bucket": bucket, "chosen_state": state,
        "waiting": len(services.waiting_cases(subject)) if may(subject, Action.CASE_ASSIGN) else 0,
        "dispatching": dispatching(subject),
        "may_search": bool(services.offered_searches(subject)),
        "currency": settings.KUIMEN_CURRENCY, "currency_zh": CURRENCY_WORDS[settings.KUIMEN_CURRENCY],
    }  # fmt: skip
    return render(request, "console/cases.html", context)


@login_required
@require_GET
def case_page(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Show one case."""
    subject = subject_or_login(request)
    return render(request, "console/case.html", _context(request, subject, services.open_case(subject, case_id)))


@login_required
@require_POST
def take_step(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Do one step that needs no more than its name."""
    event = request.POST.get("event", "")
    if event not in set(CaseEvent):
        raise FormInputError("event: choose one of the steps offered on the page")
    subject = subject_or_login(request)
    return after_step(request, subject, services.apply_event(subject, case_id, CaseEvent(event)))


@login_required
@require_POST
def challenge(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Check what the customer said."""
    subject = subject_or_login(request)
    element = _element(request)
    answer = Sensitive(request.POST.get("answer", "").strip(), element=element.value)
    result = services.challenge(subject, case_id, element=element, answer=answer)
    if is_fragment(request):
        return render(request, "console/challenge_result.html", {"challenge_result": result})
    context = _context(request, subject, services.open_case(subject, case_id))
    return render(request, "console/case.html", {**context, "challenge_result": result})


@login_required
@require_POST
def reveal(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Show one field in clear for its time; the key of the form makes a second click harmless."""
    subject = subject_or_login(request)
    element = _element(request)
    reason_code = request.POST.get("reason_code", "")
    if reason_code not in set(ReasonCode):
        raise FormInputError("reason_code: choose one of the reasons offered on the page")
    shown = services.reveal(
        subject,
        case_id,
        element=element,
        reason_code=ReasonCode(reason_code),
        reason=request.POST.get("reason", "").strip(),
        idempotency_key=request.POST.get("idempotency_key", ""),
    )
    context: dict[str, object] = {
        "revealed": shown,
        "revealed_text": shown.value.reveal_for("page of a recorded reveal"),
        "revealed_title": _titled(element.value, (ELEMENT_TABLE[element].title_zh, ELEMENT_TABLE[element].title_en)),
        "seconds_left": max(0, int((shown.expires_at - clock.now()).total_seconds())),
        "idempotency_key": uuid4().hex,  # the next request is another one
    }
    if is_fragment(request):
        return render(request, "console/reveal_result.html", context)
    page = _context(request, subject, services.open_case(subject, case_id))
    return render(request, "console/case.html", {**page, **context})


def _element(request: HttpRequest) -> Element:
    element = request.POST.get("element", "")
    if element not in set(Element):
        raise FormInputError("element: choose one of the elements offered on the page")
    return Element(element)


def _titled(code: str, titles: tuple[str, str]) -> Titled:
    return {"code": code, "title_zh": titles[0], "title_en": titles[1]}


def _context(request: HttpRequest, subject: Subject, view: CaseView) -> dict[str, object]:
    case = view.case
    row = Resource(kind="case", ref=str(case.case_id), agency_id=case.agency, assignee=case.assignee)
    works = may(subject, Action.CASE_WORK, row, {"purpose": PURPOSE})
    return {
        "case": case,
        "watermark": view.watermark,
        "history": view.history,
        "fields": [
            {"element": element.value, "masked": masked, "category": ELEMENT_TABLE[element].category.value,
             "revealable": may_be_shown(element), **_element_titles(element)}
            for element, masked in view.masked.items()
        ],
        "facts": _facts(view),
        "events": [_titled(e.value, EVENT_TITLES[e]) for e in view.events if e not in EVENTS_WITH_DETAILS],
        "may_assign": CaseEvent.ASSIGN in view.events,
        "may_hold": CaseEvent.HOLD in view.events,
        "hold_reasons": hold_reasons(),
        "dispatching": dispatching(subject) if CaseEvent.ASSIGN in view.events else None,
        "may_reveal": works and may(subject, Action.REVEAL, row, {"purpose": PURPOSE, "reason": "asked"}),
        "may_challenge": works and may(subject, Action.CHALLENGE, row, {"purpose": PURPOSE}),
        "challengeable": [_titled(e.value, _titles(e)) for e in CHALLENGE_ELEMENTS if e in view.masked],
        "reasons": [_titled(code.value, titles) for code, titles in REASON_TITLES.items()],
        "reveal_element": request.GET.get("reveal", ""),
        "idempotency_key": uuid4().hex,
    }  # fmt: skip


def _titles(element: Element) -> tuple[str, str]:
    return ELEMENT_TABLE[element].title_zh, ELEMENT_TABLE[element].title_en


def _element_titles(element: Element) -> dict[str, str]:
    chinese, english = _titles(element)
    return {"title_zh": chinese, "title_en": english}


def _facts(view: CaseView) -> list[Titled]:
    case, facts = view.case, view.facts
    unit = settings.KUIMEN_CURRENCY
    zh_unit = CURRENCY_WORDS[unit]
    return [
        {"title_zh": zh, "title_en": en, "value": value}
        for zh, en, value in (
            ("逾期段", "Bucket", say(case.bucket_zh, case.bucket_en)),
            (f"借款本金（{zh_unit}）", f"Principal ({unit})", f"{facts.principal:,.2f}"),
            (f"余额（{zh_unit}）", f"Balance ({unit})", f"{facts.balance:,.2f}"),
            (f"每期应还（{zh_unit}）", f"Instalment ({unit})", f"{facts.instalment:,.2f}"),
            ("期数", "Term in months", facts.term_months),
            ("年利率", "Annual rate", f"{facts.annual_rate:.2f}%"),
            ("放款月份", "Issued", facts.issued_on[:7]),
            (f"已还本金（{zh_unit}）", f"Principal repaid ({unit})", f"{facts.paid_principal:,.2f}"),
            (f"已核销（{zh_unit}）", f"Written off ({unit})", f"{facts.written_off:,.2f}"),
            ("经办", "Assignee", case.assignee or "—"),
            ("委案机构", "Agency", case.agency or say("本机构", "in-house") if case.assignee else "—"),
            ("委案至", "Assigned until", case.until.isoformat() if case.until else "—"),
        )
    ]
