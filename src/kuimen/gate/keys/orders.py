"""Orders of rotation jobs: placed with an approved ticket, then run, paused and gone on with.

A job asks for its order between two batches. Pausing needs one custodian and stops the job behind a whole batch; going
on needs no second approval, for the same job was approved and never ended.

Clause: JRT0171-6.2.4-a
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from kuimen.foundation import clock
from kuimen.foundation.identifiers import new_ref
from kuimen.gate.audit import services as audit
from kuimen.gate.keys import store
from kuimen.gate.keys.deeds import Deed, DeedKind
from kuimen.gate.keys.errors import OrderNotFoundError, OrderStandsError, OrderTransitionError, RotationPausedError
from kuimen.gate.keys.models import RotationOrder
from kuimen.gate.keys.rules import OrderEvent, OrderState, next_order_state
from kuimen.gate.keys.uses import record_at_once


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order as pages show it.

    Attributes:
        done: rows done when the job was last seen, of `total`.
        report: what the job said at its last end; `left` in it was counted in the database and is the proof.
        stopped_by: code of the error that ended the last run; empty where none did.
    """

    order_id: UUID
    deed: Deed
    rows_per_second: int | None
    state: OrderState
    ticket_id: UUID
    maker: str
    checker: str
    ordered_at: datetime
    state_since: datetime
    changed_by: str
    done: int
    total: int
    seen_at: datetime | None
    report: Mapping[str, int] | None
    stopped_by: str


def place(deed: Deed, *, ticket_id: UUID, maker: str, checker: str, rows_per_second: int | None) -> Order:
    """Write down an order; whoever calls has redeemed the ticket. Placing it once more gives the same order.

    Raises:
        OrderStandsError: another order of the same job is not finished.
    """
    moment = clock.now()
    row = RotationOrder(
        order_id=new_ref(),
        kind=deed.kind.value,
        subject=deed.subject,
        suite=deed.suite,
        rows_per_second=rows_per_second,
        state=OrderState.OPEN.value,
        ticket_id=ticket_id,
        maker=maker,
        checker=checker,
        ordered_at=moment,
        state_since=moment,
    )
    with store.translated():
        known = _rows().filter(ticket_id=ticket_id).first()
        if known is not None:
            return _as_order(known)
        try:
            with transaction.atomic(using=store.DATABASE):
                row.save(using=store.DATABASE, force_insert=True)
        except IntegrityError:
            raise OrderStandsError("an order of this job is not finished; go on with that one") from None
    return _as_order(row)


def refuse_standing(deed: Deed) -> None:
    """Raise OrderStandsError where an order of the same job is not finished."""
    if open_order(deed) is not None:
        raise OrderStandsError("an order of this job is not finished; go on with that one")


def open_order(deed: Deed) -> Order | None:
    """Return the order of this job that is not finished."""
    with store.translated():
        row = (
            _rows().filter(kind=deed.kind.value, subject=deed.subject).exclude(state=OrderState.FINISHED.value).first()
        )
    return None if row is None else _as_order(row)


def find(order_id: UUID) -> Order:
    """Return an order.

    Raises:
        OrderNotFoundError: there is none of this id.
    """
    with store.translated():
        row = _rows().filter(order_id=order_id).first()
    if row is None:
        raise OrderNotFoundError("order: there is no such order")
    return _as_order(row)


def latest(limit: int = 20) -> list[Order]:
    """Return the orders that are not finished, then the latest of the others."""
    with store.translated():
        rows = list(_rows().exclude(state=OrderState.FINISHED.value).order_by("-ordered_at"))
        rows += _rows().filter(state=OrderState.FINISHED.value).order_by("-ordered_at")[:limit]
    return [_as_order(row) for row in rows]


def change(order_id: UUID, event: OrderEvent, *, actor: audit.Actor) -> Order:
    """Pause an order or go on with it.

    Raises:
        OrderNotFoundError: there is none of this id.
        OrderTransitionError: its state does not allow this; recorded.
    """
    with store.translated(), transaction.atomic(using=store.DATABASE):
        row = _rows().select_for_update().filter(order_id=order_id).first()
        if row is None:
            raise OrderNotFoundError("order: there is no such order")
        after = next_order_state(OrderState(row.state), event)
        if after is not None:
            row.state, row.state_since, row.changed_by = after.value, clock.now(), actor.ref
            row.save(using=store.DATABASE, update_fields=["state", "state_since", "changed_by"])
    facts = {"order": str(order_id), "job": row.kind}
    if after is None:
        audit.record_refusal(
            f"keys.order_{event.value}", actor=actor, object_type="key", object_ref=row.subject,
            facts=facts | {"reason": OrderTransitionError.code},
        )  # fmt: skip
        raise OrderTransitionError(f"order: it is {row.state}; {event} is not possible now")
    record_at_once(f"keys.order_{event.value}", object_type="key", object_ref=row.subject, facts=facts, actor=actor)
    return _as_order(row)


def refuse_closed(order: Order) -> None:
    """Raise OrderTransitionError unless the order is open."""
    if order.state is not OrderState.OPEN:
        raise OrderTransitionError(f"order: it is {order.state}; an open one is worked on")


class Running:
    """One run of an order; it is told after every batch that was committed."""

    def __init__(self, order: Order) -> None:
        """Begin.

        Raises:
            OrderTransitionError: the order is paused or finished.
        """
        refuse_closed(order)
        self.order_id = order.order_id
        self._save(stopped_by="")

    def __call__(self, done: int, total: int) -> None:
        """Write the progress down.

        Raises:
            RotationPausedError: somebody paused the order.
        """
        self._save(done=done, total=max(done, total), seen_at=clock.now())
        if find(self.order_id).state is OrderState.PAUSED:
            raise RotationPausedError("the job is paused; it stopped behind a whole batch, go on with it when you like")

    def stopped(self, code: str) -> None:
        """Write down which error ended the run."""
        self._save(stopped_by=code, seen_at=clock.now())

    def ended(self, report: Mapping[str, int], *, finished: bool, actor: audit.Actor) -> None:
        """Keep the report, and close the order where nothing is left."""
        self._save(report=dict(report), seen_at=clock.now())
        if finished:
            change(self.order_id, OrderEvent.FINISH, actor=actor)

    def _save(self, **values: object) -> None:
        with store.translated():
            _rows().filter(order_id=self.order_id).update(**values)


def _rows() -> QuerySet[RotationOrder]:
    return RotationOrder.objects.using(store.DATABASE).all()


def _as_order(row: RotationOrder) -> Order:
    return Order(
        order_id=row.order_id,
        deed=Deed(kind=DeedKind(row.kind), subject=row.subject, suite=row.suite),
        rows_per_second=row.rows_per_second,
        state=OrderState(row.state),
        ticket_id=row.ticket_id,
        maker=row.maker,
        checker=row.checker,
        ordered_at=row.ordered_at,
        state_since=row.state_since,
        changed_by=row.changed_by,
        done=row.done,
        total=row.total,
        seen_at=row.seen_at,
        report=row.report,
        stopped_by=row.stopped_by,
    )
