"""Sign-in, second factor, sign-out: the few pages of the account library that a closed house needs.

Nobody signs up, nobody has a mail address, and a lost factor or password is reset by an officer. The library resolves
the names of its other pages, so they exist here and answer that there is nothing.
"""

from typing import NoReturn

from allauth.account import views as account
from allauth.mfa.base import views as factor
from allauth.mfa.totp import views as totp
from django.http import Http404, HttpRequest
from django.urls import path
from django.views.generic.base import RedirectView

CLOSED = (
    "account_signup",
    "account_email",
    "account_email_verification_sent",
    "account_change_password",
    "account_set_password",
    "account_reset_password",
    "account_reauthenticate",
    "account_confirm_login_code",
    "mfa_reauthenticate",
    "mfa_deactivate_totp",
)


def closed(_request: HttpRequest) -> NoReturn:
    """Answer as for any address that leads nowhere."""
    raise Http404


urlpatterns = [
    path("login/", account.login, name="account_login"),
    path("logout/", account.logout, name="account_logout"),
    path("inactive/", account.account_inactive, name="account_inactive"),
    path("2fa/", RedirectView.as_view(pattern_name="landing"), name="mfa_index"),
    path("2fa/authenticate/", factor.authenticate, name="mfa_authenticate"),
    path("2fa/totp/activate/", totp.activate_totp, name="mfa_activate_totp"),
    *(path(f"closed/{name.replace('_', '-')}/", closed, name=name) for name in CLOSED),
]
