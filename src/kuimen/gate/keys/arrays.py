"""Array literals of PostgreSQL for bulk statements.

The driver adapts a list item by item in Python; joining texts is several times faster, and these three kinds need no
quoting: their texts consist of hexadecimal digits, hyphens and signs only.
"""

from collections.abc import Iterable
from uuid import UUID


def uuid_array(values: Iterable[UUID | None]) -> str:
    """Return the text of a ``uuid[]``; None becomes NULL."""
    return "{" + ",".join("NULL" if value is None else str(value) for value in values) + "}"


def int_array(values: Iterable[int | None]) -> str:
    """Return the text of an ``int[]``; None becomes NULL."""
    return "{" + ",".join("NULL" if value is None else str(int(value)) for value in values) + "}"


def bytea_array(values: Iterable[bytes]) -> str:
    """Return the text of a ``bytea[]``."""
    return "{" + ",".join('"\\\\x' + bytes(value).hex() + '"' for value in values) + "}"
