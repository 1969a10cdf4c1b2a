"""Column names read by what they are put together from: a picture of whom, a telephone of which place, a card of what.

No list holds `customer_idcard_front_path`; a picture's word and a word for what it shows do.
"""

from collections.abc import Callable
from functools import lru_cache

from kuimen.kernels.detection.naming import MEDIUM, STRONG, NameVerdict
from kuimen.kernels.detection.topics import Topic
from kuimen.kernels.elements.model import Element
from kuimen.kernels.elements.words import words

_PICTURES = words(
    "img image pic picture photo photos photograph images pics imgs photourl imgurl snapshot screenshot scan"
)
_PLACES_OF_FILES = words("url path file base64 addr address uri link src key location")
_SHOWN = words(
    "id idcard identity certificate face live liveness living alive hold holding hand handheld ocr selfie head portrait"
    " avatar person customer user borrower front back positive negative obverse reverse best facial visit signature"
    " family people member self sfz idno cardholder card business_license"
)
_SIDES = words("front back positive negative obverse reverse frontside backside")
_HELD = words("hand handheld hold holding held")
_PAPERS = words("id idcard identity certificate sfz idno")
_THINGS = words(
    "product goods banner activity logo icon article notice title cover menu page qr qrcode code ad advert captcha"
    " background coupon template brand store shop contract agreement license voucher"
)
_SOUNDS = words("record recording voice audio sound recorder records luyin")
_TELEPHONES = words("phone telephone mobile_phone tel phones")
_TELEPHONE_TAILS = words("number no num")
_PLACES = words(
    "ent enterprise home house family residence residential company unit office work employer business corp"
    " corporation job"
    " fixed landline fax firm living workplace"
)
_PORTABLE = words("mobile cell")
_PERSONS = words(
    "legal spouse contact linkman person principal manager representative emergency owner customer_manager leader mate"
    " borrower member applicant handler father mother relative guarantor"
)
_OTHER_CARDS = words(
    "attendance member membership sim gift vip prepaid oil meal point coupon discount access entry work library health"
    " graphics video sound network punch time student business gas ic magnetic"
)
_OTHER_FIRMS = words(
    "express insurance delivery logistics shipping channel guarantee software supplier vendor outsource outsourcing"
    " payment collection property leasing"
)
_FIRMS = words("unit company corp enterprise employer merchant firm")
_FORMS = words("full cn en chinese english registered")
_FOREIGN_PLACES = words(
    "executor registry server remote host bean contract node service listen notify callback bind broker web request"
    " download gateway wallet block memory redis mq kafka zookeeper"
)
_SPANS = words("date time ym yymm my mmyy month year period")
_UNTIL = words("exp expire expired expiry expiration")
_HOLDERS = words("owner holder legal")
_DOING = words(
    "create update modify audit approve check operate review input last_update add del delete submit verify oper"
    " handle assign register record confirm publish send receive maintain upload"
)
_TEXTS = frozenset({"text", "", "other"})


@lru_cache(maxsize=65_536)
def composed_name(tokens: tuple[str, ...], topics: frozenset[Topic], kind: str) -> NameVerdict | None:
    """Read a name by its parts; None where they tell nothing.

    Args:
        tokens: canonical words of the name.
        topics: what its table is about.
        kind: class of the column's type.
    """
    if len(tokens) < 2 or kind not in _TEXTS:  # noqa: PLR2004 - a part and another
        return None
    said = frozenset(tokens)
    return next((found for rule in _RULES if (found := rule(tokens, said, topics)) is not None), None)


_Tokens = tuple[str, ...]
_Said = frozenset[str]
_Topics = frozenset[Topic]


def _picture(tokens: _Tokens, said: _Said, _: _Topics) -> NameVerdict | None:
    last = tokens[-1]
    if (last in _SIDES or said & _HELD) and said & _PAPERS and not said & {"number", "no", "num"}:
        return NameVerdict(Element.PHOTO_IMAGE, STRONG, rule="side of a paper")
    shows = last in _PICTURES or last in _SIDES or (last in _PLACES_OF_FILES and bool(said & _PICTURES))
    if not shows or not said & (_PICTURES | _PLACES_OF_FILES):
        return None
    if said & _THINGS and not said & (_PAPERS | {"face", "live", "living", "signature"}):
        return NameVerdict(negative=True, rule="picture of a thing")
    if said & _SHOWN and said & (_PICTURES | _SIDES):
        return NameVerdict(Element.PHOTO_IMAGE, STRONG, rule="picture of a person or a paper")
    return None


