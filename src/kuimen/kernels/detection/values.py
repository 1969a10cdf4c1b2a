"""What one cell of a table is, taken whole; and whether it could be what its column is called."""

import json
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal

from kuimen.kernels.detection.folding import fold
from kuimen.kernels.detection.proofs import (
    card_evidence,
    company_code_evidence,
    identity_evidence,
    landline_evidence,
)
from kuimen.kernels.elements import vocabulary
from kuimen.kernels.elements.checks import is_calendar_date, luhn_holds, track2_holds
from kuimen.kernels.elements.model import Element
from kuimen.kernels.elements.overlay import DivisionRank, IssuerRank, RecognitionTables
from kuimen.kernels.elements.surnames import COMPOUND_SURNAMES, SINGLE_SURNAMES

_EMAIL = re.compile(r"[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,4}[A-Za-z]{2,24}")
_IPV4 = re.compile(
    r"(?:(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])\.){3}(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])(?:/(?:3[0-2]|[12]?[0-9]))?"
)
_MAC = re.compile(r"[0-9A-Fa-f]{2}(?:[:-][0-9A-Fa-f]{2}){5}")
_TRACK2 = re.compile(r";?([0-9]{13,19})[=D]([0-9]{4})[0-9]{3,20}F?\??")
_DATE = re.compile(
    r"((?:18|19|20)[0-9]{2})([-/.年]?)(1[0-2]|0?[1-9])\2?月?(3[01]|[12][0-9]|0?[1-9])日?(?:[ T][0-9:.+Z]+)?"
)
_COORDINATES = re.compile(r"-?[0-9]{1,3}\.[0-9]{3,15} ?, ?-?[0-9]{1,3}\.[0-9]{3,15}")
_HAN_NAME = re.compile(r"[\u3400-\u9fff]{2,4}|[\u3400-\u9fff]{1,12}(?:·[\u3400-\u9fff]{1,12}){1,4}")
_LATIN_NAME = re.compile(r"[A-Za-z]+(?:[ .'-]+[A-Za-z]+){0,3}\.?")
_HAN = re.compile(r"[\u3400-\u9fff]")
_ADDRESS_DETAIL = re.compile(
    r"[路街道巷弄村组屯庄镇乡区县市].{0,20}?[0-9一二三四五六七八九十百]+[号栋幢座组室弄楼单#-]|[0-9]+号|[村组屯]$|小区|花园|大厦|广场|公寓"
)
_REGION_START = re.compile(r"^.{2,9}?(?:省|市|自治区|自治州|州|盟|县|区|旗)")
_COMPANY = re.compile(
    r".{2,40}(?:公司|集团|厂|银行|医院|学校|大学|中学|小学|商行|经营部|事务所|合作社|中心|店|局|研究院|研究所|委员会|个体户|工作室|超市|酒店|学院|商贸|部)"
    r"(?:[(（].{1,12}[)）])?"
)
_PLATE_BODY = re.compile(r"[A-Z][·. ]?[A-HJ-NP-Z0-9]{4,5}[A-HJ-NP-Z0-9挂学警港澳]")
_NUMBER = re.compile(r"[¥￥$]?-?[0-9][0-9,]*(?:\.[0-9]+)?(?:[eE]\+?[0-9]+)? ?(?:元|万|万元|%|天)?")
_MASKED = re.compile(r"[*•●×＊]{1,}|(?<=[0-9])[xX]{4,}(?=[0-9])|#{3,}")
_HEX_DIGEST = re.compile(r"(?:[0-9a-fA-F]{32}|[0-9a-fA-F]{40}|[0-9a-fA-F]{64}|[0-9a-fA-F]{128})")
_CIPHER = re.compile(r"(?=[^0-9]*[0-9])(?=[^A-Z]*[A-Z])(?=[^a-z]*[a-z])[0-9A-Za-z+/_-]{22,}={0,2}")
_URL = re.compile(
    r"(?:https?|ftp|oss|s3|file)://\S+|(?:/|\\|[A-Za-z]:\\)\S+\.[A-Za-z0-9]{2,5}|\S+\.(?:jpe?g|png|gif|bmp|webp|mp3|wav|amr|mp4|pdf|tiff?)",
    re.IGNORECASE,
)
_SEPARATORS = str.maketrans("", "", " -()")
_LONGEST_NAME = 30
_SHORTEST_DIGEST = 22
_SHORTEST_CARD, _LONGEST_CARD = 13, 19
_DOTS = 3
_LARGEST_FLOAT = 1e19
_LONGEST_BLOB = 4096
_CODE_LENGTH = 18
_OLD_IDENTITY_LENGTH = 15
_PREFIXED_MOBILE_LENGTH = 13
_SHAPES = (
    (Element.EMAIL, "@", _EMAIL),
    (Element.MAC, ":", _MAC),
    (Element.MAC, "-", _MAC),
    (Element.WECHAT, "wxid_", re.compile(r"wxid_[0-9A-Za-z_]{6,30}")),
)


