"""Values that only their label makes personal data: `性别：男`, `cvv2=123`, `验证码 482913`, `月收入12000元`.

A label is a Chinese term or an ASCII key with a colon or an equals sign; the element decides what a value looks like.
"""

import re
import struct
from collections.abc import Iterator, Mapping
from functools import lru_cache

from kuimen.kernels.detection.evidence import Candidate, Evidence, EvidenceKind
from kuimen.kernels.detection.literals import Literals, matches
from kuimen.kernels.detection.names.rules import surname_width
from kuimen.kernels.detection.naming import MEDIUM, read_name
from kuimen.kernels.detection.terms_zh import ZH_NEGATIVE_TAILS, ZH_TERMS
from kuimen.kernels.detection.trie import alternation
from kuimen.kernels.elements import vocabulary
from kuimen.kernels.elements.model import Element
from kuimen.kernels.native import NATIVE

_AMOUNT = (
    r"(?:[¥￥$]|RMB|CNY|人民币)? ?-?[0-9][0-9,]{0,14}(?:\.[0-9]{1,4})?"
    r"(?: ?(?:万元|元|万|千元|千|亿元|w|W|k|K|块)(?![0-9A-Za-z]))?"
)
_DATE = (
    r"(?:19[2-9][0-9]|20[0-2][0-9])(?:[-/.年] ?(?:1[0-2]|0?[1-9]) ?[-/.月] ?(?:3[01]|[12][0-9]|0?[1-9]) ?日?"
    r"|(?:1[0-2]|0[1-9])(?:3[01]|[12][0-9]|0[1-9])|[-/.年] ?(?:1[0-2]|0?[1-9])月?)(?![0-9])"
)
_HIDDEN = (
    r"(?![*•●×xX]{3,})(?!null|None|none|true|false|nil|undefined|\$\{|\{\}|%s|\?)"
    r"(?:[!#-%(-+\--:<->@-\[\]-~]|\\(?![\"'nrt])){4,128}"
)
_MARK = r"[0-9A-Za-z][0-9A-Za-z_.+/=:-]{7,127}"


def _one_of(terms: frozenset[str], *, suffix: str = "") -> str:
    return f"(?:{alternation(terms)}){suffix}(?![A-Za-z])"


