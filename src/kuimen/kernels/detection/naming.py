"""What a name says about the datum that stands under it: column names, keys of logs and JSON, comments, labels.

The same rules read `custMobileNo`, `sjhm`, `客户手机号` and the comment `客户手机号码（预留）`. The head of a name
stands last: `phone_status` is a status.
"""

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from kuimen.kernels.detection.spellings import CANONICAL, canonical
from kuimen.kernels.detection.terms_en import (
    DERIVED_TOKENS,
    EN_FOREIGN_OWNERS,
    EN_NEGATIVE_HEADS,
    EN_PHRASES,
    EN_QUALIFIERS,
    EN_WEAK,
    NEGATIVE_LABEL_TOKENS,
)
from kuimen.kernels.detection.terms_pinyin import (
    PINYIN_NEGATIVE_LABELS,
    PINYIN_NEGATIVE_TAILS,
    PINYIN_QUALIFIERS,
    PINYIN_TERMS,
)
from kuimen.kernels.detection.terms_zh import (
    ZH_BENIGN_TAILS,
    ZH_FOREIGN_OWNERS,
    ZH_NEGATIVE_LABELS,
    ZH_NEGATIVE_TAILS,
    ZH_TERMS,
    ZH_WEAK,
)
from kuimen.kernels.elements.model import Element
from kuimen.kernels.elements.words import words

STRONG, MEDIUM, WEAK, FAINT, NONE = 4, 3, 2, 1, 0
_LONGEST_ZH_TERM = 12
_LONGEST_PHRASE = 5
_TWO_LETTERS, _THREE_LETTERS = 2, 3

ZH_INDEX: dict[str, Element] = {term.upper(): element for element, terms in ZH_TERMS.items() for term in terms}
_SPLIT = re.compile(
    r"(?i:md5|sha1|sha256|sm[234]|ipv[46]|cv[vnc]2|imei[12])"
    r"|[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[\u4e00-\u9fff·]+",
)
_CLAUSE = re.compile(r"[,，;；:：。\s(（\[【|、/\\]+")
_TAIL_NUMBER = re.compile(r"[0-9一二三四五]+$")
_HAN = re.compile(r"[\u3400-\u9fff]")
_GENERIC_TAILS = words("no num number nbr value val txt text str string info data new old orig bak plain clear")
_WORDS_NOT_NUMBERS = frozenset({Element.PERSON_NAME, Element.COMPANY_NAME, Element.ADDRESS, Element.OCCUPATION})
_CODED = frozenset(
    {
        Element.SEX, Element.EDUCATION, Element.MARITAL_STATUS, Element.OCCUPATION, Element.ETHNICITY,
        Element.NATIONALITY, Element.CONTACT_RELATION,
    }
)  # fmt: skip
_PINYIN_CODES = ("dm", "bm", "daima", "lx", "lb")
_CODE_TAILS = words("code name type level description id key flag ind indicator")
_BLOBS = frozenset({Element.PHOTO_IMAGE, Element.BIOMETRIC, Element.CREDIT_REPORT, Element.CALL_RECORD})
_BLOB_TAILS = words("url path img image pic photo file json xml content text data base64 id key detail address uri")
_ASKING = frozenset({"is", "has", "need", "can", "on", "if", "allow"})
_RELATIONS = frozenset({"relation", "relationship", "rel", "rlt", "rltn"})
_PREPOSITIONS = frozenset({"with", "to", "of"})
_EN_JOINED: dict[str, tuple[Element, str]] = {
    "".join(phrase): (element, "_".join(phrase)) for phrase, element in EN_PHRASES.items()
}
VOCABULARY = (
    frozenset(token for phrase in EN_PHRASES for token in phrase)
    | EN_QUALIFIERS
    | EN_NEGATIVE_HEADS
    | frozenset(CANONICAL)
)


@dataclass(frozen=True, slots=True)
class NameVerdict:
    """What a name says.

    Attributes:
        element: the element it names, if any.
        strength: 4 decides alone, 3 nearly, 2 needs company, 1 hardly speaks, 0 says nothing.
        negative: it is about something that is not the datum.
        derived: it names a hash, cipher or mask of the datum.
        rule: which rule spoke.
    """

    element: Element | None = None
    strength: int = NONE
    negative: bool = False
    derived: bool = False
    rule: str = "unknown"


