"""The collector's pages: list and case, masked by default, challenge and reveal in place."""

from uuid import UUID, uuid4

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from kuimen.entrypoints.console.context import may
from kuimen.entrypoints.console.overview import subject_or_login
from kuimen.foundation.errors import InvalidInputError
from kuimen.foundation.sensitive import Sensitive
from kuimen.gate.access.rules import Action, Subject
from kuimen.gate.disclosure.services import REASON_TITLES, ReasonCode
from kuimen.kernels.elements.model import Element
from kuimen.kernels.elements.table import ELEMENT_TABLE
from kuimen.ledger.loans.rules import STATUS_TABLE, LoanStatus
from kuimen.scenarios.collections import services
from kuimen.scenarios.collections.rules import (
    CHALLENGE_ELEMENTS,
    EVENT_TITLES,
    EVENTS_WITH_DETAILS,
    STATE_TITLES,
    CaseEvent,
    CaseState,
)
from kuimen.scenarios.collections.services import CaseView

Titled = dict[str, object]


class FormInputError(InvalidInputError):
    """A field of the page's form does not fit."""

    code = "console.form"


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
    services.apply_event(subject_or_login(request), case_id, CaseEvent(event))
    return redirect("case", case_id=case_id)


@login_required
@require_POST
def challenge(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Check what the customer said."""
    subject = subject_or_login(request)
    element = _element(request)
    answer = Sensitive(request.POST.get("answer", "").strip(), element=element.value)
    result = services.challenge(subject, case_id, element=element, answer=answer)
    if getattr(request, "htmx", False):
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
    }
    if getattr(request, "htmx", False):
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
    facts = view.facts
    return {
        "case": view.case,
        "watermark": view.watermark,
        "history": view.history,
        "fields": [
            {"element": element, "masked": masked, "category": ELEMENT_TABLE[Element(element)].category.value,
             "title_zh": ELEMENT_TABLE[Element(element)].title_zh, "title_en": ELEMENT_TABLE[Element(element)].title_en}
            for element, masked in view.masked.items()
        ],
        "facts": [
            {"title_zh": zh, "title_en": en, "value": value}
            for zh, en, value in (
                ("逾期段", "Bucket", f"{view.case.bucket_zh} {view.case.bucket_en}"),
                ("借款本金", "Principal", f"{facts.principal:,.2f}"),
                ("余额", "Balance", f"{facts.balance:,.2f}"),
                ("每期应还", "Instalment", f"{facts.instalment:,.2f}"),
                ("已核销", "Written off", f"{facts.written_off:,.2f}"),
                ("经办", "Assignee", view.case.assignee or "—"),
                ("委案至", "Assigned until", view.case.until or "—"),
            )
        ],
        "events": [_titled(e.value, EVENT_TITLES[e]) for e in view.events if e not in EVENTS_WITH_DETAILS],
        "may_reveal": may(subject, Action.CASE_WORK),
        "challengeable": [
            _titled(element.value, (ELEMENT_TABLE[element].title_zh, ELEMENT_TABLE[element].title_en))
            for element in CHALLENGE_ELEMENTS
        ],
        "reasons": [_titled(code.value, titles) for code, titles in REASON_TITLES.items()],
        "reveal_element": request.GET.get("reveal", ""),
        "idempotency_key": uuid4().hex,
    }  # fmt: skip
