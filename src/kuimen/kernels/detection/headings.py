"""What the head of a column says: its name, its comment, its type and the name of its table."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from kuimen.kernels.detection.abbreviations import expanded
from kuimen.kernels.detection.amounts import AMOUNT_WORDS, amount_in_comment, amount_in_name
from kuimen.kernels.detection.bare_names import OWN, in_its_table
from kuimen.kernels.detection.composed import composed_name
from kuimen.kernels.detection.evidence import Evidence, EvidenceKind
from kuimen.kernels.detection.naming import (
    FAINT,
    MEDIUM,
    STRONG,
    VOCABULARY,
    WEAK,
    NameVerdict,
    is_pinyin,
    read_name,
    read_phrase,
    read_pinyin,
    split_identifier,
)
from kuimen.kernels.detection.schema_comments import schema_comment
from kuimen.kernels.detection.schema_terms import SCHEMA_WORDS, schema_term
from kuimen.kernels.detection.secret_names import secret_in_name
from kuimen.kernels.detection.spellings import canonical
from kuimen.kernels.detection.topics import TOPIC_WORDS, Topic, topics_of
from kuimen.kernels.elements.model import Element
from kuimen.kernels.elements.words import words

_NAME_POINTS = {STRONG: 5, MEDIUM: 4, WEAK: 2, FAINT: 1}
_COMMENT_POINTS = {STRONG: 6, MEDIUM: 4, WEAK: 2, FAINT: 1}
_NEVER = -8
_FEW_INITIALS, _FEWEST_INITIALS, _MOST_INITIALS, _ALIKE = 2, 3, 0.3, 0.5
_INITIALS = re.compile(r"[bcdfghjklmnpqrstvwxyz]{2,7}")
_WIDEST_COUNT = 10
_KNOWN = VOCABULARY | SCHEMA_WORDS | AMOUNT_WORDS | TOPIC_WORDS
# `_24m`, `_est`, `_now`: over which time, how sure.
_SUFFIXES = words("m d y est now hist bak")
_BARE_ACCOUNTS = frozenset({"账号", "帐号", "账户", "用户账号", "登录账户"})
_LINKS = words("url uri link path host domain href")
_OWNED = frozenset(
    {
        Element.ADDRESS, Element.COMPANY_NAME, Element.MOBILE, Element.LANDLINE, Element.EMAIL, Element.ACCOUNT_NUMBER,
        Element.QQ, Element.WECHAT,
    }
)  # fmt: skip
_CARD_FIELDS = frozenset({Element.CARD_EXPIRY, Element.CVN2, Element.TRACK_DATA, Element.BANK_CARD})
_CARD_TABLES = words("card cards bankcard crd yhk")
_DATES = (Element.BIRTH_DATE, Element.CARD_EXPIRY)
_AMOUNTS = frozenset(
    {Element.INCOME, Element.BALANCE, Element.CREDIT_LIMIT, Element.LOAN_AMOUNT, Element.OVERDUE, Element.REPAYMENT}
)
_CODED = _AMOUNTS | {
    Element.SEX, Element.EDUCATION, Element.MARITAL_STATUS, Element.OCCUPATION, Element.ETHNICITY, Element.NATIONALITY,
    Element.CONTACT_RELATION, Element.CREDIT_SCORE, Element.CVN2, Element.SMS_CODE, Element.CARD_EXPIRY,
}  # fmt: skip
_LONG_NUMBERS = frozenset(
    {
        Element.MOBILE, Element.RESIDENT_ID, Element.BANK_CARD, Element.ACCOUNT_NUMBER, Element.QQ, Element.IMEI,
        Element.LANDLINE, Element.BIRTH_DATE, Element.LOCATION, Element.IP, Element.DEVICE_ID, Element.PAYMENT_PASSWORD,
    }
)  # fmt: skip
_SHORTEST: Mapping[Element, int] = {
    Element.RESIDENT_ID: 15,
    Element.MOBILE: 8,
    Element.LANDLINE: 7,
    Element.BANK_CARD: 12,
    Element.ACCOUNT_NUMBER: 5,
    Element.EMAIL: 8,
    Element.ADDRESS: 6,
    Element.PERSON_NAME: 4,
    Element.COMPANY_NAME: 6,
    Element.PHOTO_IMAGE: 8,
    Element.PASSWORD: 4,
    Element.USER_NAME: 3,
    Element.IP: 7,
    Element.DEVICE_ID: 8,
    Element.CREDIT_REPORT: 16,
    Element.CALL_RECORD: 8,
    Element.BIOMETRIC: 16,
    Element.TRACK_DATA: 20,
    Element.USCC: 9,
}
_TYPE = re.compile(r"^\s*([a-z]+(?: [a-z]+)*)\s*\d*\s*(?:\(\s*(\d+))?", re.IGNORECASE)
_TYPE_CLASSES: Mapping[str, frozenset[str]] = {
    "truth": words("bool boolean bit"),
    "small": words("tinyint smallint int2 smallserial"),
    "int": words("int integer int4 mediumint serial"),
    "big": words("bigint int8 bigserial long int64 unsigned number"),
    "decimal": words("numeric decimal money float double real float8 float4 dec number double_precision"),
    "date": words("date"),
    "moment": words(
        "timestamp timestamptz datetime time timetz timestamp_without_time_zone timestamp_with_time_zone interval year"
    ),
    "uuid": words("uuid uniqueidentifier"),
}


@dataclass(frozen=True, slots=True)
class Heading:
    """Evidence by element, and what the heading says against elements that only the values show."""

    scores: Mapping[Element, tuple[Evidence, ...]]
    against_values: tuple[Evidence, ...]
    remarks: tuple[Evidence, ...]


def read_heading(table: str, name: str, comment: str, sql_type: str, *, initials: bool = False) -> Heading:
    """Weigh name, comment and type of a column.

    Args:
        table: name of its table.
        name: its own name.
        comment: what the schema says about it.
        sql_type: as the source writes it.
        initials: the names of its table are first letters or readings of Chinese words.
    """
    kind, width = type_class(sql_type)
    topics = topics_of(table)
    spoken = _fitting(name, _spoken(name, topics, kind, width), kind, width, initials=initials)
    noted = _by_name(_noted(comment, topics, kind, width), name, spoken) if comment else NameVerdict()
    scores: dict[Element, list[Evidence]] = {}
    if spoken.element is not None and spoken.strength:
        points = _NAME_POINTS[spoken.strength]
        scores[spoken.element] = [Evidence(EvidenceKind.COLUMN_NAME, spoken.rule, points)]
    if noted.element is not None and noted.strength:
        piece = Evidence(EvidenceKind.COLUMN_COMMENT, noted.rule, _COMMENT_POINTS[noted.strength])
        scores.setdefault(noted.element, []).append(piece)
    remarks = _negatives(spoken, noted)
    for element, pieces in scores.items():
        pieces.extend(_disagreement(element, spoken, noted, comment))
        if element in _CARD_FIELDS and _CARD_TABLES.intersection(split_identifier(table)):
            pieces.append(Evidence(EvidenceKind.SIBLINGS, "table of cards", 2))
        typed = _type_evidence(element, kind, width, spoken)
        if typed is not None:
            pieces.append(typed)
    against = (Evidence(EvidenceKind.COLUMN_NAME, "heading names something else", -1),) if remarks else ()
    return Heading({element: tuple(pieces) for element, pieces in scores.items()}, against, tuple(remarks))


def _spoken(name: str, topics: frozenset[Topic], kind: str, width: int | None) -> NameVerdict:
    """Read the name: in its table, as a sum of money, as a term of schemas, as a term of all texts."""
    tokens = canonical_tokens(name)
    if tokens and tokens[-1] != canonical(split_identifier(name)[-1]):
        name = "_".join(tokens)
    full = _written_out(tokens)
    if full != tokens:
        spoken = _read(full, "_".join(full), topics, kind, width)
        if spoken.negative or (spoken.element is not None and spoken.strength >= MEDIUM):
            return spoken
    return _read(tokens, name, topics, kind, width)


def _fitting(name: str, spoken: NameVerdict, kind: str, width: int | None, *, initials: bool) -> NameVerdict:
    """Prefer the Chinese reading in a table of such names, and where the type denies the English one."""
    denied = spoken.element is not None and _denies(spoken.element, kind, width, spoken)
    if not denied and (not initials or spoken.rule.startswith("schema:")):
        return spoken
    read = read_pinyin(name)
    if read.element is None or _denies(read.element, kind, width, read):
        return spoken
    if initials:
        return replace(read, strength=min(read.strength + 1, STRONG))
    return read


def _denies(element: Element, kind: str, width: int | None, spoken: NameVerdict) -> bool:
    said = _type_evidence(element, kind, width, spoken)
    return said is not None and said.points < 0


def written_in_initials(names: Sequence[str]) -> bool:
    """Tell whether the columns of a table are named by first letters or readings of Chinese words."""
    plain = [name.lower().rstrip("0123456789") for name in names]
    read = sum(map(is_pinyin, plain))
    alike = sum(_INITIALS.fullmatch(name) is not None and name not in _KNOWN for name in plain)
    return read >= max(_FEWEST_INITIALS, _MOST_INITIALS * len(plain)) or (
        read >= _FEW_INITIALS and alike >= max(_FEWEST_INITIALS, _ALIKE * len(plain))
    )


def _read(tokens: tuple[str, ...], name: str, topics: frozenset[Topic], kind: str, width: int | None) -> NameVerdict:
    known = (
        in_its_table(tokens, topics, kind, width)
        or amount_in_name(tokens, kind, topics)
        or schema_term(tokens)
        or composed_name(tokens, topics, kind)
    )
    if known is not None:
        return known
    verdict = read_name(name)
    if verdict.strength < MEDIUM or verdict.element is None:
        return secret_in_name(name, tokens) or verdict
    return verdict


def _noted(comment: str, topics: frozenset[Topic], kind: str, width: int | None) -> NameVerdict:
    """Read the comment, in the same order."""
    found = _login_account(comment, topics) or schema_comment(comment) or amount_in_comment(comment, kind, topics)
    if found is not None:
        return found
    noted = read_phrase(comment)
    if noted.element is None and not noted.negative and comment.isascii():
        return _spoken("_".join(re.findall(r"[A-Za-z0-9]+", comment)[:4]), topics, kind, width)
    return noted


def _login_account(comment: str, topics: frozenset[Topic]) -> NameVerdict | None:
    """Read the bare word for an account in a table of those who log in."""
    if comment in _BARE_ACCOUNTS and Topic.LOGIN in topics and topics.isdisjoint({Topic.CARD, Topic.ACCOUNT}):
        return NameVerdict(Element.USER_NAME, STRONG, rule="account of a user")
    return None


def _by_name(noted: NameVerdict, name: str, spoken: NameVerdict) -> NameVerdict:
    """Take back what a comment says where the name shows that it is a link, or the institution's own."""
    if noted.element is Element.ADDRESS and canonical_tokens(name)[-1:] and canonical_tokens(name)[-1] in _LINKS:
        return NameVerdict(negative=True, rule="link")
    if spoken.rule == OWN and noted.element in _OWNED:
        return NameVerdict(negative=True, rule=OWN)
    return noted


