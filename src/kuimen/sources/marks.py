"""Marks that protection leaves as comments in a protected database, so that any later scan understands what it sees."""

import json
from dataclasses import asdict, dataclass

SEALED_PREFIX = "kuimen:sealed "
CUSTOMER_REF = "kuimen:customer-ref 客户引用"
ROW_KEY = "kuimen:row 行键"
MASKED_VIEW = "kuimen:masked-view 脱敏视图"
COMPATIBILITY_SCHEMA = "kuimen_views"
CUSTOMER_REF_COLUMN = "customer_ref"
ROW_KEY_COLUMN = "kuimen_row"


def sealed_comment(mark: "SealedMark") -> str:
    """Return the comment of a reference column."""
    return SEALED_PREFIX + json.dumps(asdict(mark), ensure_ascii=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedMark:
    """What a reference column stands for.

    Attributes:
        element: name of the data element.
        column: name of the clear column that it replaces.
        type: SQL type that the clear column had.
        follows: its records belong to the column that a foreign key points to.
    """

    element: str
    column: str
    type: str = ""
    follows: bool = False


def sealed_mark(comment: str | None) -> SealedMark | None:
    """Return what a reference column stands for, None for any other comment."""
    if comment is None or not comment.startswith(SEALED_PREFIX):
        return None
    try:
        said = json.loads(comment.removeprefix(SEALED_PREFIX))
        return SealedMark(
            element=str(said["element"]),
            column=str(said["column"]),
            type=str(said.get("type", "")),
            follows=said.get("follows") is True,
        )
    except (ValueError, KeyError, TypeError):
        return None


def is_own_column(comment: str | None) -> bool:
    """Tell whether a column was added by protection."""
    return comment is not None and (comment in {CUSTOMER_REF, ROW_KEY} or comment.startswith(SEALED_PREFIX))