def cell_text(value: object) -> str | None:
    """Return the text of a cell as it is compared; None for null, empty and truth values."""
    if value is None or isinstance(value, bool):
        return None
    text = value if isinstance(value, str) else _written(value)
    return (text if text.isascii() else fold(text).text).strip() or None


def _written(value: object) -> str:
    """Write a cell that is no text the way a person would type it."""
    if isinstance(value, float) and value.is_integer() and abs(value) < _LARGEST_FLOAT:
        return str(int(value))
    if isinstance(value, Decimal) and value.is_finite() and value == value.to_integral_value():
        return format(value.to_integral_value(), "f")
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value[:_LONGEST_BLOB]).decode("utf-8", errors="ignore")
    if isinstance(value, Mapping | list | tuple):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


def is_masked(text: str) -> bool:
    """Tell whether a cell or a span hides part of itself behind stars."""
    return _MASKED.search(text) is not None


def is_digest(text: str) -> bool:
    """Tell whether a cell looks like a hash or a cipher rather than a datum."""
    if len(text) < _SHORTEST_DIGEST:
        return False
    return _HEX_DIGEST.fullmatch(text) is not None or (_CIPHER.fullmatch(text) is not None and not _URL.fullmatch(text))


def proven_elements(text: str, tables: RecognitionTables) -> tuple[Element, ...]:
    """Return the elements whose checks and tables a whole cell passes; none for what needs a label."""
    if text[0].isdecimal() or text[0] in "+;(" or text[-1:].isdecimal():
        found = _numeric(text, tables)
        if found:
            return found
    for element, sign, pattern in _SHAPES:
        if sign in text and pattern.fullmatch(text):
            return (element,)
    if len(text) == _CODE_LENGTH and company_code_evidence(text.upper(), tables):
        return (Element.USCC,)
    return _chinese(text, tables) if _HAN.match(text) else ()


def _numeric(text: str, tables: RecognitionTables) -> tuple[Element, ...]:
    """Return what a cell of digits and separators is; more than one element where checks cannot tell."""
    if text.count(".") == _DOTS and _IPV4.fullmatch(text):
        return () if text.startswith(("0.", "127.", "255.")) else (Element.IP,)
    track = _TRACK2.fullmatch(text) if len(text) > _LONGEST_CARD else None
    if track:
        return (Element.TRACK_DATA,) if track2_holds(track[1], track[2]) else ()
    digits = text.translate(_SEPARATORS).removeprefix("+86")
    if not (digits.isascii() and digits[:-1].isdecimal()):
        return (Element.LOCATION,) if _COORDINATES.fullmatch(text) else ()
    identity = identity_evidence(digits, tables) if len(digits) == _CODE_LENGTH else None
    if identity is not None:
        return (identity[0],)
    if not digits.isdecimal():
        return ()
    if len(digits) == _PREFIXED_MOBILE_LENGTH and digits.startswith("86"):
        digits = digits[2:]
    return _digits(digits, tables, parted=text != digits)


def _digits(digits: str, tables: RecognitionTables, *, parted: bool) -> tuple[Element, ...]:
    if tables.is_mobile(digits):
        return (Element.MOBILE,)
    if digits[0] == "0" and landline_evidence(digits, tables, hyphen=parted):
        return (Element.LANDLINE,)
    found: list[Element] = []
    if len(digits) == _OLD_IDENTITY_LENGTH and _old_identity(digits, tables):
        found.append(Element.RESIDENT_ID)
    if card_evidence(digits, tables):
        found.append(Element.BANK_CARD)
    if len(digits) == _CODE_LENGTH and company_code_evidence(digits, tables):
        found.append(Element.USCC)
    return tuple(found)


def _old_identity(digits: str, tables: RecognitionTables) -> bool:
    return tables.division_rank(digits[:6]) >= DivisionRank.PREFECTURE and is_calendar_date("19" + digits[6:12])


