"""The second factor: seeds sealed with the gate's keys, each code accepted once whichever worker sees it."""

import base64
import secrets

from allauth.mfa.models import Authenticator
from django.db import IntegrityError, connection, transaction

from kuimen.foundation import clock
from kuimen.foundation.sensitive import Sensitive
from kuimen.gate.access.errors import SignInRefusedError, StaffExistsError
from kuimen.gate.access.models import Staff
from kuimen.gate.access.rules import matching_step
from kuimen.gate.access.services.sessions import end_everything
from kuimen.gate.access.services.subjects import holds_second_factor
from kuimen.gate.audit.services import Actor, record
from kuimen.gate.keys.rules import KeySuite
from kuimen.gate.keys.services import keyring
from kuimen.kernels.ciphers import Suite, header_of, open_sealed, seal

KEY_SCOPE = "access.totp"
RETENTION_CLASS = "identity_transaction"
SEED_BYTES = 20
_SUITES = {KeySuite.SM4_GCM: Suite.SM4_GCM, KeySuite.AES_256_GCM: Suite.AES_256_GCM}
_SPEND = """
INSERT INTO access_second_factor_use AS used (staff_id, last_step) VALUES (%s, %s)
ON CONFLICT (staff_id) DO UPDATE SET last_step = EXCLUDED.last_step WHERE used.last_step < EXCLUDED.last_step
"""


def has_second_factor(staff: Staff) -> bool:
    """Return whether the account has an active second factor."""
    return holds_second_factor(staff)


def begin_enrolment() -> Sensitive[str]:
    """Draw a seed, as base32 text for an authenticator; nothing is stored."""
    return Sensitive(base64.b32encode(secrets.token_bytes(SEED_BYTES)).decode("ascii"), element="secret_key")


def seal_seed(staff: Staff, seed: Sensitive[str]) -> str:
    """Seal a seed for its account; copied to another account it does not open."""
    key = keyring().sealing_table_key(KEY_SCOPE, RETENTION_CLASS)
    plaintext = base64.b32decode(seed.reveal_for("second factor"), casefold=True)
    sealed = seal(key.key, plaintext, aad=_seed_aad(staff), suite=_SUITES[key.suite], key_id=key.generation)
    return base64.b64encode(sealed).decode("ascii")


def open_seed(staff: Staff, sealed_text: str) -> bytes:
    """Open the seed of an account.

    Raises:
        SealBrokenError: the bytes were altered or belong to another account.
        KeysLockedError: the keys are locked.
    """
    sealed = base64.b64decode(sealed_text)
    key = keyring().table_key(KEY_SCOPE, RETENTION_CLASS, header_of(sealed).key_id)
    return open_sealed(key.key, sealed, aad=_seed_aad(staff))


def enroll_totp(staff: Staff, seed: Sensitive[str] | None = None, *, actor: Actor | None = None) -> Sensitive[str]:
    """Give an account its second factor and return the seed, which is told this once.

    Args:
        staff: the account.
        seed: a seed the person has already proved to hold; None draws one.
        actor: who does it, by default the person.

    Raises:
        StaffExistsError: the account has a second factor already.
    """
    chosen = seed or begin_enrolment()
    try:
        with transaction.atomic():
            Authenticator.objects.create(
                user=staff, type=Authenticator.Type.TOTP, data={"secret": seal_seed(staff, chosen)}
            )
            record(
                "second_factor.enrol",
                actor=actor or Actor(kind="staff", ref=staff.staff_no, label=staff.display_name),
                object_type="staff",
                object_ref=staff.staff_no,
            )
    except IntegrityError:
        raise StaffExistsError("second factor: the account has one already; have an officer reset it") from None
    return chosen


def verify_totp(staff: Staff, code: str) -> None:
    """Accept a code of the account's authenticator, once.

    The step of an accepted code is stored in the same statement that checks it, so of two workers that see one code at
    the same time, one accepts it.

    Raises:
        SignInRefusedError: no authenticator, wrong code, or a code of a step that is spent.
    """
    authenticator = Authenticator.objects.filter(user_id=staff.pk, type=Authenticator.Type.TOTP).first()
    if authenticator is None:
        raise SignInRefusedError("code: not accepted; wait for the next code of the authenticator")
    step = matching_step(open_seed(staff, authenticator.data["secret"]), code, at=clock.now())
    if step is None or not spend_step(staff, step):
        raise SignInRefusedError("code: not accepted; wait for the next code of the authenticator")


def spend_step(staff: Staff, step: int) -> bool:
    """Mark a time step as used; False where this step or a later one was used before."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_SPEND, [staff.pk, step])
        return bool(cursor.rowcount == 1)


def forget_second_factor(staff: Staff, *, actor: Actor, reason: str) -> None:
    """Take password and second factor of an account and end what it has open; the person activates it anew.

    Call it inside the transaction of the change that two people agreed to.
    """
    Authenticator.objects.filter(user_id=staff.pk).delete()
    ended = end_everything(staff, reason=reason)
    staff.set_unusable_password()
    staff.save(update_fields=["password"])
    record("second_factor.reset", actor=actor, object_type="staff", object_ref=staff.staff_no, facts=ended)


def _seed_aad(staff: Staff) -> bytes:
    return b"kuimen/totp/1:" + str(staff.pk).encode("ascii")
