"""Opaque identifiers. None of them tells anything about a person."""

from typing import NewType
from uuid import UUID, uuid4

CustomerRef = NewType("CustomerRef", UUID)
RecordId = NewType("RecordId", UUID)
ViewId = NewType("ViewId", UUID)


def new_ref() -> UUID:
    """Draw a random reference (RFC 9562 version 4, 122 random bits)."""
    return uuid4()
