"""Tables of cases, who holds them, and what happened to them. No personal value: a case knows a reference."""

from django.db import models
from django.db.models import Q
from typing_extensions import override

from kuimen.foundation import clock
from kuimen.scenarios.collections.rules import HELD_STATES, CaseEvent, CaseState, HoldReason

_HELD = [state.value for state in sorted(HELD_STATES)]
_DONE = [CaseState.CLOSED.value, CaseState.SETTLED.value]


class Case(models.Model):
    """One overdue loan being collected. `agency` and `assignee` are empty unless somebody holds the case."""

    case_ref = models.UUIDField(primary_key=True)
    loan = models.ForeignKey("loans.Loan", on_delete=models.PROTECT, related_name="+")
    customer_ref = models.UUIDField(db_index=True)
    bucket = models.CharField(max_length=16)
    state = models.CharField(max_length=16, choices=[(state.value, state.name) for state in CaseState])
    # Null and not empty text: row-level security compares with the scope, and an unset scope reads as empty text.
    agency = models.ForeignKey(
        "access.Agency", to_field="code", null=True, on_delete=models.PROTECT, db_column="agency_code", related_name="+"
    )
    assignee = models.CharField(max_length=32, blank=True, default="")
    until = models.DateField(null=True)
    hold_reason = models.CharField(
        max_length=16, blank=True, default="", choices=[(reason.value, reason.name) for reason in HoldReason]
    )
    opened_at = models.DateTimeField(default=clock.now)
    state_since = models.DateTimeField(default=clock.now)
    steps = models.PositiveIntegerField(default=0)

    class Meta:
        db_table = "collections_case"
        constraints = (
            models.UniqueConstraint(
                fields=["loan"], condition=~Q(state__in=_DONE), name="collections_case_one_open_per_loan"
            ),
            models.CheckConstraint(
                condition=Q(state__in=[state.value for state in CaseState]), name="collections_case_state_known"
            ),
            models.CheckConstraint(
                condition=(Q(state__in=_HELD) & ~Q(assignee=""))
                | (~Q(state__in=_HELD) & Q(assignee="", agency__isnull=True, until__isnull=True)),
                name="collections_case_held_means_assigned",
            ),
            models.CheckConstraint(
                condition=Q(state=CaseState.HOLD.value) ^ Q(hold_reason=""), name="collections_case_hold_has_reason"
            ),
        )
        indexes = (models.Index(fields=["assignee", "state"], name="collections_case_worklist"),)

    @override
    def __str__(self) -> str:
        return str(self.case_ref)


class Assignment(models.Model):
    """One period in which somebody held a case."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="assignments")
    agency = models.ForeignKey(
        "access.Agency", to_field="code", null=True, on_delete=models.PROTECT, db_column="agency_code", related_name="+"
    )
    assignee = models.CharField(max_length=32)
    assigned_by = models.CharField(max_length=32)
    assigned_at = models.DateTimeField(default=clock.now)
    until = models.DateField()
    ended_at = models.DateTimeField(null=True)
    ended_by_event = models.CharField(max_length=24, blank=True, default="")

    class Meta:
        db_table = "collections_assignment"
        constraints = (
            models.UniqueConstraint(
                fields=["case"], condition=Q(ended_at__isnull=True), name="collections_assignment_one_current"
            ),
        )

    @override
    def __str__(self) -> str:
        return f"{self.case_id} {self.assignee}"


class Transition(models.Model):
    """One step in the life of a case, insert-only: `step` counts from 1, without gaps."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="transitions")
    step = models.PositiveIntegerField()
    event = models.CharField(max_length=24, choices=[(event.value, event.name) for event in CaseEvent])
    state_before = models.CharField(max_length=16)
    state_after = models.CharField(max_length=16)
    actor = models.CharField(max_length=32)
    at = models.DateTimeField(default=clock.now)
    audit_entry = models.UUIDField(unique=True)

    class Meta:
        db_table = "collections_transition"
        constraints = (models.UniqueConstraint(fields=["case", "step"], name="collections_transition_step_once"),)

    @override
    def __str__(self) -> str:
        return f"{self.case_id}#{self.step} {self.event}"
