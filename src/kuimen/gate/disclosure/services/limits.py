"""Setting limits: two persons, recorded."""

from uuid import UUID

from django.db import transaction

from kuimen.foundation import clock
from kuimen.gate.access.rules import Subject
from kuimen.gate.access.services import actor_of
from kuimen.gate.approvals import services as approvals
from kuimen.gate.audit import services as audit
from kuimen.gate.disclosure.errors import DisclosureInputError
from kuimen.gate.disclosure.models import Limit
from kuimen.gate.disclosure.rules import HIGHEST_LIMITS, LimitName

ACTION = "disclosure.set_limit"


def limit_request(name: str, value: int) -> dict[str, object]:
    """Return the content that a ticket for setting this limit is bound to.

    Raises:
        DisclosureInputError: no such limit, or a value outside 1 to the highest the standards leave room for.
    """
    if name not in LimitName.__members__.values():
        raise DisclosureInputError("name: no such limit")
    highest = HIGHEST_LIMITS[LimitName(name)]
    if not 1 <= value <= highest:
        raise DisclosureInputError(f"value: {name} lies between 1 and {highest}")
    return {"name": name, "value": value}


def set_limit(name: str, value: int, *, ticket_id: UUID, actor: Subject) -> None:
    """Set a limit with an approved ticket of exactly this content.

    Raises:
        DisclosureInputError: name or value is not allowed.
        TicketNotFoundError, TicketMismatchError, TicketTransitionError: the ticket does not carry it.
    """
    content = limit_request(name, value)
    with transaction.atomic():
        approvals.redeem(ticket_id, content, actor=actor)
        entry_id = audit.record(
            ACTION, actor=actor_of(actor), object_type="limit", object_ref=name, facts={"value": value}
        )
        Limit.objects.update_or_create(
            limit=name, defaults={"value": value, "changed_at": clock.now(), "entry_id": entry_id}
        )
