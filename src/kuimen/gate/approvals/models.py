"""The table of approval tickets."""

from django.db import models
from typing_extensions import override

from kuimen.foundation.identifiers import new_ref
from kuimen.gate.access.models import Staff
from kuimen.gate.approvals.rules import TicketState


class TicketRecord(models.Model):
    """A request of one person that another decides; bound to its content by a digest, used once, never deleted."""

    ticket_id = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    action = models.CharField(max_length=64)
    object_type = models.CharField(max_length=64, blank=True)
    object_ref = models.CharField(max_length=200, blank=True)
    reason = models.CharField(max_length=200)
    content_sm3 = models.BinaryField(max_length=32)
    state = models.CharField(max_length=16, choices=[(state.value, state.value) for state in TicketState])
    maker = models.ForeignKey(Staff, on_delete=models.PROTECT, related_name="+")
    checker = models.ForeignKey(Staff, null=True, on_delete=models.PROTECT, related_name="+")
    decision_reason = models.CharField(max_length=200, blank=True)
    requested_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "approvals_ticket"
        constraints = (
            models.CheckConstraint(
                condition=models.Q(checker__isnull=True) | ~models.Q(checker=models.F("maker")),
                name="approvals_ticket_four_eyes",
            ),
            models.CheckConstraint(
                condition=~models.Q(state__in=[TicketState.APPROVED.value, TicketState.REDEEMED.value])
                | models.Q(checker__isnull=False),
                name="approvals_ticket_approved_by_someone",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=[state.value for state in TicketState]),
                name="approvals_ticket_known_state",
            ),
            models.CheckConstraint(
                condition=models.Q(requested_at__lt=models.F("expires_at")), name="approvals_ticket_limited_in_time"
            ),
        )
        indexes = (models.Index(fields=["state", "expires_at"], name="approvals_ticket_due"),)

    @override
    def __str__(self) -> str:
        return str(self.ticket_id)
