"""Keyed pseudonyms: the same person has one in a package and another in the next, and no key tells them together.

What carries a pseudonym is de-identified, never anonymised: whoever holds the key finds everybody again.
"""

import base64
from typing import Final

import pyarrow as pa

from kuimen.kernels.anonymity.errors import PseudonymKeyError
from kuimen.kernels.ciphers.digests import hkdf_sm3, hmac_sm3

KEY_BYTES: Final = 16
PSEUDONYM_BYTES: Final = 15  # 120 bits: 24 signs in base 32 without padding


def pseudonyms(values: pa.Array, *, key: bytes, package: str) -> pa.Array:
    """Return a pseudonym of 24 letters and digits for each value; null stays null. Shape (n,) in, (n,) out.

    Args:
        values: references of persons as text, in one spelling.
        key: at least 16 bytes, of this purpose only; who holds it can undo the pseudonyms by trying.
        package: name of the release; another one gives other pseudonyms.

    Raises:
        PseudonymKeyError: the key is too short or the package has no name.
    """
    if len(key) < KEY_BYTES or not package.strip():
        raise PseudonymKeyError(f"key, package: give at least {KEY_BYTES} bytes and a name")
    own = hkdf_sm3(key, info=b"pseudonym\x00" + package.encode(), length=32)
    made: dict[str, str] = {}
    for value in values.unique().to_pylist():
        if value is not None:
            tag = hmac_sm3(own, str(value).encode())[:PSEUDONYM_BYTES]
            made[value] = base64.b32encode(tag).decode()
    return pa.array([None if value is None else made[value] for value in values.to_pylist()], pa.string())
