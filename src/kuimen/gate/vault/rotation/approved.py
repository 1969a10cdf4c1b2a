"""What is done to keys needs two persons: every rotation, every job that seals or tags anew, every destruction.

One custodian asks, another officer approves, the first carries it out: once, within the life of the ticket, and exactly
what was approved. The deed and the use of its ticket stand or fall together; where a process dies between the two
databases, the ticket is unused and repeating it ends well. How fast a job runs is no part of what is approved.

Clause: JRT0171-6.2.4-a
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Final
from uuid import UUID

from django.db import transaction

from kuimen.foundation.errors import KuimenError
from kuimen.gate.access.rules import Action, Resource, Subject
from kuimen.gate.access.services import actor_of, require
from kuimen.gate.approvals import services as approvals
from kuimen.gate.approvals.rules import Ticket
from kuimen.gate.audit import services as audit
from kuimen.gate.keys import orders
from kuimen.gate.keys import services as keys
from kuimen.gate.keys.deeds import JOBS, Deed, DeedKind, deed_of
from kuimen.gate.keys.domain_keys import active_suite, destroy_domain_version, refuse_domain_in_use
from kuimen.gate.keys.orders import Order, Running
from kuimen.gate.keys.pacing import Advance
from kuimen.gate.keys.rules import KeySuite, OrderEvent, OrderState, RetentionClass
from kuimen.gate.vault.errors import NotReadyToCutOverError
from kuimen.gate.vault.rotation import reindexing, services
from kuimen.gate.vault.rotation.jobs import RotationReport
from kuimen.gate.vault.rotation.services import RewrapReport

Facts = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What carrying a deed out did: facts of a deed that is over, or the order of a job that begins."""

    facts: Facts = field(default_factory=dict)
    order: Order | None = None


def plan(deed: Deed, *, reader: Subject) -> Facts:
    """Count what a deed would do and change nothing; needs no unlocked root.

    Raises:
        NotPermittedError: the reader may not see the state of the keys.
        KuimenError: it could not be done now; the error says why.
    """
    require(reader, Action.KEYS_READ, Resource(kind="keys"))
    return _ready(deed)


def ask(deed: Deed, *, maker: Subject, reason: str) -> Ticket:
    """Ask another officer to approve a deed.

    Raises:
        NotPermittedError: the maker is no key custodian.
        KuimenError: it could not be done now, or stands already; no ticket is made, the refusal is recorded.
    """
    _require(maker)
    with _refusals_recorded(deed, actor_of(maker)):
        _ready(deed)
        if deed.kind in JOBS:
            orders.refuse_standing(deed)
    return approvals.request(
        deed.kind.value, deed.content(), maker=maker, reason=reason, object_type="key", object_ref=deed.ref
    )


def deed_of_ticket(ticket_id: UUID) -> Deed:
    """Return what a ticket is about.

    Raises:
        TicketNotFoundError, DeedInputError: no such ticket; it is not about keys.
    """
    ticket = approvals.find(ticket_id)
    return deed_of(ticket.action, ticket.object_ref)


def carry_out(deed: Deed, *, ticket_id: UUID, actor: Subject, rows_per_second: int | None = None) -> Done:
    """Do what was approved. A job is not run here: its order is placed, and :func:`run_order` works on it.

    Raises:
        TicketNotFoundError, TicketMismatchError, TicketTransitionError: not approved so; nothing changed.
        KuimenError: as in asking; nothing changed, the ticket is unused.
    """
    _require(actor)
    with transaction.atomic():
        ticket = approvals.redeem(ticket_id, deed.content(), actor=actor)
        if deed.kind not in JOBS:
            return Done(facts=_DEEDS[deed.kind](deed, actor_of(actor)))
        order = orders.place(
            deed, ticket_id=ticket_id, maker=ticket.maker, checker=ticket.checker, rows_per_second=rows_per_second
        )
    return Done(order=order)


def pause(order_id: UUID, *, officer: Subject) -> Order:
    """Stop a job behind its next batch; one custodian is enough to stop something.

    Raises:
        NotPermittedError, OrderNotFoundError, OrderTransitionError: as named.
    """
    _require(officer)
    return orders.change(order_id, OrderEvent.PAUSE, actor=actor_of(officer))


def resume(order_id: UUID, *, officer: Subject) -> Order:
    """Let a paused job go on, or take up an open one whose process died; errors as in :func:`pause`."""
    _require(officer)
    known = orders.find(order_id)
    if known.state is not OrderState.PAUSED:
        orders.refuse_closed(known)
        return known
    return orders.change(order_id, OrderEvent.RESUME, actor=actor_of(officer))


def run_order(
    order_id: UUID, *, actor: audit.Actor, advance: Advance = lambda _done, _total: None
) -> RewrapReport | RotationReport:
    """Work on the job of an order until it is done, paused or hindered; the keys are unlocked.

    Raises:
        OrderNotFoundError, OrderTransitionError: there is none, or it is not open.
        RotationPausedError: somebody paused it.
        KuimenError: as the job says; its code stands in the order, run it again to go on.
    """
    order = orders.find(order_id)
    running = Running(order)

    def told(done: int, total: int) -> None:
        advance(done, total)
        running(done, total)

    try:
        report = _run(order, actor, told)
    except KuimenError as error:
        running.stopped(error.code)
        raise
    shown = {name: value for name, value in asdict(report).items() if type(value) is int}
    running.ended(shown, finished=report.finished, actor=actor)
    return report


