"""API tokens: told once, stored as a digest, short-lived, revocable."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from kuimen.foundation import clock
from kuimen.foundation.sensitive import Sensitive
from kuimen.gate.access.errors import SignInRefusedError
from kuimen.gate.access.models import ApiToken, Staff
from kuimen.gate.access.rules import TOKEN_LIFETIME, Subject
from kuimen.gate.access.services.sessions import digest_of_key
from kuimen.gate.access.services.sign_in import check_credentials
from kuimen.gate.access.services.subjects import actor_of, subject_of
from kuimen.gate.audit.services import record

PREFIX = "kuimen_"
TOKEN_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedToken:
    """A token as it is told, once."""

    token: Sensitive[str]
    token_id: UUID
    expires_at: datetime


def issue_token(staff_no: str, *, password: Sensitive[str], totp_code: Sensitive[str]) -> IssuedToken:
    """Exchange staff number, password and code for a bearer token of 12 hours.

    Raises:
        SignInRefusedError: anything is wrong, or the account is closed or locked.
        SecondFactorMissingError: the account has no second factor yet.
    """
    staff = check_credentials(staff_no, password=password, code=totp_code)
    token = PREFIX + secrets.token_urlsafe(TOKEN_BYTES)
    at = clock.now()
    with transaction.atomic():
        row = ApiToken.objects.create(
            token_digest=digest_of_key(token), staff=staff, issued_at=at, expires_at=at + TOKEN_LIFETIME
        )
        record(
            "token.issue",
            actor=actor_of(subject_of(staff)),
            object_type="token",
            object_ref=str(row.token_id),
            facts={"expires_at": row.expires_at.isoformat()},
        )
    return IssuedToken(token=Sensitive(token, element="secret_key"), token_id=row.token_id, expires_at=row.expires_at)


def staff_for_token(token: str) -> Staff:
    """Return the account of a live token.

    Raises:
        SignInRefusedError: unknown, expired or revoked, or the account is closed.
    """
    row = (
        ApiToken.objects.select_related("staff__agency")
        .filter(token_digest=digest_of_key(token), revoked_at__isnull=True, expires_at__gt=clock.now())
        .first()
    )
    if row is None or not row.staff.is_active:
        raise SignInRefusedError("token: not accepted; sign in again")
    return row.staff


def subject_for_token(token: str) -> Subject:
    """Return who a live token speaks for, with the rights of this moment.

    Raises:
        SignInRefusedError: unknown, expired or revoked, or the account is closed.
    """
    return subject_of(staff_for_token(token))


def revoke_token(token: str) -> None:
    """End a token, as signing out does; an unknown or ended one stays as it is."""
    with transaction.atomic():
        row = ApiToken.objects.select_for_update(of=("self",)).filter(token_digest=digest_of_key(token)).first()
        if row is None or row.revoked_at is not None:
            return
        row.revoked_at, row.revoke_reason = clock.now(), "sign_out"
        row.save(update_fields=["revoked_at", "revoke_reason"])
        record(
            "token.revoke",
            actor=actor_of(subject_of(row.staff)),
            object_type="token",
            object_ref=str(row.token_id),
        )
