"""The written forms of an SM2 ciphertext and the way from one to another.

Inside Kuimen a ciphertext is the DER of GM/T 0009-2012. Partners also send the bare parts one after another: in the
order of GB/T 32918.4-2016 (point, digest, masked text) or in the order of its draft (point, masked text, digest), and
with or without the byte 04 before the point.
"""

from enum import StrEnum

from cryptography.hazmat import asn1

from kuimen.kernels.ciphers.errors import Sm2CiphertextError, Sm2KeyError
from kuimen.kernels.ciphers.sm2 import curve

DIGEST_BYTES = 32
COORDINATE_BYTES = 32
ADVICE = "give a ciphertext of the other side's SM2 library and name its form"


class CiphertextForm(StrEnum):
    """How the parts of a ciphertext are written."""

    DER = "der"
    C1C3C2 = "c1c3c2"
    C1C2C3 = "c1c2c3"


@asn1.sequence
class _Parts:
    x: int
    y: int
    digest: bytes
    masked: bytes


def _read(der: bytes) -> _Parts:
    try:
        parts = asn1.decode_der(_Parts, der)
    except ValueError:
        raise Sm2CiphertextError(f"SM2 ciphertext: not the DER of GM/T 0009; {ADVICE}") from None
    bounds = 1 << (8 * COORDINATE_BYTES)
    if not (0 <= parts.x < bounds and 0 <= parts.y < bounds and len(parts.digest) == DIGEST_BYTES and parts.masked):
        raise Sm2CiphertextError(f"SM2 ciphertext: its parts have wrong lengths; {ADVICE}")
    return parts


def check_ciphertext(der: bytes) -> bytes:
    """Return DER after checking its parts, so that no library sees a point off the curve.

    Raises:
        Sm2CiphertextError: no DER, wrong lengths, or the point is not on the curve.
    """
    parts = _read(der)
    _check_point(_point(parts))
    return der


def _point(parts: _Parts) -> bytes:
    coordinates = (coordinate.to_bytes(COORDINATE_BYTES, "big") for coordinate in (parts.x, parts.y))
    return bytes([curve.UNCOMPRESSED]) + b"".join(coordinates)


def _check_point(point: bytes) -> None:
    try:
        curve.check_public(point)
    except Sm2KeyError:
        raise Sm2CiphertextError(f"SM2 ciphertext: its point is not on the curve; {ADVICE}") from None


def write_form(der: bytes, form: CiphertextForm, *, marked: bool = True) -> bytes:
    """Write a DER ciphertext in another form; `marked` keeps the byte 04 before the point.

    Raises:
        Sm2CiphertextError: `der` is no SM2 ciphertext.
    """
    parts = _read(der)
    if form is CiphertextForm.DER:
        return der
    tail = parts.digest + parts.masked if form is CiphertextForm.C1C3C2 else parts.masked + parts.digest
    return _point(parts)[0 if marked else 1 :] + tail


def read_form(raw: bytes, form: CiphertextForm, *, marked: bool = True) -> bytes:
    """Return the DER of a ciphertext that came in `form`; `marked` says that the point begins with 04.

    Raises:
        Sm2CiphertextError: too short, without the mark, or off the curve.
    """
    if form is CiphertextForm.DER:
        return check_ciphertext(raw)
    point = raw[: curve.PUBLIC_BYTES] if marked else bytes([curve.UNCOMPRESSED]) + raw[: curve.PUBLIC_BYTES - 1]
    tail = raw[len(point) - (0 if marked else 1) :]
    if len(tail) <= DIGEST_BYTES:
        raise Sm2CiphertextError(f"SM2 ciphertext: too short; {ADVICE}")
    _check_point(point)
    if form is CiphertextForm.C1C3C2:
        digest, masked = tail[:DIGEST_BYTES], tail[DIGEST_BYTES:]
    else:
        digest, masked = tail[-DIGEST_BYTES:], tail[:-DIGEST_BYTES]
    x, y = (int.from_bytes(half, "big") for half in (point[1:33], point[33:]))
    return asn1.encode_der(_Parts(x=x, y=y, digest=digest, masked=masked))
