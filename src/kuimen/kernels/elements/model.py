"""The names of the data elements and the shape of the rule that each one carries."""

from dataclasses import dataclass
from enum import StrEnum


class Element(StrEnum):
    """What a value is. These names are the stable interface: add to them, rename none."""

    PERSON_NAME = "person_name"
    RESIDENT_ID = "resident_id"
    PASSPORT = "passport"
    OTHER_CERTIFICATE = "other_certificate"
    MOBILE = "mobile"
    LANDLINE = "landline"
    EMAIL = "email"
    ADDRESS = "address"
    BANK_CARD = "bank_card"
    ACCOUNT_NUMBER = "account_number"
    USCC = "uscc"
    COMPANY_NAME = "company_name"
    PLATE = "plate"
    WECHAT = "wechat"
    QQ = "qq"
    IP = "ip"
    MAC = "mac"
    IMEI = "imei"
    DEVICE_ID = "device_id"
    LOCATION = "location"
    BIRTH_DATE = "birth_date"
    SEX = "sex"
    NATIONALITY = "nationality"
    ETHNICITY = "ethnicity"
    OCCUPATION = "occupation"
    EDUCATION = "education"
    MARITAL_STATUS = "marital_status"
    INCOME = "income"
    BALANCE = "balance"
    CREDIT_LIMIT = "credit_limit"
    LOAN_AMOUNT = "loan_amount"
    OVERDUE = "overdue"
    REPAYMENT = "repayment"
    CREDIT_SCORE = "credit_score"
    CREDIT_REPORT = "credit_report"
    CONTACT_RELATION = "contact_relation"
    PHOTO_IMAGE = "photo_image"
    PASSWORD = "password"  # noqa: S105 - the name of an element, not a credential
    PAYMENT_PASSWORD = "payment_password"  # noqa: S105 - the name of an element, not a credential
    SMS_CODE = "sms_code"
    SECURITY_ANSWER = "security_answer"
    SECRET_KEY = "secret_key"  # noqa: S105 - the name of an element, not a credential
    CVN2 = "cvn2"
    CARD_EXPIRY = "card_expiry"
    TRACK_DATA = "track_data"
    USER_NAME = "user_name"
    BIOMETRIC = "biometric"
    CALL_RECORD = "call_record"
    FREE_TEXT = "free_text"


class Category(StrEnum):
    """The class of JR/T 0171-2020, gravest first.

    Clause: JRT0171-4.2-C3
    Clause: JRT0171-4.2-C2
    Clause: JRT0171-4.2-C1
    """

    C3 = "C3"
    C2 = "C2"
    C1 = "C1"
    NONE = "none"


class Display(StrEnum):
    """How far an element may be shown."""

    NEVER = "never"
    MASKED = "masked"
    PLAIN = "plain"


class Storage(StrEnum):
    """What happens to an element that is found at rest."""

    SEAL = "seal"
    DISSOCIATE = "dissociate"
    DESTROY = "destroy"
    PLAIN = "plain"


class Transfer(StrEnum):
    """What an element needs before it leaves the house."""

    NEVER = "never"
    FIELD = "field"
    CHANNEL = "channel"


class RetentionClass(StrEnum):
    """Which clock ends the life of an element; each class has keys of its own."""

    IDENTITY_TRANSACTION = "identity_transaction"
    ADVERSE_ITEM = "adverse_item"
    COLLECTION_RECORD = "collection_record"
    CONSENT_BASED = "consent_based"


@dataclass(frozen=True, slots=True, kw_only=True)
class ElementRule:
    """What follows from knowing that a value is this element.

    Attributes:
        element: the element this rule belongs to.
        title_zh: its name for readers of Chinese.
        title_en: its name for readers of English.
        category: class of JR/T 0171-2020.
        auxiliary: auxiliary authentication data: C2 alone, C3 together with the account it opens.
        level: level of JR/T 0197-2020, 5 (gravest) to 1 (public).
        nine_identity: one of the nine basic identity elements, which are always stored encrypted.
        sensitive: sensitive personal information by statute.
        display: how far it may be shown.
        storage: what happens to it at rest.
        transfer: what it needs before it leaves the house.
        retention_class: which clock ends its life.
    """

    element: Element
    title_zh: str
    title_en: str
    category: Category
    auxiliary: bool
    level: int
    nine_identity: bool
    sensitive: bool
    display: Display
    storage: Storage
    transfer: Transfer
    retention_class: RetentionClass


@dataclass(frozen=True, slots=True, kw_only=True)
class CombinationRule:
    """A set of elements that weighs more in one record than its members do alone.

    Attributes:
        name: stable id of the rule.
        title_zh: its name for readers of Chinese.
        title_en: its name for readers of English.
        all_of: every one of these must be present.
        any_of: of each group at least one must be present.
        category: class of the set.
        level: level of the set.
    """

    name: str
    title_zh: str
    title_en: str
    all_of: frozenset[Element]
    any_of: tuple[frozenset[Element], ...]
    category: Category
    level: int

    def applies_to(self, elements: frozenset[Element]) -> bool:
        """Tell whether the elements of one record form this set."""
        return self.all_of <= elements and all(group & elements for group in self.any_of)