def _recording(tokens: _Tokens, said: _Said, _: _Topics) -> NameVerdict | None:
    if said & _SOUNDS and (tokens[-1] in _PLACES_OF_FILES or tokens[-1] in {"audio", "content", "text"}):
        return NameVerdict(Element.CALL_RECORD, STRONG, rule="file of a recording")
    return None


def _message(tokens: _Tokens, said: _Said, topics: _Topics) -> NameVerdict | None:
    if tokens[-1] == "content" and Topic.MESSAGE in topics and not said & _THINGS:
        return NameVerdict(Element.CALL_RECORD, MEDIUM, rule="text of a message")
    return None


def _telephone(tokens: _Tokens, said: _Said, _: _Topics) -> NameVerdict | None:
    head = tokens[:-1] if tokens[-1] in _TELEPHONE_TAILS else tokens
    if not head or head[-1] not in _TELEPHONES or said & _PORTABLE:
        return None
    if said & _PLACES and not said & _PERSONS:
        return NameVerdict(Element.LANDLINE, STRONG, rule="telephone of a place")
    return None


def _card(tokens: _Tokens, said: _Said, _: _Topics) -> NameVerdict | None:
    if "card" in said and said & _OTHER_CARDS and not said & {"bank", "credit", "debit", "id"}:
        at = tokens.index("card")
        if at and tokens[at - 1] in _OTHER_CARDS and tokens[-1] in {"card", "no", "number", "num", "id"}:
            return NameVerdict(negative=True, rule="another card")
    return None


def _firm(tokens: _Tokens, said: _Said, _: _Topics) -> NameVerdict | None:
    if said & _OTHER_FIRMS and tokens[-1] in {"company", "name", "firm"} and said & {"company", "firm"}:
        return NameVerdict(negative=True, rule="company that serves")
    if tokens[-1] == "name" and tokens[-2] in _FORMS and said & _FIRMS:
        return NameVerdict(Element.COMPANY_NAME, STRONG, rule="name of a firm")
    return None


def _place(tokens: _Tokens, said: _Said, _: _Topics) -> NameVerdict | None:
    if tokens[-1] == "address" and said & _FOREIGN_PLACES and "ip" not in said and "mac" not in said:
        return (
            NameVerdict(negative=True, rule="address of a machine")
            if tokens[-2] in _FOREIGN_PLACES - {"remote"}
            else None
        )
    return None


def _validity(tokens: _Tokens, said: _Said, topics: _Topics) -> NameVerdict | None:
    until = tokens[-2] if tokens[-1] in _SPANS else tokens[-1]
    if until in _UNTIL and Topic.CARD in topics and not said & _PAPERS:
        return NameVerdict(Element.CARD_EXPIRY, MEDIUM, rule="validity in a table of cards")
    if until in _UNTIL and not said & {"card", "credit"}:
        return NameVerdict(negative=True, rule="validity of something")
    return None


def _machine(tokens: _Tokens, _: _Said, __: _Topics) -> NameVerdict | None:
    return NameVerdict(Element.MAC, STRONG, rule="mac of something") if tokens[-1] == "mac" else None


def _person(tokens: _Tokens, said: _Said, topics: _Topics) -> NameVerdict | None:
    if tokens[-1] == "person" and not said & _DOING:
        return NameVerdict(Element.PERSON_NAME, MEDIUM, rule="a person")
    if tokens[-1] in _HOLDERS and Topic.THING not in topics:
        return NameVerdict(Element.PERSON_NAME, MEDIUM, rule="who owns or speaks for it")
    if tokens[-1] == "name" and "contact" in said and tokens[-2] in {"user", "full", "real"}:
        return NameVerdict(Element.PERSON_NAME, STRONG, rule="name of a contact")
    if tokens == ("card", "id") and topics & {Topic.PERSON, Topic.IDENTITY} and Topic.CARD not in topics:
        return NameVerdict(Element.RESIDENT_ID, MEDIUM, rule="card of identity in a table of persons")
    return None


_RULES: tuple[Callable[[_Tokens, _Said, _Topics], NameVerdict | None], ...] = (
    _picture, _recording, _message, _telephone, _card, _firm, _place, _validity, _machine, _person,
)  # fmt: skip
