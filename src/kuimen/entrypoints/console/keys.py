"""The page of the keys: the tree from root to data keys, what is due, jobs, backup, and what two persons do here.

Nothing on it opens anything: names, versions, states, counts and digests.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from kuimen.entrypoints.console.context import may
from kuimen.entrypoints.console.forms import FormInputError
from kuimen.entrypoints.console.key_words import (
    BACKUP,
    DUE,
    INDEX_NAMES,
    KEY_STATES,
    ORDER_STATES,
    PROVIDERS,
    ROOT_FLAWS,
    USAGES,
)
from kuimen.entrypoints.console.language import say
from kuimen.entrypoints.console.overview import Card, subject_or_login
from kuimen.entrypoints.console.words import ACTIONS, OUTCOMES, fact_value, words_of
from kuimen.entrypoints.worker.tasks import queue_order
from kuimen.gate.access.rules import Action, Subject
from kuimen.gate.approvals.rules import Ticket, TicketState
from kuimen.gate.audit.services import EntryView
from kuimen.gate.keys.deeds import JOBS, LARGEST_NUMBER, Deed, DeedKind, deed_of
from kuimen.gate.keys.rules import CRYPTO_PERIOD, MOST_USES, Due, KeyState, KeySuite, RetentionClass
from kuimen.gate.retention.rules import CLASS_TITLES
from kuimen.gate.vault.rotation import approved, overseeing
from kuimen.gate.vault.rules import INDEXED_ELEMENTS

Row = dict[str, Any]
FASTEST = 1_000_000
WORST_FIRST = (Due.OVERDUE, Due.UNKNOWN, Due.SOON, Due.WELL)


@login_required
@require_GET
def key_page(request: HttpRequest) -> HttpResponse:
    """Show everything about the keys."""
    subject = subject_or_login(request)
    seen = overseeing.see(subject)
    facts = seen.facts
    classes = [_class(kind, facts["domain_keys"]) for kind in RetentionClass]
    context = {
        "root": _root(facts["root"]),
        "cards": _cards(facts, seen.tickets, classes),
        "classes": classes,
        "any_keys": bool(facts["domain_keys"]),
        "index_keys": _index_keys(facts["index_keys"]),
        "signing_keys": [
            {**one, **_tagged(KEY_STATES, one["state"]), "usage": say(*words_of(USAGES, one["usage"]))}
            for one in facts["signing_keys"]
        ],
        "backup": [
            _dated(one, "changed_at", "confirmed_at") | _tagged(BACKUP, one["state"]) for one in facts["backup"]
        ],
        "backup_folder": str(Path(settings.KUIMEN_ROOT_KEY).parent.name),
        "events": [_event(entry) for entry in seen.events],
        "suites": [suite.value for suite in KeySuite],
        "period_days": CRYPTO_PERIOD.days,
        **_work(facts, seen.tickets, subject),
    }
    return render(request, "console/keys.html", context)


@login_required
@require_GET
def jobs(request: HttpRequest) -> HttpResponse:
    """Show applications and jobs alone, for the page to look again while one runs."""
    subject = subject_or_login(request)
    seen = overseeing.see(subject)
    return render(request, "console/key_jobs.html", _work(seen.facts, seen.tickets, subject))


@login_required
@require_POST
def apply(request: HttpRequest) -> HttpResponse:
    """Count what a deed would do, or ask another person to approve it."""
    subject, deed = subject_or_login(request), _deed(request)
    if request.POST.get("step") == "plan":
        facts = approved.plan(deed, reader=subject)
        return render(request, "console/key_plan.html", {"facts": _plan_rows(facts), **_deed_words(deed)})
    reason = request.POST.get("reason", "").strip()
    if not reason:
        raise FormInputError("reason: say why")
    approved.ask(deed, maker=subject, reason=reason)
    messages.success(request, say("已提请另一名主管批准", "Another officer is asked to approve"))
    return redirect("keys")


@login_required
@require_POST
def carry_out(request: HttpRequest, ticket_id: UUID) -> HttpResponse:
    """Carry out what was approved; a job goes to the worker."""
    subject = subject_or_login(request)
    done = approved.carry_out(
        approved.deed_of_ticket(ticket_id),
        ticket_id=ticket_id,
        actor=subject,
        rows_per_second=_number(request, "rate", FASTEST) or None,
    )
    if done.order is None:
        messages.success(request, say("已办理并记入审计", "Done and on record"))
    else:
        queue_order(done.order.order_id)
        messages.success(request, say("作业已下达，由后台执行", "The job is ordered; the worker takes it up"))
    return redirect("keys")


@login_required
@require_POST
def order_step(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """Pause a job, or have the worker go on with it."""
    subject = subject_or_login(request)
    match request.POST.get("step", ""):
        case "pause":
            approved.pause(order_id, officer=subject)
            messages.success(request, say("作业将在本批之后停下", "The job stops behind this batch"))
        case "resume":
            approved.resume(order_id, officer=subject)
            queue_order(order_id)
            messages.success(request, say("作业继续", "The job goes on"))
        case _:
            raise FormInputError("step: choose one of the buttons of the page")
    return redirect("keys")


def _deed(request: HttpRequest) -> Deed:
    form = request.POST
    kind = form.get("kind", "")
    if kind not in set(DeedKind):
        raise FormInputError("kind: choose one of the buttons of the page")
    subject = form.get("subject", "")
    if kind == DeedKind.MERGE.value:
        subject = f"{form.get('merged', '').strip().lower()}>{form.get('survivor', '').strip().lower()}"
    number = _number(request, "number", LARGEST_NUMBER)
    return Deed(kind=DeedKind(kind), subject=subject, number=number, suite=form.get("suite", ""))


def _number(request: HttpRequest, name: str, largest: int) -> int:
    """Return a whole number of the form, 0 where it was left empty."""
    text = request.POST.get(name, "").strip()
    if not text:
        return 0
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(largest)) and int(text) <= largest):
        raise FormInputError(f"{name}: a whole number from 0 to {largest}")
    return int(text)


def _cards(facts: Row, tickets: Sequence[Ticket], classes: Sequence[Row]) -> list[Card]:
    root, orders = facts["root"], [one for one in facts["orders"] if one["state"] != "finished"]
    states = [Due(one["active"]["due"]) for one in classes if one["active"]]
    worst = next((one for one in WORST_FIRST if one in states), Due.UNKNOWN)
    backup = [one["state"] for one in facts["backup"]]
    sound = all(BACKUP[one][1] == "good" for one in backup)
    locked = ("锁定：由保管人解锁", "Locked: the custodians unlock it")
    note = ("本进程已解锁", "Unlocked in this process") if root["unlocked_here"] else locked
    words, tone = DUE[worst.value] if states else (("尚无域密钥", "No domain key yet"), "open")
    return [
        Card(title_zh="根密钥", title_en="Root", icon="lock-square-rounded",
             figure=f"{root['threshold']} / {len(root['custodians'])}" if root["state"] == "sealed" else "—",
             note_zh=f"保管人共同开启 · {note[0]}", note_en=f"custodians open it · {note[1]}",
             tone="bad" if root["state"] != "sealed" else "good" if root["unlocked_here"] else "open"),
        Card(title_zh="域密钥使用期", title_en="Period of the domain keys", icon="calendar-due",
             figure=f"{states.count(Due.WELL)} / {len(states)}", note_zh=words[0], note_en=words[1], tone=tone),
        Card(title_zh="密钥文件备份", title_en="Backup of the key files", icon="copy-check",
             figure=f"{sum(BACKUP[one][1] == 'good' for one in backup)} / {len(backup)}",
             note_zh="每90天确认一次，变更后重新确认", note_en="confirmed every 90 days, and after a change",
             tone="good" if sound else "bad"),
        Card(title_zh="申请与作业", title_en="Applications and jobs", icon="checklist",
             figure=f"{len(tickets)} + {len(orders)}", note_zh="待办申请 + 未完作业",
             note_en="open applications + unfinished jobs", tone="open" if tickets or orders else ""),
    ]  # fmt: skip


def _root(root: Row) -> Row:
    flaw = "" if root["state"] == "sealed" else say(*words_of(ROOT_FLAWS, root["state"]))
    provider = say(*words_of(PROVIDERS, root.get("provider", ""))) if root.get("provider") else "—"
    return {**_dated(root, "since"), **_tagged(DUE, root["due"]), "flaw": flaw, "provider": provider}


def _class(kind: RetentionClass, domain_keys: Sequence[Row]) -> Row:
    """Return one branch of the tree: the active version, and the older ones with what still stands under them."""
    title_zh, title_en = CLASS_TITLES[kind]
    versions = [_version(one) for one in domain_keys if one["retention_class"] == kind.value]
    active = next((one for one in versions if one["state"] == KeyState.ACTIVE.value), None)
    return {
        "code": kind.value,
        "title": say(title_zh, title_en.capitalize()),
        "active": active,
        "older": [one for one in reversed(versions) if one is not active],
        "stands_under_older": sum(one["keys"] for one in versions if one is not active),
        "person_keys": sum(one["person_keys"] for one in versions),
        "table_keys": sum(one["table_keys"] for one in versions),
        "states": _sum_states(versions),
    }


def _version(one: Row) -> Row:
    due, state = _tagged(DUE, one["due"]), _tagged(KEY_STATES, one["state"])
    return {
        **_dated(one, "since", "created"),
        **state,
        "keys": one["person_keys"] + one["table_keys"],
        "version_text": str(one["version"]),
        "due_title": due["tag"],
        "due_tone": due["tone"],
        "age_percent": min(100, max(0, one["age_days"]) * 100 // CRYPTO_PERIOD.days),
        "uses_percent": f"{one['uses_leased'] * 100 / MOST_USES:.3g}",
        "is_destroyed": one["state"] == KeyState.DESTROYED.value,
        "may_go": one["state"] == KeyState.RETIRED.value and not one["person_keys"] + one["table_keys"],
    }


def _sum_states(versions: Sequence[Row]) -> list[Row]:
    counted: dict[str, int] = {}
    for one in versions:
        for states in (one["person_states"], one["table_states"]):
            for state, count in states.items():
                counted[state] = counted.get(state, 0) + count
    return [{**_tagged(KEY_STATES, state), "count": counted[state]} for state in KEY_STATES if state in counted]


def _index_keys(found: Sequence[Row]) -> list[Row]:
    highest = {one["element"]: one["generation"] for one in found}
    retired = {one["element"] for one in found if one["state"] == KeyState.RETIRED.value}
    return [
        {
            **_dated(one, "since"),
            **_tagged(KEY_STATES, one["state"]),
            "due_title": say(*DUE[one["due"]][0]),
            "due_tone": DUE[one["due"]][1],
            "title": _element(one["element"]),
            "newest": one["generation"] == highest[one["element"]],
            "may_cut_over": one["state"] == KeyState.ACTIVE.value and one["element"] in retired,
            "may_drop": one["state"] == KeyState.SUSPENDED.value,
            "known": one["element"] in INDEXED_ELEMENTS,
        }
        for one in found
    ]


def _work(facts: Row, tickets: Sequence[Ticket], subject: Subject) -> Row:
    orders = [_order(one) for one in facts["orders"]]
    return {
        "orders": orders,
        "tickets": [_ticket(one, subject) for one in tickets],
        "under_way": any(one["state"] == "open" for one in orders),
        "may_rotate": may(subject, Action.KEYS_ROTATE),
    }


def _order(one: Row) -> Row:
    total = max(one["total"], one["done"])
    report = one["report"] or {}
    deed = Deed(kind=DeedKind(one["kind"]), subject=one["subject"], suite=one["suite"])
    return {
        **_dated(one, "ordered_at", "seen_at", "state_since"),
        **_tagged(ORDER_STATES, one["state"]),
        **_deed_words(deed),
        "percent": one["done"] * 100 // total if total else 100 if one["state"] == "finished" else 0,
        "whole": total,
        "proof": report,
        "proven": bool(report) and report.get("left") == 0 and report.get("does_not_open") == 0,
        "stopped": one["stopped_by"] if one["stopped_by"] != "keys.rotation_paused" else "",
    }


def _ticket(ticket: Ticket, subject: Subject) -> Row:
    deed = deed_of(ticket.action, ticket.object_ref)
    mine = ticket.maker == subject.staff_no
    approved_now = ticket.state is TicketState.APPROVED
    return {
        "ticket": ticket,
        **_deed_words(deed),
        "mine": mine,
        "approved": approved_now,
        "is_job": deed.kind in JOBS,
        "ready": mine and approved_now,
        "final": deed.kind in {DeedKind.DESTROY_DOMAIN, DeedKind.DROP_INDEX, DeedKind.MERGE},
        "may_decide": not mine and not approved_now and may(subject, Action.APPROVAL_DECIDE),
    }


def _deed_words(deed: Deed) -> Row:
    if deed.subject in set(RetentionClass):
        about = say(*CLASS_TITLES[RetentionClass(deed.subject)])
    elif deed.kind is DeedKind.MERGE:
        merged, survivor = deed.persons()
        about = f"{str(merged)[:8]}… → {str(survivor)[:8]}…"
    else:
        about = _element(deed.subject)
    number = f" v{deed.number}" if deed.number else ""
    suite = f" · {deed.suite}" if deed.suite else ""
    return {"deed_title": say(*words_of(ACTIONS, deed.kind.value)), "about": f"{about}{number}{suite}"}


def _element(name: str) -> str:
    return say(*INDEX_NAMES[name]) if name in INDEX_NAMES else ", ".join(fact_value("element", name))


PLAN_WORDS = {
    "to_do": ("将处理", "To do"),
    "to_version": ("到版本", "To version"),
    "person_keys": ("个人密钥（按版本）", "Keys of persons by version"),
    "table_keys": ("表密钥（按版本）", "Keys of tables by version"),
    "resumed": ("接续未完作业", "Goes on with an unfinished job"),
    "records": ("记录", "Records"),
    "generations": ("索引代次", "Generations"),
    "untagged": ("未标记", "Not yet tagged"),
    "suite": ("算法", "Suite"),
    "first": ("首个版本", "First version"),
}


def _plan_rows(facts: Mapping[str, object]) -> list[Row]:
    return [
        {"title": say(*PLAN_WORDS[name]), "text": _plan_text(value)}
        for name, value in facts.items()
        if name in PLAN_WORDS
    ]


def _plan_text(value: object) -> str:
    if isinstance(value, bool):
        return say("是", "yes") if value else say("否", "no")
    if isinstance(value, Mapping):
        return " · ".join(f"{name}: {count}" for name, count in value.items()) or "0"
    return str(value)


def _event(entry: EntryView) -> Row:
    return {
        "entry": entry,
        "title": say(*words_of(ACTIONS, entry.action)),
        "outcome": say(*words_of(OUTCOMES, entry.outcome)),
    }


def _tagged(table: Mapping[str, tuple[tuple[str, str], str]], code: str) -> Row:
    words, tone = table[code]
    return {"tag": say(*words), "tone": tone}


def _dated(row: Row, *names: str) -> Row:
    """Return a row whose moments are moments again."""
    return {**row, **{name: datetime.fromisoformat(row[name]) if row[name] else None for name in names}}
