"""From an account to a subject, and from a refusal to a recorded refusal."""

from collections.abc import Mapping
from typing import NoReturn

from allauth.mfa.models import Authenticator

from kuimen.foundation import clock
from kuimen.foundation.errors import DeniedError
from kuimen.gate.access.errors import DutySeparationError, NotPermittedError, SecondFactorMissingError
from kuimen.gate.access.models import RoleGrant, Staff
from kuimen.gate.access.policy import decide
from kuimen.gate.access.rules import Decision, GrantState, Resource, Role, Subject
from kuimen.gate.audit.services import Actor, record_refusal

_REFUSALS: Mapping[str, tuple[type[DeniedError], str]] = {
    "second-factor-missing": (SecondFactorMissingError, "activate a second factor first"),
    "maker-is-checker": (DutySeparationError, "a request is decided by another person than its maker"),
    "beneficiary-is-checker": (DutySeparationError, "nobody decides what they gain by themselves"),
    "roles-must-stay-apart": (DutySeparationError, "role: one person may not combine it with a role already held"),
    "role-not-for-agency": (DutySeparationError, "role: outsourced staff hold collection roles only"),
}


def subject_of(user: Staff) -> Subject:
    """Return who this account is at this moment: roles whose grants are active and inside their dates.

    A closed account is a subject without any role. Cost: three indexed queries.
    """
    agency = user.agency.code if user.agency else ""
    if not user.is_active:
        return Subject(staff_no=user.staff_no, display_name=user.display_name, agency_id=agency)
    at = clock.now()
    effective = RoleGrant.objects.filter(
        staff=user, state=GrantState.ACTIVE.value, valid_from__lte=at, valid_until__gt=at
    ).values_list("role", flat=True)
    posts = user.postings.filter(ended_at__isnull=True).values_list("post__code", flat=True)
    return Subject(
        staff_no=user.staff_no,
        display_name=user.display_name,
        roles=frozenset(Role(role) for role in effective),
        posts=frozenset(posts),
        agency_id=agency,
        mfa=holds_second_factor(user),
    )


def holds_second_factor(staff: Staff) -> bool:
    """Return whether the account has an active TOTP authenticator."""
    return bool(Authenticator.objects.filter(user_id=staff.pk, type=Authenticator.Type.TOTP).exists())


def actor_of(subject: Subject) -> Actor:
    """Return the subject as the actor of an audit entry."""
    return Actor(kind="staff", ref=subject.staff_no, label=subject.display_name)


def require(subject: Subject, action: str, resource: Resource, context: Mapping[str, str] | None = None) -> Decision:
    """Decide, and where the answer is no, record the refusal and raise it.

    Raises:
        NotPermittedError: no policy permits it, or one forbids it.
        DutySeparationError: one's own request or one's own benefit.
        SecondFactorMissingError: the account has no second factor.
    """
    decision = decide(subject, action, resource, context)
    if not decision.allowed:
        refuse(subject, action, resource, reason=decision.reason_code)
    return decision


def refuse(subject: Subject, action: str, resource: Resource, *, reason: str) -> NoReturn:
    """Record a refusal of policy or duty and raise it."""
    record_refusal(
        action,
        actor=actor_of(subject),
        object_type=resource.kind,
        object_ref=resource.ref,
        facts={"reason": reason},
    )
    kind, advice = _REFUSALS.get(
        reason, (NotPermittedError, f"{action}: no active role permits it; apply for one where the post allows")
    )
    raise kind(advice)
