"""Progress of changeovers: every change of state is one transaction of Kuimen's own database, with its audit entry."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from kuimen.foundation import clock
from kuimen.gate.access.rules import Action, Resource, Subject
from kuimen.gate.access.services import actor_of, require
from kuimen.gate.approvals import services as approvals
from kuimen.gate.audit import services as audit
from kuimen.governance.changeover.errors import (
    ChangeoverBlockedError,
    ChangeoverTransitionError,
    UnknownChangeoverError,
)
from kuimen.governance.changeover.models import Changeover
from kuimen.governance.changeover.plan import TableChange, load_change
from kuimen.governance.changeover.rules import TRANSITIONS, ChangeoverEvent, ChangeoverState

KIND = "changeover"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeoverView:
    """A changeover as others see it: names, states, counts."""

    changeover_id: UUID
    state: ChangeoverState
    plan: TableChange
    values_sealed: int
    verify_report: Mapping[str, object] | None
    cut_over_report: Mapping[str, object] | None
    scrub_report: Mapping[str, object] | None


def row_of(changeover_id: UUID) -> Changeover:
    """Return a stored changeover.

    Raises:
        UnknownChangeoverError: there is none of this id.
    """
    row = Changeover.objects.filter(changeover_id=changeover_id).first()
    if row is None:
        raise UnknownChangeoverError("changeover: no such one is planned; see `kuimen migrate-table status`")
    return row


def in_state(changeover_id: UUID, allowed: AbstractSet[ChangeoverState]) -> Changeover:
    """Return a changeover that is in one of these states.

    Raises:
        UnknownChangeoverError, ChangeoverTransitionError: as named.
    """
    row = row_of(changeover_id)
    if ChangeoverState(row.state) not in allowed:
        raise ChangeoverTransitionError(f"changeover: not possible in state {row.state}; see its status")
    return row


def next_state(row: Changeover, event: ChangeoverEvent) -> ChangeoverState:
    """Return the state after an event.

    Raises:
        ChangeoverTransitionError: the table of transitions has none.
    """
    after = TRANSITIONS.get((ChangeoverState(row.state), event))
    if after is None:
        raise ChangeoverTransitionError(f"changeover: {event} is not possible in state {row.state}; see its status")
    return after


def refuse_blocked(made: TableChange) -> None:
    """Refuse a plan that names what stands in the way."""
    if made.blockers:
        raise ChangeoverBlockedError(
            f"{made.place}: {'; '.join(remark.message_en for remark in made.blockers)}; change that and plan again"
        )


def content_of(row: Changeover) -> dict[str, object]:
    """Return what two persons decide about: this plan of this table, in this state."""
    made = load_change(row.plan)
    return {
        "changeover": row.changeover_id,
        "table": made.place,
        "columns": [one.name for one in made.columns],
        "application": made.application,
        "state": row.state,
    }


def redeemed(
    changeover_id: UUID, event: ChangeoverEvent, after: ChangeoverState, ticket_id: UUID | None, actor: Subject
) -> Changeover:
    """Use the ticket and move on in one transaction; a step that was killed behind it goes on without a ticket."""
    require(actor, Action.PROTECTION_RUN, Resource(kind=KIND, ref=str(changeover_id)))
    row = row_of(changeover_id)
    if ticket_id is None:
        if row.state != after.value:
            raise ChangeoverTransitionError("changeover: ask another person to approve it first, and name the ticket")
        return row
    next_state(row, event)
    refuse_blocked(load_change(row.plan))
    with transaction.atomic():
        approvals.redeem(ticket_id, content_of(row), actor=actor)
        move(row, event, actor_of(actor), {"ticket": str(ticket_id)})
    return row


def move(row: Changeover, event: ChangeoverEvent, actor: audit.Actor, facts: Mapping[str, audit.FactValue]) -> None:
    """Change the state with its audit entry; what the row holds besides is saved with it."""
    with transaction.atomic():
        held = Changeover.objects.select_for_update().get(pk=row.pk)
        row.state = next_state(held, event).value
        row.changed_at = clock.now()
        row.save()
        note(row, f"changeover.{event.value}", actor, facts)


def note(row: Changeover, action: str, actor: audit.Actor, facts: Mapping[str, audit.FactValue]) -> None:
    """Write an audit entry about a changeover."""
    audit.record(
        action,
        actor=actor,
        object_type="changeover",
        object_ref=str(row.changeover_id),
        facts={"source": str(row.source_id), "table": f"{row.schema_name}.{row.table_name}", **facts},
    )


def view_of(row: Changeover) -> ChangeoverView:
    """Return a stored changeover as others see it."""
    return ChangeoverView(
        changeover_id=row.changeover_id,
        state=ChangeoverState(row.state),
        plan=load_change(row.plan),
        values_sealed=row.values_sealed,
        verify_report=row.verify_report,
        cut_over_report=row.cut_over_report,
        scrub_report=row.scrub_report,
    )