# What a value of an element looks like when a label announces it.
_VALUES: Mapping[Element, re.Pattern[str]] = {
    element: re.compile(pattern)
    for element, pattern in {
        Element.PERSON_NAME: r"[\u3400-\u9fff]{2,4}(?![\u3400-\u9fff])"
        r"|[\u3400-\u9fff]{1,8}(?:·[\u3400-\u9fff]{1,8}){1,4}"
        r"|[A-Z][A-Za-z]{1,20}(?: [A-Z][A-Za-z]{1,20}){1,3}(?![A-Za-z])",
        Element.ADDRESS: r"(?=[^\n\"'&;|}\]]{0,8}[\u3400-\u9fff])[^\n\"'&;|}\],，。；]{6,80}",
        Element.COMPANY_NAME: r"(?=[^\n\"'&;|}\]]{0,8}[\u3400-\u9fff])[^\n\"'&;|}\],，。； ]{4,40}",
        Element.PASSWORD: _HIDDEN,
        Element.PAYMENT_PASSWORD: r"[0-9]{6}(?![0-9A-Za-z])|[0-9A-F]{16}(?![0-9A-Za-z])|" + _HIDDEN,
        Element.SECURITY_ANSWER: r"[\u4e00-\u9fffA-Za-z0-9]{1,30}",
        Element.SECRET_KEY: r"(?!null|None|true|false)[0-9A-Za-z_+/=.-]{12,2048}",
        Element.SMS_CODE: r"[0-9]{4,8}(?![0-9A-Za-z])",
        Element.CVN2: r"[0-9]{3,4}(?![0-9A-Za-z.])",
        Element.CARD_EXPIRY: r"(?:0[1-9]|1[0-2]) ?[/-] ?(?:20)?[2-5][0-9](?![0-9])|(?:0[1-9]|1[0-2])[2-5][0-9](?![0-9])"
        r"|20[2-5][0-9][-/年](?:1[0-2]|0?[1-9])月?(?![0-9])|[2-5][0-9]/?(?:0[1-9]|1[0-2])(?![0-9])",
        Element.USER_NAME: r"[A-Za-z][0-9A-Za-z_.@-]{2,40}|[\u4e00-\u9fffA-Za-z0-9_]{2,20}",
        Element.WECHAT: r"[A-Za-z][0-9A-Za-z_-]{5,30}|[0-9]{6,11}(?![0-9])",
        Element.QQ: r"[1-9][0-9]{4,10}(?![0-9A-Za-z])",
        Element.DEVICE_ID: _MARK,
        Element.ACCOUNT_NUMBER: r"(?=[0-9A-Za-z@._-]*[0-9])[0-9A-Za-z][0-9A-Za-z@._-]{5,39}(?![0-9A-Za-z])",
        Element.BIRTH_DATE: _DATE,
        Element.SEX: _one_of(vocabulary.SEXES | frozenset({"未知", "F", "M"})),
        Element.NATIONALITY: _one_of(vocabulary.NATIONALITIES),
        Element.ETHNICITY: _one_of(vocabulary.ETHNIC_GROUPS, suffix="族?"),
        Element.OCCUPATION: _one_of(vocabulary.OCCUPATIONS) + r"|[\u4e00-\u9fff]{2,10}(?=[,，;；。\s|]|$)",
        Element.EDUCATION: _one_of(vocabulary.EDUCATIONS),
        Element.MARITAL_STATUS: _one_of(vocabulary.MARITAL_STATES),
        Element.CONTACT_RELATION: _one_of(vocabulary.RELATIONS),
        Element.INCOME: _AMOUNT,
        Element.BALANCE: _AMOUNT,
        Element.CREDIT_LIMIT: _AMOUNT,
        Element.LOAN_AMOUNT: _AMOUNT,
        Element.OVERDUE: _AMOUNT + r"|[0-9]{1,4} ?(?:天|日|期|个月)",
        Element.REPAYMENT: _AMOUNT,
        Element.CREDIT_SCORE: r"[0-9]{2,4}(?:\.[0-9]{1,4})?(?![0-9A-Za-z])|[A-E][1-9+-]?(?![0-9A-Za-z])",
        Element.PASSPORT: r"[A-Z]{1,2}[0-9]{7,8}(?![0-9A-Za-z])",
        Element.OTHER_CERTIFICATE: r"(?=[0-9A-Za-z]*[0-9]{4})[0-9A-Za-z]{7,20}(?![0-9A-Za-z])",
        Element.BIOMETRIC: r"[0-9A-Za-z+/=]{24,}",
        Element.LOCATION: r"-?[0-9]{1,3}\.[0-9]{3,15}(?![0-9])",
        Element.IMEI: r"[0-9]{15}(?![0-9A-Za-z])|[0-9A-F]{14}(?![0-9A-Za-z])",
    }.items()
}
LABELLED = frozenset(_VALUES)
_CLOSED = frozenset(
    {
        Element.SEX, Element.NATIONALITY, Element.ETHNICITY, Element.EDUCATION, Element.MARITAL_STATUS,
        Element.CONTACT_RELATION,
    }
)  # fmt: skip
# Without a colon these values need a label that cannot be the end of another sentence.
_NEEDS_SEPARATOR = frozenset(
    {
        Element.SECURITY_ANSWER, Element.USER_NAME, Element.OCCUPATION, Element.OTHER_CERTIFICATE,
        Element.ACCOUNT_NUMBER, Element.CREDIT_SCORE, Element.LOCATION, Element.SECRET_KEY,
    }
)  # fmt: skip
# Behind nothing but spaces, as in a form without lines, these still tell what they are.
_BEHIND_SPACES = _CLOSED | {
    Element.PASSWORD, Element.PAYMENT_PASSWORD, Element.CVN2, Element.CARD_EXPIRY, Element.SMS_CODE, Element.QQ,
    Element.BIRTH_DATE, Element.PASSPORT,
}  # fmt: skip
_NO_SEPARATOR_POINTS, _SEPARATOR_POINTS = 2, 3

# Behind Chinese labels these have recognisers of their own, which know where they end.
_SPOKEN = frozenset({Element.PERSON_NAME, Element.ADDRESS, Element.COMPANY_NAME})

