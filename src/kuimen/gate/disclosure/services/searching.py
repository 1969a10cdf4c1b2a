"""Searches by a number or a part of one: by named grant, counted whatever they find, masked, capped, on record.

What was searched for is in no record, log or address; the record names element and part, and whom the page showed.

Clause: CQJR-5.4-d, CQJR-5.2-h
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from kuimen.foundation import clock
from kuimen.foundation.identifiers import CustomerRef, ViewId, new_ref
from kuimen.foundation.sensitive import Sensitive
from kuimen.gate.access.rules import Action, Subject
from kuimen.gate.audit import services as audit
from kuimen.gate.consent.services import bases_for
from kuimen.gate.disclosure.errors import DisclosureInputError, SearchQuotaError
from kuimen.gate.disclosure.results import SearchResult
from kuimen.gate.disclosure.rules import LONGEST_QUESTION, MOST_FOUND, Kind, Limits, ReasonCode
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
from kuimen.gate.disclosure.services.pages import masked_values
from kuimen.gate.disclosure.services.usage import (
    alert,
    count_people,
    limits_in_force,
    locked_use,
    people_left,
    seconds_until_tomorrow,
)
from kuimen.gate.vault.part_rules import IndexName, Part
from kuimen.gate.vault.parts.services import find_people
from kuimen.kernels.elements import Element

Narrow = Callable[[frozenset[UUID]], Sequence[UUID]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is looked for.

    Attributes:
        element: the element that holds it.
        part: which part of its value is known.
        said: the part, however it is written.
        reason_code: why, from the door's list.
    """

    element: Element | str
    part: Part | str
    said: Sensitive[str]
    reason_code: ReasonCode | str


def search(
    subject: Subject,
    question: Question,
    *,
    purpose: str,
    object_type: str,
    object_ref: str,
    narrow: Narrow,
    elements: Sequence[Element],
) -> SearchResult:
    """Find customers by a number or a part of one and show them masked.

    Every search counts against the day, also one that finds nobody: a search that fails is an answer too.
    Call it outside any transaction. Cost: an index look-up, and opening the records that share the part.

    Args:
        subject: who asks, with the grant to search.
        question: what is looked for.
        purpose: what for.
        object_type: kind of the business object that bounds the search.
        object_ref: its reference.
        narrow: keeps those of the found that belong to the object and that the subject may know of, in order.
        elements: what is shown of them, masked.

    Raises:
        DisclosureInputError, ElementNotIndexedError, PartNotSearchableError, SearchTooWideError: the question does not
            fit, or no index of this part stands.
        ObjectNotFoundError, PolicyRefusedError, SearchQuotaError, PeopleQuotaError: refused, and the refusal is
            recorded; at the end of the day's searches the supervisor is alerted.
        SealedValueTamperedError: a value does not open where it stands; nothing is shown, the alarm is recorded.
        DisclosureFailedError, AuditUnavailableError: it could not be recorded, so nothing is shown.
    """
    facts: dict[str, audit.FactValue] = {}
    try:
        with door(
            Action.SEARCH,
            subject=subject,
            purpose=purpose,
            object_type=object_type,
            object_ref=object_ref,
            facts=facts,
        ):
            name, code = _checked(question)
            facts |= {"element": name.element.value, "part": name.part.value, "reason_code": code.value}
            type_, ref = checked_reference(object_type, object_ref)
            request = Request(
                action=Action.SEARCH, subject=subject, purpose=checked_purpose(purpose), object_type=type_,
                object_ref=ref, facts=facts,
            )  # fmt: skip
            permit(request, situation={"reason": code.value, "requested": name.text})
            return _search(request, name, question.said, narrow, elements)
    except SearchQuotaError:
        alert(subject, what="search_quota", object_type=object_type, object_ref=object_ref)
        raise


def _checked(question: Question) -> tuple[IndexName, ReasonCode]:
    if question.part not in Part.__members__.values():
        raise DisclosureInputError("part: choose one of the list of parts")
    if question.reason_code not in ReasonCode.__members__.values():
        raise DisclosureInputError("reason_code: choose one of the list of reasons")
    if not 0 < len(question.said.reveal_for("disclosure.search").strip()) <= LONGEST_QUESTION:
        raise DisclosureInputError(f"text: enter 1 to {LONGEST_QUESTION} signs")
    return IndexName(element=checked_element(question.element), part=Part(question.part)), ReasonCode(
        question.reason_code
    )


def _search(
    request: Request, name: IndexName, said: Sensitive[str], narrow: Narrow, elements: Sequence[Element]
) -> SearchResult:
    limits = limits_in_force()
    remaining = _count_search(request.subject, limits)
    quota = people_left(request.subject, limits)
    matches = find_people(name, said)
    fitting = [CustomerRef(ref) for ref in narrow(matches.people)]
    bases = bases_for(fitting, request.purpose)
    lawful = [ref for ref in fitting if ref in bases]
    shown = _within(lawful, *quota)
    count_people(request.subject, shown, limits)
    values = masked_values(shown, elements, purpose=request.purpose.value)
    at, view_id = clock.now(), ViewId(new_ref())
    view = View(view_id=view_id, kind=Kind.SEARCH, at=at, rows=len(shown), elements={name.element, *elements})
    withheld = len(fitting) - len(lawful)
    write(
        request,
        view,
        facts={
            **request.facts,
            "customers": [str(ref) for ref in shown],
            "found": len(lawful),
            "withheld": withheld,
            "opened": matches.opened,
            "remaining": remaining,
        },
    )
    return SearchResult(
        view_id=view_id,
        watermark=watermark(request.subject, view_id, at),
        values={ref: values.get(ref, {}) for ref in shown},
        more=len(lawful) > len(shown),
        withheld=withheld,
        remaining_today=remaining,
    )


def _within(lawful: Sequence[CustomerRef], seen: frozenset[UUID], left: int) -> list[CustomerRef]:
    """Return who is shown: never more than the day leaves, for a refusal here would tell that somebody fits."""
    shown: list[CustomerRef] = []
    for ref in lawful:
        if len(shown) == MOST_FOUND or (ref not in seen and left == 0):
            break
        left -= ref not in seen
        shown.append(ref)
    return shown


def _count_search(subject: Subject, limits: Limits) -> int:
    """Count a search and return how many are left today."""
    use = locked_use(subject)
    if use.searches >= limits.searches_per_day:
        raise SearchQuotaError(
            f"{limits.searches_per_day} searches a day; ask your supervisor, or wait until tomorrow",
            retry_after_seconds=seconds_until_tomorrow(),
        )
    use.searches += 1
    use.save(update_fields=["searches"])
    return limits.searches_per_day - use.searches
