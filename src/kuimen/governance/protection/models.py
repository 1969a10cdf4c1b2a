"""Progress of protection, so that a killed process resumes. Names of places and counts, never values."""

from typing import ClassVar

from django.db import models
from typing_extensions import override

from kuimen.governance.protection.rules import JobState, StepState


class Job(models.Model):
    """One protection of one source, from plan to cut-over."""

    job_id = models.UUIDField(primary_key=True)
    source_id = models.UUIDField()
    plan = models.JSONField()
    state = models.CharField(max_length=16, choices=[(one.value, one.value) for one in JobState])
    planned_by = models.TextField()
    planned_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    runs = models.PositiveIntegerField(default=0)
    scrub_report = models.JSONField(null=True)
    proof_report = models.JSONField(null=True)

    class Meta:
        ordering: ClassVar = ["-planned_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="protection_job_one_open",
                fields=["source_id"],
                condition=models.Q(state=JobState.RUNNING.value),
            ),
        ]

    @override
    def __str__(self) -> str:
        return f"{self.job_id} {self.state}"


class Step(models.Model):
    """One table or file of a job."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="steps")
    schema_name = models.TextField(blank=True, default="")
    table_name = models.TextField(blank=True, default="")
    file_name = models.TextField(blank=True, default="")
    state = models.CharField(max_length=16, choices=[(one.value, one.value) for one in StepState])
    reason = models.TextField(blank=True, default="")
    changed_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="protection_step_place", fields=["job", "schema_name", "table_name", "file_name"]
            ),
        ]

    @override
    def __str__(self) -> str:
        return f"{self.schema_name}.{self.table_name}{self.file_name} {self.state}"


class ColumnStep(models.Model):
    """Counts of one column of a step."""

    step = models.ForeignKey(Step, on_delete=models.CASCADE, related_name="columns")
    column_name = models.TextField()
    element = models.CharField(max_length=32, blank=True, default="")
    action = models.CharField(max_length=16)
    reference_column = models.TextField(blank=True, default="")
    values_sealed = models.BigIntegerField(default=0)
    values_destroyed = models.BigIntegerField(default=0)

    class Meta:
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.UniqueConstraint(name="protection_column_once", fields=["step", "column_name"]),
        ]

    @override
    def __str__(self) -> str:
        return f"{self.column_name} {self.action}"
