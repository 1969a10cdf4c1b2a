"""Masked pages: the normal way to see customers.

Clause: CQJR-5.4-d, CQJR-5.2-h, JRT0171-6.1.4.1-b
"""

from collections.abc import Mapping, Sequence
from uuid import UUID

from kuimen.foundation import clock
from kuimen.foundation.identifiers import CustomerRef, RecordId, ViewId, new_ref
from kuimen.foundation.sensitive import FIXED_MASK, Sensitive
from kuimen.gate.access.rules import Action, Subject
from kuimen.gate.consent.services import bases_for
from kuimen.gate.disclosure.errors import DisclosureInputError, PageTooLargeError
from kuimen.gate.disclosure.results import MaskedPage
from kuimen.gate.disclosure.rules import MOST_ELEMENTS, Kind, counts_as_lookup, may_be_shown
from kuimen.gate.disclosure.services.door import (
    Request,
    View,
    checked_element,
    checked_purpose,
    checked_reference,
    door,
    permit,
    watermark,
    write,
)
from kuimen.gate.disclosure.services.usage import count_people, limits_in_force, locked_use
from kuimen.gate.vault.opening import open_records
from kuimen.gate.vault.services import RecordSummary, records_of_many
from kuimen.kernels.elements import Element
from kuimen.kernels.masking import mask_value


def masked_page(
    subject: Subject,
    *,
    purpose: str,
    object_type: str,
    object_ref: str,
    rows: Sequence[CustomerRef],
    elements: Sequence[Element | str],
) -> MaskedPage:
    """Show masked values of up to a page of customers. Everything is masked here, on the server.

    Call it outside any transaction. Cost: about ten queries whatever the number of rows, 20 µs a value.

    Args:
        subject: who looks.
        purpose: what for.
        object_type: kind of the business object the page is about.
        object_ref: its reference.
        rows: customers on the page; each must belong to the object.
        elements: which elements; those that are never shown come back as the fixed mask.

    Raises:
        DisclosureInputError, PageTooLargeError, ObjectNotFoundError, PolicyRefusedError, PeopleQuotaError: refused,
            and the refusal is recorded.
        SealedValueTamperedError: a value does not open where it stands; nothing is shown, the alarm is recorded.
        DisclosureFailedError, AuditUnavailableError: it could not be recorded, so nothing is shown.
    """
    facts = {"rows": len(rows)}
    with door(
        Action.VIEW_MASKED,
        subject=subject,
        purpose=purpose,
        object_type=object_type,
        object_ref=object_ref,
        facts=facts,
    ):
        return _page(subject, purpose, (object_type, object_ref), list(dict.fromkeys(rows)), elements)


def _page(
    subject: Subject,
    purpose: str,
    target: tuple[str, str],
    customers: list[CustomerRef],
    elements: Sequence[Element | str],
) -> MaskedPage:
    wanted = list(dict.fromkeys(checked_element(element) for element in elements))
    if len(wanted) > MOST_ELEMENTS:
        raise DisclosureInputError(f"elements: at most {MOST_ELEMENTS} on one page")
    object_type, object_ref = checked_reference(*target)
    request = Request(
        action=Action.VIEW_MASKED,
        subject=subject,
        purpose=checked_purpose(purpose),
        object_type=object_type,
        object_ref=object_ref,
        customer_refs=frozenset(customers),
    )
    limits = limits_in_force()
    if len(customers) > limits.rows_per_view:
        raise PageTooLargeError(f"rows: one view shows at most {limits.rows_per_view} customers; ask for fewer")
    permit(request)
    bases = bases_for(customers, request.purpose)
    shown = [ref for ref in customers if ref in bases]
    if any(counts_as_lookup(element) for element in wanted):
        locked_use(subject)
        count_people(subject, shown, limits)
    values = masked_values(shown, wanted, purpose=request.purpose.value)
    withheld = frozenset(ref for ref in customers if ref not in bases)
    for ref in withheld:
        values[ref] = dict.fromkeys(wanted, FIXED_MASK)
    at = clock.now()
    view_id = ViewId(new_ref())
    view = View(view_id=view_id, kind=Kind.PAGE, at=at, rows=len(customers), elements=wanted)
    write(
        request,
        view,
        facts={"customers": [str(ref) for ref in shown], "withheld": len(withheld)},
    )
    return MaskedPage(
        view_id=view_id,
        watermark=watermark(subject, view_id, at),
        values={ref: values.get(ref, {}) for ref in customers},
        withheld=withheld,
    )


def masked_values(
    customers: Sequence[CustomerRef], elements: Sequence[Element], *, purpose: str
) -> dict[CustomerRef, dict[Element, str]]:
    """Open what may be shown masked and mask it; what is never shown is not even opened. No decision is taken here."""
    held = records_of_many(customers, elements)
    current: dict[tuple[UUID, Element], RecordSummary] = {
        (person, element): summaries[0] for person, found in held.items() for element, summaries in found.items()
    }
    opened = open_records(
        [summary.record_id for (_, element), summary in current.items() if may_be_shown(element)], purpose=purpose
    )
    return {
        customer: _row({element: current.get((customer, element)) for element in elements}, opened, purpose)
        for customer in customers
    }


def _row(
    summaries: Mapping[Element, RecordSummary | None], opened: Mapping[RecordId, Sensitive[str]], purpose: str
) -> dict[Element, str]:
    row: dict[Element, str] = {}
    for element, summary in summaries.items():
        if summary is None:
            continue
        value = opened.get(summary.record_id)
        row[element] = FIXED_MASK if value is None else mask_value(element.value, value.reveal_for(purpose))
    return row