SILENT = NameVerdict()
_PINYIN_VISITS = {
    f"{visit}ip": NameVerdict(Element.IP, STRONG, rule="pinyin:ip")
    for visit in ("dl", "zc", "sq", "cz", "fw", "zhdl", "scdl", "bcdl", "khd", "yh", "denglu", "zhuce")
}


def _negative(rule: str) -> NameVerdict:
    return NameVerdict(negative=True, rule=rule)


@lru_cache(maxsize=65_536)
def read_name(name: str) -> NameVerdict:
    """Read an identifier: column name, JSON key, log key."""
    if _HAN.search(name):
        return read_phrase(name)
    tokens = split_identifier(name)
    if not tokens:
        return SILENT
    trimmed = _without_tail([token for token in tokens if not token.isdecimal()] or tokens)
    derived = any(token in DERIVED_TOKENS for token in tokens) and not _is_compound(trimmed, len(trimmed))
    verdict = _read_english(trimmed)
    if verdict.strength < MEDIUM and not verdict.negative:
        pinyin = _read_pinyin("".join(trimmed) or "".join(tokens), tokens)
        if pinyin.negative or pinyin.strength > verdict.strength:
            verdict = pinyin
    if derived and verdict.element is not None:
        return replace(verdict, strength=min(verdict.strength, MEDIUM), derived=True)
    return verdict


def split_identifier(name: str) -> list[str]:
    """Split snake case, camel case, digits and, where a dictionary helps, words written together."""
    tokens: list[str] = []
    for piece in _SPLIT.findall(name):
        token = piece.lower()
        if token in VOCABULARY or token in _EN_JOINED or len(token) <= _THREE_LETTERS or token.isdecimal():
            tokens.append(token)
        else:
            tokens.extend(_cut(token))
    return tokens


@lru_cache(maxsize=16_384)
def _cut(token: str) -> tuple[str, ...]:
    """Cut a run of letters into the fewest dictionary words, or leave it whole."""
    best: list[tuple[str, ...] | None] = [()] + [None] * len(token)
    for end in range(1, len(token) + 1):
        for start in range(max(0, end - 14), end):
            head = best[start]
            word = token[start:end]
            if head is None or len(word) < _TWO_LETTERS or word not in VOCABULARY:
                continue
            current = best[end]
            if current is None or len(head) + 1 < len(current):
                best[end] = (*head, word)
    return best[-1] or (token,)


def _without_tail(tokens: list[str]) -> list[str]:
    """Drop words for hashes and ciphers behind the head, as long as a head remains; an access token is one itself."""
    end = len(tokens)
    while end > 1 and tokens[end - 1] in DERIVED_TOKENS and not _is_compound(tokens, end):
        end -= 1
    return tokens[:end]


def _is_compound(tokens: list[str], end: int) -> bool:
    """Tell whether the last word makes a term together with the one before it."""
    found = _phrase_at(tokens, end)
    return found is not None and end - found[0] > 1


def _phrase_at(tokens: list[str], end: int) -> tuple[int, Element, str] | None:
    """Return the longest phrase that ends before `end`: its start, element and spelling."""
    for start in range(max(0, end - _LONGEST_PHRASE), end):
        phrase = tuple(map(canonical, tokens[start:end]))
        element = EN_PHRASES.get(phrase)
        if element is not None:
            return start, element, "_".join(phrase)
        joined = _EN_JOINED.get("".join(tokens[start:end])) or _EN_JOINED.get("".join(phrase))
        if joined is not None:
            return start, joined[0], joined[1]
    return None


def _read_english(tokens: list[str]) -> NameVerdict:
    """Read the longest phrase at the head, or behind a tail that changes nothing."""
    if tokens[0] in _RELATIONS and _PREPOSITIONS.intersection(tokens):
        return NameVerdict(Element.CONTACT_RELATION, STRONG, rule="phrase:relation to")
    found = _phrase_at(tokens, len(tokens))
    if len(tokens) > 1:
        shorter = _phrase_at(tokens, len(tokens) - 1)
        if shorter is not None and _is_benign_tail(tokens[-1], shorter[1]) and (found is None or shorter[0] < found[0]):
            found = shorter
    if found is not None:
        start, element, spelling = found
        return _weigh_english(tokens[:start], element, spelling)
    if _is_negative_head(tokens[-1]) or tokens[0] in _ASKING:
        return _negative(f"head:{tokens[-1]}")
    for end in range(len(tokens) - 1, 0, -1):
        found = _phrase_at(tokens, end)
        if found is not None and found[2] not in EN_WEAK:
            return NameVerdict(found[1], FAINT, rule=f"inside:{found[2]}")
    return SILENT