@lru_cache(maxsize=65_536)
def _written_out(tokens: tuple[str, ...]) -> tuple[str, ...]:
    """Write out what nobody listed, unless the name is the first letters of Chinese words."""
    unknown = [token for token in tokens if token.isalpha() and token not in _KNOWN]
    if not unknown or is_pinyin("".join(tokens)) or all(map(is_pinyin, unknown)):
        return tokens
    return tuple(map(canonical, expanded(tokens, _KNOWN)))


@lru_cache(maxsize=65_536)
def canonical_tokens(name: str) -> tuple[str, ...]:
    """Return the words of a name, written in full; numbers behind them are left out."""
    tokens = [canonical(token) for token in split_identifier(name)]
    while len(tokens) > 1 and (tokens[-1].isdecimal() or tokens[-1] in _SUFFIXES):
        tokens.pop()
        if len(tokens) > 1 and tokens[-1].isdecimal():
            tokens.pop()
    return tuple(tokens)


def _negatives(spoken: NameVerdict, noted: NameVerdict) -> list[Evidence]:
    remarks = []
    if spoken.negative:
        remarks.append(Evidence(EvidenceKind.COLUMN_NAME, f"not the datum: {spoken.rule}", -3))
    if noted.negative:
        remarks.append(Evidence(EvidenceKind.COLUMN_COMMENT, f"not the datum: {noted.rule}", -6))
    return remarks


