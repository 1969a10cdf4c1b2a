"""Staff number, password and code: one answer for every kind of failure, lock-out shared by all workers."""

from typing import NoReturn

from django.contrib.auth.hashers import make_password
from django.db import transaction

from kuimen.foundation import clock
from kuimen.foundation.sensitive import Sensitive
from kuimen.gate.access.errors import SecondFactorMissingError, SignInRefusedError
from kuimen.gate.access.models import SignInFailures, Staff
from kuimen.gate.access.rules import FailureCount, after_failure, is_locked
from kuimen.gate.access.services.second_factor import verify_totp
from kuimen.gate.access.services.subjects import holds_second_factor
from kuimen.gate.audit.services import SYSTEM, Actor, record_refusal

REFUSED = "sign-in: staff number, password or code not accepted, or the account is locked; try again later"


def check_credentials(staff_no: str, *, password: Sensitive[str], code: Sensitive[str]) -> Staff:
    """Return the account whose password and code these are; failures count towards the lock.

    Raises:
        SignInRefusedError: anything is wrong, the account is closed, or it is locked.
        SecondFactorMissingError: the password is right and the account has no second factor yet.
    """
    staff = find_account(staff_no)
    if staff is None or not staff.is_active:
        make_password(password.reveal_for("sign-in"))  # the same work as for a known account
        refuse_sign_in(staff, reason="unknown_or_closed")
    if is_account_locked(staff):
        refuse_sign_in(staff, reason="locked")
    if not staff.check_password(password.reveal_for("sign-in")):
        refuse_sign_in(staff, reason="password", count=True)
    if not holds_second_factor(staff):
        record_sign_in_failure(staff, reason="second_factor_missing")
        raise SecondFactorMissingError("second factor: activate one in the console first")
    try:
        verify_totp(staff, code.reveal_for("sign-in"))
    except SignInRefusedError:
        refuse_sign_in(staff, reason="code", count=True)
    forget_failures(staff)
    return staff


def find_account(staff_no: str) -> Staff | None:
    """Return the account of a staff number, in the one spelling in which numbers are stored."""
    return Staff.objects.select_related("agency").filter(staff_no=staff_no.strip().upper()).first()


def is_account_locked(staff: Staff) -> bool:
    """Return whether the account is locked at this moment."""
    row = SignInFailures.objects.filter(staff=staff).first()
    return is_locked(_count(row), at=clock.now())


def count_failure(staff: Staff) -> None:
    """Count one failed sign-in; concurrent failures on two workers both count."""
    at = clock.now()
    with transaction.atomic():
        SignInFailures.objects.get_or_create(staff=staff, defaults={"failures": 0, "window_started_at": at})
        row = SignInFailures.objects.select_for_update(of=("self",)).get(staff=staff)
        after = after_failure(_count(row), at=at)
        row.failures, row.window_started_at, row.locked_until = (
            after.failures,
            after.window_started_at,
            after.locked_until,
        )
        row.save()


def forget_failures(staff: Staff) -> None:
    """Start anew after a complete sign-in."""
    SignInFailures.objects.filter(staff=staff).delete()


def refuse_sign_in(staff: Staff | None, *, reason: str, count: bool = False) -> NoReturn:
    """Record a failed sign-in and raise the one answer that all failures get."""
    record_sign_in_failure(staff, reason=reason, count=count)
    raise SignInRefusedError(REFUSED)


def record_sign_in_failure(staff: Staff | None, *, reason: str, count: bool = False) -> None:
    """Record a failed sign-in, and count it where it is a wrong password or code.

    What was typed as a staff number is not recorded where no account has it: people type passwords there.
    """
    if staff is not None and count:
        count_failure(staff)
    actor = SYSTEM if staff is None else Actor(kind="staff", ref=staff.staff_no, label=staff.display_name)
    record_refusal(
        "access.sign_in",
        actor=actor,
        object_type="staff",
        object_ref=staff.staff_no if staff else "",
        facts={"reason": reason},
    )


def _count(row: SignInFailures | None) -> FailureCount | None:
    if row is None:
        return None
    return FailureCount(failures=row.failures, window_started_at=row.window_started_at, locked_until=row.locked_until)
