"""Column names that mean something only in their table: `code` of SMS codes, `number` of an identity card."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from kuimen.kernels.detection.naming import MEDIUM, STRONG, WEAK, NameVerdict
from kuimen.kernels.detection.topics import Topic
from kuimen.kernels.elements.model import Element
from kuimen.kernels.elements.words import words

OWN = "the institution's own"
_NO_PERSON = frozenset({Topic.THING, Topic.HOUSE})
_TEXTS = frozenset({"text", "", "other"})


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a name stands."""

    topics: frozenset[Topic]
    kind: str
    width: int | None

    def about(self, *topics: Topic) -> bool:
        return not self.topics.isdisjoint(topics)


_Rule = Callable[[_Place], NameVerdict | None]


def _when(element: Element, *topics: Topic, strength: int = MEDIUM, never: frozenset[Topic] = frozenset()) -> _Rule:
    def rule(place: _Place) -> NameVerdict | None:
        if place.about(*topics) and place.topics.isdisjoint(never):
            return NameVerdict(element, strength, rule=f"bare name in a table of {topics[0]}")
        return None

    return rule


def _name(place: _Place) -> NameVerdict | None:
    if place.about(Topic.CONTACT, Topic.IDENTITY):
        return NameVerdict(Element.PERSON_NAME, MEDIUM, rule="bare name of a person")
    if place.about(*_NO_PERSON):
        return NameVerdict(negative=True, rule="bare name of a thing")
    if place.about(Topic.PERSON):
        return NameVerdict(Element.PERSON_NAME, MEDIUM, rule="bare name of a person")
    return NameVerdict(Element.PERSON_NAME, WEAK, rule="bare name")


def _code(place: _Place) -> NameVerdict | None:
    narrow = place.width is not None and 4 <= place.width <= 16  # noqa: PLR2004 - codes of four to eight, and some room
    if place.about(Topic.MESSAGE) and not place.about(Topic.THING) and (narrow or place.width is None):
        return NameVerdict(Element.SMS_CODE, MEDIUM, rule="code in a table of messages")
    return None


def _expiry(place: _Place) -> NameVerdict | None:
    narrow = place.kind == "text" and place.width is not None and 4 <= place.width <= 10  # noqa: PLR2004 - MMYY to a date
    if place.about(Topic.CARD) and narrow:
        return NameVerdict(Element.CARD_EXPIRY, MEDIUM, rule="validity in a table of cards")
    return None


def _bare_expiry(place: _Place) -> NameVerdict | None:
    found = _expiry(place)
    return found or (None if place.about(Topic.CARD) else NameVerdict(negative=True, rule="validity of something"))


def _account(place: _Place) -> NameVerdict | None:
    if place.kind not in _TEXTS:
        return None
    if place.about(Topic.CARD, Topic.PAYOUT, Topic.REPAYMENT):
        return NameVerdict(Element.ACCOUNT_NUMBER, MEDIUM, rule="account in a table of cards")
    if place.about(Topic.LOGIN):
        return NameVerdict(Element.USER_NAME, MEDIUM, rule="account in a table of users")
    return None


def _position(place: _Place) -> NameVerdict | None:
    if place.about(Topic.THING, Topic.HOUSE) or place.kind not in _TEXTS:
        return NameVerdict(negative=True, rule="position of a thing")
    element = Element.LOCATION if place.about(Topic.DEVICE) else Element.OCCUPATION
    return NameVerdict(
        element, MEDIUM if place.about(Topic.WORK, Topic.DEVICE, Topic.PERSON) else WEAK, rule="position"
    )


def _total(place: _Place) -> NameVerdict | None:
    if place.kind == "decimal" and place.about(Topic.LIMIT):
        return NameVerdict(Element.CREDIT_LIMIT, MEDIUM, rule="sum in a table of limits")
    return None


def _fine(place: _Place) -> NameVerdict | None:
    if place.kind != "decimal":
        return None
    return NameVerdict(Element.OVERDUE, STRONG, rule="pinyin sum of overdue interest")