def _disagreement(element: Element, spoken: NameVerdict, noted: NameVerdict, comment: str) -> list[Evidence]:
    """Return what name and comment say against each other about one element."""
    pieces = []
    if noted.negative:
        pieces.append(Evidence(EvidenceKind.COLUMN_COMMENT, f"not the datum: {noted.rule}", -6))
    elif noted.element is not None and noted.element is not element and noted.strength >= MEDIUM:
        pieces.append(Evidence(EvidenceKind.COLUMN_COMMENT, f"names {noted.element}", -3))
    elif comment and noted.element is None and element is spoken.element and spoken.strength == WEAK:
        pieces.append(Evidence(EvidenceKind.COLUMN_COMMENT, "says nothing of it", -1))
    if spoken.negative and element is not spoken.element:
        pieces.append(Evidence(EvidenceKind.COLUMN_NAME, f"not the datum: {spoken.rule}", -1))
    return pieces


def type_class(sql_type: str) -> tuple[str, int | None]:
    """Return the class of a SQL type and the width that it declares."""
    match = _TYPE.match(sql_type)
    if match is None:
        return "", None
    written = match[1].lower()
    width = int(match[2]) if match[2] else None
    first = written.split()[0]
    if first == "number" and width is not None:
        return _oracle_number(sql_type, width), width
    if first == "tinyint" and width == 1:
        return "truth", width
    for kind, spellings in _TYPE_CLASSES.items():
        if first in spellings or written.replace(" ", "_") in spellings:
            return kind, width
    return ("text" if "char" in first or first in {"text", "string", "clob"} else "other"), width


