"""Idempotency keys of state-changing calls: digests and references, never a disclosed body."""

from django.db import models

from kuimen.foundation import clock


class IdempotentCall(models.Model):
    """One key of one caller on one route; `answer` holds states and references only."""

    staff_no = models.CharField(max_length=64)
    route = models.CharField(max_length=200)
    key = models.CharField(max_length=128)
    request_digest = models.BinaryField(max_length=32)
    answer = models.JSONField(null=True)
    started_at = models.DateTimeField(default=clock.now)

    class Meta:
        db_table = "api_idempotent_calls"
        constraints = (
            models.UniqueConstraint(fields=("staff_no", "route", "key"), name="uq_api_idempotent_calls_key"),
        )
