"""Console sessions: one at a time per person, idle and absolute end, ended at once by an officer."""

import hashlib

from django.db import transaction

from kuimen.foundation import clock
from kuimen.gate.access.models import ApiToken, Staff, StaffSession
from kuimen.gate.access.rules import SessionEnd, session_end
from kuimen.gate.audit.services import Actor, record

SEEN_RESOLUTION_SECONDS = 30  # a page with ten requests writes its session row once


def digest_of_key(secret: str) -> str:
    """Return the SM3 digest under which a session key or token is stored."""
    return hashlib.new("sm3", secret.encode()).hexdigest()


def open_session(staff: Staff, session_key: str, *, client_digest: str = "", second_factor: bool) -> None:
    """Record that a person signed in; the person's other sessions end, for one account is one person at one place.

    Args:
        staff: who.
        session_key: key of the Django session, already rotated.
        client_digest: keyed digest of address and browser.
        second_factor: whether a code was given for this session.
    """
    at = clock.now()
    with transaction.atomic():
        superseded = _end(staff, reason="superseded")
        StaffSession.objects.create(
            session_digest=digest_of_key(session_key),
            staff=staff,
            client_digest=client_digest,
            started_at=at,
            seen_at=at,
            second_factor_at=at if second_factor else None,
        )
        record(
            "access.sign_in",
            actor=_actor(staff),
            object_type="staff",
            object_ref=staff.staff_no,
            facts={"second_factor": second_factor, "superseded_sessions": superseded},
        )


def confirm_second_factor(session_key: str) -> None:
    """Note that the person of this session has just activated and proved a second factor."""
    StaffSession.objects.filter(session_digest=digest_of_key(session_key), ended_at__isnull=True).update(
        second_factor_at=clock.now()
    )


def touch_session(staff: Staff, session_key: str) -> StaffSession | None:
    """Return the person's live session and move its idle limit, or end it and return None."""
    session = StaffSession.objects.filter(session_digest=digest_of_key(session_key), staff=staff).first()
    if session is None:
        return None
    at = clock.now()
    over = session_end(started_at=session.started_at, seen_at=session.seen_at, ended_at=session.ended_at, at=at)
    if over is None and staff.is_active:
        if (at - session.seen_at).total_seconds() >= SEEN_RESOLUTION_SECONDS:
            StaffSession.objects.filter(pk=session.pk, ended_at__isnull=True).update(seen_at=at)
        return session
    if over is not SessionEnd.REVOKED:
        close_session(staff, session_key, reason=(over or SessionEnd.REVOKED).value)
    return None


def close_session(staff: Staff, session_key: str, *, reason: str) -> None:
    """End one session and record it; a session that has ended already stays as it is."""
    with transaction.atomic():
        ended = StaffSession.objects.filter(
            session_digest=digest_of_key(session_key), staff=staff, ended_at__isnull=True
        ).update(ended_at=clock.now(), end_reason=reason)
        if ended:
            record(
                "access.sign_out",
                actor=_actor(staff),
                object_type="staff",
                object_ref=staff.staff_no,
                facts={"reason": reason},
            )


def end_sessions(staff: Staff, *, reason: str) -> int:
    """End all console sessions of a person and return how many there were."""
    with transaction.atomic():
        return _end(staff, reason=reason)


def end_everything(staff: Staff, *, reason: str, keep: str = "") -> dict[str, str | int]:
    """End all sessions and revoke all tokens of a person; call it inside the transaction that records why.

    `keep` is the digest of one session that goes on, empty for none.
    """
    tokens = ApiToken.objects.filter(staff=staff, revoked_at__isnull=True).update(
        revoked_at=clock.now(), revoke_reason=reason
    )
    return {"reason": reason, "sessions_ended": _end(staff, reason=reason, keep=keep), "tokens_revoked": tokens}


def _end(staff: Staff, *, reason: str, keep: str = "") -> int:
    open_ones = StaffSession.objects.filter(staff=staff, ended_at__isnull=True).exclude(session_digest=keep)
    return open_ones.update(ended_at=clock.now(), end_reason=reason)


def _actor(staff: Staff) -> Actor:
    return Actor(kind="staff", ref=staff.staff_no, label=staff.display_name)