def _run(order: Order, actor: audit.Actor, advance: Advance) -> RewrapReport | RotationReport:
    deed, pace = order.deed, order.rows_per_second
    match deed.kind:
        case DeedKind.REWRAP:
            return services.rewrap(RetentionClass(deed.subject), actor=actor, rows_per_second=pace, advance=advance)
        case DeedKind.REENCRYPT:
            suite = KeySuite(deed.suite) if deed.suite else None
            kind = RetentionClass(deed.subject)
            return services.reencrypt(kind, actor=actor, suite=suite, rows_per_second=pace, advance=advance)
        case DeedKind.REINDEX:
            return services.reindex(deed.subject, actor=actor, rows_per_second=pace, advance=advance)
        case _:
            merged, survivor = deed.persons()
            return services.merge_persons(merged, survivor, actor=actor, rows_per_second=pace, advance=advance)


def _ready(deed: Deed) -> Facts:
    """Return what the deed would do, or raise why it cannot be done now."""
    match deed.kind:
        case DeedKind.ROTATE_DOMAIN:
            kind = RetentionClass(deed.subject)
            return {"retention_class": kind.value, "suite": _suite(deed).value, "first": active_suite(kind) is None}
        case DeedKind.REWRAP:
            rewrap = services.plan_rewrap(RetentionClass(deed.subject))
            return {**asdict(rewrap), "to_do": rewrap.to_do}
        case DeedKind.REENCRYPT:
            suite = KeySuite(deed.suite) if deed.suite else None
            reencrypt = services.plan_reencrypt(RetentionClass(deed.subject), suite=suite)
            return {**asdict(reencrypt), "to_do": sum(reencrypt.records.values())}
        case DeedKind.REINDEX:
            reindex = services.plan_reindex(deed.subject)
            return {**asdict(reindex), "to_do": reindex.untagged}
        case DeedKind.MERGE:
            merged, survivor = deed.persons()
            return {"merged": str(merged), "survivor": str(survivor)}
        case DeedKind.DESTROY_DOMAIN:
            refuse_domain_in_use(RetentionClass(deed.subject), deed.number)
        case DeedKind.CUT_OVER:
            active, _ = reindexing.refuse_unready_cut_over(deed.subject)
            if active.generation != deed.number:
                raise NotReadyToCutOverError(f"number: the active generation is {active.generation}; name that one")
        case DeedKind.DROP_INDEX:
            reindexing.refuse_unready_drop(deed.subject, deed.number)
    return {"subject": deed.subject, "number": deed.number}


def _suite(deed: Deed) -> KeySuite:
    """Return the suite of the next version: the one asked for, else as before."""
    return KeySuite(deed.suite) if deed.suite else active_suite(RetentionClass(deed.subject)) or KeySuite.SM4_GCM


def _rotate_domain(deed: Deed, actor: audit.Actor) -> Facts:
    suite = _suite(deed)
    version = keys.rotate_domain(RetentionClass(deed.subject), actor=actor, suite=suite)
    return {"retention_class": deed.subject, "version": version, "suite": suite.value}


def _destroy_domain(deed: Deed, actor: audit.Actor) -> Facts:
    kind = RetentionClass(deed.subject)
    destroy_domain_version(kind, deed.number, actor=actor)
    if keys.is_unlocked():
        keys.keyring().tree.forget_domains(kind)
    return {"destroyed": deed.ref}


def _cut_over(deed: Deed, actor: audit.Actor) -> Facts:
    ended = reindexing.cut_over(keys.keyring(), deed.subject, deed.number, actor=actor)
    return {"element": deed.subject, "generation": deed.number, "ended": ended}


def _drop_index(deed: Deed, actor: audit.Actor) -> Facts:
    gone = reindexing.drop(deed.subject, deed.number, actor=actor)
    return {"element": deed.subject, "generation": deed.number, "tags_deleted": gone}


_DEEDS: Final[Mapping[DeedKind, Callable[[Deed, audit.Actor], Facts]]] = {
    DeedKind.ROTATE_DOMAIN: _rotate_domain,
    DeedKind.DESTROY_DOMAIN: _destroy_domain,
    DeedKind.CUT_OVER: _cut_over,
    DeedKind.DROP_INDEX: _drop_index,
}


def _require(maker: Subject) -> None:
    require(maker, Action.KEYS_ROTATE, Resource(kind="keys"))


@contextmanager
def _refusals_recorded(deed: Deed, actor: audit.Actor) -> Iterator[None]:
    try:
        yield
    except KuimenError as refusal:
        facts = {"reason": refusal.code}
        audit.record_refusal(deed.kind.value, actor=actor, object_type="key", object_ref=deed.ref, facts=facts)
        raise
