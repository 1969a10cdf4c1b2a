"""The REST routes of Presidio's analyzer as a WSGI application: /analyze, /health, /supportedentities, /recognizers.

Bodies are bounded and never logged; an error never repeats what was sent.
"""

import json
import logging
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs

from kuimen.entrypoints.presidio.engine import AnalyzerEngine
from kuimen.entrypoints.presidio.errors import AnalyzerRequestError
from kuimen.foundation.errors import KuimenError, place_of, rule_for

_LOG = logging.getLogger(__name__)
MAX_BODY_BYTES = 1 << 20
MAX_TEXTS = 1000
_JSON = "application/json; charset=utf-8"
_PARAMETERS = (
    "language", "entities", "correlation_id", "score_threshold", "return_decision_process", "ad_hoc_recognizers",
    "context", "allow_list", "allow_list_match", "regex_flags",
)  # fmt: skip
_LISTS = ("entities", "ad_hoc_recognizers", "context", "allow_list")
_REASONS = {200: "OK", 400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed", 411: "Length Required",
            413: "Content Too Large", 422: "Unprocessable Content", 500: "Internal Server Error"}  # fmt: skip

Environ = dict[str, Any]
Start = Callable[[str, list[tuple[str, str]]], Any]


class _Refusal(Exception):  # noqa: N818 - an answer, not an error of the house
    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class AnalyzerService:
    """A WSGI application around one engine; safe to call from several threads."""

    def __init__(self, engine: AnalyzerEngine) -> None:
        """Serve an engine."""
        self._engine = engine

    def __call__(self, environ: Environ, start: Start) -> Iterable[bytes]:
        """Answer one request."""
        try:
            status, kind, body = 200, _JSON, self._answer(environ)
            if isinstance(body, str):
                kind = "text/html; charset=utf-8"
        except _Refusal as refusal:
            status, kind, body = refusal.status, _JSON, {"error": str(refusal)}
        except KuimenError as error:
            status, kind, body = rule_for(error).http_status, _JSON, {"error": str(error)}
        except (TypeError, ValueError, AttributeError):
            status, kind, body = 400, _JSON, {"error": "a parameter is of the wrong type"}
        except Exception as defect:  # noqa: BLE001  # house-lint: broad-except, outermost handler of the service
            _LOG.error("a defect of Kuimen at %s", place_of(defect))
            status, kind, body = 500, _JSON, {"error": "a defect of Kuimen; nothing of the text was kept"}
        data = (body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)).encode()
        start(
            f"{status} {_REASONS.get(status, 'Error')}",
            [("Content-Type", kind), ("Content-Length", str(len(data))), ("Cache-Control", "no-store"),
             ("X-Content-Type-Options", "nosniff")],
        )  # fmt: skip
        return [data]

    def _answer(self, environ: Environ) -> Any:  # noqa: ANN401 - JSON
        method, path = environ["REQUEST_METHOD"], environ.get("PATH_INFO", "/").rstrip("/")
        routes: dict[str, tuple[str, Callable[[Environ], Any]]] = {
            "/analyze": ("POST", self._analyze),
            "/health": ("GET", lambda _environ: "Kuimen Analyzer service is up."),
            "/supportedentities": ("GET", lambda given: self._engine.get_supported_entities(_language(given))),
            "/recognizers": ("GET", lambda given: self._engine.get_recognizers(_language(given))),
        }
        if path not in routes:
            raise _Refusal(404, "no such route")
        wanted, answer = routes[path]
        if method != wanted:
            raise _Refusal(405, f"use {wanted}")
        return answer(environ)

    def _analyze(self, environ: Environ) -> Any:  # noqa: ANN401 - JSON
        request = _read(environ)
        parameters = {name: request[name] for name in _PARAMETERS if request.get(name) is not None}
        if any(not isinstance(parameters.get(name, []), list) for name in _LISTS):
            raise AnalyzerRequestError(f"{', '.join(_LISTS)}: must be lists")
        if not isinstance(parameters.get("language"), str):
            raise _Refusal(400, "No language provided")
        text = request.get("text")
        if isinstance(text, list) and len(text) <= MAX_TEXTS:
            return [[one.to_dict() for one in self._engine.analyze(single, **parameters)] for single in text]
        if not isinstance(text, str) or not text:
            raise _Refusal(400, f"No text provided; give text, or a list of at most {MAX_TEXTS}")
        return [one.to_dict() for one in self._engine.analyze(text, **parameters)]


def _language(environ: Environ) -> str | None:
    named = parse_qs(str(environ.get("QUERY_STRING", ""))).get("language")
    return named[-1] if named else None


def _read(environ: Environ) -> dict[str, Any]:
    length = environ.get("CONTENT_LENGTH") or ""
    if not length.isdecimal():
        raise _Refusal(411, "Content-Length must be there")
    if int(length) > MAX_BODY_BYTES:
        raise _Refusal(413, "the body is larger than 1 MiB; send less at a time")
    try:
        found = json.loads(environ["wsgi.input"].read(int(length)))
    except (ValueError, RecursionError):
        raise _Refusal(400, "the body is not JSON in UTF-8") from None
    if not isinstance(found, dict):
        raise _Refusal(400, "the body must be one JSON object")
    return found
