"""Pure decisions of a changeover: its states, and what a column or table may be."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final, LiteralString

from kuimen.kernels.ciphers.index import NORMAL_FORMS

TEXT_TYPES: Final = frozenset({"text", "character varying", "character"})
KEY_CASTS: Final[Mapping[str, LiteralString]] = MappingProxyType(
    {
        "uuid": "uuid",
        "smallint": "smallint",
        "integer": "integer",
        "bigint": "bigint",
        "text": "text",
        "character varying": "character varying",
    }
)
SEALED_SUFFIX, INDEX_SUFFIX = "_sealed", "_index"


class ChangeoverState(StrEnum):
    """Life of a changeover."""

    PLANNED = "planned"
    FOLLOWING = "following"  # clear columns are the truth, sealed ones follow
    VERIFIED = "verified"
    CUT_OVER = "cut_over"  # sealed columns are the truth, clear ones take nothing more
    SCRUBBING = "scrubbing"
    DONE = "done"
    ABANDONED = "abandoned"


class ChangeoverEvent(StrEnum):
    """What can happen to a changeover."""

    START = "start"
    VERIFY = "verify"
    DOUBT = "doubt"  # a verification found unequal values
    CUT_OVER = "cut_over"
    SCRUB = "scrub"
    FINISH = "finish"
    ABANDON = "abandon"


TRANSITIONS: Final[Mapping[tuple[ChangeoverState, ChangeoverEvent], ChangeoverState]] = MappingProxyType(
    {
        (ChangeoverState.PLANNED, ChangeoverEvent.START): ChangeoverState.FOLLOWING,
        (ChangeoverState.FOLLOWING, ChangeoverEvent.VERIFY): ChangeoverState.VERIFIED,
        (ChangeoverState.VERIFIED, ChangeoverEvent.VERIFY): ChangeoverState.VERIFIED,
        (ChangeoverState.FOLLOWING, ChangeoverEvent.DOUBT): ChangeoverState.FOLLOWING,
        (ChangeoverState.VERIFIED, ChangeoverEvent.DOUBT): ChangeoverState.FOLLOWING,
        (ChangeoverState.VERIFIED, ChangeoverEvent.CUT_OVER): ChangeoverState.CUT_OVER,
        (ChangeoverState.CUT_OVER, ChangeoverEvent.SCRUB): ChangeoverState.SCRUBBING,
        (ChangeoverState.SCRUBBING, ChangeoverEvent.FINISH): ChangeoverState.DONE,
        (ChangeoverState.PLANNED, ChangeoverEvent.ABANDON): ChangeoverState.ABANDONED,
        (ChangeoverState.FOLLOWING, ChangeoverEvent.ABANDON): ChangeoverState.ABANDONED,
        (ChangeoverState.VERIFIED, ChangeoverEvent.ABANDON): ChangeoverState.ABANDONED,
    }
)
ENDED: Final = frozenset({ChangeoverState.DONE, ChangeoverState.ABANDONED})
SEALING: Final = frozenset({ChangeoverState.FOLLOWING, ChangeoverState.VERIFIED})


def searchable(element: str) -> bool:
    """Tell whether a blind index may stand beside a sealed column of this element."""
    return element in NORMAL_FORMS


def type_name(declared: str) -> str:
    """Return a declared type without its length: `character varying(20)` is `character varying`."""
    return declared.split("(", maxsplit=1)[0].strip()
