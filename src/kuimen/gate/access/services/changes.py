"""Changes to people, posts and agencies: proposed by one officer, decided or countersigned by another.

Clause: CQJR-5.4-c
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NoReturn
from uuid import UUID

from django.db import IntegrityError, transaction

from kuimen.foundation import clock
from kuimen.foundation.sensitive import Sensitive
from kuimen.gate.access.change_rules import (
    ACTIVATED_KINDS,
    ACTIVATION_LIFETIME,
    CHANGE_ACTIONS,
    COUNTERSIGN_WITHIN,
    PROPOSAL_LIFETIME,
    TAKING_KINDS,
    ChangeEvent,
    ChangeKind,
    ChangeState,
    code_digest,
    code_from,
    first_state,
    next_change_state,
)
from kuimen.gate.access.errors import (
    ChangeTransitionError,
    LastOfficersError,
    StaffExistsError,
    StaffInputError,
    StaffNotFoundError,
)
from kuimen.gate.access.models import Activation, Agency, Post, Staff, StaffChange
from kuimen.gate.access.rules import Action, Resource, Subject
from kuimen.gate.access.services import staff as deeds
from kuimen.gate.access.services.subjects import actor_of, require, subject_of
from kuimen.gate.audit.services import SYSTEM, Actor, record, record_refusal

CODE_BYTES = 16
SWEEP_ROWS = 500
NO_CONTENT: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What became of a change.

    Attributes:
        code: this officer's activation code, where the change opens an account; told this once.
    """

    change_id: UUID
    kind: ChangeKind
    state: ChangeState
    target: str
    code: Sensitive[str] | None = None


def propose_change(
    kind: ChangeKind, target: str, *, officer: Subject, reason: str, content: Mapping[str, str] = NO_CONTENT
) -> Decided:
    """Make a change. What gives waits for a second officer; what takes acts at once and waits to be countersigned.

    Args:
        kind: what is changed.
        target: staff number, or code of the agency.
        officer: a security officer.
        reason: why, in words without personal numbers.
        content: ``display_name`` and ``agency`` of new staff, ``name`` of an agency, ``post``.

    Returns:
        The change; where it opens an account, with the first of the two activation codes.

    Raises:
        NotPermittedError, DutySeparationError: the officer may not, or gains by it.
        StaffInputError, StaffNotFoundError, StaffExistsError: a field breaks its rule; no such person, post or agency;
            it exists, or the same change waits already.
        LastOfficersError: fewer than two security officers would remain.
    """
    action = CHANGE_ACTIONS[kind]
    require(officer, action, _resource(kind, target))
    if not reason.strip():
        raise StaffInputError("reason: say why")
    kept = _checked(kind, target, content)
    at = clock.now()
    code = _draw() if kind in ACTIVATED_KINDS else None
    taking = kind in TAKING_KINDS
    try:
        with transaction.atomic():
            if taking:
                _take(kind, target, kept, officer=officer, reason=reason)
            row = StaffChange.objects.create(
                kind=kind.value,
                state=first_state(kind).value,
                target=target,
                content=kept,
                reason=reason.strip(),
                maker=_account(officer),
                proposed_at=at,
                expires_at=at + (COUNTERSIGN_WITHIN if taking else PROPOSAL_LIFETIME),
                first_token_sm3=code_digest(code.reveal_for("digest of an activation code")) if code else "",
            )
            _record(row, "change.propose", actor=actor_of(officer), facts={"reason": row.reason})
    except LastOfficersError:
        _record_refused(kind, target, officer, reason=LastOfficersError.code)
        raise
    except IntegrityError:
        raise StaffExistsError("change: the same change waits for a second officer already") from None
    return _decided(row, code)


def approve_change(change_id: UUID, *, officer: Subject) -> Decided:
    """Carry a proposed change out, as another officer than its maker; of two at once, one wins.

    Returns:
        The change; where it opens an account, with the second of the two activation codes.

    Raises:
        NotPermittedError, DutySeparationError: one of the two officers may not (any more), or gains by it.
        ChangeTransitionError: decided, withdrawn or expired already.
        StaffNotFoundError, StaffExistsError: no such change; what it is about has changed meanwhile.
    """
    seen = _permitted(change_id, officer)
    maker = subject_of(Staff.objects.select_related("agency").get(pk=seen.maker_id))
    with transaction.atomic():
        row = _locked(change_id)
        if _advance(row, ChangeEvent.APPROVE):
            code = _give(row, maker=maker, second=officer)
            row.checker, row.decided_at = _account(officer), clock.now()
            row.save(update_fields=["state", "checker", "decided_at"])
            _record(row, "change.approve", actor=actor_of(officer))
            return _decided(row, code)
    _refuse_transition(change_id, ChangeEvent.APPROVE, actor=actor_of(officer))
    return None


