"""Hand an application its keys: the act of two persons."""

from typing import Final
from uuid import UUID

from django.db import transaction

from kuimen.gate.access.rules import Action, Resource, Subject
from kuimen.gate.access.services import actor_of, require
from kuimen.gate.approvals import services as approvals
from kuimen.gate.audit import services as audit
from kuimen.governance.changeover.keys import application_keys
from kuimen.kernels.sealed_columns import ApplicationKeys

HAND_OUT: Final = "changeover.hand_out_keys"


def request_keys(application: str, *, maker: Subject, reason: str) -> approvals.Ticket:
    """Ask another person to approve that an application is given its keys.

    Raises:
        NotPermittedError, TicketInputError: as named.
    """
    require(maker, Action.KEYS_ROTATE, Resource(kind="keys"))
    return approvals.request(
        HAND_OUT, {"application": application}, maker=maker, reason=reason, object_type="key", object_ref=application
    )


def hand_out_keys(application: str, *, ticket_id: UUID, actor: Subject) -> ApplicationKeys:
    """Return the keys of an application, as approved, once; the caller seals them into a file.

    Raises:
        TicketNotFoundError, TicketMismatchError, TicketTransitionError: not approved so.
        KeysLockedError, KeyStoreError: as named; the ticket is unused.
    """
    require(actor, Action.KEYS_ROTATE, Resource(kind="keys"))
    held = application_keys(application)
    with transaction.atomic():
        approvals.redeem(ticket_id, {"application": application}, actor=actor)
        audit.record(HAND_OUT, actor=actor_of(actor), object_type="key", object_ref=application)
    return held
