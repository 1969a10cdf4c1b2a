"""The asset directory for people: where personal data is, what changed, what was not read, what stewards said."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import urlencode
from django.views.decorators.http import require_GET, require_POST

from kuimen.entrypoints.console.context import may
from kuimen.entrypoints.console.forms import FormInputError
from kuimen.entrypoints.console.language import say
from kuimen.entrypoints.console.overview import subject_or_login
from kuimen.entrypoints.console.words import ASSET_STATES, Words
from kuimen.gate.access import services as access
from kuimen.gate.access.rules import Action, Resource
from kuimen.governance.inventory import services
from kuimen.governance.inventory.correction_rules import CorrectionState, Scope
from kuimen.governance.inventory.drift_rules import DriftKind
from kuimen.governance.inventory.reading import AssetFilter, Only, find_assets
from kuimen.governance.inventory.rules import AssetState
from kuimen.kernels.elements import ELEMENT_TABLE, Category, Element

PAGE = 50
NOTHING = "none"
ONLY: Final[Mapping[Only, Words]] = MappingProxyType(
    {
        Only.PERSONAL: ("含个人信息", "Holds personal data"),
        Only.UNPROTECTED: ("应保护而为明文", "To be protected, in clear"),
        Only.DRIFTED: ("有变化", "Changed"),
        Only.REVIEW: ("证据矛盾，待复核", "Contradictory, to review"),
        Only.CORRECTED: ("已人工订正", "Corrected"),
        Only.NOT_READ: ("未读取", "Not read"),
        Only.EVERYTHING: ("全部", "Everything"),
    }
)
DRIFTS: Final[Mapping[DriftKind, Words]] = MappingProxyType(
    {
        DriftKind.APPEARED: ("新增明文列", "New column in clear"),
        DriftKind.BECAME_PERSONAL: ("变为个人信息", "Became personal"),
        DriftKind.REOPENED: ("由保护变回明文", "In clear again"),
        DriftKind.CHANGED: ("要素改变", "Another element"),
        DriftKind.VANISHED: ("列已消失", "Gone"),
    }
)
LIKELIHOODS: Final[Mapping[str, Words]] = MappingProxyType(
    {
        "very_likely": ("极可能", "Very likely"),
        "likely": ("很可能", "Likely"),
        "possible": ("可能", "Possible"),
        "unlikely": ("不太可能", "Unlikely"),
        "very_unlikely": ("极不可能", "Very unlikely"),
    }
)


@login_required
@require_GET
def directory(request: HttpRequest) -> HttpResponse:
    """List the directory, 50 entries a page, with what wants eyes above it."""
    subject = subject_or_login(request)
    access.require(subject, Action.INVENTORY_READ, Resource(kind="inventory"))
    wanted = _wanted(request)
    number = request.GET.get("page", "1")
    found = find_assets(wanted, page=int(number) if number.isdecimal() else 1, size=PAGE)
    chosen = {
        "only": wanted.only.value, "state": wanted.state, "category": wanted.category, "element": wanted.element,
        "source": str(wanted.source_id or ""), "q": wanted.text,
    }  # fmt: skip
    context = {
        "lines": found.lines, "page": found.page, "pages": found.pages, "total": found.total,
        "chosen": chosen, "query": urlencode({name: value for name, value in chosen.items() if value}),
        "narrowed": wanted != AssetFilter(),
        "summary": services.summary(), "sources": services.sources(),
        "changes": [
            {"change": one, "alarm": one.kind in _ALARMS, **_titled(one.kind.value, DRIFTS[one.kind]),
             "before_words": element_words(one.before), "after_words": element_words(one.after)}
            for one in services.changes()
        ],
        "proposals": [
            {"one": one, "found_words": element_words(one.found_element), "word": element_words(one.element),
             "own": one.proposed_by == subject.staff_no}
            for one in services.corrections(state=CorrectionState.PROPOSED)
        ],
        "only_choices": [_titled(code.value, words) for code, words in ONLY.items()],
        "states": [_titled(code, words) for code, words in ASSET_STATES.items()],
        "categories": [category.value for category in (Category.C3, Category.C2, Category.C1)],
        "elements": [_titled(one.value, (rule.title_zh, rule.title_en)) for one, rule in ELEMENT_TABLE.items()],
        "likelihoods": {code: say(*words) for code, words in LIKELIHOODS.items()},
        "may_correct": may(subject, Action.INVENTORY_CORRECT), "may_decide": may(subject, Action.INVENTORY_DECIDE),
        "may_schedule": may(subject, Action.INVENTORY_SCAN),
    }  # fmt: skip
    return render(request, "console/assets.html", context)


_ALARMS = frozenset({DriftKind.APPEARED, DriftKind.BECAME_PERSONAL, DriftKind.REOPENED})


def element_words(element: str) -> str:
    """Return an element in the reader's language; nothing personal has words too."""
    if not element:
        return say("非个人信息", "nothing personal")
    rule = ELEMENT_TABLE[Element(element)]
    return say(rule.title_zh, rule.title_en)


