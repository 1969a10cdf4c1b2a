"""The audit explorer: find entries, resolve a watermark, see the proof."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import urlencode
from django.views.decorators.http import require_GET

from kuimen.entrypoints.console.overview import subject_or_login
from kuimen.foundation.errors import InvalidInputError, NotFoundError
from kuimen.gate.access import services as access
from kuimen.gate.access.rules import Action, Resource
from kuimen.gate.audit import services
from kuimen.gate.audit.services import EntryFilter, EntryView, Outcome
from kuimen.kernels.merkle import InclusionBrokenError, verify_inclusion

PAGE = 50
OUTCOMES = {
    Outcome.DONE: ("已完成", "Done"),
    Outcome.REFUSED: ("已拒绝", "Refused"),
    Outcome.FAILED: ("失败", "Failed"),
}
FIELDS = (
    ("条目编号 entry", "entry_id"),
    ("时间 time", "occurred_at"),
    ("人员 who", "actor_label"),
    ("工号 staff number", "actor"),
    ("动作 action", "action"),
    ("结果 outcome", "outcome"),
    ("目的 purpose", "purpose"),
    ("对象类型 object type", "object_type"),
    ("对象 object", "object_ref"),
    ("视图编号 view", "view_id"),
)


class ViewIdShapeError(InvalidInputError):
    """The view id of a watermark was not typed completely."""

    code = "console.view_id"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofText:
    """An inclusion proof for people, checked just now."""

    verified: bool
    leaf: str
    size: int
    path: Sequence[str]
    root: str


@login_required
@require_GET
def explorer(request: HttpRequest) -> HttpResponse:
    """List entries, newest first; a view id from a watermark leads to what was recorded for that page."""
    access.require(subject_or_login(request), Action.AUDIT_READ, Resource(kind="audit"))
    chosen = {name: request.GET.get(name, "").strip() for name in ("actor", "action", "outcome", "view")}
    wanted = EntryFilter(
        actor=chosen["actor"],
        action=chosen["action"],
        outcome=Outcome(chosen["outcome"]) if chosen["outcome"] in set(Outcome) else None,
        view_id=_view_id(chosen["view"]),
    )
    before = request.GET.get("before", "")
    page = services.entries(wanted, before=int(before) if before.isdecimal() else None, limit=PAGE)
    context = {
        "entries": page.entries,
        "next_before": page.next_before,
        "chosen": chosen,
        "query": urlencode({name: value for name, value in chosen.items() if value}),
        "outcomes": [{"code": o.value, "title_zh": zh, "title_en": en} for o, (zh, en) in OUTCOMES.items()],
    }
    return render(request, "console/audit.html", context)


@login_required
@require_GET
def entry_page(request: HttpRequest, entry_id: UUID) -> HttpResponse:
    """Show one entry with its inclusion proof."""
    access.require(subject_or_login(request), Action.AUDIT_READ, Resource(kind="audit"))
    entry = services.entry(entry_id)
    context = {"entry": entry, "content": _content(entry), "proof": _proof(entry_id)}
    return render(request, "console/audit_entry.html", context)


def _view_id(text: str) -> UUID | None:
    if not text:
        return None
    try:
        return UUID(text)
    except ValueError:
        raise ViewIdShapeError("view: type all 36 characters of the view id as the watermark shows it") from None


def _content(entry: EntryView) -> list[tuple[str, object]]:
    plain = [(title, value) for title, name in FIELDS if (value := getattr(entry, name)) not in {None, ""}]
    return [*plain, *((f"事实 {name}", value) for name, value in entry.facts.items())]


def _proof(entry_id: UUID) -> ProofText | None:
    try:
        proof = services.inclusion(entry_id)
    except NotFoundError:
        return None
    try:
        verify_inclusion(proof.leaf, index=proof.seq, size=proof.size, proof=proof.path, root=proof.root)
        verified = True
    except InclusionBrokenError:
        verified = False
    return ProofText(
        verified=verified,
        leaf=proof.leaf.hex(),
        size=proof.size,
        path=[step.hex() for step in proof.path],
        root=proof.root.hex(),
    )
