"""What needs two persons: destroying an old version of a domain key, cutting over to a new index, dropping the old one.

One custodian asks, another officer approves, the first carries it out: once, within the life of the ticket, and exactly
what was approved. The deed and the use of its ticket stand or fall together; where a process dies between the two
databases, the ticket is unused and repeating it ends well.

Clause: JRT0171-6.2.4-a
"""

from collections.abc import Callable, Mapping
from typing import Final, TypeVar
from uuid import UUID

from django.db import transaction

from kuimen.gate.access.rules import Action, Resource, Subject
from kuimen.gate.access.services import actor_of, require
from kuimen.gate.approvals import services as approvals
from kuimen.gate.approvals.rules import Ticket
from kuimen.gate.keys import services as keys
from kuimen.gate.keys.domain_keys import destroy_domain_version, refuse_domain_in_use
from kuimen.gate.keys.rules import RetentionClass
from kuimen.gate.vault.rotation import reindexing

DESTROY_DOMAIN: Final = "keys.destroy_domain"
CUT_OVER: Final = "keys.index_cut_over"
DROP_INDEX: Final = "keys.index_drop"

Result = TypeVar("Result")


def ask_to_destroy_domain(kind: RetentionClass, version: int, *, maker: Subject, reason: str) -> Ticket:
    """Ask for the destruction of an old version of a domain key.

    Raises:
        NotPermittedError: the maker is no key custodian.
        KeyMissingError, KeyTransitionError, DomainKeyInUseError: it could not be done now; no ticket is made.
    """
    _require(maker)
    refuse_domain_in_use(kind, version)
    return _ask(DESTROY_DOMAIN, _domain(kind, version), maker=maker, reason=reason, ref=f"{kind.value}/{version}")


def destroy_domain(kind: RetentionClass, version: int, *, ticket_id: UUID, actor: Subject) -> None:
    """Destroy an old version of a domain key, as approved. It is final, against every backup as well.

    Raises:
        TicketNotFoundError, TicketMismatchError, TicketTransitionError: not approved so; nothing changed.
        KeyMissingError, KeyTransitionError, DomainKeyInUseError: as in asking; nothing changed, the ticket is unused.
    """
    _with_ticket(
        ticket_id,
        _domain(kind, version),
        actor,
        lambda: destroy_domain_version(kind, version, actor=actor_of(actor)),
    )
    if keys.is_unlocked():
        keys.keyring().tree.forget_domains(kind)


def ask_to_cut_over(element: str, *, maker: Subject, reason: str) -> Ticket:
    """Ask to end the old generations of an element's index.

    Raises:
        NotPermittedError: the maker is no key custodian.
        NotReadyToCutOverError: it could not be done now; no ticket is made.
    """
    _require(maker)
    active, _ = reindexing.refuse_unready_cut_over(element)
    content = {"element": element, "to_generation": active.generation}
    return _ask(CUT_OVER, content, maker=maker, reason=reason, ref=f"{element}/{active.generation}")


def cut_over(element: str, generation: int, *, ticket_id: UUID, actor: Subject) -> list[int]:
    """Cut over to a generation of an element's index, as approved; return the generations that ended."""
    return _with_ticket(
        ticket_id,
        {"element": element, "to_generation": generation},
        actor,
        lambda: reindexing.cut_over(keys.keyring(), element, generation, actor=actor_of(actor)),
    )


def ask_to_drop(element: str, generation: int, *, maker: Subject, reason: str) -> Ticket:
    """Ask to delete the tags of a generation that was cut over, and to destroy its key."""
    _require(maker)
    reindexing.refuse_unready_drop(element, generation)
    content = {"element": element, "generation": generation}
    return _ask(DROP_INDEX, content, maker=maker, reason=reason, ref=f"{element}/{generation}")


def drop_index(element: str, generation: int, *, ticket_id: UUID, actor: Subject) -> int:
    """Delete the tags and destroy the key of a generation, as approved; return how many tags are gone."""
    return _with_ticket(
        ticket_id,
        {"element": element, "generation": generation},
        actor,
        lambda: reindexing.drop(element, generation, actor=actor_of(actor)),
    )


def _domain(kind: RetentionClass, version: int) -> dict[str, object]:
    return {"retention_class": kind.value, "version": version}


def _require(maker: Subject) -> None:
    require(maker, Action.KEYS_ROTATE, Resource(kind="keys"))


def _ask(action: str, content: Mapping[str, object], *, maker: Subject, reason: str, ref: str) -> Ticket:
    return approvals.request(action, content, maker=maker, reason=reason, object_type="key", object_ref=ref)


def _with_ticket(ticket_id: UUID, content: Mapping[str, object], actor: Subject, deed: Callable[[], Result]) -> Result:
    _require(actor)
    with transaction.atomic():
        approvals.redeem(ticket_id, content, actor=actor)
        return deed()
