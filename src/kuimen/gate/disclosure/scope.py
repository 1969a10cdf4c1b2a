"""Which business object a disclosure is about, and whether the customer belongs to it.

The door knows no scenario. Each scenario registers, at start, a check for its kinds of objects; a kind without a check
is refused, so a forgotten registration shows nothing instead of everything.
"""

from typing import Protocol
from uuid import UUID

from kuimen.gate.access.rules import Resource, Subject


class ObjectScope(Protocol):
    """Answers for one kind of object."""

    def __call__(self, subject: Subject, object_ref: str, customer_refs: frozenset[UUID]) -> Resource | None:
        """Return the object as policies see it, or None.

        Args:
            subject: who asks; the check applies the subject's row scope (agency) itself.
            object_ref: the reference that the subject gave; it may be anything.
            customer_refs: the customers whose data is asked for, possibly none.

        Returns:
            Kind, reference, agency and assignee of the object when it exists inside the subject's row scope and every
            one of the customers belongs to it; None in every other case.
        """
        ...


_scopes: dict[str, ObjectScope] = {}


def register_object_scope(object_type: str, scope: ObjectScope) -> None:
    """Register the check of one kind of object; a scenario does it when its app is ready.

    Raises:
        LookupError: another check is registered for this kind, a defect of the house.
    """
    if _scopes.setdefault(object_type, scope) is not scope:
        msg = f"two checks are registered for objects of type {object_type}"
        raise LookupError(msg)


def object_types() -> frozenset[str]:
    """Return the kinds of objects that have a check."""
    return frozenset(_scopes)


def object_for(
    subject: Subject, *, object_type: str, object_ref: str, customer_refs: frozenset[UUID]
) -> Resource | None:
    """Return the object as policies see it, or None where it is unknown, foreign, or not about these customers."""
    scope = _scopes.get(object_type)
    return None if scope is None else scope(subject, object_ref, customer_refs)
