"""What the keyring hands out, and the bytes that bind a wrapped key to its row."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, NoReturn
from uuid import UUID

from typing_extensions import override

from kuimen.gate.keys.rules import KeySuite, RetentionClass

_LENGTH_BYTES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class DataKey:
    """A key that seals values. It is never shown, copied to disk or sent: repr hides it and pickling is refused."""

    generation: int
    key: bytes = field(repr=False)
    scope: str
    suite: KeySuite

    @override
    def __reduce__(self) -> NoReturn:
        """Refuse pickling: a key does not leave the process that unwrapped it."""
        msg = "a key is not picklable"
        raise TypeError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexKeyMaterial:
    """A key of blind indexes of one element, 32 bytes, one generation."""

    element: str
    generation: int
    key: bytes = field(repr=False)

    @override
    def __reduce__(self) -> NoReturn:
        """Refuse pickling: a key does not leave the process that unwrapped it."""
        msg = "a key is not picklable"
        raise TypeError(msg)


CHILD_CONTEXT: Final = b"kuimen-key/child"  # the batch's share of the associated data; the row's is its binding


def binding(kind: str, institution: UUID, *parts: str | int) -> bytes:
    """Return the associated data of a wrapped key: every part length-prefixed, so that none can flow into the next."""
    fields = [b"kuimen-key/1", kind.encode(), institution.bytes, *(str(part).encode() for part in parts)]
    return b"".join(len(one).to_bytes(_LENGTH_BYTES, "big") + one for one in fields)


def person_scope(person_ref: UUID) -> str:
    """Return the scope text of a person key."""
    return f"person:{person_ref}"


def table_scope(scope: str) -> str:
    """Return the scope text of a table key."""
    return f"table:{scope}"


def person_binding(
    institution: UUID, retention_class: RetentionClass, version: int, ref: UUID, generation: int
) -> bytes:
    """Return what a wrapped person key is bound to."""
    return binding("person", institution, retention_class, version, str(ref), generation)


def person_bindings(
    institution: UUID, retention_class: RetentionClass, version: int, rows: Iterable[tuple[str, int]]
) -> list[bytes]:
    """Return :func:`person_binding` of many persons, given as canonical texts; several times quicker."""
    head = person_head(institution, retention_class, version)
    return [head + tail for tail in person_tails(rows)]


def person_head(institution: UUID, retention_class: RetentionClass, version: int) -> bytes:
    """Return the part of a binding that all persons under one version of a domain key share; it comes first."""
    return binding("person", institution, retention_class, version)


def person_tails(rows: Iterable[tuple[str, int]]) -> list[bytes]:
    """Return the rest of the binding of each person and generation."""
    length = (36).to_bytes(_LENGTH_BYTES, "big")  # of the text of a UUID
    ends: dict[int, bytes] = {}
    tails = []
    for ref, generation in rows:
        end = ends.get(generation)
        if end is None:
            digits = str(generation).encode()
            end = ends[generation] = len(digits).to_bytes(_LENGTH_BYTES, "big") + digits
        tails.append(length + ref.encode() + end)
    return tails


def table_binding(
    institution: UUID, retention_class: RetentionClass, version: int, scope: str, generation: int
) -> bytes:
    """Return what a wrapped table key is bound to."""
    return binding("table", institution, retention_class, version, scope, generation)
