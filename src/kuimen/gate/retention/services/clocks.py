"""Clocks over real persons: what is known, what it decides, the daily check, holds and recorded events."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db import IntegrityError, transaction

from kuimen.foundation import clock
from kuimen.gate.access.rules import Action, Resource, Subject
from kuimen.gate.access.services import actor_of, require
from kuimen.gate.audit import services as audit
from kuimen.gate.consent.ends import act_ends
from kuimen.gate.keys import shredding
from kuimen.gate.retention import facts
from kuimen.gate.retention.errors import HoldNotFoundError, RetentionInputError
from kuimen.gate.retention.models import Erasure, Event, Hold
from kuimen.gate.retention.rules import (
    OPEN_STATES,
    ClockEvent,
    Decision,
    ErasureEvent,
    ErasureState,
    EventKind,
    HoldKind,
    RetentionClass,
    Verdict,
    decide,
    next_state,
)

PAGE_PERSONS = 2_000
LONGEST_EVIDENCE = 200
_NAMED = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """What one check found: persons looked at, classes by verdict, erasures that began or lapsed."""

    persons: int
    verdicts: Mapping[Verdict, int]
    listed: int
    lapsed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldView:
    """A hold in force."""

    hold_id: UUID
    person_ref: UUID
    kind: HoldKind
    evidence: str
    placed_by: str


def decisions_of(person_ref: UUID) -> list[Decision]:
    """Return what the clocks say about every class of which a key of this person still exists."""
    held = shredding.keys_of(person_ref)
    alive = [kind for kind, keys in held.items() if any(state.value != "destroyed" for _, state, _ in keys)]
    return decide_many({person_ref: alive}).get(person_ref, [])


def decide_many(classes: Mapping[UUID, Collection[RetentionClass]]) -> dict[UUID, list[Decision]]:
    """Decide about many persons at once. Cost: a few queries for all, whatever their number."""
    today = clock.today()
    events: dict[UUID, list[ClockEvent]] = defaultdict(list)
    for event in _events_of(classes.keys()):
        events[event.person_ref].append(event)
    holds: dict[UUID, set[HoldKind]] = defaultdict(set)
    for person, kind in Hold.objects.filter(person_ref__in=list(classes), lifted_at__isnull=True).values_list(
        "person_ref", "kind"
    ):
        holds[person].add(HoldKind(kind))
    return {
        person: [decide(kind, events[person], holds[person], today=today) for kind in sorted(kinds)]
        for person, kinds in classes.items()
    }


def check_due(*, actor: audit.Actor = audit.SYSTEM) -> CheckReport:
    """Ask the clocks about every person of whom a key exists; list what is due, let lapse what no longer is.

    Nothing is suspended or destroyed here. One audit entry for the whole check. Cost: about eight queries for every
    2,000 persons.
    """
    verdicts = dict.fromkeys(Verdict, 0)
    persons = 0
    listed: list[Erasure] = []
    lapsed = 0
    after: UUID | None = None
    with transaction.atomic():
        while classes := shredding.persons_with_keys(after=after, limit=PAGE_PERSONS):
            after = max(classes)
            persons += len(classes)
            decided = decide_many(classes)
            for decisions in decided.values():
                for decision in decisions:
                    verdicts[decision.verdict] += 1
            began, ended = _bring_up_to_date(decided)
            listed += began
            lapsed += ended
        audit.record(
            "retention.check",
            actor=actor,
            object_type="retention",
            facts={
                "persons": persons,
                **{verdict.value: count for verdict, count in verdicts.items()},
                "listed": len(listed),
                "lapsed": lapsed,
                "first": [str(row.erasure_id) for row in listed[:_NAMED]],
                "told_by": list(facts.source_names()),
            },
        )
    return CheckReport(persons=persons, verdicts=verdicts, listed=len(listed), lapsed=lapsed)


def _bring_up_to_date(decided: Mapping[UUID, list[Decision]]) -> tuple[list[Erasure], int]:
    at = clock.now()
    known = {
        (row.person_ref, row.retention_class): row
        for row in Erasure.objects.select_for_update().filter(
            person_ref__in=list(decided), state__in=[state.value for state in OPEN_STATES]
        )
    }
    fresh: list[Erasure] = []
    lapsed = 0
    for person, decisions in decided.items():
        for decision in decisions:
            row = known.get((person, decision.retention_class.value))
            if decision.verdict is Verdict.DUE and decision.due_on is not None and row is None:
                fresh.append(
                    Erasure(
                        person_ref=person,
                        retention_class=decision.retention_class.value,
                        state=ErasureState.DUE.value,
                        due_on=decision.due_on,
                        reason_zh=decision.reason_zh,
                        reason_en=decision.reason_en,
                        clause=decision.clause,
                        listed_at=at,
                    )
                )
            elif decision.verdict is not Verdict.DUE and row is not None:
                after = next_state(ErasureState(row.state), ErasureEvent.LAPSE)
                if after is not None:  # a suspended one stays visible until an officer resumes it
                    row.state, row.closed_at = after.value, at
                    row.save(update_fields=["state", "closed_at"])
                    lapsed += 1
    return Erasure.objects.bulk_create(fresh), lapsed


def record_event(person_ref: UUID, *, kind: EventKind, ended_on: date | None, evidence: str, officer: Subject) -> UUID:
    """Record an event that no room of the installation knows of, or the end of one recorded as open.

    Raises:
        NotPermittedError: `officer` may not.
        RetentionInputError: no evidence, an end in the future, or the end is recorded already.
    """
    require(officer, Action.RETENTION_HOLD, Resource(kind="person", ref=str(person_ref)))
    _check_evidence(evidence)
    if ended_on is not None and ended_on > clock.today():
        raise RetentionInputError("ended_on: an end lies on a day that has come")
    with transaction.atomic():
        row = (
            Event.objects.select_for_update().filter(person_ref=person_ref, kind=kind.value, evidence=evidence).first()
        )
        if row is None:
            row = Event(person_ref=person_ref, kind=kind.value, evidence=evidence)
        elif row.ended_on is not None:
            raise RetentionInputError("evidence: the end of this event is recorded; name the correction's own evidence")
        row.ended_on, row.recorded_by, row.recorded_at = ended_on, officer.staff_no, clock.now()
        row.save()
        audit.record(
            "retention.event",
            actor=actor_of(officer),
            object_type="person",
            object_ref=str(person_ref),
            facts={
                "kind": kind.value,
                "ended_on": ended_on.isoformat() if ended_on else "",
                "evidence": evidence,
            },
        )
    return row.event_id


def place_hold(person_ref: UUID, *, kind: HoldKind, evidence: str, officer: Subject) -> UUID:
    """Stop every destruction that this kind of hold blocks, from this moment.

    Raises:
        NotPermittedError: `officer` may not.
        RetentionInputError: no evidence, or the same hold stands already.
    """
    require(officer, Action.RETENTION_HOLD, Resource(kind="person", ref=str(person_ref)))
    _check_evidence(evidence)
    try:
        with transaction.atomic():
            row = Hold.objects.create(
                person_ref=person_ref,
                kind=kind.value,
                evidence=evidence,
                placed_by=officer.staff_no,
                placed_at=clock.now(),
            )
            audit.record(
                "retention.hold",
                actor=actor_of(officer),
                object_type="person",
                object_ref=str(person_ref),
                facts={"hold": str(row.hold_id), "kind": kind.value, "evidence": evidence},
            )
    except IntegrityError:
        raise RetentionInputError("evidence: this hold stands already") from None
    return row.hold_id


def lift_hold(hold_id: UUID, *, officer: Subject) -> None:
    """Lift a hold; another officer than the one who placed it does.

    Raises:
        NotPermittedError: `officer` may not.
        HoldNotFoundError: no such hold, or lifted already.
        RetentionInputError: the same officer placed it.
    """
    require(officer, Action.RETENTION_HOLD, Resource(kind="hold", ref=str(hold_id)))
    with transaction.atomic():
        row = Hold.objects.select_for_update().filter(hold_id=hold_id, lifted_at__isnull=True).first()
        if row is None:
            raise HoldNotFoundError("hold_id: no such hold in force")
        if row.placed_by == officer.staff_no:
            raise RetentionInputError("hold: another officer than the one who placed it lifts it")
        row.lifted_by, row.lifted_at = officer.staff_no, clock.now()
        row.save(update_fields=["lifted_by", "lifted_at"])
        audit.record(
            "retention.hold_lifted",
            actor=actor_of(officer),
            object_type="person",
            object_ref=str(row.person_ref),
            facts={"hold": str(hold_id), "kind": row.kind},
        )


def holds_of(person_ref: UUID) -> list[HoldView]:
    """Return the holds in force on a person."""
    rows = Hold.objects.filter(person_ref=person_ref, lifted_at__isnull=True).order_by("placed_at")
    return [
        HoldView(
            hold_id=row.hold_id,
            person_ref=row.person_ref,
            kind=HoldKind(row.kind),
            evidence=row.evidence,
            placed_by=row.placed_by,
        )
        for row in rows
    ]


def _events_of(person_refs: Collection[UUID]) -> list[ClockEvent]:
    refs = list(person_refs)
    events = facts.told(refs)
    events += [
        ClockEvent(
            person_ref=end.customer_ref,
            kind=EventKind.CONSENT,
            ended_on=end.ended_at.astimezone(clock.SHANGHAI).date() if end.ended_at else None,
            evidence=f"consent:{end.act_id}",
        )
        for end in act_ends(refs)
    ]
    events += [
        ClockEvent(person_ref=person, kind=EventKind(kind), ended_on=ended_on, evidence=evidence)
        for person, kind, ended_on, evidence in Event.objects.filter(person_ref__in=refs).values_list(
            "person_ref", "kind", "ended_on", "evidence"
        )
    ]
    return events


def _check_evidence(evidence: str) -> None:
    if not evidence.strip() or len(evidence) > LONGEST_EVIDENCE:
        raise RetentionInputError(f"evidence: name the document, at most {LONGEST_EVIDENCE} characters")
