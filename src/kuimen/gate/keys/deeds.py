"""What is done to keys by two persons: each deed as a value, with the content that the second person approves.

A deed can be read back from its ticket, so that page, API and command line carry out exactly what was approved.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final
from uuid import UUID

from kuimen.gate.keys.errors import DeedInputError
from kuimen.gate.keys.rules import KeySuite, RetentionClass
from kuimen.kernels.elements.model import Element

LARGEST_NUMBER: Final = 2**31 - 1
_BETWEEN_PERSONS: Final = ">"


class DeedKind(StrEnum):
    """What can be applied for; the value is the action of the ticket."""

    ROTATE_DOMAIN = "keys.rotate_domain"
    REWRAP = "keys.rewrap"
    REENCRYPT = "vault.reencrypt"
    REINDEX = "vault.reindex"
    MERGE = "vault.merge"
    DESTROY_DOMAIN = "keys.destroy_domain"
    CUT_OVER = "keys.index_cut_over"
    DROP_INDEX = "keys.index_drop"


JOBS: Final = frozenset({DeedKind.REWRAP, DeedKind.REENCRYPT, DeedKind.REINDEX, DeedKind.MERGE})
_OF_ELEMENTS: Final = frozenset({DeedKind.REINDEX, DeedKind.CUT_OVER, DeedKind.DROP_INDEX})
_NUMBERED: Final[Mapping[DeedKind, str]] = MappingProxyType(
    {DeedKind.DESTROY_DOMAIN: "version", DeedKind.CUT_OVER: "to_generation", DeedKind.DROP_INDEX: "generation"}
)
_SUITED: Final = frozenset({DeedKind.ROTATE_DOMAIN, DeedKind.REENCRYPT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """One deed.

    Attributes:
        kind: what is done.
        subject: a retention class, an element, or `merged>survivor` for two persons.
        number: version of a domain key or generation of an index key, where the kind has one; else 0.
        suite: suite of the new keys; empty where it stays.

    Raises:
        DeedInputError: a part is missing, malformed, or has no place in this kind.
    """

    kind: DeedKind
    subject: str
    number: int = 0
    suite: str = ""

    def __post_init__(self) -> None:
        """Refuse what no deed of this kind can be about."""
        if self.kind is DeedKind.MERGE:
            self.persons()
        elif self.kind in _OF_ELEMENTS:
            if self.subject not in set(Element):
                raise DeedInputError("subject: it is not in the element table; use one of its names")
        elif self.subject not in set(RetentionClass):
            raise DeedInputError(f"subject: a retention class, one of {', '.join(RetentionClass)}")
        if not (1 <= self.number <= LARGEST_NUMBER if self.kind in _NUMBERED else self.number == 0):
            raise DeedInputError("number: the version or generation, from 1 on, for a deed about one; else none")
        if self.suite and (self.kind not in _SUITED or self.suite not in set(KeySuite)):
            raise DeedInputError(f"suite: {' or '.join(KeySuite)}, for rotating a domain key and re-encrypting only")

    def persons(self) -> tuple[UUID, UUID]:
        """Return the person merged and the survivor."""
        merged, _, survivor = self.subject.partition(_BETWEEN_PERSONS)
        try:
            both = UUID(merged), UUID(survivor)
        except ValueError:
            raise DeedInputError("subject: two references of persons as UUIDs, merged>survivor") from None
        if both[0] == both[1] or self.subject != f"{both[0]}{_BETWEEN_PERSONS}{both[1]}":
            raise DeedInputError("subject: two different references in small letters, merged>survivor")
        return both

    @property
    def ref(self) -> str:
        """Return the reference under which the ticket names its object."""
        return "/".join(part for part in (self.subject, str(self.number or ""), self.suite) if part)

    def content(self) -> dict[str, object]:
        """Return what the ticket is bound to."""
        if self.kind is DeedKind.MERGE:
            merged, survivor = self.persons()
            return {"merged": merged, "survivor": survivor}
        bound: dict[str, object] = {"element" if self.kind in _OF_ELEMENTS else "retention_class": self.subject}
        if self.kind in _NUMBERED:
            bound[_NUMBERED[self.kind]] = self.number
        if self.kind in _SUITED:
            bound["suite"] = self.suite
        return bound


def merging(merged: UUID, survivor: UUID) -> Deed:
    """Return the deed that merges two persons."""
    return Deed(kind=DeedKind.MERGE, subject=f"{merged}{_BETWEEN_PERSONS}{survivor}")


def deed_of(action: str, ref: str) -> Deed:
    """Read a deed back from the action and the object of its ticket.

    Raises:
        DeedInputError: the ticket is about something else.
    """
    if action not in set(DeedKind):
        raise DeedInputError("ticket: it is not about keys")
    kind, (subject, *rest) = DeedKind(action), ref.split("/")
    number = int(rest.pop(0)) if kind in _NUMBERED and rest and rest[0].isdecimal() else 0
    return Deed(kind=kind, subject=subject, number=number, suite="/".join(rest))
