"""The audit explorer: find entries, resolve a watermark, see the proof."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import urlencode
from django.views.decorators.http import require_GET

from kuimen.entrypoints.console.language import say
from kuimen.entrypoints.console.overview import subject_or_login
from kuimen.entrypoints.console.templatetags.kuimen_text import shanghai
from kuimen.entrypoints.console.words import (
    ACTIONS,
    OBJECTS,
    OUTCOMES,
    PURPOSES,
    Words,
    fact_value,
    fact_words,
    words_of,
)
from kuimen.foundation.errors import InvalidInputError, NotFoundError
from kuimen.gate.access import services as access
from kuimen.gate.access.rules import Action, Resource
from kuimen.gate.audit import services
from kuimen.gate.audit.services import EntryFilter, EntryView, Outcome
from kuimen.kernels.merkle import InclusionBrokenError, verify_inclusion

PAGE = 50
SHORT_VIEW = re.compile(r"[0-9a-f]{8}[0-9a-f-]{0,28}\Z", re.IGNORECASE)
SHOWN_VALUES = 6  # a page view names up to a hundred customers; the rest unfolds
# what a page shows of an entry, in this order; the rest are facts
FIELDS: Sequence[tuple[str, str, str]] = (
    ("条目编号", "Entry", "entry_id"),
    ("时间", "Time", "occurred_at"),
    ("人员", "Who", "actor_label"),
    ("工号", "Staff number", "actor"),
    ("动作", "Action", "action"),
    ("结果", "Outcome", "outcome"),
    ("目的", "Purpose", "purpose"),
    ("对象类型", "Object type", "object_type"),
    ("对象", "Object", "object_ref"),
    ("视图编号", "View", "view_id"),
)


TRANSLATED: Mapping[str, Mapping[str, Words]] = {
    "action": ACTIONS,
    "outcome": OUTCOMES,
    "purpose": PURPOSES,
    "object_type": OBJECTS,
}


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
    note: str
    signature: str
    key_id: str


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
        "entries": [_line(entry) for entry in page.entries],
        "next_before": page.next_before,
        "chosen": chosen,
        "query": urlencode({name: value for name, value in chosen.items() if value}),
        "outcomes": [{"code": code, "title_zh": zh, "title_en": en} for code, (zh, en) in OUTCOMES.items()],
        "actions": [{"code": code, "title_zh": zh, "title_en": en} for code, (zh, en) in ACTIONS.items()],
        "checkpoint": services.latest_checkpoint(),
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
        pass
    found = services.views_beginning(text) if SHORT_VIEW.match(text) else []
    if len(found) == 1:
        return found[0]
    advice = "several views begin like this; type more of it" if found else "type the view id as the watermark shows it"
    raise ViewIdShapeError(f"view: {advice}, at least its first 8 characters")


def _line(entry: EntryView) -> dict[str, object]:
    """Describe an entry for the list."""
    return {
        "entry": entry,
        "action": say(*words_of(ACTIONS, entry.action)),
        "purpose": say(*words_of(PURPOSES, entry.purpose)) if entry.purpose else "—",
        "outcome": say(*words_of(OUTCOMES, entry.outcome)),
        "object": say(*words_of(OBJECTS, entry.object_type)) if entry.object_type else "—",
    }


def _content(entry: EntryView) -> list[dict[str, object]]:
    plain = [
        {
            "title": say(zh, en),
            "value": _shown(name, value),
            "code": value if name in TRANSLATED else "",
            "given": name == "actor_label",
        }
        for zh, en, name in FIELDS
        if (value := getattr(entry, name)) not in {None, ""}
    ]
    return [*plain, *(_fact(name, value) for name, value in entry.facts.items())]


def _fact(name: str, value: object) -> dict[str, object]:
    told = fact_value(name, value)
    joint = say("，", ", ")
    return {
        "title": say(*fact_words(name)),
        "value": joint.join(told[:SHOWN_VALUES]),
        "rest": joint.join(told[SHOWN_VALUES:]),
        "more": max(0, len(told) - SHOWN_VALUES),
    }


def _shown(name: str, value: object) -> str:
    if isinstance(value, datetime):
        return shanghai(value)
    table = TRANSLATED.get(name)
    return say(*words_of(table, str(value))) if table else str(value)


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
        note=proof.note.decode(),
        signature=proof.signature.hex(),
        key_id=proof.key_id,
    )