def _chinese(text: str, tables: RecognitionTables) -> tuple[Element, ...]:
    """Return what a cell that opens with a Chinese character is, by vocabulary and shape."""
    if text[0] in tables.plate_provinces and _PLATE_BODY.fullmatch(text[1:]):
        return (Element.PLATE,)
    found = [element for element, terms in VOCABULARIES.items() if text in terms]
    if found:
        return tuple(found)
    if is_address(text):
        return (Element.ADDRESS,)
    if _COMPANY.fullmatch(text) and len(text) > 5:  # noqa: PLR2004 - shorter ones are words
        return (Element.COMPANY_NAME,)
    return (Element.PERSON_NAME,) if is_person_name(text) else ()


VOCABULARIES: Mapping[Element, frozenset[str]] = {
    Element.SEX: vocabulary.SEXES,
    Element.ETHNICITY: frozenset(f"{group}族" for group in vocabulary.ETHNIC_GROUPS)
    | (vocabulary.ETHNIC_GROUPS - {"水", "京", "土", "高山", "保安"}),
    Element.EDUCATION: vocabulary.EDUCATIONS,
    Element.MARITAL_STATUS: vocabulary.MARITAL_STATES,
    Element.CONTACT_RELATION: vocabulary.RELATIONS,
    Element.NATIONALITY: vocabulary.NATIONALITIES,
    Element.OCCUPATION: vocabulary.OCCUPATIONS,
}


def is_person_name(text: str) -> bool:
    """Tell whether a cell has the shape of a Chinese name and opens with a surname."""
    if not _HAN_NAME.fullmatch(text):
        return False
    return "·" in text or text[0] in SINGLE_SURNAMES or text[:2] in COMPOUND_SURNAMES


def is_address(text: str) -> bool:
    """Tell whether a cell runs from a region down to a street, a village or a house."""
    if len(text) < 6 or not _HAN.search(text):  # noqa: PLR2004 - nothing shorter leads to a door
        return False
    if _ADDRESS_DETAIL.search(text) is None:
        return False
    return _REGION_START.match(text) is not None


def birth_year(text: str) -> int | None:
    """Return the year when a cell is a date."""
    match = _DATE.fullmatch(text) if text[0] in "12" else None
    return int(match[1]) if match else None


def card_shape(text: str, tables: RecognitionTables) -> bool | None:
    """Tell whether digits that open like a card pass its check; None when they do not open like a card."""
    if len(text) < _SHORTEST_CARD:
        return None
    digits = text.translate(_SEPARATORS)
    if not _SHORTEST_CARD <= len(digits) <= _LONGEST_CARD or not (digits.isascii() and digits.isdecimal()):
        return None
    if tables.issuer_rank(digits) < IssuerRank.NETWORK:
        return None
    return luhn_holds(digits)


def _matches(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern)
    return lambda text: compiled.fullmatch(text) is not None


def _is_amount(text: str) -> bool:
    return _NUMBER.fullmatch(text) is not None


def _is_code_or_word(text: str) -> bool:
    return len(text) <= 24 and not (text.isdecimal() and len(text) > 6)  # noqa: PLR2004 - codes are short


def _is_name(text: str) -> bool:
    return len(text) <= _LONGEST_NAME and (
        _HAN_NAME.fullmatch(text) is not None or _LATIN_NAME.fullmatch(text) is not None or "·" in text
    )


def _is_place(text: str) -> bool:
    return (bool(_HAN.search(text)) and len(text) > 1) or (len(text) > 8 and " " in text)  # noqa: PLR2004 - Latin addresses


def _is_file_or_blob(text: str) -> bool:
    return _URL.fullmatch(text) is not None or len(text) >= 24  # noqa: PLR2004 - keys of object stores, Base64


