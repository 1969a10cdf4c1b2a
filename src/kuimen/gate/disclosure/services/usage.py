"""What a member of staff used up today. The row of the day is locked, so two requests at once count as two."""

from collections.abc import Collection
from uuid import UUID

from kuimen.foundation import clock
from kuimen.gate.access.rules import Subject
from kuimen.gate.access.services import actor_of
from kuimen.gate.audit import services as audit
from kuimen.gate.disclosure.errors import PeopleQuotaError
from kuimen.gate.disclosure.models import ChallengeDay, DailyUse, Limit, Lookup
from kuimen.gate.disclosure.rules import Limits, limits_of


def limits_in_force() -> Limits:
    """Return the limits in force. Cost: one query."""
    return limits_of(dict(Limit.objects.values_list("limit", "value")))


def seconds_until_tomorrow() -> int:
    """Return how long today's quota lasts, in seconds, at least 1."""
    _, tomorrow = clock.day_bounds(clock.today())
    return max(1, int((tomorrow - clock.now()).total_seconds()))


def locked_use(subject: Subject) -> DailyUse:
    """Return the locked row of this person and day; the next request of the same person waits for this transaction."""
    today = clock.today()
    locked = DailyUse.objects.select_for_update().filter(staff_no=subject.staff_no, day=today)
    held = locked.first()
    if held is None:  # the day's first request; another one may be making the row at this moment
        DailyUse.objects.bulk_create([DailyUse(staff_no=subject.staff_no, day=today)], ignore_conflicts=True)
        held = locked.get()
    return held


def locked_challenges(customer_ref: UUID) -> ChallengeDay:
    """Return the locked row of wrong answers about this customer today."""
    today = clock.today()
    ChallengeDay.objects.bulk_create([ChallengeDay(customer_ref=customer_ref, day=today)], ignore_conflicts=True)
    return ChallengeDay.objects.select_for_update().get(customer_ref=customer_ref, day=today)


def people_left(subject: Subject, limits: Limits) -> tuple[frozenset[UUID], int]:
    """Return whom this person looked up today, and how many others are left; call it with the day's row locked.

    Raises:
        PeopleQuotaError: none is left.
    """
    before = Lookup.objects.filter(staff_no=subject.staff_no, day=clock.today())
    seen = frozenset(before.values_list("customer_ref", flat=True))
    if len(seen) >= limits.people_per_day:
        raise PeopleQuotaError(
            f"at most {limits.people_per_day} different customers a day may be looked up; none is left today",
            retry_after_seconds=seconds_until_tomorrow(),
        )
    return seen, limits.people_per_day - len(seen)


def count_people(subject: Subject, customer_refs: Collection[UUID], limits: Limits) -> None:
    """Count these customers as looked up by this person today; call it with the day's row locked.

    Raises:
        PeopleQuotaError: they would be more than the day allows; none of them is counted.
    """
    today = clock.today()
    before = set(Lookup.objects.filter(staff_no=subject.staff_no, day=today).values_list("customer_ref", flat=True))
    added = set(customer_refs) - before
    if len(before) + len(added) > limits.people_per_day:
        raise PeopleQuotaError(
            f"at most {limits.people_per_day} different customers a day may be looked up; "
            f"{max(0, limits.people_per_day - len(before))} are left today",
            retry_after_seconds=seconds_until_tomorrow(),
        )
    Lookup.objects.bulk_create(
        [Lookup(staff_no=subject.staff_no, day=today, customer_ref=ref) for ref in sorted(added)]
    )


def alert(subject: Subject, *, what: str, object_type: str, object_ref: str) -> None:
    """Write the alert that supervisors see; called outside the refused transaction."""
    audit.record_refusal(
        "disclosure.alert",
        actor=actor_of(subject),
        object_type=object_type,
        object_ref=object_ref,
        facts={"alert": what, "day": clock.today().isoformat()},
    )
