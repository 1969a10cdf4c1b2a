"""What everybody does for themselves: take the account over, change the password, apply for a role."""

from datetime import timedelta

from django.contrib import messages
from django.contrib.auth import HASH_SESSION_KEY
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods

from kuimen.entrypoints.console.desk import tickets_for
from kuimen.entrypoints.console.forms import FormInputError
from kuimen.entrypoints.console.language import say
from kuimen.entrypoints.console.messages import chinese_message
from kuimen.entrypoints.console.overview import subject_or_login
from kuimen.entrypoints.console.people import grant_row, roles_offered
from kuimen.foundation import clock
from kuimen.foundation.errors import KuimenError
from kuimen.foundation.sensitive import Sensitive
from kuimen.gate.access import services as access
from kuimen.gate.access.errors import ActivationRefusedError, PasswordRefusedError, StaffInputError
from kuimen.gate.access.models import Staff
from kuimen.gate.access.services import reading
from kuimen.gate.access.services.sessions import digest_of_key

TERM, LONGEST_TERM = timedelta(days=90), timedelta(days=366)


@login_required
@require_GET
def own(request: HttpRequest) -> HttpResponse:
    """Show one's own roles, what may be applied for, and the tickets one may decide."""
    subject = subject_or_login(request)
    posts = [post for post in reading.posts() if post.code in subject.posts]
    mine = [grant for grant in reading.grants_seen_by(subject) if grant.staff_no == subject.staff_no]
    today = clock.today()
    context = {
        "grants": [{**grant_row(grant), "mine": grant.applied_by == subject.staff_no} for grant in mine],
        "posts": posts,
        "roles_by_post": roles_offered(posts),
        "tickets": tickets_for(subject),
        "today": today,
        "term": today + TERM,
        "latest": today + LONGEST_TERM,
    }
    return render(request, "console/own.html", context)


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def activate(request: HttpRequest) -> HttpResponse:
    """Take over an account with the slips of two officers and choose a password."""
    problem = ""
    if request.method == "POST":
        try:
            access.activate(
                request.POST.get("staff_no", ""),
                first_code=_secret(request, "first_code"),
                second_code=_secret(request, "second_code"),
                password=_new_password(request),
            )
        except (ActivationRefusedError, StaffInputError, FormInputError) as refusal:
            problem = _told(refusal)
        else:
            messages.success(
                request, say("口令已设定。请登录并绑定验证器。", "Password set. Sign in and bind an authenticator.")
            )
            return redirect("account_login")
    context = {"problem": problem, "staff_no": request.POST.get("staff_no", "")}
    return render(request, "account/activate.html", context, status=400 if problem else 200)


@never_cache
@login_required
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def change_password(request: HttpRequest) -> HttpResponse:
    """Change one's own password; other sessions and tokens end."""
    subject = subject_or_login(request)
    problem = ""
    if request.method == "POST":
        try:
            access.change_password(
                subject.staff_no,
                present=_secret(request, "present"),
                new=_new_password(request),
                keep_session=digest_of_key(request.session.session_key or ""),
            )
        except (PasswordRefusedError, StaffInputError, FormInputError) as refusal:
            problem = _told(refusal)
        else:
            # Django binds a session to the password; this one goes on, all others have ended
            fresh = Staff.objects.get(staff_no=subject.staff_no)
            request.session[HASH_SESSION_KEY] = fresh.get_session_auth_hash()
            messages.success(
                request, say("口令已更换，其他会话与令牌均已结束。", "Password changed; other sessions have ended.")
            )
            return redirect("own")
    return render(request, "console/password.html", {"problem": problem}, status=400 if problem else 200)


def _secret(request: HttpRequest, field: str) -> Sensitive[str]:
    return Sensitive(request.POST.get(field, ""), element="password")


def _new_password(request: HttpRequest) -> Sensitive[str]:
    if request.POST.get("new", "") != request.POST.get("again", ""):
        raise FormInputError("again: the two entries of the new password differ")
    return _secret(request, "new")


def _told(refusal: KuimenError) -> str:
    if isinstance(refusal, FormInputError):
        return say("两次输入的新口令不一致。", "The two entries of the new password differ.")
    if isinstance(refusal, StaffInputError):
        advice = str(refusal)
        return say(f"口令不符合要求：至少 12 位，不得过于常见、全为数字或含工号姓名。（{advice}）", advice)
    return say(chinese_message(refusal), str(refusal))