def _is_benign_tail(token: str, element: Element) -> bool:
    """Tell whether a last token leaves the meaning: a number, the code of a coded attribute, the file of a blob."""
    full = canonical(token)
    return (
        full in _GENERIC_TAILS
        or token in DERIVED_TOKENS
        or (element in _CODED and full in _CODE_TAILS)
        or (element in _BLOBS and full in _BLOB_TAILS)
    )


def _is_negative_head(token: str) -> bool:
    return token in EN_NEGATIVE_HEADS or canonical(token) in EN_NEGATIVE_HEADS


def _weigh_english(before: list[str], element: Element, spelling: str) -> NameVerdict:
    """Weigh a phrase at the head by the tokens that stand before it."""
    if before and before[0] in _ASKING:
        return _negative(f"flag:{spelling}")
    strength = WEAK if spelling in EN_WEAK else STRONG
    if any(token in EN_FOREIGN_OWNERS for token in before):
        return NameVerdict(element, FAINT if strength > WEAK else NONE, rule=f"foreign:{spelling}")
    if strength == WEAK and before and _phrase_at(before, len(before)) is not None:
        return _negative(f"about:{spelling}")
    if any(token in EN_QUALIFIERS or token.isdecimal() for token in before):
        return NameVerdict(element, max(strength, MEDIUM), rule=f"phrase:{spelling}")
    if before and len("".join(before)) > _TWO_LETTERS:
        strength = min(strength, MEDIUM)
    return NameVerdict(element, strength, rule=f"phrase:{spelling}")


def _read_pinyin(joined: str, tokens: list[str]) -> NameVerdict:
    """Read initials or whole readings, with a qualifier before or a negative tail behind."""
    whole = _pinyin_strength(joined) or _PINYIN_VISITS.get(joined)
    if whole is not None:
        return whole
    for cut in range(len(joined) - 1, 0, -1):
        head, tail = joined[:cut], joined[cut:]
        if head in PINYIN_QUALIFIERS:
            found = _pinyin_strength(tail)
            if found is not None and found.element is not None:
                return replace(found, strength=min(found.strength + 1, STRONG))
        behind = _behind_pinyin(head, tail)
        if behind is not None:
            return behind
    if joined in PINYIN_NEGATIVE_LABELS:
        return _negative("pinyin:label")
    last = tokens[-1]
    found = _pinyin_strength(last) if len(tokens) > 1 else None
    if found is not None and found.element is not None:
        qualified = any(token in EN_QUALIFIERS or token in PINYIN_QUALIFIERS for token in tokens[:-1])
        return NameVerdict(
            found.element, found.strength + (1 if qualified and found.strength < STRONG else 0), rule=found.rule
        )
    return SILENT


@lru_cache(maxsize=65_536)
def read_pinyin(name: str) -> NameVerdict:
    """Read a name as initials or as the whole reading of a Chinese term, whatever it says in English."""
    tokens = [piece.lower() for piece in _SPLIT.findall(name) if not piece.isdecimal()]
    return _read_pinyin("".join(tokens), tokens) if tokens and not _HAN.search(name) else SILENT


@lru_cache(maxsize=65_536)
def is_pinyin(joined: str) -> bool:
    """Tell whether letters are the initials or the reading of a Chinese term, or of what is about one."""
    if joined in PINYIN_TERMS or joined in PINYIN_NEGATIVE_LABELS:
        return len(joined) > _TWO_LETTERS
    found = _read_pinyin(joined, [joined])
    return found.negative or found.strength >= MEDIUM


def _behind_pinyin(head: str, tail: str) -> NameVerdict | None:
    """Weigh what stands behind a reading: the code of an attribute is the attribute, its time is not."""
    if tail in _PINYIN_CODES and PINYIN_TERMS.get(head) in _CODED:
        return NameVerdict(PINYIN_TERMS[head], MEDIUM, rule="pinyin:code of it")
    if tail in PINYIN_NEGATIVE_TAILS and head in PINYIN_TERMS and len(head) >= _TWO_LETTERS:
        return _negative("pinyin:negative tail")
    return None


def _pinyin_strength(word: str) -> NameVerdict | None:
    element = PINYIN_TERMS.get(word)
    if element is None:
        return None
    if len(word) <= _TWO_LETTERS:
        return NameVerdict(element, WEAK, rule="pinyin:two letters")
    return NameVerdict(element, MEDIUM if len(word) == _THREE_LETTERS else STRONG, rule=f"pinyin:{len(word)} letters")