def _wanted(request: HttpRequest) -> AssetFilter:
    chosen = {name: request.GET.get(name, "").strip() for name in ("only", "state", "category", "element", "source")}
    return AssetFilter(
        only=Only(chosen["only"]) if chosen["only"] in set(Only) else Only.PERSONAL,
        state=chosen["state"] if chosen["state"] in set(AssetState) else "",
        category=chosen["category"] if chosen["category"] in set(Category) else "",
        element=chosen["element"] if chosen["element"] in set(Element) else "",
        source_id=_uuid(chosen["source"]),
        text=request.GET.get("q", "").replace("\x00", "").strip()[:128],
    )


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def _titled(code: str, titles: Words) -> dict[str, str]:
    return {"code": code, "title_zh": titles[0], "title_en": titles[1]}


@login_required
@require_POST
def correct(request: HttpRequest) -> HttpResponse:
    """Say what one column holds."""
    subject = subject_or_login(request)
    asset, element, scope = (request.POST.get(name, "") for name in ("asset", "element", "scope"))
    if not asset.isdecimal() or scope not in set(Scope):
        raise FormInputError("asset, scope: choose what the page offers")
    if element != NOTHING and element not in set(Element):
        raise FormInputError("element: choose one of the elements offered on the page")
    made = services.correct(
        int(asset),
        steward=subject,
        element="" if element == NOTHING else element,
        reason=request.POST.get("reason", ""),
        scope=Scope(scope),
    )
    if made.state is CorrectionState.IN_FORCE:
        done = say("订正已生效，并保留到以后的扫描", "In force, and kept over later scans")
    else:
        done = say("订正会降低保护，等待他人批准", "It lowers protection and waits for another person")
    messages.success(request, f"{made.place} · {done}")
    return _back(request)


@login_required
@require_POST
def decide(request: HttpRequest, correction_id: UUID) -> HttpResponse:
    """Approve, refuse or withdraw a proposal."""
    subject = subject_or_login(request)
    verdict = request.POST.get("verdict", "")
    if verdict == "approve":
        made = services.approve_correction(correction_id, checker=subject)
    elif verdict == "refuse":
        made = services.refuse_correction(correction_id, checker=subject, reason=request.POST.get("reason", ""))
    elif verdict == "withdraw":
        made = services.withdraw_correction(correction_id, steward=subject)
    else:
        raise FormInputError("verdict: choose approve, refuse or withdraw")
    said = {
        CorrectionState.IN_FORCE: say("已批准，订正生效", "approved and in force"),
        CorrectionState.REFUSED: say("已驳回", "refused"),
        CorrectionState.WITHDRAWN: say("已撤回", "withdrawn"),
    }
    messages.success(request, f"{made.place} · {said[made.state]}")
    return _back(request)


@login_required
@require_POST
def note(request: HttpRequest, drift_id: UUID) -> HttpResponse:
    """Take note of a change."""
    view = services.note_change(drift_id, steward=subject_or_login(request), note=request.POST.get("note", ""))
    messages.success(request, f"{view.place} · {say('变化已确认并记录', 'change noted and on record')}")
    return _back(request)


@login_required
@require_POST
def schedule(request: HttpRequest, source_id: UUID) -> HttpResponse:
    """Set how often a source is scanned."""
    hours = request.POST.get("hours", "")
    if not hours.isdecimal() or len(hours) > 4:  # noqa: PLR2004 - at most 744
        raise FormInputError("hours: a number between 1 and 744")
    view = services.set_interval(source_id, hours=int(hours), officer=subject_or_login(request))
    messages.success(request, f"{view.label} · {say('扫描间隔已设定', 'interval set')}")
    return _back(request)


def _back(request: HttpRequest) -> HttpResponse:
    query = request.POST.get("query", "")
    answer = redirect("assets")
    if query and query.isprintable() and len(query) < 1000:  # noqa: PLR2004 - what the page itself wrote
        answer["Location"] += f"?{query}"
    return answer
