"""The personnel file that stands before any right: background looked into, secrecy agreed, training valid.

Clause: CQJR-6.1-c, CQJR-6.6-b-1
"""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final

TRAINING_VALID: Final = timedelta(days=366)


class FileItem(StrEnum):
    """What a personnel file must hold."""

    BACKGROUND = "background"
    CONFIDENTIALITY = "confidentiality"
    TRAINING = "training"


ITEM_TITLES: Final[Mapping[FileItem, tuple[str, str]]] = MappingProxyType(
    {
        FileItem.BACKGROUND: ("背景调查", "Background check"),
        FileItem.CONFIDENTIALITY: ("保密协议", "Confidentiality agreement"),
        FileItem.TRAINING: ("安全培训", "Security training"),
    }
)


def valid_until(item: FileItem, done_on: date) -> date | None:
    """Return the last day on which an item counts; None where it counts for as long as the person stays."""
    return done_on + TRAINING_VALID if item is FileItem.TRAINING else None


def gaps_of(held: Iterable[tuple[FileItem, date | None]], *, today: date) -> list[FileItem]:
    """Return what a file lacks today.

    Args:
        held: items with the last day on which each counts, None for no end.
        today: the business day.
    """
    counting = {item for item, until in held if until is None or today <= until}
    return [item for item in FileItem if item not in counting]
