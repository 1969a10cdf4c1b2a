"""Blind index: find equal values without opening any.

A tag is HMAC-SM3 of the normalised value, cut to 64 bits. Mobile numbers and identity numbers are few enough to try
them all, so a tag is only as safe as its key. Values of small sets (sex, nationality ...) get none, since their
frequencies alone would tell them, and secrets get none because nobody searches for them.

>>> normalise_for_index("mobile", "+86 199-9000-0001")
'19990000001'
"""

import ipaddress
import re
import unicodedata
from collections.abc import Callable, Mapping

import pyarrow as pa

from kuimen.kernels.ciphers.digests import DIGEST_BYTES, HmacSM3
from kuimen.kernels.ciphers.errors import IndexWidthError, KeyLengthError, LeakyIndexError
from kuimen.kernels.ciphers.flat_columns import check_texts, flatten, type_of

TAG_BITS = 64
TAG_BYTES = TAG_BITS // 8
MIN_KEY_BYTES = 16
MAX_ROUNDS = 8

_SEPARATORS = re.compile(r"[\s\-‐-―_./()\[\]·]+")
_SPACES = re.compile(r"\s+")
_NAME_DOTS = re.compile(r"[·•‧∙・⋅]")
_COUNTRY = re.compile(r"^(?:\+|00)86")
_MOBILE = re.compile(r"^(?:(?:\+|00)?86)?(1[0-9]{10})$")


def _fold(text: str) -> str:
    """Undo full-width forms and drop what cannot be seen (format characters such as zero-width spaces)."""
    if text.isascii() and text.isprintable():
        return text.strip()
    folded = unicodedata.normalize("NFKC", text)
    return "".join(sign for sign in folded if unicodedata.category(sign) != "Cf").strip()


def _as_number(text: str) -> str:
    return _SEPARATORS.sub("", text).upper()


def _as_mobile(text: str) -> str:
    digits = _SEPARATORS.sub("", text)
    mobile = _MOBILE.match(digits)
    return mobile.group(1) if mobile else digits


def _as_landline(text: str) -> str:
    digits = _SEPARATORS.sub("", text)
    national = _COUNTRY.sub("", digits)
    return national if national == digits or national.startswith("0") else "0" + national


def _as_name(text: str) -> str:
    joined = _NAME_DOTS.sub("·", text)
    without = _SPACES.sub("", joined)
    return without if not without.isascii() else _SPACES.sub(" ", joined).casefold()


def _as_line(text: str) -> str:
    return _SPACES.sub("", text).casefold()


def _as_ip(text: str) -> str:
    try:
        return ipaddress.ip_address(text).compressed
    except ValueError:
        return text.casefold()


def _as_mac(text: str) -> str:
    return text.replace(":", "").replace("-", "").replace(".", "").casefold()


# Elements with a value space wide enough for an index, and how equal values are recognised as equal.
# Whatever is missing here gets no index: the table fails closed.
NORMAL_FORMS: Mapping[str, Callable[[str], str]] = {
    "person_name": _as_name,
    "resident_id": _as_number,
    "passport": _as_number,
    "other_certificate": _as_number,
    "mobile": _as_mobile,
    "landline": _as_landline,
    "email": _as_line,
    "address": _as_line,
    "bank_card": _as_number,
    "account_number": _as_number,
    "uscc": _as_number,
    "company_name": _as_line,
    "plate": _as_number,
    "wechat": _as_line,
    "qq": _as_number,
    "ip": _as_ip,
    "mac": _as_mac,
    "imei": _as_number,
    "device_id": _as_line,
    "user_name": _as_line,
}


def normalise_for_index(element: str, text: str) -> str:
    """Bring a value into the form in which equal values are equal.

    Args:
        element: name of the data element.
        text: the clear value as somebody wrote it.

    Returns:
        NFKC without invisible characters; numbers without separators and in upper case, mobiles without +86.

    Raises:
        LeakyIndexError: the element has too few different values, or is a secret; no index is kept of it.

    Guarantees:
        Normalising twice equals normalising once.
    """
    form = NORMAL_FORMS.get(element)
    if form is None:
        raise LeakyIndexError(
            "element: no blind index is kept of it, its values are too few or secret; search otherwise"
        )
    normal = form(_fold(text))
    # folding one sign can make another foldable; real values are settled after the first round
    for _ in range(MAX_ROUNDS):
        again = form(_fold(normal))
        if again == normal:
            break
        normal = again
    return normal


def _keyed(key: bytes) -> HmacSM3:
    if len(key) < MIN_KEY_BYTES:
        raise KeyLengthError(f"key: an index key has {MIN_KEY_BYTES} bytes or more; give a longer one")
    return HmacSM3(key)


def blind_tag(key: bytes, normalised: str) -> bytes:
    """Return the 8-byte tag of one value that is already normalised.

    Raises:
        KeyLengthError: the key is shorter than 16 bytes.
    """
    return _keyed(key).tag(normalised.encode())[:TAG_BYTES]


def blind_index(
    values: pa.Array | pa.ChunkedArray,
    key: bytes,
    bits: int = TAG_BITS,
    *,
    element: str | None = None,
) -> pa.Array:
    """Tag every value of a column.

    Args:
        values: (n,) text or binary; nulls stay null.
        key: 16 bytes or more, one per element and generation.
        bits: width of a tag, a multiple of 8 from 16 to 256.
        element: normalise as this element; without it the values are tagged as they are.

    Returns:
        (n,) binary of `bits` / 8 bytes, same order.

    Raises:
        LeakyIndexError: no index is kept of this element.
        KeyLengthError: the key is too short.
        IndexWidthError: `bits` is not offered.
        ColumnTypeError: `values` is neither text nor binary.
        ColumnTextError: an element is named and a value is not UTF-8.
    """
    if bits % 8 or not TAG_BITS // 4 <= bits <= DIGEST_BYTES * 8:
        raise IndexWidthError("bits: a multiple of 8 from 16 to 256; 64 is the default")
    keyed = _keyed(key)
    column = flatten(values)
    if element is not None:
        normalise_for_index(element, "")
    if element is not None or column.is_text:
        check_texts(column)
    width = bits // 8
    tags = [None if row is None else keyed.tag(_normal_bytes(row, element))[:width] for row in column.listed()]
    return pa.array(tags, type=type_of(is_text=False, is_large=column.is_large))


def _normal_bytes(row: bytes, element: str | None) -> bytes:
    return row if element is None else normalise_for_index(element, row.decode()).encode()