# keys.c reads the same; JSON inside JSON has backslashes before its quotes.
_ASCII_KEY = re.compile(
    r"(?<![0-9A-Za-z_.])([A-Za-z][0-9A-Za-z_.-]{1,40}+)\\?[\"']?[ \t]{0,2}(?:=>|[:=])[ \t]{0,2}(?:\\?[\"'\[]){0,2}"
)
_ZH_TERM_OWNERS = {
    term.upper(): element
    for element, terms in ZH_TERMS.items()
    if element in _VALUES and element not in _SPOKEN
    for term in terms
    if len(term) > 1
}
_BEHIND_TERM = (
    r"(?!" + alternation(ZH_NEGATIVE_TAILS - {"日", "结果", "天数", "说明"}) + r")(?:号码|号|信息|情况)?"
    r"[\"'”]?( ?[(（][^)）\n]{0,8}[)）])?(?:( {0,2}(?:[:=]|是|为|系|-|=>) {0,2}[\"'“\[]{0,2})|([ \t]{1,4}))?"
)
_HAN_TERMS = frozenset(term for term in _ZH_TERM_OWNERS if not term[0].isascii())
_HAN_LITERALS = Literals.ready(_HAN_TERMS)
_ASCII_TERMS = frozenset(_ZH_TERM_OWNERS) - _HAN_TERMS
# Two patterns, and no ignoring of case: either would cost the quick search for the first character.
_HAN_LABEL = re.compile(f"({alternation(_HAN_TERMS)}){_BEHIND_TERM}")
_ASCII_LABEL = re.compile(f"({alternation(_ASCII_TERMS | {term.lower() for term in _ASCII_TERMS})}){_BEHIND_TERM}")
_ASCII_OPENINGS = tuple(sorted({spelling[:2] for term in _ASCII_TERMS for spelling in (term, term.lower())}))
# A device may be named by its model; behind such a key only what identifies one counts.
_DEVICE_KEYS = frozenset({"device", "dev", "terminal", "equipment", "handset", "phone_id"})
_DEVICE_MARK = re.compile(
    r"(?:[0-9]{14,16}|(?=[0-9A-Fa-f]*[0-9])[0-9A-Fa-f]{16,64}"
    r"|[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12})(?![0-9A-Za-z-])"
)
# A key that names one of these only weakly still counts: the harm of missing it is greater.
_SECRETS = frozenset(
    {
        Element.SECRET_KEY, Element.PASSWORD, Element.PAYMENT_PASSWORD, Element.CVN2, Element.SMS_CODE,
        Element.CARD_EXPIRY, Element.SECURITY_ANSWER, Element.TRACK_DATA,
    }
)  # fmt: skip
_HAN_NAME = re.compile(r"[\u3400-\u9fff]{2,4}(?![\u3400-\u9fff])|[\u3400-\u9fff]{1,8}(?:·[\u3400-\u9fff]{1,8}){1,4}")
_NAME_KEYS = frozenset({"name", "Name", "NAME", "userName", "username", "user_name"})
_SHORT = 2_000  # in a long text one of the openings stands anyhow
_CODE_WORD = re.compile(r"验证码|动态码|校验码|动态口令|动态密码")
_CODE_WORD_EN = re.compile(r"[vV]erif(?:ication|y) [cC]ode|OTP(?: code)?")
_CODE_BEHIND = re.compile(r"[^0-9\n]{0,12}?([0-9]{4,8})(?![0-9A-Za-z.])")
_CODE_BEFORE = re.compile(r"(?<![0-9A-Za-z.])([0-9]{4,8})(?![0-9A-Za-z.])[^0-9\n]{0,8}\Z")
_CODE_REACH = 18
_CLOSERS = {"}": "{", "]": "[", ")": "(", ">": "<"}
_PLACEHOLDER = re.compile(r"^(?:[*•●×#]+|x{3,}|X{3,}|null|none|NULL|N/A)$")


def recognise_keyed(text: str) -> Iterator[Candidate]:
    """Yield candidates for values behind an ASCII key or an English label in folded text."""
    if "=" in text or ":" in text:
        yield from _ascii_keys(text)
    if "ode" in text or "OTP" in text:
        yield from _codes(text, _CODE_WORD_EN)


def recognise_labelled(text: str) -> Iterator[Candidate]:
    """Yield candidates for values behind a label in folded lines that hold Chinese."""
    yield from _terms(text, _HAN_LABEL, _HAN_LITERALS)
    yield from _codes(text, _CODE_WORD)
    if len(text) > _SHORT or any(opening in text for opening in _ASCII_OPENINGS):
        yield from _terms(text, _ASCII_LABEL)


def _ascii_keys(text: str) -> Iterator[Candidate]:
    if _KEYS is None:
        for match in _ASCII_KEY.finditer(text):
            yield from _behind_key(match[1].rpartition(".")[2], text, match.end())
        return
    assert NATIVE is not None
    places = NATIVE.keys_places(_KEYS, text.encode("utf-8", errors="surrogatepass"))
    for begin, end, value in _KEY_ROW.iter_unpack(places):
        yield from _behind_key(text[begin:end].rpartition(".")[2], text, value)


