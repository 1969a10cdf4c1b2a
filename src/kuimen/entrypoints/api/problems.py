"""Errors as `application/problem+json` (RFC 9457), from the one error table."""

import logging
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from kuimen.foundation.errors import DeniedError, KuimenError, place_of, rule_for

log = logging.getLogger("kuimen.api")

PROBLEM_JSON = "application/problem+json"


def problem(status: int, code: str, detail: str, **extra: object) -> JsonResponse:
    """Build one problem document; `detail` is written by us and holds no value of the request."""
    body = {
        "type": f"urn:kuimen:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
    }
    return JsonResponse(
        {**body, **extra}, status=status, content_type=PROBLEM_JSON, json_dumps_params={"ensure_ascii": False}
    )


def register_handlers(api: NinjaAPI) -> None:
    """Give every family its answer; request bodies are never echoed."""

    @api.exception_handler(KuimenError)
    def _known(_request: HttpRequest, error: KuimenError) -> HttpResponse:
        rule = rule_for(error)
        log.log(logging.getLevelNamesMapping()[rule.log_level], "%s answered %s", error.code, rule.http_status)
        response = problem(rule.http_status, error.code, str(error))
        if isinstance(error, DeniedError) and error.retry_after_seconds is not None:
            response["Retry-After"] = str(error.retry_after_seconds)
        return response

    @api.exception_handler(ValidationError)
    def _malformed(_request: HttpRequest, error: ValidationError) -> HttpResponse:
        fields = [{"field": ".".join(str(part) for part in item["loc"]), "rule": item["type"]} for item in error.errors]
        return problem(
            422, "request.malformed", "some fields do not fit; see `fields` and the OpenAPI description", fields=fields
        )

    @api.exception_handler(AuthenticationError)
    def _unknown_caller(_request: HttpRequest, _error: AuthenticationError) -> HttpResponse:
        response = problem(401, "request.unauthenticated", "sign in first: POST /api/v1/session gives a token")
        response["WWW-Authenticate"] = "Bearer"
        return response

    @api.exception_handler(HttpError)
    def _plain(_request: HttpRequest, error: HttpError) -> HttpResponse:
        return problem(
            error.status_code,
            "request.refused",
            "the request cannot be read; send JSON as the OpenAPI description says",
        )

    @api.exception_handler(Exception)
    def _defect(_request: HttpRequest, error: Exception) -> HttpResponse:
        log.error("defect %s at %s", type(error).__name__, place_of(error))
        return problem(500, "internal", "a defect of Kuimen; nothing was disclosed, the operator's log names the kind")
