"""Who may be given cases, and how many each holds: for the people who dispatch."""

from dataclasses import dataclass

from django.db.models import Count

from kuimen.foundation import clock
from kuimen.gate.access import scope
from kuimen.gate.access.models import Staff
from kuimen.gate.access.rules import GrantState, Resource, Role, Subject
from kuimen.gate.access.services import require
from kuimen.scenarios.collections.rules import EVENT_ACTIONS, CaseEvent
from kuimen.scenarios.collections.services.lookup import visible_cases


@dataclass(frozen=True, slots=True, kw_only=True)
class Collector:
    """One collector with an active right.

    Attributes:
        agency: name of the outsourced agency; empty for the institution's own staff.
        held: how many cases the person holds at this moment.
    """

    staff_no: str
    display_name: str
    agency: str
    held: int


def collectors(subject: Subject) -> list[Collector]:
    """Return the active collectors, the agencies' too, by staff number; for the institution's own dispatchers.

    Cost: two queries.

    Raises:
        NotPermittedError: no right to dispatch.
    """
    require(subject, EVENT_ACTIONS[CaseEvent.ASSIGN], Resource(kind="case_queue"))
    at = clock.now()
    found = Staff.objects.select_related("agency").filter(
        is_active=True,
        grants__role=Role.COLLECTOR.value,
        grants__state=GrantState.ACTIVE.value,
        grants__valid_from__lte=at,
        grants__valid_until__gt=at,
    )
    with scope.applied(subject):
        held = dict(
            visible_cases(subject).exclude(assignee="").values_list("assignee").annotate(Count("pk")).order_by()
        )
    return [
        Collector(
            staff_no=staff.staff_no,
            display_name=staff.display_name,
            agency=staff.agency.name if staff.agency else "",
            held=held.get(staff.staff_no, 0),
        )
        for staff in found.distinct().order_by("staff_no")
    ]
