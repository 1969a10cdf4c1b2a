"""How django-allauth signs staff in here: no self-registration, no mail, sealed seeds, every attempt recorded."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest
from django.utils.crypto import salted_hmac
from typing_extensions import override

from kuimen.foundation.sensitive import Sensitive
from kuimen.gate.access.models import Staff
from kuimen.gate.access.services.second_factor import seal_seed
from kuimen.gate.access.services.sessions import close_session, confirm_second_factor, open_session
from kuimen.gate.access.services.sign_in import (
    find_account,
    forget_failures,
    is_account_locked,
    record_sign_in_failure,
)
from kuimen.gate.access.services.subjects import actor_of, holds_second_factor, subject_of
from kuimen.gate.audit.services import record


class StaffAccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    """Accounts are opened by an officer; failures count towards the lock that all workers share."""

    @override
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Say no: accounts are opened by a security officer."""
        return False

    @override
    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send nothing: no account has an address."""

    @override
    def add_message(self, *args: Any, **kwargs: Any) -> None:
        """Say nothing: the console's pages tell where the person stands."""

    @override
    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        super().pre_authenticate(request, **credentials)
        staff = find_account(str(credentials.get("username", "")))
        if staff is not None and is_account_locked(staff):
            record_sign_in_failure(staff, reason="locked")
            raise self.validation_error("too_many_login_attempts")

    @override
    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        staff = find_account(str(credentials.get("username", "")))
        known = staff is not None and staff.is_active
        record_sign_in_failure(staff, reason="password" if known else "unknown_or_closed", count=known)

    @override
    def login(self, request: HttpRequest, user: AbstractBaseUser) -> None:
        """Sign in after every stage is passed; the session key is new from here on."""
        super().login(request, user)
        if isinstance(user, Staff) and request.session.session_key:
            forget_failures(user)
            open_session(
                user,
                request.session.session_key,
                client_digest=client_digest(request),
                second_factor=holds_second_factor(user),
            )

    @override
    def logout(self, request: HttpRequest) -> None:
        if isinstance(request.user, Staff) and request.session.session_key:
            close_session(request.user, request.session.session_key, reason="sign_out")
        super().logout(request)


class StaffMFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth ships no types
    """Seeds go to the table sealed for their account, and nobody removes their own second factor."""

    @override
    def encrypt(self, text: str) -> str:
        """Seal the seed of the signed-in person, who is activating it and has just proved it by a code.

        allauth calls this inside the transaction that stores the authenticator, so its audit entry is written here.
        """
        request = context.request
        staff = request.user
        if not isinstance(staff, Staff):
            raise TypeError("a seed is sealed for the signed-in member of staff only")
        confirm_second_factor(request.session.session_key or "")
        record(
            "second_factor.enrol",
            actor=actor_of(subject_of(staff)),
            object_type="staff",
            object_ref=staff.staff_no,
        )
        return seal_seed(staff, Sensitive(text, element="secret_key"))

    @override
    def decrypt(self, encrypted_text: str) -> str:
        """Refuse: seeds are opened in one place, where the code is spent as well."""
        raise TypeError("codes are checked by kuimen.gate.access.forms; see MFA_FORMS in the settings")

    @override
    def can_delete_authenticator(self, authenticator: Any) -> bool:
        """Say no: an officer resets a lost second factor."""
        return False


def client_digest(request: HttpRequest) -> str:
    """Return a keyed digest of address and browser: enough to see two places at once, and tells neither."""
    address = str(request.META.get("REMOTE_ADDR", ""))
    browser = str(request.META.get("HTTP_USER_AGENT", ""))
    return salted_hmac("kuimen.access.client", f"{address}\n{browser}", algorithm="sha256").hexdigest()
