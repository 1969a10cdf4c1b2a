"""Which treatment each element takes. The table names every element; one that is missing is refused."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from kuimen.kernels.elements import Element
from kuimen.kernels.fabrication.errors import NoGeneratorError


class Treatment(StrEnum):
    """How a column is made anew."""

    IDENTIFIER = "identifier"  # one made-up value for each original, from a fictitious range
    NAME = "name"  # of the made-up person
    BIRTH = "birth"  # the day inside the person's made-up identity number
    SEX = "sex"  # likewise
    VOCABULARY = "vocabulary"  # drawn for the person from what enough rows of the column share
    FACT = "fact"  # amounts and days moved, small vocabularies kept, the rest coded
    KEY = "key"  # another key, one for one
    CODE = "code"  # a code that tells nothing
    SENTENCE = "sentence"
    ANSWER = "answer"
    EXPIRY = "expiry"
    LOCATION = "location"
    PICTURE = "picture"
    EMPTY = "empty"  # nothing


class Kind(StrEnum):
    """What a column's type takes."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    DATE = "date"
    TIMESTAMP = "timestamp"
    BOOLEAN = "boolean"
    ENUM = "enum"
    UUID = "uuid"
    JSON = "json"
    BYTES = "bytes"
    ARRAY = "array"
    OTHER = "other"


TREATMENT_OF: Final[Mapping[Element, Treatment]] = MappingProxyType(
    {
        Element.PERSON_NAME: Treatment.NAME,
        Element.RESIDENT_ID: Treatment.IDENTIFIER,
        Element.PASSPORT: Treatment.IDENTIFIER,
        Element.OTHER_CERTIFICATE: Treatment.IDENTIFIER,
        Element.MOBILE: Treatment.IDENTIFIER,
        Element.LANDLINE: Treatment.IDENTIFIER,
        Element.EMAIL: Treatment.IDENTIFIER,
        Element.ADDRESS: Treatment.IDENTIFIER,
        Element.BANK_CARD: Treatment.IDENTIFIER,
        Element.ACCOUNT_NUMBER: Treatment.IDENTIFIER,
        Element.USCC: Treatment.IDENTIFIER,
        Element.COMPANY_NAME: Treatment.IDENTIFIER,
        Element.PLATE: Treatment.IDENTIFIER,
        Element.WECHAT: Treatment.IDENTIFIER,
        Element.QQ: Treatment.IDENTIFIER,
        Element.IP: Treatment.IDENTIFIER,
        Element.MAC: Treatment.IDENTIFIER,
        Element.IMEI: Treatment.IDENTIFIER,
        Element.DEVICE_ID: Treatment.IDENTIFIER,
        Element.LOCATION: Treatment.LOCATION,
        Element.BIRTH_DATE: Treatment.BIRTH,
        Element.SEX: Treatment.SEX,
        Element.NATIONALITY: Treatment.VOCABULARY,
        Element.ETHNICITY: Treatment.VOCABULARY,
        Element.OCCUPATION: Treatment.VOCABULARY,
        Element.EDUCATION: Treatment.VOCABULARY,
        Element.MARITAL_STATUS: Treatment.VOCABULARY,
        Element.INCOME: Treatment.FACT,
        Element.BALANCE: Treatment.FACT,
        Element.CREDIT_LIMIT: Treatment.FACT,
        Element.LOAN_AMOUNT: Treatment.FACT,
        Element.OVERDUE: Treatment.FACT,
        Element.REPAYMENT: Treatment.FACT,
        Element.CREDIT_SCORE: Treatment.FACT,
        Element.CREDIT_REPORT: Treatment.SENTENCE,
        Element.CONTACT_RELATION: Treatment.VOCABULARY,
        Element.PHOTO_IMAGE: Treatment.PICTURE,
        Element.PASSWORD: Treatment.CODE,
        Element.PAYMENT_PASSWORD: Treatment.CODE,
        Element.SMS_CODE: Treatment.CODE,
        Element.SECURITY_ANSWER: Treatment.ANSWER,
        Element.SECRET_KEY: Treatment.CODE,
        Element.CVN2: Treatment.CODE,
        Element.CARD_EXPIRY: Treatment.EXPIRY,
        Element.TRACK_DATA: Treatment.IDENTIFIER,
        Element.USER_NAME: Treatment.IDENTIFIER,
        Element.BIOMETRIC: Treatment.PICTURE,
        Element.CALL_RECORD: Treatment.SENTENCE,
        Element.FREE_TEXT: Treatment.SENTENCE,
    }
)


def treatment_for(element: Element) -> Treatment:
    """Return how an element is made anew.

    Raises:
        NoGeneratorError: the table does not name it.
    """
    try:
        return TREATMENT_OF[element]
    except KeyError:
        raise NoGeneratorError(f"{element.value}: no generator; name a treatment of your own for its columns") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnSpec:
    """One column and what is made of it.

    Attributes:
        treatment: how.
        kind: what its type takes.
        element: what it holds, None for nothing personal.
        domain: for keys, whose keys they are; columns of one domain find each other.
        person_key: a key by which a row finds its person.
        contact: it describes somebody else than the row's customer.
        longest: signs that the type takes, None for no limit.
    """

    name: str
    treatment: Treatment
    kind: Kind = Kind.TEXT
    element: Element | None = None
    domain: str = ""
    person_key: bool = False
    contact: bool = False
    longest: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSpec:
    """One table and its columns, in the order of its rows."""

    name: str
    columns: tuple[ColumnSpec, ...]
