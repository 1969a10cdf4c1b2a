"""A member of staff at a terminal: staff number, password and code, as at the console. No option takes a secret."""

import getpass
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING

import click

from kuimen.foundation.errors import InvalidInputError
from kuimen.foundation.sensitive import Sensitive

if TYPE_CHECKING:
    from kuimen.gate.access.rules import Subject

LARGEST = 4096


class SignInLinesError(InvalidInputError):
    """The descriptor did not give password and code, one line each."""

    code = "cli.sign_in_lines"


@dataclass(frozen=True, slots=True, kw_only=True)
class AtTerminal:
    """Who says that they act, and where their password and code come from."""

    staff_no: str
    descriptor: int | None

    def signed_in(self) -> "Subject":
        """Return the person after both factors were checked; errors as in :func:`signed_in`."""
        return signed_in(self.staff_no, descriptor=self.descriptor)


def staff_options(command: Callable[..., object]) -> Callable[..., object]:
    """Add `--as` and `--sign-in-fd`; the command receives them as `person`, an :class:`AtTerminal`."""

    @wraps(command)
    def run(*, staff_no: str, sign_in_fd: int | None, **others: object) -> object:
        return command(person=AtTerminal(staff_no=staff_no, descriptor=sign_in_fd), **others)

    with_descriptor = click.option(
        "--sign-in-fd", type=int, help="Read password and code, one line each, from this open file descriptor."
    )(run)
    return click.option("--as", "staff_no", required=True, help="Staff number of the person who acts.")(with_descriptor)


def signed_in(staff_no: str, *, descriptor: int | None, ask: Callable[[str], str] = getpass.getpass) -> "Subject":
    """Return the person after both factors were checked; Django is loaded and the keys are unlocked.

    Raises:
        SignInRefusedError: anything is wrong; counted towards the lock, as at the console.
        SecondFactorMissingError: the account has no second factor yet.
        SignInLinesError: the descriptor gave no two lines.
    """
    from django.db import transaction

    from kuimen.gate.access.services import actor_of, subject_of
    from kuimen.gate.access.services.sign_in import check_credentials
    from kuimen.gate.audit.services import record

    password, code = _from_descriptor(descriptor) if descriptor is not None else _asked(staff_no, ask)
    staff = check_credentials(staff_no, password=password, code=code)
    subject = subject_of(staff)
    with transaction.atomic():
        record("session.terminal", actor=actor_of(subject), object_type="terminal")
    return subject


def _asked(staff_no: str, ask: Callable[[str], str]) -> tuple[Sensitive[str], Sensitive[str]]:
    password = ask(f"口令 password {staff_no}: ")
    return Sensitive(password, element="password"), Sensitive(ask("动态码 code: "), element="sms_code")


def _from_descriptor(descriptor: int) -> tuple[Sensitive[str], Sensitive[str]]:
    with os.fdopen(descriptor, "rb") as stream:
        lines = stream.read(LARGEST).decode("utf-8", "replace").splitlines()
    if len(lines) < 2:  # noqa: PLR2004 - password and code
        raise SignInLinesError("sign-in: give password and code, one line each")
    return Sensitive(lines[0], element="password"), Sensitive(lines[1], element="sms_code")
