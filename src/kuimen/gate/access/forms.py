"""Forms of the second factor: codes are spent in the database, a seed waiting for activation lies sealed."""

import base64
from typing import Any

from allauth.core import context
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.base.internal.flows import check_rate_limit
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.totp.internal.auth import SECRET_SESSION_KEY
from django import forms
from typing_extensions import override

from kuimen.foundation import clock
from kuimen.gate.access.errors import SignInRefusedError
from kuimen.gate.access.models import Staff
from kuimen.gate.access.rules import matching_step
from kuimen.gate.access.services.second_factor import begin_enrolment, open_seed, seal_seed, spend_step, verify_totp
from kuimen.gate.access.services.sign_in import is_account_locked, record_sign_in_failure
from kuimen.kernels.ciphers.errors import SealBrokenError


class _SpendsCode:
    """What the two forms that ask for a code have in common."""

    user: Staff
    authenticator: Authenticator
    cleaned_data: dict[str, Any]

    def clean_code(self) -> str:
        """Accept a code once; a wrong one counts towards the lock."""
        clear_rate_limit = check_rate_limit(self.user)
        code = str(self.cleaned_data["code"])
        if is_account_locked(self.user):
            record_sign_in_failure(self.user, reason="locked")
            raise get_adapter().validation_error("incorrect_code")
        try:
            verify_totp(self.user, code)
        except SignInRefusedError:
            record_sign_in_failure(self.user, reason="code", count=True)
            raise get_adapter().validation_error("incorrect_code") from None
        self.authenticator = Authenticator.objects.get(user_id=self.user.pk, type=Authenticator.Type.TOTP)
        clear_rate_limit()
        return code


class StaffAuthenticateForm(_SpendsCode, AuthenticateForm):  # type: ignore[misc]  # allauth ships no types
    """Ask for the code at sign-in."""


class StaffReauthenticateForm(_SpendsCode, ReauthenticateForm):  # type: ignore[misc]  # allauth ships no types
    """Ask for a code again before a sensitive step."""


class StaffActivateForm(ActivateTOTPForm):  # type: ignore[misc]  # allauth ships no types
    """Activate a second factor: the seed waits sealed in the session and counts only after its first code."""

    user: Staff
    secret: str

    @override
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.user = kwargs.pop("user")
        forms.Form.__init__(self, *args, **kwargs)
        self.secret = self._waiting_seed() if self.is_bound else ""
        if not self.secret:
            drawn = begin_enrolment()
            self.secret = drawn.reveal_for("activation")
            context.request.session[SECRET_SESSION_KEY] = seal_seed(self.user, drawn)

    @override
    def clean_code(self) -> str:
        clear_rate_limit = check_rate_limit(self.user, error_key="rate_limited")
        code = str(self.cleaned_data["code"])
        step = matching_step(base64.b32decode(self.secret), code, at=clock.now())
        if step is None or not spend_step(self.user, step):
            record_sign_in_failure(self.user, reason="code")
            raise get_adapter().validation_error("incorrect_code")
        clear_rate_limit()
        return code

    def _waiting_seed(self) -> str:
        sealed = context.request.session.get(SECRET_SESSION_KEY)
        if not sealed:
            return ""
        try:
            seed = open_seed(self.user, sealed)
        except SealBrokenError:
            return ""
        return base64.b32encode(seed).decode("ascii")
