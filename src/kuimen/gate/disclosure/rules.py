"""Pure decisions of the door: limits, reasons, how an answer is compared, what may be asked of whom."""

import hmac
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from kuimen.kernels.elements import ELEMENT_TABLE, Category, Display, Element

SHORTEST_REASON: Final = 6
LONGEST_REASON: Final = 200
SHORTEST_KEY: Final = 8
LONGEST_KEY: Final = 200
LONGEST_ANSWER: Final = 64
MOST_ELEMENTS: Final = 20
MOST_FOUND: Final = 20  # customers that one search shows
LONGEST_QUESTION: Final = 64
LAST_SIGNS: Final = 4


class Kind(StrEnum):
    """How something was disclosed."""

    PAGE = "page"
    REVEAL = "reveal"
    CHALLENGE = "challenge"
    BULK = "bulk"
    SEARCH = "search"


class ReasonCode(StrEnum):
    """Why a clear value is needed; the list is closed, the words beside it are free."""

    VERIFY_IDENTITY = "verify_identity"
    REVIEW_WAIVER = "review_waiver"
    CORRECT_CONTACT = "correct_contact"
    HANDLE_COMPLAINT = "handle_complaint"
    LEGAL_ACTION = "legal_action"
    AUTHORITY_REQUEST = "authority_request"