def _oracle_number(sql_type: str, width: int) -> str:
    """Tell sums from counts and from long numbers by what `NUMBER(18,2)` declares."""
    scaled = re.search(r",\s*[1-9]", sql_type) is not None
    return "decimal" if scaled else "int" if width <= _WIDEST_COUNT else "big"


def _type_evidence(element: Element, kind: str, width: int | None, spoken: NameVerdict) -> Evidence | None:
    """Return what a type says about an element; None when it says nothing."""
    impossible = (
        (kind == "truth" and element is not Element.MARITAL_STATUS and element is not Element.SEX)
        or (kind in {"date", "moment"} and element not in _DATES)
        or (kind in {"small", "int"} and element not in _CODED | {Element.QQ, Element.BIRTH_DATE, Element.LOCATION})
        or (kind in {"big", "decimal"} and element not in _CODED | _LONG_NUMBERS)
        or (kind == "uuid" and element not in {Element.DEVICE_ID, Element.BIOMETRIC})
    )
    if impossible and not (element is Element.MARITAL_STATUS and spoken.element is element):
        return Evidence(EvidenceKind.COLUMN_TYPE, f"{kind} cannot hold it", _NEVER)
    if kind == "text" and width is not None and width < _SHORTEST.get(element, 0):
        return Evidence(EvidenceKind.COLUMN_TYPE, "too narrow", -6, f"width={width}")
    if kind == "date" and element is Element.BIRTH_DATE:
        return Evidence(EvidenceKind.COLUMN_TYPE, "date", 1)
    if kind == "decimal" and element in _AMOUNTS:
        return Evidence(EvidenceKind.COLUMN_TYPE, "amount", 1)
    return None
