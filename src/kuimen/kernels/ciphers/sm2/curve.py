"""The curve sm2p256v1 and the encodings of its keys, in plain arithmetic and bytes.

Python integers are not constant-time: secret numbers are only encoded here, with the one exception that
`multiply_generator` names.
"""

import base64
import binascii
import secrets

from kuimen.kernels.ciphers.errors import Sm2KeyError

# GB/T 32918.5-2017, 2
P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
A = P - 3
B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
GX = 0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7
GY = 0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0

SECRET_BYTES = 32
PUBLIC_BYTES = 65
UNCOMPRESSED = 0x04  # SEC 1, 2.3.3

# DER of fixed length around a key: id-ecPublicKey (RFC 5480) with the curve 1.2.156.10197.1.301 (GM/T 0006)
_ALGORITHM = bytes.fromhex("301306072a8648ce3d020106082a811ccf5501822d")
_PUBLIC_PREFIX = bytes.fromhex("3059") + _ALGORITHM + bytes.fromhex("034200")
# RFC 5958 around RFC 5915, the public point included
_SECRET_PREFIX = bytes.fromhex("308187020100") + _ALGORITHM + bytes.fromhex("046d306b0201010420")
_SECRET_MIDDLE = bytes.fromhex("a144034200")
_PUBLIC_LABEL = "PUBLIC KEY"
_SECRET_LABEL = "PRIVATE KEY"  # noqa: S105 - the label of a PEM block (RFC 7468)
PEM_LINE = 64  # RFC 7468, 2


def check_public(point: bytes) -> bytes:
    """Return the 65 bytes of a point after checking that it lies on the curve.

    Raises:
        Sm2KeyError: wrong length, wrong form, or not on the curve.
    """
    if len(point) != PUBLIC_BYTES or point[0] != UNCOMPRESSED:
        raise Sm2KeyError("public key: give 65 bytes, 04 and the two coordinates")
    x, y = int.from_bytes(point[1:33], "big"), int.from_bytes(point[33:], "big")
    if x >= P or y >= P or (y * y - (x * x * x + A * x + B)) % P:
        raise Sm2KeyError("public key: the point is not on the curve sm2p256v1; ask its owner again")
    return bytes(point)


def check_secret(secret: bytes) -> bytes:
    """Return the 32 bytes of a private key after checking their range.

    Raises:
        Sm2KeyError: wrong length or out of range (GB/T 32918.1-2016, 6.1: 1 to n - 2).
    """
    if len(secret) != SECRET_BYTES or not 1 <= int.from_bytes(secret, "big") <= N - 2:
        raise Sm2KeyError("private key: give 32 bytes in the range of the curve")
    return bytes(secret)


def draw_secret() -> bytes:
    """Draw a private key from the operating system."""
    return (secrets.randbelow(N - 2) + 1).to_bytes(SECRET_BYTES, "big")


def _add(left: tuple[int, int] | None, right: tuple[int, int] | None) -> tuple[int, int] | None:
    """Add two affine points; None is the point at infinity."""
    if left is None or right is None:
        return left or right
    if left[0] == right[0]:
        if (left[1] + right[1]) % P == 0:
            return None
        slope = (3 * left[0] * left[0] + A) * pow(2 * left[1], -1, P)
    else:
        slope = (right[1] - left[1]) * pow(right[0] - left[0], -1, P)
    x = (slope * slope - left[0] - right[0]) % P
    return x, (slope * (left[0] - x) - left[1]) % P


def multiply_generator(factor: int) -> bytes:
    """Return the 65 bytes of `factor` times the generator; its time depends on the factor."""
    total: tuple[int, int] | None = None
    power: tuple[int, int] | None = (GX, GY)
    while factor:
        if factor & 1:
            total = _add(total, power)
        power = _add(power, power)
        factor >>= 1
    if total is None:
        raise Sm2KeyError("private key: a multiple of the order; draw another")
    return bytes([UNCOMPRESSED]) + total[0].to_bytes(32, "big") + total[1].to_bytes(32, "big")


def public_der(point: bytes) -> bytes:
    """Encode a public key as SubjectPublicKeyInfo."""
    return _PUBLIC_PREFIX + point


def secret_der(secret: bytes, point: bytes) -> bytes:
    """Encode a private key as PKCS #8, unencrypted."""
    return _SECRET_PREFIX + secret + _SECRET_MIDDLE + point


def bare_secret_der(secret: bytes) -> bytes:
    """Encode a private key as PKCS #8 without its public point, for a library that computes it."""
    return bytes.fromhex("3041020100") + _ALGORITHM + bytes.fromhex("042730250201010420") + secret


def write_pem(der: bytes, *, is_secret: bool) -> str:
    """Write DER as PEM (RFC 7468)."""
    label = _SECRET_LABEL if is_secret else _PUBLIC_LABEL
    text = base64.b64encode(der).decode()
    lines = [text[start : start + PEM_LINE] for start in range(0, len(text), PEM_LINE)]
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""])


def _read_pem(pem: str, label: str) -> bytes:
    begin, end = f"-----BEGIN {label}-----", f"-----END {label}-----"
    head, found, rest = pem.partition(begin)
    body, ended, _ = rest.partition(end)
    if not found or not ended or "-----BEGIN" in head:
        raise Sm2KeyError(f"key file: no single PEM block {label}; export the key again")
    try:
        return base64.b64decode("".join(body.split()), validate=True)
    except binascii.Error:
        raise Sm2KeyError("key file: the PEM block is no base64; export the key again") from None


def read_public_pem(pem: str) -> bytes:
    """Read the 65 bytes of a public key.

    Raises:
        Sm2KeyError: not the PEM of an SM2 public key.
    """
    der = _read_pem(pem, _PUBLIC_LABEL)
    if not der.startswith(_PUBLIC_PREFIX):
        raise Sm2KeyError("key file: not an SM2 public key")
    return check_public(der[len(_PUBLIC_PREFIX) :])


def read_secret_pem(pem: str) -> bytes:
    """Read the 32 bytes of an unencrypted private key.

    Raises:
        Sm2KeyError: not the PEM of an SM2 private key.
    """
    der = _read_pem(pem, _SECRET_LABEL)
    full = len(_SECRET_PREFIX) + SECRET_BYTES + len(_SECRET_MIDDLE) + PUBLIC_BYTES
    bare = bare_secret_der(b"")
    if der.startswith(_SECRET_PREFIX) and len(der) == full:
        start = len(_SECRET_PREFIX)
    elif der.startswith(bare) and len(der) == len(bare) + SECRET_BYTES:
        start = len(bare)
    else:
        raise Sm2KeyError("key file: not an SM2 private key in PKCS #8")
    return check_secret(der[start : start + SECRET_BYTES])
