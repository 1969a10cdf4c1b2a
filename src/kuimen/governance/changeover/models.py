"""Progress of changeovers, so that a killed process resumes. Names of places and counts, never values."""

from typing import ClassVar

from django.db import models
from typing_extensions import override

from kuimen.governance.changeover.rules import ENDED, ChangeoverState


class Changeover(models.Model):
    """One table on its way from clear columns to sealed ones."""

    changeover_id = models.UUIDField(primary_key=True)
    source_id = models.UUIDField()
    schema_name = models.TextField()
    table_name = models.TextField()
    plan = models.JSONField()
    state = models.CharField(max_length=16, choices=[(one.value, one.value) for one in ChangeoverState])
    planned_by = models.TextField()
    planned_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    values_sealed = models.BigIntegerField(default=0)
    verify_report = models.JSONField(null=True)
    cut_over_report = models.JSONField(null=True)
    scrub_report = models.JSONField(null=True)

    class Meta:
        ordering: ClassVar = ["-planned_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="changeover_one_open",
                fields=["source_id", "schema_name", "table_name"],
                condition=~models.Q(state__in=sorted(state.value for state in ENDED)),
            ),
        ]

    @override
    def __str__(self) -> str:
        return f"{self.schema_name}.{self.table_name} {self.state}"
