"""Errors as pages: what to do, in the reader's language, never a value and never a trace."""

import logging
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

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
    ConflictError: ("状态已变，请刷新", "State has changed; reload", "warning"),
    DeniedError: ("不允许", "Not allowed", "danger"),
    TamperError: ("数据校验失败，已告警", "Data does not verify; alarm raised", "danger"),
    UnavailableError: ("暂不可用", "Not available now", "warning"),
}


def problem_of(error: KuimenError) -> dict[str, object]:
    """Describe an error for a template."""
    title_zh, title_en, tone = TITLES[family_of(error)]
    status = rule_for(error).http_status
    return {
        "title_zh": title_zh,
        "title_en": title_en,
        "tone": tone,
        "message": str(error),
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
        is_fragment = bool(getattr(request, "htmx", False))
        template = "console/problem.html" if is_fragment else "console/problem_page.html"
        # htmx shows only successful answers; the fragment says itself what went wrong.
        status = 200 if is_fragment else rule.http_status
        return render(request, template, {"problem": problem_of(error)}, status=status)