_amounts: Callable[[str], bool] = _is_amount
# Could a cell be what its column is called? Loose on purpose: dirty data must not unname a column.
COMPATIBLE: Mapping[Element, Callable[[str], bool]] = {
    Element.RESIDENT_ID: _matches(r"[0-9]{15}|[0-9]{6}[ -]?[0-9]{8}[ -]?[0-9]{3}[0-9Xx]|[A-Za-z]{1,3}[0-9()A-Z]{6,14}"),
    Element.PASSPORT: _matches(r"[A-Za-z]{1,3}[0-9]{6,9}"),
    Element.OTHER_CERTIFICATE: _matches(r"(?=.*[0-9]{4}).{6,30}"),
    Element.MOBILE: _matches(
        r"(?:\(?\+?(?:86|852|853|886)\)?[- ]?)?(?:1[3-9][0-9][- ]?[0-9]{4}[- ]?[0-9]{4}|[4-9][0-9]{7})"
        r"|0[0-9]{2,3}[- ]?[0-9]{7,8}.{0,6}"
    ),
    Element.LANDLINE: _matches(r"[0-9()+-][0-9() +-]{5,20}(?:[转x-][0-9]{1,6})?"),
    Element.EMAIL: lambda text: "@" in text,
    Element.BANK_CARD: _matches(r"[0-9][0-9 -]{10,22}"),
    Element.ACCOUNT_NUMBER: _matches(r"(?=.*[0-9])[0-9A-Za-z@._ -]{5,40}"),
    Element.USCC: _matches(r"[0-9A-Z-]{8,20}"),
    Element.PERSON_NAME: _is_name,
    Element.ADDRESS: _is_place,
    Element.COMPANY_NAME: lambda text: len(text) > 1 and not text.isdecimal() and not _EMAIL.fullmatch(text),
    Element.BIRTH_DATE: lambda text: birth_year(text) is not None or _matches(r"[0-9]{4}-?[0-9]{2}")(text),
    Element.SEX: _matches(
        r"[男女]性?|未知|未说明.*|保密|其他|[0-9MFUmf]|[12]|先生|女士|male|female|Male|Female|MALE|FEMALE|UNKNOWN|unknown"
    ),
    Element.IP: lambda text: _IPV4.fullmatch(text) is not None or text.count(":") > 1,
    Element.MAC: _matches(r"(?:[0-9A-Fa-f]{2}[:.-]?){5,7}[0-9A-Fa-f]{2}"),
    Element.IMEI: _matches(r"[0-9A-Fa-f]{14,17}"),
    Element.PLATE: _matches(r"[\u4e00-\u9fff].{5,9}"),
    Element.QQ: _matches(r"[0-9]{5,11}"),
    Element.CVN2: _matches(r"[0-9]{3,4}"),
    Element.CARD_EXPIRY: _matches(
        r"[0-9]{2}[/ -]?(?:[0-9]{2}|20[0-9]{2})|20[0-9]{2}[-/]?[0-9]{2}(?:[-/]?[0-9]{2})?.{0,15}"
    ),
    Element.SMS_CODE: _matches(r"[0-9A-Za-z]{4,8}"),
    Element.TRACK_DATA: _matches(r"[;%B]?[0-9]{13,19}[=D^].*|[0-9A-F]{24,}"),
    Element.LOCATION: lambda text: (
        _is_amount(text) or _COORDINATES.fullmatch(text) is not None or bool(_HAN.search(text))
    ),
    Element.PHOTO_IMAGE: _is_file_or_blob,
    Element.CREDIT_SCORE: _matches(r"-?[0-9]{1,4}(?:\.[0-9]+)?|[A-Za-z][A-Za-z0-9+-]{0,8}|[\u4e00-\u9fff]{1,6}"),
    Element.OVERDUE: lambda text: _is_amount(text) or len(text) <= 12,  # noqa: PLR2004 - buckets such as M1, 30-60
    **dict.fromkeys(
        (Element.INCOME, Element.BALANCE, Element.CREDIT_LIMIT, Element.LOAN_AMOUNT, Element.REPAYMENT), _amounts
    ),
    **dict.fromkeys(
        (
            Element.NATIONALITY,
            Element.ETHNICITY,
            Element.EDUCATION,
            Element.MARITAL_STATUS,
            Element.CONTACT_RELATION,
            Element.OCCUPATION,
        ),
        _is_code_or_word,
    ),
    Element.PASSWORD: lambda text: 4 <= len(text) <= 256,  # noqa: PLR2004 - shortest and longest seen
    Element.PAYMENT_PASSWORD: lambda text: 4 <= len(text) <= 256,  # noqa: PLR2004
    Element.USER_NAME: lambda text: len(text) <= 64,  # noqa: PLR2004
    Element.DEVICE_ID: _matches(r"[0-9A-Za-z_:.+/=-]{8,200}"),
}


def masked_element(text: str) -> Element | None:
    """Return what a masked cell was, by the shape of what is left."""
    if re.fullmatch(r"1[3-9][0-9]\*{3,6}[0-9]{2,4}", text):
        return Element.MOBILE
    if re.fullmatch(r"[1-9][0-9]{0,5}\*{8,16}[0-9]{0,4}[0-9Xx]", text):
        return Element.RESIDENT_ID
    if re.fullmatch(r"[0-9 ]{0,8}[* ]{4,16}[0-9]{4}", text):
        return Element.BANK_CARD
    if re.fullmatch(r"[\u4e00-\u9fff]?\*{1,3}[\u4e00-\u9fff]?", text) and _HAN.search(text):
        return Element.PERSON_NAME
    if re.fullmatch(r"[^@]*\*+[^@]*@\S+", text):
        return Element.EMAIL
    return None
