"""Errors as pages: what to do, in the reader's language, never a value and never a trace."""

import logging
from collections.abc import Callable
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import render

from kuimen.entrypoints.console.messages import chinese_message
from kuimen.foundation.errors import (
    ConflictError,
    DeniedError,
    InvalidInputError,
    KuimenError,
    NotFoundError,
    TamperError,
    UnavailableError,
    family_of,
    place_of,
    rule_for,
)

log = logging.getLogger("kuimen.console")

TITLES: dict[type[KuimenError], tuple[str, str, str]] = {
    InvalidInputError: ("输入有误", "Input does not fit", "warning"),
    NotFoundError: ("找不到", "Not found", "secondary"),
    ConflictError: ("状态已变", "State has changed", "warning"),
    DeniedError: ("不允许", "Not allowed", "danger"),
    TamperError: ("数据校验失败，已告警", "Data does not verify; alarm raised", "danger"),
    UnavailableError: ("暂不可用", "Not available now", "warning"),
}
QUOTA_TITLE = ("今日额度已用完", "Quota of the day used up")
ICONS: dict[type[KuimenError], str] = {
    InvalidInputError: "forms",
    NotFoundError: "map-question",
    ConflictError: "refresh",
    DeniedError: "lock",
    TamperError: "alert-octagon",
    UnavailableError: "cloud-off",
}
API_PREFIX = "/api/"


def problem_of(error: KuimenError) -> dict[str, object]:
    """Describe an error for a template."""
    family = family_of(error)
    title_zh, title_en, tone = TITLES[family]
    status = rule_for(error).http_status
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        title_zh, title_en = QUOTA_TITLE
    return {
        "title_zh": title_zh,
        "title_en": title_en,
        "tone": tone,
        "icon": ICONS[family],
        "message_zh": chinese_message(error),
        "message_en": _sentence(str(error)),
        "code": error.code,
        "status": status,
    }


class ProblemMiddleware:
    """Turns the six families into pages, or into a fragment for htmx."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """Wrap the next handler."""
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, and keep every page out of caches: it may hold personal data or rights."""
        response = self._get_response(request)
        is_page = not request.path.startswith(API_PREFIX)
        if is_page and isinstance(response, HttpResponseNotAllowed):
            allowed = response["Allow"]
            response = render(request, "405.html", status=HTTPStatus.METHOD_NOT_ALLOWED)
            response["Allow"] = allowed
        if is_page and is_fragment(request) and response.status_code == HTTPStatus.FOUND:
            # htmx would follow a redirect (to the sign-in page, say) and put that page into the fragment's place
            response = _whole_page(response["Location"])
        if not request.path.startswith("/static/"):
            response.headers.setdefault("Cache-Control", "no-store")
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Give a page for errors of the families; anything else stays a plain 500."""
        if not isinstance(error, KuimenError):
            log.error("defect %s at %s", type(error).__name__, place_of(error))
            return None
        rule = rule_for(error)
        log.log(logging.getLevelNamesMapping()[rule.log_level], "%s answered %s", error.code, rule.http_status)
        template = "console/problem.html" if is_fragment(request) else "console/problem_page.html"
        response = render(request, template, {"problem": problem_of(error)}, status=rule.http_status)
        if isinstance(error, DeniedError) and error.retry_after_seconds is not None:
            response["Retry-After"] = str(error.retry_after_seconds)
        return response


def is_fragment(request: HttpRequest) -> bool:
    """Tell whether htmx asks for a part of a page."""
    return bool(getattr(request, "htmx", False))


def _whole_page(location: str) -> HttpResponse:
    response = HttpResponse(status=HTTPStatus.OK)
    response["HX-Redirect"] = location
    return response


def _sentence(message: str) -> str:
    """Make a page's sentence of a message that begins with the field's name."""
    text = message[:1].upper() + message[1:]
    return text if text.endswith((".", "!", "?")) else f"{text}."
