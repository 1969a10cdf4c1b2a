"""One mask per data element.

A mask keeps a few characters of a value that has the shape of its element, and none of a value that has not: a
mistyped number is not half shown. An element without a rule of its own is never shown. A mask never stands beside a
digest of the same value, and masking is no substitute for sealing.

>>> mask_value("mobile", "199 9000 0001"), mask_value("cvn2", "123"), mask_value("income", "12000")
('199****0001', '******', '******')
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address

from kuimen.foundation.sensitive import FIXED_MASK
from kuimen.kernels.masking.regions import leading_regions

MAX_NAME = 40  # what is longer is no name
MAX_TEXT = 400  # what is longer is no single value
LONG_CERTIFICATE = 9  # passports and permits have 9 characters; shorter numbers keep less
SHORT_CERTIFICATE = 6
MIN_ACCOUNT = 8
LONG_LOCAL = 8  # subscriber numbers have 8 digits in large cities, 7 elsewhere

_SEPARATORS = re.compile(r"[\s\-‐-―_.()]+")
_MAINLAND = re.compile(r"(?:(?:\+|00)?86)?(1[0-9]{10})")
_HONG_KONG = re.compile(r"(?:(?:\+|00)?852)?([4-9][0-9]{7})")
_RESIDENT_ID = re.compile(r"[0-9]{17}[0-9Xx]|[0-9]{15}")
_CERTIFICATE = re.compile(r"[A-Za-z0-9]{6,20}")
_LANDLINE = re.compile(r"(?:(?:\+|00)86)?(0?(?:10|2[0-9])|0?[3-9][0-9]{2})?([1-9][0-9]{6,7})(?:[转xX#*,][0-9]{1,6})?")
_CARD = re.compile(r"[0-9]{13,19}")
_ACCOUNT = re.compile(r"[A-Za-z0-9]{8,40}")
_EMAIL = re.compile(r"([^@\s]{1,64})@([A-Za-z0-9](?:[A-Za-z0-9.\-]{0,253}))")
_PLATE = re.compile(r"[一-鿿][A-Za-z][·.\- ]?([A-Za-z0-9挂学警港澳]{5,6})")
_CREDIT_CODE = re.compile(r"[0-9A-Za-z]{18}")
_BIRTH_DATE = re.compile(r"((?:19|20)[0-9]{2})(?:[\-/.年]?[0-9]{1,2}[\-/.月]?[0-9]{1,2}日?)")
_MAC = re.compile(r"([0-9A-Fa-f]{2})([:\-]?)([0-9A-Fa-f]{2})\2([0-9A-Fa-f]{2})(?:\2[0-9A-Fa-f]{2}){3}")
_IMEI = re.compile(r"[0-9]{15}")


def _compact(text: str) -> str:
    return _SEPARATORS.sub("", text)


def _mask_name(text: str) -> str:
    if len(text) > MAX_NAME:
        return FIXED_MASK
    return "*" * (len(text) - 1) + text[-1] if len(text) > 1 else "*"


def _mask_resident_id(text: str) -> str:
    number = _compact(text)
    if not _RESIDENT_ID.fullmatch(number):
        return FIXED_MASK
    return number[0] + "*" * (len(number) - 2) + number[-1].upper()


def _mask_certificate(text: str) -> str:
    number = _compact(text)
    if not _CERTIFICATE.fullmatch(number):
        return FIXED_MASK
    kept = 2 if len(number) >= LONG_CERTIFICATE else 1
    return number[:kept] + "*" * (len(number) - 2 * kept) + number[-kept:]


def _mask_mobile(text: str) -> str:
    digits = _compact(text)
    if mainland := _MAINLAND.fullmatch(digits):
        return mainland[1][:3] + "****" + mainland[1][-4:]
    if hong_kong := _HONG_KONG.fullmatch(digits):
        return hong_kong[1][:2] + "****" + hong_kong[1][-2:]
    return FIXED_MASK


def _mask_landline(text: str) -> str:
    found = _LANDLINE.fullmatch(_compact(text))
    if not found:
        return FIXED_MASK
    area, subscriber = found[1], found[2]
    shown = subscriber[-4:] if len(subscriber) == LONG_LOCAL else subscriber[-2:]
    return f"{area}-****{shown}" if area else f"****{shown}"


def _mask_card(text: str) -> str:
    number = _compact(text)
    return "**** " + number[-4:] if _CARD.fullmatch(number) else FIXED_MASK


def _mask_account(text: str) -> str:
    number = _compact(text)
    return "**** " + number[-4:] if _ACCOUNT.fullmatch(number) else FIXED_MASK


def _mask_email(text: str) -> str:
    found = _EMAIL.fullmatch(text)
    if not found:
        return FIXED_MASK
    return found[1][: min(3, len(found[1]) // 2)] + "***@" + found[2]


def _mask_address(text: str) -> str:
    kept = leading_regions(text)
    if kept and sum(map(len, kept)) == len(text):  # nothing more exact follows: what is most exact goes
        kept.pop()
    return "".join(kept) + FIXED_MASK


def _mask_plate(text: str) -> str:
    found = _PLATE.fullmatch(text)
    if not found:
        return FIXED_MASK
    return text[:2] + found[1][0] + "*" * (len(found[1]) - 2) + found[1][-1]


def _mask_credit_code(text: str) -> str:
    number = _compact(text)
    return number[:4] + "*" * 10 + number[-4:] if _CREDIT_CODE.fullmatch(number) else FIXED_MASK


def _mask_birth_date(text: str) -> str:
    found = _BIRTH_DATE.fullmatch(text)
    return f"{found[1]}-**-**" if found else FIXED_MASK


def _mask_ip(text: str) -> str:
    try:
        address = ip_address(text)
    except ValueError:
        return FIXED_MASK
    match address:
        case IPv4Address():
            return text.rpartition(".")[0] + ".*"
        case IPv6Address():
            return ":".join(address.exploded.split(":")[:3]) + ":*"


def _mask_mac(text: str) -> str:
    found = _MAC.fullmatch(text)
    return f"{found[1]}:{found[3]}:{found[4]}:**:**:**" if found else FIXED_MASK


def _mask_imei(text: str) -> str:
    number = _compact(text)
    return number[:6] + "*" * 9 if _IMEI.fullmatch(number) else FIXED_MASK


def _mask_expiry(text: str) -> str:
    del text  # the mask has one form whatever the value
    return "**/**"


# What is missing here has no rule and is never shown: secrets, money, identifiers without a public shape, free text,
# and plain attributes such as sex, which a page shows whole or not at all.
RULES: Mapping[str, Callable[[str], str]] = {
    "person_name": _mask_name,
    "resident_id": _mask_resident_id,
    "passport": _mask_certificate,
    "other_certificate": _mask_certificate,
    "mobile": _mask_mobile,
    "landline": _mask_landline,
    "email": _mask_email,
    "address": _mask_address,
    "bank_card": _mask_card,
    "account_number": _mask_account,
    "uscc": _mask_credit_code,
    "plate": _mask_plate,
    "birth_date": _mask_birth_date,
    "ip": _mask_ip,
    "mac": _mask_mac,
    "imei": _mask_imei,
    "card_expiry": _mask_expiry,
}


def mask_value(element: str, text: str) -> str:
    """Return what may be shown of a value by default.

    Args:
        element: name of the data element; an unknown one has no rule.
        text: the clear value.

    Returns:
        The mask; six stars where the element has no rule or the value not the shape of its element.

    Guarantees:
        Never shows more than the rule allows, and never a whole value.
        A secret has the same mask whatever its length.

    Clause: CQJR-5.4-d
    """
    rule = RULES.get(element)
    if rule is None or len(text) > MAX_TEXT:
        return FIXED_MASK
    shown = unicodedata.normalize("NFKC", text).strip()
    return rule(shown) if shown else FIXED_MASK
