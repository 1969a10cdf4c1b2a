"""People, posts and agencies: register, assign, disable; the one appointment of the first officers."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from allauth.mfa.models import Authenticator
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from kuimen.foundation import clock
from kuimen.foundation.sensitive import Sensitive
from kuimen.gate.access.errors import (
    AlreadyAppointedError,
    StaffExistsError,
    StaffInputError,
    StaffNotFoundError,
)
from kuimen.gate.access.models import Agency, Appointment, Post, Posting, PostRole, RoleGrant, Staff
from kuimen.gate.access.rules import (
    LONGEST_GRANT,
    OPEN_GRANT_STATES,
    POST_CATALOGUE,
    Action,
    GrantEvent,
    GrantState,
    Resource,
    Role,
    Subject,
    next_grant_state,
)
from kuimen.gate.access.services.grants import keep_officers, recover
from kuimen.gate.access.services.second_factor import forget_second_factor
from kuimen.gate.access.services.sessions import end_everything
from kuimen.gate.access.services.subjects import actor_of, require
from kuimen.gate.audit.services import Actor, record

FIRST_OFFICERS = 2
FIRST_POST = "security"
FIRST_ROLES = (Role.SECURITY_OFFICER, Role.KEY_CUSTODIAN)
LONGEST_NAME = 64
_CODE = re.compile(r"[A-Z0-9][A-Z0-9-]{0,31}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOfficer:
    """One of the two first officers, present in person."""

    staff_no: str
    display_name: str
    password: Sensitive[str]


def appoint_first_officers(officers: Sequence[NewOfficer], *, actor: Actor) -> list[Staff]:
    """Appoint the first two officers, once, and lay down the post catalogue; later calls are refused for ever.

    Each one's roles are applied for by the one and approved by the other. The entry of the appointment is the first
    that this room writes, before the accounts exist.

    Raises:
        AlreadyAppointedError: there was an appointment before.
        StaffInputError: not two different people, or a field breaks its rule.
    """
    if len({officer.staff_no for officer in officers}) != FIRST_OFFICERS or len(officers) != FIRST_OFFICERS:
        raise StaffInputError("officers: name two different people")
    at = clock.now()
    try:
        with transaction.atomic():
            entry = record(
                "access.appoint",
                actor=actor,
                object_type="installation",
                facts={
                    "officers": [officer.staff_no for officer in officers],
                    "roles": [role.value for role in FIRST_ROLES],
                    "valid_until": (at + LONGEST_GRANT).isoformat(),
                },
            )
            Appointment.objects.create(appointed_at=at, audit_entry=entry)
            lay_down_posts()
            people = [_create(officer.staff_no, officer.display_name, officer.password) for officer in officers]
            post = Post.objects.get(code=FIRST_POST)
            for person, other in zip(people, reversed(people), strict=True):
                Posting.objects.create(staff=person, post=post, assigned_by=other.staff_no)
                for role in FIRST_ROLES:
                    RoleGrant.objects.create(
                        staff=person,
                        role=role.value,
                        post=post,
                        state=GrantState.ACTIVE.value,
                        reason="首次任命 first appointment",
                        valid_from=at,
                        valid_until=at + LONGEST_GRANT,
                        applied_by=person,
                        applied_at=at,
                        decided_by=other,
                        decided_at=at,
                    )
    except IntegrityError:
        raise AlreadyAppointedError("officers: the first officers were appointed before; apply for roles") from None
    return people


def lay_down_posts() -> None:
    """Write the post catalogue of this release; posts and matrix rows that exist stay as they are."""
    for code, (title_zh, title_en, roles) in POST_CATALOGUE.items():
        post, _ = Post.objects.get_or_create(code=code, defaults={"title_zh": title_zh, "title_en": title_en})
        for role in sorted(roles):
            PostRole.objects.get_or_create(post=post, role=role.value)


def register_agency(code: str, *, name: str, officer: Subject, second: Subject) -> Agency:
    """Register an outsourced agency; its code becomes the row scope of its people.

    Raises:
        NotPermittedError, DutySeparationError: one of the two officers may not, or they are one person.
        StaffInputError, StaffExistsError: code or name breaks its rule; the code is taken.
    """
    two_officers(Action.AGENCY_REGISTER, officer, second, Resource(kind="agency", ref=code))
    check_code("code", code)
    if not name.strip():
        raise StaffInputError("name: give the agency's name")
    try:
        with transaction.atomic():
            agency = Agency.objects.create(code=code, name=name.strip())
            record(
                "agency.register",
                actor=actor_of(officer),
                object_type="agency",
                object_ref=code,
                facts={"second": second.staff_no},
            )
    except IntegrityError:
        raise StaffExistsError("code: an agency of this code exists") from None
    return agency


def register_staff(
    staff_no: str,
    *,
    display_name: str,
    officer: Subject,
    second: Subject,
    password: Sensitive[str] | None = None,
    agency: str = "",
) -> Staff:
    """Open an account without any right.

    Args:
        staff_no: capital letters, digits and hyphens, at most 32.
        display_name: the work identity that watermarks show.
        officer: the security officer who opens it.
        second: the other officer, who agreed.
        password: the first password; None opens an account whose person chooses one on activation.
        agency: code of the outsourced agency, empty for the institution's own staff.

    Raises:
        NotPermittedError, DutySeparationError: one of the two may not, or they are one person.
        StaffInputError: number, name or password breaks its rule.
        StaffNotFoundError: no such active agency.
        StaffExistsError: the number is taken, by an open or a closed account: numbers are never given twice.
    """
    two_officers(Action.STAFF_REGISTER, officer, second, Resource(kind="staff", ref=staff_no))
    home = agency_of(agency)
    try:
        with transaction.atomic():
            staff = _create(staff_no, display_name, password, agency=home)
            record(
                "staff.register",
                actor=actor_of(officer),
                object_type="staff",
                object_ref=staff_no,
                facts={"agency": agency, "second": second.staff_no},
            )
    except IntegrityError:
        raise StaffExistsError("staff_no: taken; numbers are never given twice") from None
    return staff


def agency_of(code: str) -> Agency | None:
    """Return an active agency, None for the institution itself.

    Raises:
        StaffNotFoundError: no such active agency.
    """
    agency = Agency.objects.filter(code=code, is_active=True).first() if code else None
    if code and agency is None:
        raise StaffNotFoundError("agency: no such agency")
    return agency


def assign_post(staff_no: str, *, post: str, officer: Subject, second: Subject) -> None:
    """Put a person on a post, which allows applying for its roles and grants none.

    Raises:
        NotPermittedError, DutySeparationError: one of the two may not, they are one person, or one gains by it.
        StaffNotFoundError, StaffExistsError: no such person or post, or on it already.
    """
    two_officers(Action.POST_ASSIGN, officer, second, Resource(kind="staff", ref=staff_no, beneficiary=staff_no))
    try:
        with transaction.atomic():
            staff = _locked(staff_no)
            chosen = Post.objects.filter(code=post).first()
            if chosen is None:
                raise StaffNotFoundError("post: no such post")
            Posting.objects.create(staff=staff, post=chosen, assigned_by=officer.staff_no)
            record(
                "post.assign",
                actor=actor_of(officer),
                object_type="staff",
                object_ref=staff_no,
                facts={"post": post, "second": second.staff_no},
            )
    except IntegrityError:
        raise StaffExistsError("post: the person holds it already") from None


def end_posting(staff_no: str, *, post: str, officer: Subject) -> int:
    """Take a person off a post; every grant that hangs on it ends and is recovered at once.

    Returns:
        How many grants ended.

    Clause: JRT0171-7.2.3-c
    """
    require(officer, Action.POST_ASSIGN, Resource(kind="staff", ref=staff_no, beneficiary=staff_no))
    with transaction.atomic():
        staff = _locked(staff_no)
        posting = staff.postings.filter(post__code=post, ended_at__isnull=True).first()
        if posting is None:
            raise StaffNotFoundError("post: the person does not hold it")
        ended = _end_grants(staff, post=post, actor=actor_of(officer), reason="posting_ended")
        posting.ended_at = clock.now()
        posting.save(update_fields=["ended_at"])
        record(
            "post.end",
            actor=actor_of(officer),
            object_type="staff",
            object_ref=staff_no,
            facts={"post": post, "grants_ended": ended},
        )
    return ended


def disable_staff(staff_no: str, *, officer: Subject, reason: str) -> None:
    """Close the account of a leaver: sessions and tokens die, grants and postings end, the second factor goes.

    All of it is one transaction, so it holds from the next request on. The number is never given again.

    Raises:
        NotPermittedError: `officer` may not.
        DutySeparationError: one's own account.
        StaffNotFoundError: no such open account.
        LastOfficersError: fewer than two security officers would remain.

    Clause: JRT0171-7.2.3-c
    """
    require(officer, Action.STAFF_DISABLE, Resource(kind="staff", ref=staff_no, beneficiary=staff_no))
    with transaction.atomic():
        staff = _locked(staff_no)
        grants_ended = _end_grants(staff, post=None, actor=actor_of(officer), reason="leaver")
        postings = staff.postings.filter(ended_at__isnull=True).update(ended_at=clock.now())
        Authenticator.objects.filter(user_id=staff.pk).delete()
        ended = end_everything(staff, reason="leaver")
        staff.is_active = False
        staff.left_at = clock.now()
        staff.set_unusable_password()
        staff.save()
        record(
            "staff.disable",
            actor=actor_of(officer),
            object_type="staff",
            object_ref=staff_no,
            facts={**ended, "grants_ended": grants_ended, "postings_ended": postings, "reason": reason},
        )


def reset_sign_in(staff_no: str, *, officer: Subject, second: Subject) -> Staff:
    """Take password and second factor of a person who lost one; two other people agree, the person activates anew.

    Raises:
        NotPermittedError, DutySeparationError: one of the two may not, they are one person, or it is their own account.
        StaffNotFoundError: no such open account.
    """
    target = Resource(kind="staff", ref=staff_no, beneficiary=staff_no)
    two_officers(Action.STAFF_RESET_FACTOR, officer, second, target)
    with transaction.atomic():
        staff = _locked(staff_no)
        forget_second_factor(staff, actor=actor_of(officer), reason="factor_reset")
    return staff


def _end_grants(staff: Staff, *, post: str | None, actor: Actor, reason: str) -> int:
    grants = RoleGrant.objects.select_for_update(of=("self",)).filter(
        staff=staff, state__in=[state.value for state in OPEN_GRANT_STATES]
    )
    chosen = list((grants.filter(post__code=post) if post else grants).select_related("staff", "post"))
    keep_officers(chosen)
    for grant in chosen:
        if GrantState(grant.state) is GrantState.APPLIED:
            after = next_grant_state(GrantState.APPLIED, GrantEvent.WITHDRAW)
            grant.state, grant.ended_at, grant.end_reason = (after or GrantState.WITHDRAWN).value, clock.now(), reason
            grant.save(update_fields=["state", "ended_at", "end_reason"])
        else:
            recover(grant, GrantEvent.REVOKE, actor=actor, reason=reason)
    return len(chosen)


def two_officers(action: Action, officer: Subject, second: Subject, target: Resource) -> None:
    """Hold a change to two officers: one may do it, another may decide it, and neither gains by it.

    Raises:
        NotPermittedError: one of them may not.
        DutySeparationError: they are one person, or the change is about one of them.
    """
    require(officer, action, target)
    require(second, Action.STAFF_DECIDE, replace(target, maker=officer.staff_no))


def set_password(staff: Staff, password: Sensitive[str]) -> None:
    """Set a password that satisfies the rules; the caller saves the account.

    Raises:
        StaffInputError: it does not.
    """
    clear = password.reveal_for("account password")
    try:
        validate_password(clear, user=staff)
    except ValidationError as error:
        advice = "; ".join(str(message) for message in error.messages)
        raise StaffInputError(f"password: breaks the password rules: {advice}") from None
    staff.set_password(clear)


def check_name(display_name: str) -> str:
    """Return a work name without blanks around it.

    Raises:
        StaffInputError: empty or longer than 64 characters.
    """
    name = display_name.strip()
    if not name or len(name) > LONGEST_NAME:
        raise StaffInputError(f"display_name: give the work name that watermarks show, at most {LONGEST_NAME} signs")
    return name


def _create(
    staff_no: str, display_name: str, password: Sensitive[str] | None, *, agency: Agency | None = None
) -> Staff:
    check_code("staff_no", staff_no)
    draft = Staff(staff_no=staff_no, display_name=check_name(display_name), agency=agency)
    if password is None:
        draft.set_unusable_password()
    else:
        set_password(draft, password)
    draft.save()
    return draft


def check_code(field: str, value: str) -> None:
    """Refuse a staff number or agency code that has not the one spelling.

    Raises:
        StaffInputError: it has not.
    """
    if not _CODE.match(value):
        raise StaffInputError(f"{field}: capital letters, digits and hyphens, at most 32, not beginning with a hyphen")


def _locked(staff_no: str) -> Staff:
    staff = Staff.objects.select_for_update(of=("self",), no_key=True).filter(staff_no=staff_no, is_active=True).first()
    if staff is None:
        raise StaffNotFoundError("staff_no: no such member of staff")
    return staff
