"""What the door asks of this scenario: is this case this person's, and is this customer its borrower."""

from uuid import UUID

from kuimen.gate.access import scope
from kuimen.gate.access.rules import Resource, Subject
from kuimen.gate.disclosure.scope import register_object_scope
from kuimen.scenarios.collections.services.lookup import (
    LIST_TYPE,
    OBJECT_TYPE,
    SEARCH_TYPE,
    resource_of,
    searchable_cases,
    visible_cases,
)


def register() -> None:
    """Tell the door which kinds of objects this scenario answers for."""
    register_object_scope(OBJECT_TYPE, case_in_scope)
    register_object_scope(LIST_TYPE, list_in_scope)
    register_object_scope(SEARCH_TYPE, search_in_scope)


def case_in_scope(subject: Subject, object_ref: str, customer_refs: frozenset[UUID]) -> Resource | None:
    """Return the case where the person may know of it and nobody but its borrower is asked for."""
    try:
        case_id = UUID(object_ref)
    except ValueError:
        return None
    with scope.applied(subject):
        case = visible_cases(subject).filter(case_ref=case_id).first()
        if case is None or not customer_refs <= {case.customer_ref}:
            return None
        return resource_of(case)


def list_in_scope(subject: Subject, object_ref: str, customer_refs: frozenset[UUID]) -> Resource | None:
    """Return the list where every customer asked for is the borrower of a case that the person may know of."""
    with scope.applied(subject):
        found = visible_cases(subject).filter(customer_ref__in=customer_refs).values_list("customer_ref", flat=True)
        if customer_refs - set(found):
            return None
    return Resource(kind=LIST_TYPE, ref=object_ref, agency_id=subject.agency_id)


def search_in_scope(subject: Subject, object_ref: str, customer_refs: frozenset[UUID]) -> Resource | None:
    """Return the search where every customer named is the borrower of a case that a search may lead to."""
    with scope.applied(subject):
        found = searchable_cases(subject).filter(customer_ref__in=customer_refs).values_list("customer_ref", flat=True)
        if customer_refs - set(found):
            return None
    return Resource(kind=SEARCH_TYPE, ref=object_ref, agency_id=subject.agency_id)