REASON_TITLES: Final[Mapping[ReasonCode, tuple[str, str]]] = MappingProxyType(
    {
        ReasonCode.VERIFY_IDENTITY: ("核实身份", "Verify identity"),
        ReasonCode.REVIEW_WAIVER: ("审核减免材料", "Review hardship papers"),
        ReasonCode.CORRECT_CONTACT: ("更正联系方式", "Correct contact data"),
        ReasonCode.HANDLE_COMPLAINT: ("处理投诉", "Handle a complaint"),
        ReasonCode.LEGAL_ACTION: ("诉讼与仲裁", "Legal action"),
        ReasonCode.AUTHORITY_REQUEST: ("监管或司法要求", "Request of an authority"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why: a code of the list and the person's own words."""

    code: ReasonCode
    text: str


class LimitName(StrEnum):
    """The limits that an institution may set."""

    ROWS_PER_VIEW = "rows_per_view"
    PEOPLE_PER_DAY = "people_per_day"
    REVEALS_PER_DAY = "reveals_per_day"
    WRONG_ANSWERS_PER_DAY = "wrong_answers_per_day"
    REVEAL_SECONDS = "reveal_seconds"
    SEARCHES_PER_DAY = "searches_per_day"


# What holds where nobody set anything: 100 rows and 100 people after T/PCAC 0001-2023, the rest our own caution.
DEFAULT_LIMITS: Final[Mapping[LimitName, int]] = MappingProxyType(
    {
        LimitName.ROWS_PER_VIEW: 100,
        LimitName.PEOPLE_PER_DAY: 100,
        LimitName.REVEALS_PER_DAY: 10,
        LimitName.WRONG_ANSWERS_PER_DAY: 3,
        LimitName.REVEAL_SECONDS: 60,
        LimitName.SEARCHES_PER_DAY: 30,
    }
)
# Above these the control refutes: strict limits on batches and clear views are no limits any more.
HIGHEST_LIMITS: Final[Mapping[LimitName, int]] = MappingProxyType(
    {
        LimitName.ROWS_PER_VIEW: 100,
        LimitName.PEOPLE_PER_DAY: 100,
        LimitName.REVEALS_PER_DAY: 50,
        LimitName.WRONG_ANSWERS_PER_DAY: 5,
        LimitName.REVEAL_SECONDS: 300,
        LimitName.SEARCHES_PER_DAY: 100,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits in force."""

    rows_per_view: int
    people_per_day: int
    reveals_per_day: int
    wrong_answers_per_day: int
    reveal_seconds: int
    searches_per_day: int

    @property
    def reveal_lifetime(self) -> timedelta:
        """Return how long a clear value may stay on the screen."""
        return timedelta(seconds=self.reveal_seconds)


def limits_of(stored: Mapping[str, int]) -> Limits:
    """Return the limits in force: what is stored, else the default."""
    values = {name.value: stored.get(name.value, default) for name, default in DEFAULT_LIMITS.items()}
    return Limits(**values)


def counts_as_lookup(element: Element) -> bool:
    """Return whether showing this element, masked or not, is a look-up of a person's C2 or C3 data."""
    return ELEMENT_TABLE[element].category in (Category.C2, Category.C3)


def may_be_shown(element: Element) -> bool:
    """Return whether staff may ever see this element in clear."""
    rule = ELEMENT_TABLE[element]
    return rule.display is not Display.NEVER and rule.category is not Category.C3


# Digits in a row, however they are separated, that could be somebody's number.
_NUMBER = re.compile(r"(?:\d[\s\-./]?){7,}")
_REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/@-]{0,199}\Z")
_PERSONAL = re.compile(r"(?<![0-9A-Za-z_-])(?:1[3-9]\d{9}|[1-9]\d{16}[\dXx])(?![0-9A-Za-z_-])")


def reason_flaw(text: str) -> str | None:
    """Return what is wrong with a reason in words, or None; the text itself is not repeated."""
    folded = unicodedata.normalize("NFKC", text).strip()
    if not SHORTEST_REASON <= len(folded) <= LONGEST_REASON:
        return f"say the reason in {SHORTEST_REASON} to {LONGEST_REASON} characters"
    if _NUMBER.search(folded):
        return "the reason holds a long number; describe the case without anybody's number"
    if len(set(folded)) < SHORTEST_REASON // 2:
        return "say the reason in words"
    return None


def is_reference(text: str) -> bool:
    """Return whether a text is a plain reference and no person's number."""
    return bool(_REFERENCE.match(text)) and not _PERSONAL.search(text)


class ChallengeForm(StrEnum):
    """How much of a value the customer says on the telephone."""

    LAST_FOUR = "last_four"
    FULL = "full"


CHALLENGES: Final[Mapping[Element, ChallengeForm]] = MappingProxyType(
    {
        Element.RESIDENT_ID: ChallengeForm.LAST_FOUR,
        Element.PASSPORT: ChallengeForm.LAST_FOUR,
        Element.OTHER_CERTIFICATE: ChallengeForm.LAST_FOUR,
        Element.MOBILE: ChallengeForm.LAST_FOUR,
        Element.BANK_CARD: ChallengeForm.LAST_FOUR,
        Element.ACCOUNT_NUMBER: ChallengeForm.LAST_FOUR,
        Element.PERSON_NAME: ChallengeForm.FULL,
        Element.BIRTH_DATE: ChallengeForm.FULL,
    }
)
_KEPT = re.compile(r"[\W_]+")


def normalised_answer(text: str) -> str:
    """Return an answer or a value as they are compared: NFKC, upper case, letters and digits only."""
    return _KEPT.sub("", unicodedata.normalize("NFKC", text)).upper()


def answer_flaw(form: ChallengeForm, answer: str) -> str | None:
    """Return why an answer is none at all, so that it does not count as a wrong one."""
    length = len(normalised_answer(answer))
    if form is ChallengeForm.LAST_FOUR and length != LAST_SIGNS:
        return f"enter exactly the last {LAST_SIGNS} signs"
    if not 0 < length <= LONGEST_ANSWER:
        return f"enter 1 to {LONGEST_ANSWER} signs"
    return None


def matches(form: ChallengeForm, value: str, answer: str) -> bool:
    """Compare in constant time. A value too short to be asked for matches nothing."""
    expected = normalised_answer(value)
    if form is ChallengeForm.LAST_FOUR:
        if len(expected) <= LAST_SIGNS:
            return False
        expected = expected[-LAST_SIGNS:]
    if not expected:
        return False
    return hmac.compare_digest(expected.encode(), normalised_answer(answer).encode())


# Procedures of the system that may open records in bulk, each under one audit entry with counts.
SYSTEM_PROCEDURES: Final = frozenset({"protection.verify", "protection.prove", "protection.resume", "releases.compute"})
