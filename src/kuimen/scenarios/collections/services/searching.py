"""Searching cases by a number or a part of one, for whoever was granted it by name.

Clause: CQJR-5.4-d
"""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from kuimen.foundation.identifiers import CustomerRef
from kuimen.foundation.sensitive import Sensitive
from kuimen.gate.access import scope
from kuimen.gate.access.rules import Action, Resource, Subject
from kuimen.gate.access.services import decide
from kuimen.gate.disclosure import services as disclosure
from kuimen.gate.disclosure.results import SearchResult
from kuimen.gate.disclosure.services import ReasonCode
from kuimen.gate.disclosure.services.searching import Question
from kuimen.gate.vault.part_rules import DECLARED, IndexName, Part
from kuimen.gate.vault.parts.services import searchable
from kuimen.gate.vault.rules import INDEXED_ELEMENTS
from kuimen.kernels.elements.model import Element
from kuimen.ledger.loans import services as ledger
from kuimen.scenarios.collections.rules import LIST_ELEMENTS, PURPOSE
from kuimen.scenarios.collections.services.lookup import SEARCH_TYPE, CaseSummary, searchable_cases, summary_of

_EVERY_CASE = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundCases:
    """What a search found.

    Attributes:
        cases: of the customers in `result`, in their order; a customer may have several.
        masked: by case, the masked text of each element of `LIST_ELEMENTS`.
        result: watermark, whether others fit, how many searches are left.
    """

    cases: tuple[CaseSummary, ...]
    masked: Mapping[UUID, Mapping[Element, str]]
    result: SearchResult


def offered_searches(subject: Subject) -> list[IndexName]:
    """Return what this person may search by now: granted by policy, and with an index that stands complete."""
    whole = [IndexName(element=element, part=Part.WHOLE) for element in INDEXED_ELEMENTS]
    return [name for name in sorted([*whole, *searchable()], key=_in_order) if _permitted(subject, name)]


def _in_order(name: IndexName) -> tuple[int, str]:
    """Put first what callers tell most: the declared elements in their order, then the others."""
    declared = list(DECLARED)
    return declared.index(name.element) if name.element in DECLARED else len(declared), name.text


def _permitted(subject: Subject, name: IndexName) -> bool:
    situation = {"purpose": PURPOSE, "reason": "asked", "requested": name.text}
    return decide(subject, Action.SEARCH, Resource(kind=SEARCH_TYPE, ref=_EVERY_CASE), situation).allowed


def search_cases(
    subject: Subject, *, element: Element | str, part: Part | str, said: Sensitive[str], reason_code: ReasonCode | str
) -> FoundCases:
    """Find the cases of customers by a number or a part of one, masked; it counts against the day whatever it finds.

    Raises:
        KuimenError: as :func:`kuimen.gate.disclosure.services.search` raises; a refusal is recorded.
    """
    result = disclosure.search(
        subject,
        Question(element=element, part=part, said=said, reason_code=reason_code),
        purpose=PURPOSE,
        object_type=SEARCH_TYPE,
        object_ref=_EVERY_CASE,
        narrow=lambda people: _borrowers(subject, people),
        elements=LIST_ELEMENTS,
    )
    with scope.applied(subject):
        rows = list(
            searchable_cases(subject).filter(customer_ref__in=list(result.values)).order_by("opened_at", "case_ref")
        )
        facts = ledger.facts_of([case.loan_id for case in rows])
        place = {ref: number for number, ref in enumerate(result.values)}
        cases = sorted(
            (summary_of(case, facts[case.loan_id]) for case in rows),
            key=lambda case: place[CustomerRef(case.customer_ref)],
        )
    return FoundCases(
        cases=tuple(cases),
        masked={case.case_id: result.values[CustomerRef(case.customer_ref)] for case in cases},
        result=result,
    )


def _borrowers(subject: Subject, people: frozenset[UUID]) -> list[UUID]:
    """Keep the borrowers of cases, those whose case is the oldest first."""
    with scope.applied(subject):
        cases = searchable_cases(subject).filter(customer_ref__in=people).order_by("opened_at", "case_ref")
        return list(dict.fromkeys(cases.values_list("customer_ref", flat=True)))