def _behind_key(key: str, text: str, start: int) -> Iterator[Candidate]:
    """Yield the value that begins at `start` where the key announces one."""
    if key in _NAME_KEYS:
        yield from _named(key, text, start)
        return
    if key.lower() in _DEVICE_KEYS:
        mark = _DEVICE_MARK.match(text, start)
        if mark is not None:
            yield _candidate(Element.DEVICE_ID, mark, _SEPARATOR_POINTS, "key")
        return
    element, strength = key_element(key)
    if element is None or not _is_announced(element, strength):
        return
    value = _VALUES[element].match(text, start)
    if value is None or not value[0] or _PLACEHOLDER.match(value[0]):
        return
    yield _candidate(element, value, _SEPARATOR_POINTS if strength >= MEDIUM else _NO_SEPARATOR_POINTS, "key")


def _is_announced(element: Element | None, strength: int) -> bool:
    return element in _VALUES and (strength >= MEDIUM or element in _SECRETS)


def _read_key(raw: bytes) -> bool:
    """Tell keys.c whether the values behind a key are looked at."""
    key = raw.decode("ascii").rpartition(".")[2]
    return key in _NAME_KEYS or key.lower() in _DEVICE_KEYS or _is_announced(*key_element(key))


def _named(key: str, text: str, start: int) -> Iterator[Candidate]:
    """Read `name=` and `userName=`: a Chinese name is a person's, anything else of a user is a sign-in name."""
    value = _HAN_NAME.match(text, start)
    if value is not None:
        if surname_width(text, start) or "·" in value[0]:
            yield _candidate(Element.PERSON_NAME, value, _NO_SEPARATOR_POINTS, "key")
        return
    signed = _VALUES[Element.USER_NAME].match(text, start) if key.lower() != "name" else None
    if signed is not None and not _PLACEHOLDER.match(signed[0]):
        yield _candidate(Element.USER_NAME, signed, _SEPARATOR_POINTS, "key")


@lru_cache(maxsize=32_768)
def key_element(key: str) -> tuple[Element | None, int]:
    """Return the element that an ASCII key names and how strongly."""
    verdict = read_name(key)
    if verdict.negative or verdict.element is None or not verdict.strength:
        return None, 0
    return verdict.element, verdict.strength


def _terms(text: str, pattern: re.Pattern[str], literals: Literals | None = None) -> Iterator[Candidate]:
    for match in matches(text, pattern, literals):
        element = _ZH_TERM_OWNERS[match[1].upper()]
        separated = match[3] is not None
        if not separated and element in _NEEDS_SEPARATOR:
            continue
        spaced = match[4] is not None and element not in _BEHIND_SPACES
        value = _VALUES[element].match(text, match.start(4) if spaced else match.end())
        if value is None or not value[0] or _PLACEHOLDER.match(value[0]):
            continue
        if not separated and element is Element.PASSWORD and not any(map(str.isdigit, value[0])):
            continue
        yield _candidate(element, value, _SEPARATOR_POINTS if separated else _NO_SEPARATOR_POINTS, "term")


def _candidate(element: Element, value: re.Match[str], points: int, kind: str) -> Candidate:
    shape = 2 if element in _CLOSED else 1
    start, end = value.span()
    while end > start and value.string[end - 1] in " ,.;\\":
        end -= 1
    while start < end and value.string[start] == " ":
        start += 1
    while end > start + 1 and (opener := _CLOSERS.get(value.string[end - 1])) and opener not in value.string[start:end]:
        end -= 1
    return Candidate(
        element,
        start,
        end,
        (
            Evidence(EvidenceKind.LABEL, f"{kind}:{element}", points),
            Evidence(EvidenceKind.FORMAT, "vocabulary" if element in _CLOSED else "value layout", shape),
        ),
    )


def _codes(text: str, word: re.Pattern[str]) -> Iterator[Candidate]:
    """Yield the one-time code behind its word, or before it: 482913是您的验证码."""
    pieces = (
        Evidence(EvidenceKind.FORMAT, "four to eight digits", 1),
        Evidence(EvidenceKind.CONTEXT_LEFT, "keyword:sms_code", 3),
    )
    for match in word.finditer(text):
        code = _CODE_BEHIND.match(text, match.end()) or _CODE_BEFORE.search(
            text, max(0, match.start() - _CODE_REACH), match.start()
        )
        if code:
            yield Candidate(Element.SMS_CODE, code.start(1), code.end(1), pieces)


_KEYS = NATIVE.keys_new(_read_key) if NATIVE is not None else None
_KEY_ROW = struct.Struct("<3q")