def refuse_change(change_id: UUID, *, officer: Subject, reason: str) -> Decided:
    """Refuse a proposed change; errors as in :func:`approve_change`."""
    if not reason.strip():
        raise StaffInputError("reason: say why")
    _permitted(change_id, officer)
    return _close(change_id, ChangeEvent.REFUSE, officer=officer, reason=reason.strip())


def countersign_change(change_id: UUID, *, officer: Subject) -> Decided:
    """Countersign a change that took effect at once; errors as in :func:`approve_change`."""
    _permitted(change_id, officer)
    return _close(change_id, ChangeEvent.COUNTERSIGN, officer=officer, reason="")


def withdraw_change(change_id: UUID, *, officer: Subject) -> Decided:
    """Withdraw one's own proposal; of anybody else's it says not found.

    Raises:
        StaffNotFoundError, ChangeTransitionError: no such proposal of this officer; not waiting any more.
    """
    row = StaffChange.objects.select_related("maker").filter(change_id=change_id).first()
    if row is None or row.maker.staff_no != officer.staff_no:
        raise StaffNotFoundError("change_id: no such change")
    with transaction.atomic():
        row = _locked(change_id)
        if _advance(row, ChangeEvent.WITHDRAW):
            row.save(update_fields=["state"])
            _record(row, "change.withdraw", actor=actor_of(officer))
            return _decided(row)
    _refuse_transition(change_id, ChangeEvent.WITHDRAW, actor=actor_of(officer))
    return None


def expire_due_changes() -> int:
    """Close proposals that nobody decided in time, for the worker; return how many."""
    with transaction.atomic():
        due = StaffChange.objects.select_for_update(skip_locked=True, of=("self",)).filter(
            state=ChangeState.PROPOSED.value, expires_at__lte=clock.now()
        )
        rows = list(due[:SWEEP_ROWS])
        for row in rows:
            row.state = ChangeState.EXPIRED.value
            row.save(update_fields=["state"])
            _record(row, "change.expire", actor=SYSTEM)
    return len(rows)


def _checked(kind: ChangeKind, target: str, content: Mapping[str, str]) -> dict[str, str]:
    """Return the content of a change that could be carried out now."""
    deeds.check_code("staff_no" if kind is not ChangeKind.REGISTER_AGENCY else "code", target)
    match kind:
        case ChangeKind.REGISTER_STAFF:
            if Staff.objects.filter(staff_no=target).exists():
                raise StaffExistsError("staff_no: taken; numbers are never given twice")
            agency = content.get("agency", "")
            deeds.agency_of(agency)
            return {"display_name": deeds.check_name(content.get("display_name", "")), "agency": agency}
        case ChangeKind.REGISTER_AGENCY:
            if Agency.objects.filter(code=target).exists():
                raise StaffExistsError("code: an agency of this code exists")
            name = content.get("name", "").strip()
            if not name:
                raise StaffInputError("name: give the agency's name")
            return {"name": name}
        case ChangeKind.ASSIGN_POST | ChangeKind.END_POST:
            _open_account(target)
            post = content.get("post", "")
            if not Post.objects.filter(code=post).exists():
                raise StaffNotFoundError("post: no such post")
            return {"post": post}
        case ChangeKind.RESET_SIGN_IN | ChangeKind.DISABLE_STAFF:
            _open_account(target)
            return {}


def _take(kind: ChangeKind, target: str, content: Mapping[str, str], *, officer: Subject, reason: str) -> None:
    if kind is ChangeKind.END_POST:
        deeds.end_posting(target, post=content["post"], officer=officer)
    else:
        deeds.disable_staff(target, officer=officer, reason=reason)


def _give(row: StaffChange, *, maker: Subject, second: Subject) -> Sensitive[str] | None:
    match ChangeKind(row.kind):
        case ChangeKind.REGISTER_AGENCY:
            deeds.register_agency(row.target, name=row.content["name"], officer=maker, second=second)
            return None
        case ChangeKind.ASSIGN_POST:
            deeds.assign_post(row.target, post=row.content["post"], officer=maker, second=second)
            return None
        case ChangeKind.REGISTER_STAFF:
            account = deeds.register_staff(
                row.target,
                display_name=row.content["display_name"],
                agency=row.content["agency"],
                officer=maker,
                second=second,
            )
        case ChangeKind.RESET_SIGN_IN:
            account = deeds.reset_sign_in(row.target, officer=maker, second=second)
        case _:
            raise ChangeTransitionError("change: it took effect at once and is countersigned, not approved")
    return _open_activation(row, account)


