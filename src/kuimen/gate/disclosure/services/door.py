"""What every disclosure does: check the request, record a refusal, decide, find the basis, write the record.

Order inside one transaction: object → policy → legal basis → limits → unseal → transform → record. The value is
returned only after the commit; when the record cannot be written, the transaction ends and nothing is disclosed.
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db import Error, transaction

from kuimen.foundation import clock
from kuimen.foundation.errors import KuimenError, TamperError, UnavailableError
from kuimen.foundation.identifiers import ViewId
from kuimen.gate.access.rules import Action, Purpose, Resource, Subject
from kuimen.gate.access.services import actor_of, decide
from kuimen.gate.audit import services as audit
from kuimen.gate.disclosure.errors import (
    DisclosureFailedError,
    DisclosureInputError,
    NoLegalBasisError,
    ObjectNotFoundError,
    PolicyRefusedError,
)
from kuimen.gate.disclosure.models import Disclosure
from kuimen.gate.disclosure.results import Watermark
from kuimen.gate.disclosure.rules import Kind, ReasonCode, is_reference
from kuimen.gate.disclosure.scope import object_for
from kuimen.kernels.elements import Element

_LONGEST_TYPE = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Who asks for what about which object; only references."""

    action: Action
    subject: Subject
    purpose: Purpose
    object_type: str
    object_ref: str
    customer_refs: frozenset[UUID] = frozenset()
    facts: Mapping[str, audit.FactValue] = field(default_factory=dict)


def checked_purpose(purpose: str) -> Purpose:
    """Return the purpose.

    Raises:
        DisclosureInputError: it is not in the list.
    """
    if purpose not in Purpose.__members__.values():
        raise DisclosureInputError("purpose: choose one of the list of purposes")
    return Purpose(purpose)


def checked_element(element: Element | str) -> Element:
    """Return the element.

    Raises:
        DisclosureInputError: it is not in the element table.
    """
    if element not in Element.__members__.values():
        raise DisclosureInputError("element: use a name of the element table")
    return Element(element)


def checked_reference(object_type: str, object_ref: str) -> tuple[str, str]:
    """Return type and reference of the object.

    Raises:
        DisclosureInputError: one of them is empty, too long, or looks like somebody's number.
    """
    if not is_reference(object_type) or len(object_type) > _LONGEST_TYPE:
        raise DisclosureInputError("object_type: name the kind of the business object")
    if not is_reference(object_ref):
        raise DisclosureInputError("object_ref: give the reference of the business object, not a number of a person")
    return object_type, object_ref


@contextmanager
def door(
    action: Action,
    *,
    subject: Subject,
    purpose: str,
    object_type: str,
    object_ref: str,
    facts: Mapping[str, audit.FactValue],
) -> Iterator[None]:
    """One transaction of a disclosure; whatever refuses inside is recorded before it leaves.

    Fields that broke their own rule are not repeated in the record of the refusal.

    Raises:
        DisclosureFailedError: the database did not do its work; nothing was disclosed.
        RuntimeError: it was opened inside another transaction, whose end could take the record away again.
    """
    try:
        with transaction.atomic(durable=True):
            yield
    except UnavailableError:
        raise
    except KuimenError as refusal:
        audit.record_refusal(
            action.value,
            actor=actor_of(subject),
            object_type=object_type if is_reference(object_type) else "",
            object_ref=object_ref if is_reference(object_ref) else "",
            purpose=purpose if purpose in Purpose.__members__.values() else "",
            outcome=audit.Outcome.FAILED if isinstance(refusal, TamperError) else audit.Outcome.REFUSED,
            facts={"reason": refusal.code, **facts},
        )
        raise
    except Error:
        raise DisclosureFailedError("the disclosure could not be recorded; nothing was disclosed, try again") from None


def permit(request: Request, *, situation: Mapping[str, str] | None = None) -> tuple[Resource, frozenset[str]]:
    """Return the object and the obligations of the permit.

    Raises:
        ObjectNotFoundError: unknown, out of scope, or not about these customers.
        PolicyRefusedError: no policy permits it.
    """
    found = object_for(
        request.subject,
        object_type=request.object_type,
        object_ref=request.object_ref,
        customer_refs=request.customer_refs,
    )
    if found is None:
        raise ObjectNotFoundError("object: there is no such object for you and this customer")
    decision = decide(
        request.subject, request.action.value, found, {"purpose": request.purpose.value, **(situation or {})}
    )
    if not decision.allowed:
        raise PolicyRefusedError(f"refused by policy: {decision.reason_code}")
    return found, decision.obligations


def basis_or_refuse(bases: Mapping[UUID, UUID], customer_ref: UUID) -> UUID:
    """Return the legal basis of one customer.

    Raises:
        NoLegalBasisError: there is none for the purpose now.
    """
    basis = bases.get(customer_ref)
    if basis is None:
        raise NoLegalBasisError("no live legal basis carries this purpose for this customer")
    return basis


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What is written about one disclosure."""

    view_id: ViewId
    kind: Kind
    at: datetime
    rows: int
    elements: Collection[Element]
    customer_ref: UUID | None = None
    basis_id: UUID | None = None
    reason_code: ReasonCode | None = None
    sealed: bytes | None = None
    expires_at: datetime | None = None


def write(request: Request, view: View, *, facts: Mapping[str, audit.FactValue]) -> Disclosure:
    """Write the audit entry and the row of the view, in the present transaction."""
    elements = sorted(element.value for element in view.elements)
    entry_id = audit.record(
        request.action.value,
        actor=actor_of(request.subject),
        object_type=request.object_type,
        object_ref=request.object_ref,
        purpose=request.purpose.value,
        view_id=view.view_id,
        facts={"kind": view.kind.value, "elements": elements, "rows": view.rows, **facts},
    )
    return Disclosure.objects.create(
        view_id=view.view_id,
        kind=view.kind.value,
        occurred_at=view.at,
        day=clock.today(),
        staff_no=request.subject.staff_no,
        agency=request.subject.agency_id,
        purpose=request.purpose.value,
        object_type=request.object_type,
        object_ref=request.object_ref,
        rows=view.rows,
        elements=elements,
        customer_ref=view.customer_ref,
        basis_id=view.basis_id,
        reason_code=view.reason_code.value if view.reason_code else "",
        sealed=view.sealed,
        expires_at=view.expires_at,
        entry_id=entry_id,
    )


def watermark(subject: Subject, view_id: UUID, at: datetime) -> Watermark:
    """Return the watermark of a view."""
    return Watermark(display_name=subject.display_name, staff_no=subject.staff_no, at=at, view_id=ViewId(view_id))
