"""Keys of applications: derived from a table key of the installation, one scope for each application.

The installation's own vault keys never leave it. What an application is given opens the columns of that application and
nothing else, and every hand-out is the act of two persons.
"""

from typing import Final

from kuimen.gate.keys.errors import KeyDestroyedError
from kuimen.gate.keys.leases import leased_table
from kuimen.gate.keys.rules import RetentionClass
from kuimen.gate.keys.services import keyring
from kuimen.kernels.ciphers import hkdf_sm3
from kuimen.kernels.sealed_columns import MASTER_BYTES, ApplicationKeys

KIND: Final = RetentionClass.IDENTITY_TRANSACTION
_INFO: Final = b"kuimen/application/1"


def scope_of(application: str) -> str:
    """Return the scope of an application's key in the key database."""
    return f"application:{application}"


def application_keys(application: str) -> ApplicationKeys:
    """Return the keys of an application in all their generations; the first call makes its key.

    Raises:
        KeysLockedError, KeyStoreError, KeyDestroyedError: as named.
    """
    ring, scope = keyring(), scope_of(application)
    current = ring.table_key(scope, KIND)
    masters: dict[int, bytes] = {}
    for generation in range(1, current.generation + 1):
        try:
            held = ring.table_key(scope, KIND, generation)
        except KeyDestroyedError:
            continue
        masters[generation] = hkdf_sm3(held.key, info=_INFO + application.encode(), length=MASTER_BYTES)
    return ApplicationKeys(masters, institution=ring.institution_id.bytes, current=current.generation)


def claim(application: str, values: int) -> None:
    """Count values before they are sealed, against the 2^32 of a key; all columns of an application together.

    Raises:
        KeyUsesExhaustedError: nothing may be sealed under this key any more.
    """
    ring, scope = keyring(), scope_of(application)
    ring.claim({leased_table(scope, KIND, ring.table_key(scope, KIND).generation): values})


def digest_key() -> bytes:
    """Return the key of the digests in a report."""
    return keyring().table_key("changeover.verify", KIND).key