@lru_cache(maxsize=65_536)
def read_phrase(phrase: str) -> NameVerdict:
    """Read Chinese words: a label, a column name, a comment. The first clause that speaks decides."""
    if "是否" in phrase[:4]:
        return _negative("flag:是否")
    fallback = SILENT
    for number, clause in enumerate(_CLAUSE.split(phrase)):
        verdict = _read_clause(clause.strip("\"'“”_-*#.·"))
        if verdict.element is None and not verdict.negative:
            continue
        if number == 0 or verdict.strength >= MEDIUM or verdict.negative:
            return (
                verdict
                if number == 0
                else NameVerdict(verdict.element, min(verdict.strength, MEDIUM), verdict.negative, rule=verdict.rule)
            )
        fallback = fallback if fallback.strength else verdict
    return fallback


def _read_clause(clause: str) -> NameVerdict:
    if not clause:
        return SILENT
    if not _HAN.search(clause):
        return read_name(clause) if clause.isascii() else SILENT
    direct = _term_at_end(clause)
    if direct is not None:
        return direct
    stripped = clause
    while True:
        shorter = _TAIL_NUMBER.sub("", stripped)
        for width in range(min(4, len(shorter) - 1), 0, -1):
            if shorter[-width:] in ZH_BENIGN_TAILS:
                shorter = shorter[:-width]
                break
        if shorter == stripped or not shorter:
            break
        stripped = shorter
        found = _term_at_end(stripped)
        if found is not None:
            numbered = "号" in clause[len(stripped) :] and found.element in _WORDS_NOT_NUMBERS
            return _negative(f"number of:{found.rule}") if numbered else found
    return _term_inside(clause)


def _term_at_end(clause: str) -> NameVerdict | None:
    upper = clause.upper()
    for width in range(min(len(upper), _LONGEST_ZH_TERM), 0, -1):
        term = upper[-width:]
        element = ZH_INDEX.get(term)
        if element is None:
            if term in ZH_NEGATIVE_LABELS:
                return _negative(f"label:{term}")
            continue
        before = clause[:-width]
        if before.endswith("是否") or before.startswith("是否"):
            return _negative("flag:是否")
        strength = WEAK if term in ZH_WEAK else STRONG
        if strength == WEAK and before:
            strength = MEDIUM
        if any(before.endswith(owner) for owner in ZH_FOREIGN_OWNERS):
            strength = FAINT if strength > WEAK else NONE
        return NameVerdict(element, strength, rule=f"term:{term}")
    return None


def _term_inside(clause: str) -> NameVerdict:
    """Find a term that something follows: a negative tail makes it negative, anything else weak."""
    upper = clause.upper()
    for end in range(len(upper) - 1, 1, -1):
        for width in range(min(end, _LONGEST_ZH_TERM), 1, -1):
            term = upper[end - width : end]
            if term not in ZH_INDEX:
                continue
            tail = _TAIL_NUMBER.sub("", clause[end:])
            if any(tail.endswith(negative) for negative in ZH_NEGATIVE_TAILS):
                return _negative(f"about:{term}")
            return NameVerdict(ZH_INDEX[term], FAINT, rule=f"inside:{term}")
    if any(upper.endswith(negative) for negative in ZH_NEGATIVE_TAILS):
        return _negative("tail")
    return SILENT


def read_label_phrase(label: str) -> NameVerdict:
    """Read the Chinese words directly before a value; only a term at their very end counts."""
    found = _term_at_end(label)
    if found is None:
        found = _term_at_end(label.removesuffix("号码").removesuffix("号"))
    return found or SILENT


@lru_cache(maxsize=65_536)
def is_negative_label(label: str) -> bool:
    """Tell whether a label announces a number that is no personal datum: order, serial, amount, time."""
    if _HAN.search(label):
        upper = label.upper()
        return any(upper[-width:] in ZH_NEGATIVE_LABELS for width in range(min(len(upper), 8), 0, -1))
    tokens = split_identifier(label)
    if not tokens:
        return False
    if (
        tokens[-1] in NEGATIVE_LABEL_TOKENS
        or tokens[-1] in EN_NEGATIVE_HEADS
        or "".join(tokens) in PINYIN_NEGATIVE_LABELS
    ):
        return True
    return tokens[-1] in _GENERIC_TAILS and any(token in NEGATIVE_LABEL_TOKENS for token in tokens)
