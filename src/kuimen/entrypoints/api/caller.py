"""Who calls: a bearer token of `POST /session`, or the console's session."""

from django.http import HttpRequest
from ninja.security import HttpBearer, SessionAuth
from typing_extensions import override

from kuimen.gate.access import services as access
from kuimen.gate.access.errors import SignInRefusedError
from kuimen.gate.access.rules import Subject


class TokenCaller(HttpBearer):
    """A token; only its digest is stored, and it dies with the person's rights."""

    @override
    def authenticate(self, request: HttpRequest, token: str) -> Subject | None:
        try:
            return access.subject_for_token(token)
        except SignInRefusedError:
            return None


class SessionCaller(SessionAuth):
    """A signed-in browser with its second factor; django-ninja checks the CSRF token."""

    @override
    def authenticate(self, request: HttpRequest, key: str | None) -> Subject | None:
        if not request.user.is_authenticated:
            return None
        subject = access.subject_of(request.user)
        return subject if subject.mfa else None


def caller_of(request: HttpRequest) -> Subject:
    """Return the subject that authentication put on the request."""
    subject = getattr(request, "auth", None)
    if not isinstance(subject, Subject):  # pragma: no branch - every route is behind an authenticator
        msg = "a route without an authenticator was reached"
        raise TypeError(msg)
    return subject
