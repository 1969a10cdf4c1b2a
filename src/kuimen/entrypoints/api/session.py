"""Sign-in by token: staff number, password and a one-time code for a token that ends by itself."""

from datetime import datetime

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import Field, SecretStr

from kuimen.entrypoints.api.bodies import NO_NUL, Strict
from kuimen.entrypoints.api.caller import caller_of
from kuimen.foundation.sensitive import Sensitive
from kuimen.gate.access import services as access

router = Router()


class SignIn(Strict):
    """What a member of staff signs in with."""

    staff_no: str = Field(max_length=32, pattern=NO_NUL)
    password: SecretStr = Field(max_length=512)
    totp: SecretStr = Field(max_length=12)


class ActivationIn(Strict):
    """The two codes that two officers handed over, and the password the person chooses."""

    staff_no: str = Field(max_length=32, pattern=NO_NUL)
    first_code: SecretStr = Field(max_length=64)
    second_code: SecretStr = Field(max_length=64)
    password: SecretStr = Field(max_length=512)


class PasswordIn(Strict):
    """The present password and the new one."""

    present: SecretStr = Field(max_length=512)
    new: SecretStr = Field(max_length=512)


class Token(Schema):
    """A bearer token; it is shown once and kept as a digest."""

    token: str
    expires_at: datetime


class Person(Schema):
    """Who the caller is."""

    staff_no: str
    display_name: str
    roles: list[str]
    agency_id: str


@router.post("", auth=None, response=Token, summary="Sign in")
def sign_in(request: HttpRequest, body: SignIn) -> Token:
    """Exchange staff number, password and a one-time code for a bearer token."""
    issued = access.issue_token(
        body.staff_no,
        password=Sensitive(body.password.get_secret_value(), element="password"),
        totp_code=Sensitive(body.totp.get_secret_value(), element="sms_code"),
    )
    return Token(token=issued.token.reveal_for("answer of sign-in"), expires_at=issued.expires_at)


@router.get("", response=Person, summary="Who am I")
def who(request: HttpRequest) -> Person:
    """Tell who the caller is and which roles are active at this moment."""
    subject = caller_of(request)
    return Person(
        staff_no=subject.staff_no,
        display_name=subject.display_name,
        roles=sorted(role.value for role in subject.roles),
        agency_id=subject.agency_id,
    )


@router.delete("", response={204: None}, summary="Sign out")
def sign_out(request: HttpRequest) -> Status[None]:
    """End the token that this call carries."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        access.revoke_token(token)
    return Status(204, None)


@router.post("/activation", auth=None, response={204: None}, summary="Take over one's account")
def activate(request: HttpRequest, body: ActivationIn) -> Status[None]:
    """Choose a password with the codes of both officers; the authenticator is bound in the console."""
    access.activate(
        body.staff_no,
        first_code=_secret(body.first_code),
        second_code=_secret(body.second_code),
        password=_secret(body.password),
    )
    return Status(204, None)


@router.post("/password", response={204: None}, summary="Change one's own password")
def change_password(request: HttpRequest, body: PasswordIn) -> Status[None]:
    """Change the password; every session and token of the caller ends, this one too."""
    access.change_password(caller_of(request).staff_no, present=_secret(body.present), new=_secret(body.new))
    return Status(204, None)


def _secret(given: SecretStr) -> Sensitive[str]:
    return Sensitive(given.get_secret_value(), element="password")
