"""Every request of a signed-in person: a live session of its own, and a second factor, or nothing."""

from collections.abc import Callable

from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import NoReverseMatch, reverse

from kuimen.gate.access.errors import SecondFactorMissingError
from kuimen.gate.access.models import Staff
from kuimen.gate.access.services.sessions import touch_session
from kuimen.gate.access.services.subjects import holds_second_factor

API_PREFIX = "/api/"
OPEN_WITHOUT_FACTOR = ("mfa_activate_totp", "account_logout")
ACTIVATION = "mfa_activate_totp"


class StaffSessionMiddleware:
    """End what is idle, too old or revoked; send whoever has no second factor to activation and nowhere else.

    It stands behind the authentication and account middleware.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """Wrap the next handler."""
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Let a request pass, sign it out, or send it to activation."""
        staff = request.user
        if not isinstance(staff, Staff):
            return self._get_response(request)
        session = touch_session(staff, request.session.session_key or "")
        if session is None:
            logout(request)
            return self._get_response(request)
        if (session.second_factor_at is None or not holds_second_factor(staff)) and not _is_open(request):
            return _to_activation(request)
        return self._get_response(request)


def _is_open(request: HttpRequest) -> bool:
    for name in OPEN_WITHOUT_FACTOR:
        try:
            if request.path == reverse(name):
                return True
        except NoReverseMatch:
            continue
    return False


def _to_activation(request: HttpRequest) -> HttpResponse:
    advice = "第二因素未启用,请先启用 / activate a second factor first"
    if request.path.startswith(API_PREFIX) or request.method not in {"GET", "HEAD"}:
        problem = {"type": "about:blank", "title": advice, "status": 403, "code": SecondFactorMissingError.code}
        return JsonResponse(problem, status=403, content_type="application/problem+json")
    return HttpResponseRedirect(reverse(ACTIVATION))
