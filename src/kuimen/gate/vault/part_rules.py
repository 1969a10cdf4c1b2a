"""Which parts of which elements may be indexed at all, how a part is cut out, and the life of such an index."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from kuimen.kernels.elements.model import Element

LONGEST_TAG: Final = 24  # bits
NO_PART: Final = -1
_DOUBLE_SURNAMES: Final = frozenset({"欧阳", "司马", "上官", "诸葛", "东方", "皇甫", "尉迟", "公孙", "慕容", "令狐"})
_MOBILE: Final = re.compile(r"1[0-9]{10}\Z")
_CJK: Final = re.compile(r"[㐀-鿿]{2,}\Z")
_SHORTEST_CUT: Final = 8  # a part never is more than half of what it was cut from


class Part(StrEnum):
    """What of a value is searched."""

    WHOLE = "whole"
    LAST_FOUR = "last_four"
    FIRST_THREE = "first_three"
    BOTH_ENDS = "both_ends"
    SURNAME = "surname"


PART_TITLES: Final[Mapping[Part, tuple[str, str]]] = MappingProxyType(
    {
        Part.WHOLE: ("完整内容", "Whole value"),
        Part.LAST_FOUR: ("后四位", "Last four"),
        Part.FIRST_THREE: ("前三位", "First three"),
        Part.BOTH_ENDS: ("前三后四", "First three and last four"),
        Part.SURNAME: ("姓氏", "Surname"),
    }
)

# Declared is not admitted: the planner measures the real values first. What is not here is never cut and never indexed.
DECLARED: Final[Mapping[Element, tuple[Part, ...]]] = MappingProxyType(
    {
        Element.MOBILE: (Part.LAST_FOUR, Part.FIRST_THREE, Part.BOTH_ENDS),
        Element.RESIDENT_ID: (Part.LAST_FOUR,),
        Element.PASSPORT: (Part.LAST_FOUR,),
        Element.OTHER_CERTIFICATE: (Part.LAST_FOUR,),
        Element.BANK_CARD: (Part.LAST_FOUR,),
        Element.ACCOUNT_NUMBER: (Part.LAST_FOUR,),
        Element.EMAIL: (Part.FIRST_THREE,),
        Element.USER_NAME: (Part.FIRST_THREE,),
        Element.WECHAT: (Part.FIRST_THREE,),
        Element.PERSON_NAME: (Part.SURNAME,),
    }
)


class PartIndexState(StrEnum):
    """Life of an index. Writers fill a building and a ready one; searches use the newest ready one."""

    BUILDING = "building"
    READY = "ready"
    DROPPED = "dropped"


class PartIndexEvent(StrEnum):
    """What can happen to an index."""

    COMPLETE = "complete"
    DROP = "drop"


PART_TRANSITIONS: Final[Mapping[tuple[PartIndexState, PartIndexEvent], PartIndexState]] = MappingProxyType(
    {
        (PartIndexState.BUILDING, PartIndexEvent.COMPLETE): PartIndexState.READY,
        (PartIndexState.BUILDING, PartIndexEvent.DROP): PartIndexState.DROPPED,
        (PartIndexState.READY, PartIndexEvent.DROP): PartIndexState.DROPPED,
    }
)
WRITTEN: Final = (PartIndexState.BUILDING, PartIndexState.READY)


def next_part_state(state: PartIndexState, event: PartIndexEvent) -> PartIndexState | None:
    """Return the state after `event`, or None where the table does not allow it."""
    return PART_TRANSITIONS.get((state, event))


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexName:
    """An element and a part of it."""

    element: Element
    part: Part

    @property
    def text(self) -> str:
        """Return the name of its index key and of its jobs."""
        return f"{self.element.value}/{self.part.value}"


def is_declared(element: Element, part: Part) -> bool:
    """Return whether an index of this part may be planned."""
    return part in DECLARED.get(element, ())


def part_of(part: Part, normalised: str) -> str | None:
    """Cut a part out of a normalised value; None where the value is too short or of another shape.

    >>> part_of(Part.BOTH_ENDS, "19990001234")
    '1991234'
    """
    match part:
        case Part.WHOLE:
            return normalised or None
        case Part.LAST_FOUR:
            return normalised[-4:] if len(normalised) >= _SHORTEST_CUT else None
        case Part.FIRST_THREE:
            return normalised[:3] if len(normalised) >= _SHORTEST_CUT else None
        case Part.BOTH_ENDS:
            return normalised[:3] + normalised[-4:] if _MOBILE.match(normalised) else None
        case Part.SURNAME:
            return _surname(normalised)


def _surname(name: str) -> str | None:
    if not _CJK.match(name):
        return None
    return name[:2] if name[:2] in _DOUBLE_SURNAMES and len(name) > len("欧阳") else name[:1]


_LENGTHS: Final = {Part.LAST_FOUR: 4, Part.FIRST_THREE: 3, Part.BOTH_ENDS: 7}


def said_flaw(part: Part, said: str) -> str | None:
    """Return why a normalised question is none for this part, or None."""
    if not said:
        return "enter what to look for"
    if part is Part.SURNAME:
        return None if len(said) <= len("欧阳") else "enter the surname alone"
    length = _LENGTHS.get(part, len(said))
    return None if len(said) == length else f"enter exactly {length} signs"
