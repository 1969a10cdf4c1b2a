"""Passwords of registered sources, sealed under a table key of their own."""

from uuid import UUID

from kuimen.gate.keys.rules import RetentionClass
from kuimen.gate.keys.services import keyring
from kuimen.governance.inventory.errors import SourceCredentialsError
from kuimen.kernels.ciphers import Suite, build_aad, header_of, open_sealed, seal
from kuimen.kernels.ciphers.errors import SealBrokenError

_SCOPE = "inventory.source_credentials"
_CLASS = RetentionClass.CONSENT_BASED
_ELEMENT = "source_credentials"


def seal_password(source_id: UUID, password: str) -> bytes:
    """Return a source's password sealed to this source.

    Raises:
        KeysLockedError: nobody has unlocked the keys.
    """
    ring = keyring()
    key = ring.sealing_table_key(_SCOPE, _CLASS)
    aad = _aad(ring.institution_id, source_id, key.generation)
    return seal(key.key, password.encode(), aad=aad, suite=Suite[key.suite.name], key_id=key.generation)


def open_password(source_id: UUID, sealed: bytes) -> str:
    """Return a source's password.

    Raises:
        KeysLockedError: nobody has unlocked the keys.
        SourceCredentialsError: it was altered or belongs to another source.
    """
    ring = keyring()
    generation = header_of(sealed).key_id
    key = ring.table_key(_SCOPE, _CLASS, generation)
    try:
        return open_sealed(key.key, sealed, aad=_aad(ring.institution_id, source_id, key.generation)).decode()
    except SealBrokenError:
        raise SourceCredentialsError("source: its stored password does not open; register the source again") from None


def _aad(institution: UUID, source_id: UUID, generation: int) -> bytes:
    return build_aad(
        institution.bytes,
        record=source_id,
        element=_ELEMENT,
        person=None,
        retention_class=_CLASS.value,
        generation=generation,
    )
