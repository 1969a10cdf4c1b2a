"""The page that finds cases by a number or a part of one; the number is in no address and does not come back."""

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from kuimen.entrypoints.console.cases import CURRENCY_WORDS
from kuimen.entrypoints.console.forms import FormInputError
from kuimen.entrypoints.console.overview import subject_or_login
from kuimen.foundation.sensitive import Sensitive
from kuimen.gate.access import services as access
from kuimen.gate.access.rules import Action, Resource, Subject
from kuimen.gate.disclosure.services import REASON_TITLES, ReasonCode
from kuimen.gate.vault.part_rules import PART_TITLES, IndexName
from kuimen.kernels.elements.table import ELEMENT_TABLE
from kuimen.scenarios.collections import services


@login_required
@require_http_methods(["GET", "POST"])
def search(request: HttpRequest) -> HttpResponse:
    """Offer what this person may search by; on POST find the cases and show them masked."""
    subject = subject_or_login(request)
    offered = services.offered_searches(subject)
    if not offered:  # says so as the API does, and records the refusal
        access.require(subject, Action.SEARCH, Resource(kind="page", ref="search"))
    context: dict[str, object] = {
        "offered": [_titled(name) for name in offered],
        "reasons": [{"code": code.value, "title_zh": zh, "title_en": en} for code, (zh, en) in REASON_TITLES.items()],
        "currency": settings.KUIMEN_CURRENCY,
        "currency_zh": CURRENCY_WORDS[settings.KUIMEN_CURRENCY],
    }
    if request.method == "POST":
        context |= _found(request, subject, offered)
    return render(request, "console/case_search.html", context)


def _found(request: HttpRequest, subject: Subject, offered: list[IndexName]) -> dict[str, object]:
    name = next((one for one in offered if one.text == request.POST.get("by", "")), None)
    if name is None:
        raise FormInputError("by: choose one of the searches offered on the page")
    reason_code = request.POST.get("reason_code", "")
    if reason_code not in set(ReasonCode):
        raise FormInputError("reason_code: choose one of the reasons offered on the page")
    said = Sensitive(request.POST.get("text", "").strip(), element=name.element.value)
    found = services.search_cases(
        subject, element=name.element, part=name.part, said=said, reason_code=ReasonCode(reason_code)
    )
    return {
        "searched": True,
        "rows": [{"case": case, **found.masked[case.case_id]} for case in found.cases],
        "result": found.result,
        "watermark": found.result.watermark,
        "chosen": name.text,
        "chosen_reason": reason_code,
    }


def _titled(name: IndexName) -> dict[str, str]:
    element, part = ELEMENT_TABLE[name.element], PART_TITLES[name.part]
    return {
        "code": name.text,
        "title_zh": f"{element.title_zh} · {part[0]}",
        "title_en": f"{element.title_en}: {part[1].lower()}",
    }