_RULES: Mapping[str, _Rule] = {
    **dict.fromkeys(words("name nm mc full nmcn cname xingming mingcheng"), _name),
    **dict.fromkeys(words("code captcha verify"), _code),
    **dict.fromkeys(words("valid_date expiry_date expiry validity exp valid_thru yxq valid"), _expiry),
    **dict.fromkeys(words("fx fxje qx qxje wyj znj fl fljine yqze"), _fine),
    **dict.fromkeys(words("expire_date exp_date expdate"), _bare_expiry),
    "account": _account,
    "position": _position,
    "country": _when(Element.NATIONALITY, Topic.PERSON, Topic.IDENTITY, never=_NO_PERSON),
    "country_code": _when(Element.NATIONALITY, Topic.PERSON, Topic.IDENTITY, never=_NO_PERSON),
    "session_id": _when(Element.SECRET_KEY, Topic.SESSION, strength=STRONG),
    "used": _total,
    "unuse": _total,
    "nouse": _total,
    "score": _when(Element.CREDIT_SCORE, Topic.SCORE, Topic.PERSON, never=_NO_PERSON),
    "grade": _when(Element.CREDIT_SCORE, Topic.LIMIT, Topic.SCORE),
    "content": _when(Element.CALL_RECORD, Topic.MESSAGE, never=_NO_PERSON),
    "message": _when(Element.CALL_RECORD, Topic.MESSAGE, never=_NO_PERSON),
    "number": _when(Element.RESIDENT_ID, Topic.IDENTITY),
    "no": _when(Element.RESIDENT_ID, Topic.IDENTITY, strength=WEAK),
    "num": _when(Element.RESIDENT_ID, Topic.IDENTITY),
    "card_id": _when(Element.RESIDENT_ID, Topic.IDENTITY),
    "bank_no": _when(Element.BANK_CARD, Topic.CARD),
    "card_name": _when(Element.PERSON_NAME, Topic.CARD),
    "account_name": _when(Element.PERSON_NAME, Topic.CARD, Topic.PERSON, Topic.ACCOUNT),
    "answer": _when(Element.SECURITY_ANSWER, Topic.LOGIN),
    "question": _when(Element.SECURITY_ANSWER, Topic.LOGIN),
    "holder": _when(Element.PERSON_NAME, Topic.CARD, Topic.ACCOUNT),
    "street": _when(Element.ADDRESS, Topic.PERSON, Topic.CONTACT, Topic.WORK, Topic.IDENTITY),
    "photo": _when(Element.PHOTO_IMAGE, Topic.PERSON, Topic.IDENTITY),
    "company": _when(Element.COMPANY_NAME, Topic.WORK, Topic.PERSON, Topic.CONTACT),
    "school": _when(Element.EDUCATION, Topic.PERSON),
    "nation": _when(Element.ETHNICITY, Topic.PERSON, Topic.IDENTITY),
    "race": _when(Element.ETHNICITY, Topic.PERSON, Topic.IDENTITY),
    "token": _when(Element.SECRET_KEY, Topic.LOGIN, strength=STRONG),
    "secret": _when(Element.SECRET_KEY, Topic.HOUSE, Topic.LOGIN, strength=STRONG),
}
# Of a table about the institution itself these are the institution's.
_OWN = words(
    "telephone phone mobile email mail address company_name fax company_telephone company_address qq wechat account"
    " site_telephone site_email site_phone sms_account account_name contact_phone"
)


@lru_cache(maxsize=65_536)
def in_its_table(tokens: tuple[str, ...], topics: frozenset[Topic], kind: str, width: int | None) -> NameVerdict | None:
    """Read a name by the topics of its table; None where the table changes nothing.

    Args:
        tokens: canonical words of the name.
        topics: what its table is about.
        kind: class of the column's type.
        width: declared width, where there is one.
    """
    name = "_".join(tokens)
    if topics and topics <= {Topic.HOUSE} and name in _OWN and name not in {"phone", "email"}:
        return NameVerdict(negative=True, rule=OWN)
    rule = _RULES.get(name)
    found = None if rule is None else rule(_Place(topics, kind, width))
    if found is None and tokens[-1:] == ("score",) and _OTHER_SCORES.intersection(tokens):
        return NameVerdict(negative=True, rule="another score")
    if found is None and tokens[-1:] == ("score",) and not _OTHER_SCORES.intersection(tokens) and kind != "text":
        return NameVerdict(Element.CREDIT_SCORE, MEDIUM if len(tokens) > 1 else WEAK, rule="a score")
    if found is None and tokens and tokens[-1] == "name" and len(tokens) > 1 and tokens[-2] in _WHO:
        return NameVerdict(Element.PERSON_NAME, STRONG, rule="name of a person")
    return found


_OTHER_SCORES = words(
    "liveness live living alive match compare similarity face rule confidence weight sort order pass exam test"
    " quality hit hits voice image ocr"
    " threshold min max star service satisfaction evaluate comment"
)
_WHO = words(
    """
    black linkman contact borrower debtor applicant guarantor spouse relative father mother colleague friend legal
    holder
    payee payer emergency customer client staff employee teller collector operator lender insured beneficiary owner
    person parent child couple mate partner classmate neighbor guarantee_man patient buyer consignee receiver real true
    chinese english former ocr recognized representative complainant lawyer
    counterparty
    """
)
