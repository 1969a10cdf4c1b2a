"""First sign-in and own password: two codes from two officers, or the present password, and nothing less."""

from typing import NoReturn

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.db.models import F

from kuimen.foundation import clock
from kuimen.foundation.sensitive import Sensitive
from kuimen.gate.access.change_rules import WRONG_ACTIVATIONS, codes_match
from kuimen.gate.access.errors import ActivationRefusedError, PasswordRefusedError, StaffInputError
from kuimen.gate.access.models import Activation, Staff
from kuimen.gate.access.services.second_factor import forget_second_factor
from kuimen.gate.access.services.sessions import end_everything
from kuimen.gate.access.services.sign_in import (
    find_account,
    forget_failures,
    is_account_locked,
    record_sign_in_failure,
)
from kuimen.gate.access.services.staff import set_password
from kuimen.gate.audit.services import SYSTEM, Actor, record, record_refusal

ACTIVATION_REFUSED = "activation: staff number or codes not accepted, or the activation is over; ask the two officers"


def activate(
    staff_no: str, *, first_code: Sensitive[str], second_code: Sensitive[str], password: Sensitive[str]
) -> None:
    """Let a person take over their account with the codes of both officers, and choose a password.

    The authenticator is bound at the first sign-in. Five wrong attempts end an activation.

    Raises:
        ActivationRefusedError: number or codes are wrong, the activation is used, over, or there is none; recorded.
        StaffInputError: the password breaks the rules; the activation stays open.
    """
    staff = find_account(staff_no)
    waiting = _waiting(staff)
    typed = (first_code.reveal_for("activation"), second_code.reveal_for("activation"))
    if staff is None or waiting is None:
        make_password(password.reveal_for("activation"))  # the same work as for a known account
        _refuse(staff, reason="none_waiting")
    if not codes_match((waiting.first_token_sm3, waiting.second_token_sm3), typed):
        Activation.objects.filter(pk=waiting.pk).update(failures=F("failures") + 1)
        make_password(password.reveal_for("activation"))
        _refuse(staff, reason="codes")
    spent = False
    with transaction.atomic():
        held = Staff.objects.select_for_update(of=("self",), no_key=True).get(pk=staff.pk)
        set_password(held, password)
        spent = not Activation.objects.filter(pk=waiting.pk, used_at__isnull=True).update(used_at=clock.now())
        if not spent:
            held.save(update_fields=["password"])
            record(
                "staff.activate",
                actor=_actor(held),
                object_type="staff",
                object_ref=held.staff_no,
                facts={"change_id": str(waiting.pk)},
            )
            forget_failures(held)
    if spent:
        _refuse(staff, reason="used")


def change_password(staff_no: str, *, present: Sensitive[str], new: Sensitive[str], keep_session: str = "") -> None:
    """Change one's own password; every other session and every token of the person ends.

    Args:
        staff_no: the signed-in person.
        present: the present password; a wrong one counts towards the lock of the account.
        new: the new one, which satisfies the password rules and differs.
        keep_session: digest of the session that goes on.

    Raises:
        PasswordRefusedError: the present password is wrong, or the account is locked; recorded.
        StaffInputError: the new password breaks the rules.
    """
    staff = Staff.objects.get(staff_no=staff_no)
    if is_account_locked(staff):
        record_sign_in_failure(staff, reason="locked")
        raise PasswordRefusedError("present password: not accepted, or the account is locked; try again later")
    if not staff.check_password(present.reveal_for("password change")):
        record_sign_in_failure(staff, reason="password", count=True)
        raise PasswordRefusedError("present password: not accepted, or the account is locked; try again later")
    if present.reveal_for("password change") == new.reveal_for("password change"):
        raise StaffInputError("password: choose another one than the present")
    with transaction.atomic():
        held = Staff.objects.select_for_update(of=("self",), no_key=True).get(pk=staff.pk)
        set_password(held, new)
        held.save(update_fields=["password"])
        ended = end_everything(held, reason="password_changed", keep=keep_session)
        record("staff.change_password", actor=_actor(held), object_type="staff", object_ref=staff_no, facts=ended)
    forget_failures(staff)


def reset_in_person(staff_no: str, password: Sensitive[str], *, custodians: tuple[str, ...], actor: Actor) -> None:
    """Give an officer a new password and let them bind a new authenticator, where no two other officers can agree.

    The caller has just opened the root key with the passphrases of both custodians, typed in person: those are the two
    people.

    Raises:
        StaffInputError: no such open account, or the password breaks the rules.
    """
    with transaction.atomic():
        staff = (
            Staff.objects.select_for_update(of=("self",), no_key=True).filter(staff_no=staff_no, is_active=True).first()
        )
        if staff is None:
            raise StaffInputError("staff_no: no such open account")
        forget_second_factor(staff, actor=actor, reason="reset_in_person")
        set_password(staff, password)
        staff.save(update_fields=["password"])
        record(
            "staff.reset_in_person",
            actor=actor,
            object_type="staff",
            object_ref=staff_no,
            facts={"custodians": list(custodians)},
        )
    forget_failures(staff)


def _waiting(staff: Staff | None) -> Activation | None:
    if staff is None or not staff.is_active:
        return None
    return (
        Activation.objects.filter(
            staff=staff, used_at__isnull=True, expires_at__gt=clock.now(), failures__lt=WRONG_ACTIVATIONS
        )
        .order_by("-opened_at")
        .first()
    )


def _refuse(staff: Staff | None, *, reason: str) -> NoReturn:
    record_refusal(
        "staff.activate",
        actor=SYSTEM if staff is None else _actor(staff),
        object_type="staff",
        object_ref=staff.staff_no if staff else "",
        facts={"reason": reason},
    )
    raise ActivationRefusedError(ACTIVATION_REFUSED)


def _actor(staff: Staff) -> Actor:
    return Actor(kind="staff", ref=staff.staff_no, label=staff.display_name)
