"""What comes out of the door."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from kuimen.foundation.identifiers import CustomerRef, ViewId
from kuimen.foundation.sensitive import Sensitive
from kuimen.gate.disclosure.rules import Kind
from kuimen.kernels.elements import Element

_SHOWN_OF_VIEW = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Watermark:
    """Who looked, when, and the id of the view, which resolves to its audit entry."""

    display_name: str
    staff_no: str
    at: datetime
    view_id: ViewId

    @property
    def text(self) -> str:
        """Return the line that is laid over the page."""
        return f"{self.display_name} {self.staff_no} {self.at:%Y-%m-%d %H:%M:%S} {str(self.view_id)[:_SHOWN_OF_VIEW]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskedPage:
    """Masked values of a page.

    Attributes:
        view_id: the view.
        watermark: what every rendering of the page carries.
        values: customer → element → masked text; an element that the vault does not hold is missing.
        withheld: customers without a live legal basis for the purpose; all their elements show the fixed mask.
    """

    view_id: ViewId
    watermark: Watermark
    values: Mapping[CustomerRef, Mapping[Element, str]]
    withheld: frozenset[CustomerRef]


@dataclass(frozen=True, slots=True, kw_only=True)
class Revealed:
    """One clear value for a short time.

    Attributes:
        value: the value; it masks itself wherever it is not rendered on purpose.
        expires_at: when the page must mask it again; after that the door does not open for this request.
        view_id: the view, also of a repeated request.
        watermark: what the rendering carries.
        remaining_today: how many more clear views the person has today.
        repeated: whether this is the second answer to the same request.
    """

    value: Sensitive[str]
    expires_at: datetime
    view_id: ViewId
    watermark: Watermark
    remaining_today: int
    repeated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ChallengeResult:
    """Whether the customer's answer is right. Nothing of the value is told."""

    matched: bool
    remaining_attempts: int
    view_id: ViewId
    watermark: Watermark


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchResult:
    """Who a search by a number or a part of one found, masked.

    Attributes:
        values: customer → element → masked text, at most `MOST_FOUND` customers, in the order the caller's scope gives.
        more: whether others fit too; they are not told.
        withheld: how many of those who fit have no live legal basis for the purpose; they are not told either.
        remaining_today: how many more searches the person has today.
    """

    view_id: ViewId
    watermark: Watermark
    values: Mapping[CustomerRef, Mapping[Element, str]]
    more: bool
    withheld: int
    remaining_today: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DisclosureCount:
    """Disclosures of one day, purpose and kind; `rows` counts customers shown, once per view."""

    day: date
    purpose: str
    kind: Kind
    disclosures: int
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewTrace:
    """What a watermark resolves to."""

    view_id: ViewId
    kind: Kind
    occurred_at: datetime
    staff_no: str
    purpose: str
    object_type: str
    object_ref: str
    entry_id: UUID