def _open_activation(row: StaffChange, account: Staff) -> Sensitive[str]:
    code = _draw()
    at = clock.now()
    Activation.objects.create(
        change=row,
        staff=account,
        first_token_sm3=row.first_token_sm3,
        second_token_sm3=code_digest(code.reveal_for("digest of an activation code")),
        opened_at=at,
        expires_at=at + ACTIVATION_LIFETIME,
    )
    return code


def _close(change_id: UUID, event: ChangeEvent, *, officer: Subject, reason: str) -> Decided:
    with transaction.atomic():
        row = _locked(change_id)
        if _advance(row, event):
            row.checker, row.decided_at, row.decision_reason = _account(officer), clock.now(), reason
            row.save(update_fields=["state", "checker", "decided_at", "decision_reason"])
            _record(row, f"change.{event.value}", actor=actor_of(officer), facts={"reason": reason} if reason else {})
            return _decided(row)
    _refuse_transition(change_id, event, actor=actor_of(officer))
    return None


def _advance(row: StaffChange, event: ChangeEvent) -> bool:
    """Move the row in memory; False where the table, or the time that is over, does not allow it."""
    state = ChangeState(row.state)
    if state is ChangeState.PROPOSED and clock.now() >= row.expires_at:
        row.state = ChangeState.EXPIRED.value
        row.save(update_fields=["state"])
        _record(row, "change.expire", actor=SYSTEM)
        return False
    after = next_change_state(state, event)
    if after is None:
        return False
    row.state = after.value
    return True


def _permitted(change_id: UUID, officer: Subject) -> StaffChange:
    row = StaffChange.objects.select_related("maker").filter(change_id=change_id).first()
    if row is None:
        raise StaffNotFoundError("change_id: no such change")
    kind = ChangeKind(row.kind)
    target = _resource(kind, row.target, ref=str(change_id), maker=row.maker.staff_no)
    require(officer, Action.STAFF_DECIDE, target)
    return row


def _resource(kind: ChangeKind, target: str, *, ref: str = "", maker: str = "") -> Resource:
    about = "" if kind is ChangeKind.REGISTER_AGENCY else target
    return Resource(
        kind="agency" if kind is ChangeKind.REGISTER_AGENCY else "staff",
        ref=ref or target,
        maker=maker,
        beneficiary=about,
    )


def _locked(change_id: UUID) -> StaffChange:
    return StaffChange.objects.select_for_update(of=("self",)).select_related("maker").get(change_id=change_id)


def _open_account(staff_no: str) -> None:
    if not Staff.objects.filter(staff_no=staff_no, is_active=True).exists():
        raise StaffNotFoundError("staff_no: no such member of staff")


def _account(subject: Subject) -> Staff:
    return Staff.objects.get(staff_no=subject.staff_no)


def _draw() -> Sensitive[str]:
    return Sensitive(code_from(secrets.token_bytes(CODE_BYTES)), element="secret_key")


def _decided(row: StaffChange, code: Sensitive[str] | None = None) -> Decided:
    return Decided(
        change_id=row.change_id, kind=ChangeKind(row.kind), state=ChangeState(row.state), target=row.target, code=code
    )


def _record_refused(kind: ChangeKind, target: str, officer: Subject, *, reason: str) -> None:
    record_refusal(
        "change.propose",
        actor=actor_of(officer),
        object_type=_resource(kind, target).kind,
        object_ref=target,
        facts={"change": kind.value, "reason": reason},
    )


def _refuse_transition(change_id: UUID, event: ChangeEvent, *, actor: Actor) -> NoReturn:
    record_refusal(
        f"change.{event.value}",
        actor=actor,
        object_type="change",
        object_ref=str(change_id),
        facts={"reason": "transition_not_allowed"},
    )
    raise ChangeTransitionError(f"change: {event.value} is not possible in its present state; read it again")


def _record(row: StaffChange, action: str, *, actor: Actor, facts: Mapping[str, str] | None = None) -> None:
    record(
        action,
        actor=actor,
        object_type="change",
        object_ref=str(row.change_id),
        facts={"change": row.kind, "target": row.target, "state": row.state, **row.content, **(facts or {})},
    )
