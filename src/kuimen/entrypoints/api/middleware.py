"""What holds for every answer below `/api/`, also for those that no route gave: problem documents, and no caching."""

from collections.abc import Callable
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse

from kuimen.entrypoints.api.problems import PROBLEM_JSON, problem

PREFIX = "/api/"
CODES = {
    HTTPStatus.NOT_FOUND: ("request.no_such_route", "no such route; GET /api/v1/openapi.json lists them"),
    HTTPStatus.METHOD_NOT_ALLOWED: ("request.method", "this route knows other methods; see the Allow header"),
}
KEPT_HEADERS = ("Allow", "Retry-After", "WWW-Authenticate")


class ApiAnswerMiddleware:
    """Turns the framework's own error pages into problem documents and keeps every answer out of caches."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """Wrap the next handler."""
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer."""
        response = self._get_response(request)
        if not request.path.startswith(PREFIX):
            return response
        kind = response.headers.get("Content-Type", "")
        if response.status_code >= HTTPStatus.BAD_REQUEST and not kind.startswith(PROBLEM_JSON):
            response = _as_problem(response)
        response.headers["Cache-Control"] = "no-store"
        return response


def _as_problem(response: HttpResponse) -> HttpResponse:
    status = HTTPStatus(response.status_code)
    code, detail = CODES.get(status, ("request.refused", "the request was refused before it reached its route"))
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        code, detail = "internal", "a defect of Kuimen; nothing was disclosed, the operator's log names the kind"
    document = problem(status, code, detail)
    for name in KEPT_HEADERS:
        if name in response.headers:
            document.headers[name] = response.headers[name]
    return document
