"""The key of a package: drawn for it, sealed in the database, destroyed with it. It seals the package's own bytes too.

Whoever has the key can tell by trying whom a pseudonym stands for; when it is gone, nobody can, and what rested here
does not open any more.
"""

import secrets
from uuid import UUID

from kuimen.gate.keys.rules import RetentionClass
from kuimen.gate.keys.services import keyring
from kuimen.governance.releases.errors import PackageAlteredError
from kuimen.kernels.ciphers import Suite, build_aad, header_of, open_sealed, seal
from kuimen.kernels.ciphers.digests import hkdf_sm3
from kuimen.kernels.ciphers.errors import SealBrokenError

KEY_BYTES = 32
_SCOPE = "releases.package_key"
_CLASS = RetentionClass.CONSENT_BASED
_KEY, _BODY = "package_key", "package_body"


def new_key() -> bytes:
    """Draw a key for one package."""
    return secrets.token_bytes(KEY_BYTES)


def seal_key(release_id: UUID, key: bytes) -> bytes:
    """Return a package's key sealed to this release.

    Raises:
        KeysLockedError: nobody has unlocked the keys.
    """
    ring = keyring()
    own = ring.sealing_table_key(_SCOPE, _CLASS)
    aad = _aad(ring.institution_id, release_id, _KEY, own.generation)
    return seal(own.key, key, aad=aad, suite=Suite[own.suite.name], key_id=own.generation)


def open_key(release_id: UUID, sealed: bytes) -> bytes:
    """Return a package's key.

    Raises:
        KeysLockedError: nobody has unlocked the keys.
        PackageAlteredError: it was altered or belongs to another release.
    """
    ring = keyring()
    generation = header_of(sealed).key_id
    own = ring.table_key(_SCOPE, _CLASS, generation)
    try:
        return open_sealed(own.key, sealed, aad=_aad(ring.institution_id, release_id, _KEY, generation))
    except SealBrokenError:
        raise PackageAlteredError("release: its stored key does not open; it was altered or moved") from None


def seal_body(release_id: UUID, key: bytes, body: bytes) -> bytes:
    """Return the package's bytes sealed under its own key."""
    aad = _aad(keyring().institution_id, release_id, _BODY, 0)
    return seal(_body_key(key), body, aad=aad, suite=Suite.SM4_GCM, key_id=0)


def open_body(release_id: UUID, key: bytes, sealed: bytes) -> bytes:
    """Return the package's bytes.

    Raises:
        PackageAlteredError: they were altered or belong to another release.
    """
    try:
        return open_sealed(_body_key(key), sealed, aad=_aad(keyring().institution_id, release_id, _BODY, 0))
    except SealBrokenError:
        raise PackageAlteredError("release: the stored package does not open; it was altered or moved") from None


def _body_key(key: bytes) -> bytes:
    return hkdf_sm3(key, info=b"release body", length=16)


def _aad(institution: UUID, release_id: UUID, element: str, generation: int) -> bytes:
    return build_aad(
        institution.bytes,
        record=release_id,
        element=element,
        person=None,
        retention_class=_CLASS.value,
        generation=generation,
    )
