"""People, posts and agencies for officers: the register, changes by two, slips that are handed over on paper."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from kuimen.entrypoints.console.context import may
from kuimen.entrypoints.console.forms import FormInputError
from kuimen.entrypoints.console.language import say
from kuimen.entrypoints.console.overview import subject_or_login
from kuimen.foundation import clock
from kuimen.gate.access import services as access
from kuimen.gate.access.change_rules import CHANGE_TITLES, STATE_TITLES, ChangeKind, ChangeState
from kuimen.gate.access.personnel_rules import ITEM_TITLES, FileItem, gaps_of
from kuimen.gate.access.rules import ROLE_TITLES, Action, GrantState, Role
from kuimen.gate.access.services import reading
from kuimen.gate.access.services.changes import Decided
from kuimen.gate.access.services.reading import ChangeView, PostView, StaffView

GRANT_WORDS = {
    GrantState.APPLIED: ("待批准", "Applied"),
    GrantState.APPROVED: ("已批准，未到起始日", "Approved"),
    GrantState.ACTIVE: ("生效中", "Active"),
    GrantState.REFUSED: ("已驳回", "Refused"),
    GrantState.WITHDRAWN: ("已撤回", "Withdrawn"),
    GrantState.EXPIRED: ("已到期", "Expired"),
    GrantState.REVOKED: ("已收回", "Revoked"),
    GrantState.RECOVERED: ("已收回", "Recovered"),
}
ROLE_TERM = timedelta(days=90)
LONGEST_TERM = timedelta(days=366)


@login_required
@require_GET
def register(request: HttpRequest) -> HttpResponse:
    """Show everybody, and the forms to register a person or an agency."""
    subject = subject_or_login(request)
    rows = reading.staff_seen_by(subject)
    context = {
        "rows": [_row(row) for row in rows],
        "agencies": reading.agencies_seen_by(subject),
        "changes": [change_row(change) for change in reading.changes_seen_by(subject)[:20]],
        "may_register": may(subject, Action.STAFF_REGISTER),
        "active": sum(row.is_active for row in rows),
    }
    return render(request, "console/staff.html", context)


@login_required
@require_GET
def member(request: HttpRequest, staff_no: str) -> HttpResponse:
    """Show one person: posts, roles, file, what changed, and what may be done."""
    subject = subject_or_login(request)
    view = reading.staff_seen_by(subject, staff_no=staff_no)[0]
    entries = access.file_of(staff_no, reader=subject)
    today = clock.today()
    posts = reading.posts()
    context = {
        "member": _row(view),
        "held_posts": [post for post in posts if post.code in view.posts],
        "other_posts": [post for post in posts if post.code not in view.posts],
        "grants": [grant_row(g) for g in reading.grants_seen_by(subject) if g.staff_no == staff_no],
        "file": [{"entry": entry, "titles": _pair(ITEM_TITLES[entry.item])} for entry in entries],
        "gaps": [_pair(ITEM_TITLES[gap]) for gap in gaps_of([(e.item, e.valid_until) for e in entries], today=today)],
        "items": [{"code": item.value, **_pair(titles)} for item, titles in ITEM_TITLES.items()],
        "changes": [change_row(change) for change in reading.changes_seen_by(subject, target=staff_no)],
        "may_change": may(subject, Action.STAFF_REGISTER) and view.is_active and subject.staff_no != staff_no,
        "may_apply": may(subject, Action.GRANT_APPLY) and view.is_active,
        "roles_by_post": roles_offered([post for post in posts if post.code in view.posts]),
        "today": today,
        "term": today + ROLE_TERM,
        "latest": today + LONGEST_TERM,
    }
    return render(request, "console/staff_member.html", context)


@login_required
@require_POST
def propose(request: HttpRequest) -> HttpResponse:
    """Make a change; where it opens an account, the first slip is shown once."""
    kind = request.POST.get("kind", "")
    if kind not in set(ChangeKind):
        raise FormInputError("kind: choose one of the changes offered on the page")
    subject = subject_or_login(request)
    target = request.POST.get("target", "").strip().upper()
    content = {
        name: text
        for name in ("display_name", "agency", "name", "post")
        if (text := request.POST.get(name, "").strip())
    }
    done = access.propose_change(
        ChangeKind(kind), target, officer=subject, reason=request.POST.get("reason", "").strip(), content=content
    )
    return _after(request, done, first=True)


@login_required
@require_POST
def record_file(request: HttpRequest, staff_no: str) -> HttpResponse:
    """Enter what was done about somebody."""
    item = request.POST.get("item", "")
    if item not in set(FileItem):
        raise FormInputError("item: choose one of the items offered on the page")
    access.record_personnel(
        staff_no,
        item=FileItem(item),
        done_on=day_of(request, "done_on"),
        evidence=request.POST.get("evidence", "").strip(),
        officer=subject_or_login(request),
    )
    messages.success(request, say("已入档", "Entered in the file"))
    return redirect("staff-member", staff_no=staff_no)


@login_required
@require_POST
def apply(request: HttpRequest, staff_no: str) -> HttpResponse:
    """Apply for a role for somebody, or for oneself."""
    subject = subject_or_login(request)
    post, _, role = request.POST.get("post_role", "").partition(":")
    access.apply_for_role(
        staff_no,
        role=role,
        post=post,
        valid_until=datetime.combine(day_of(request, "valid_until"), time.max, tzinfo=clock.SHANGHAI),
        applicant=subject,
        reason=request.POST.get("reason", "").strip(),
    )
    messages.success(request, say("已提交，待另一名主管批准", "Applied; another officer decides"))
    return redirect("own") if staff_no == subject.staff_no else redirect("staff-member", staff_no=staff_no)


def slip_or_back(request: HttpRequest, done: Decided) -> HttpResponse:
    """Show the second slip where the change opened an account, else go back to the desk."""
    return _after(request, done, first=False)


def day_of(request: HttpRequest, field: str) -> date:
    """Read a date field of a form.

    Raises:
        FormInputError: it is no date.
    """
    try:
        return date.fromisoformat(request.POST.get(field, ""))
    except ValueError:
        raise FormInputError(f"{field}: write the date as YYYY-MM-DD") from None


def change_row(change: ChangeView) -> dict[str, object]:
    """Return a change with its words."""
    told = "，".join(text for text in change.content.values() if text)
    return {
        "change": change, "kind": _pair(CHANGE_TITLES[change.kind]), "state": _pair(STATE_TITLES[change.state]),
        "told": told, "countersign": change.state is ChangeState.EFFECTIVE,
    }  # fmt: skip


def grant_row(grant: reading.GrantView) -> dict[str, object]:
    """Return a grant with the words of its role."""
    return {"grant": grant, "role": _pair(ROLE_TITLES[Role(grant.role)]), "state": _pair(GRANT_WORDS[grant.state])}


def roles_offered(posts: list[PostView]) -> list[dict[str, object]]:
    """Return what may be applied for from these posts, one entry a role."""
    return [
        {"code": f"{post.code}:{role.value}", "post": post, **_pair(ROLE_TITLES[role])}
        for post in posts
        for role in post.roles
    ]


def _after(request: HttpRequest, done: Decided, *, first: bool) -> HttpResponse:
    kind = _pair(CHANGE_TITLES[done.kind])
    if done.code is not None:  # shown once, in this answer alone; the page is not kept by any cache
        context = {
            "change": done, "kind": kind, "first": first, "code": done.code.reveal_for("activation slip"),
            "address": request.build_absolute_uri("/accounts/activate/"),
        }  # fmt: skip
        return render(request, "console/slip.html", context)
    text = say(f"{kind['title_zh']} {done.target}：{STATE_TITLES[done.state][0]}", f"{kind['title_en']} {done.target}")
    messages.success(request, text)
    return redirect("staff" if first else "desk")


def _row(view: StaffView) -> dict[str, object]:
    return {"staff": view, "roles": [_pair(ROLE_TITLES[Role(role)]) for role in view.roles]}


def _pair(titles: tuple[str, str]) -> Mapping[str, str]:
    return {"title_zh": titles[0], "title_en": titles[1]}
