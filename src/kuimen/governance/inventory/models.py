"""The register of data sources and the directory of what lies in them. Names of places, never values.

Clause: CQJR-6.2-a
"""

from typing import ClassVar

from django.db import models
from typing_extensions import override

from kuimen.governance.inventory.correction_rules import CorrectionState, Scope, Verdict
from kuimen.governance.inventory.drift_rules import DriftKind
from kuimen.governance.inventory.rules import AssetState, SourceKind


class DataSource(models.Model):
    """A database or folder that holds, or held, personal financial data.

    `location` holds the address without password; `sealed_password` is sealed under a table key and opened only to
    look again at the source. `fault` is the code of the error that stopped the last scan, empty after one that ended.
    """

    source_id = models.UUIDField(primary_key=True)
    fingerprint = models.TextField(unique=True)
    label = models.TextField()
    kind = models.CharField(max_length=16, choices=[(one.value, one.value) for one in SourceKind])
    location = models.JSONField(default=dict)
    sealed_password = models.BinaryField(null=True)
    overlay = models.CharField(max_length=32, blank=True, default="")
    registered_at = models.DateTimeField()
    last_scanned_at = models.DateTimeField(null=True)
    protected_at = models.DateTimeField(null=True)
    scan_every_hours = models.PositiveIntegerField(default=24)
    attempted_at = models.DateTimeField(null=True)
    fault = models.CharField(max_length=64, blank=True, default="")
    active = models.BooleanField(default=True)

    class Meta:
        ordering: ClassVar = ["registered_at"]

    @override
    def __str__(self) -> str:
        return self.label


class ScanRun(models.Model):
    """One pass over one source."""

    run_id = models.UUIDField(primary_key=True)
    source = models.ForeignKey(DataSource, on_delete=models.PROTECT, related_name="runs")
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField()
    actor = models.TextField()
    rules_version = models.CharField(max_length=32)
    columns = models.PositiveIntegerField()
    personal = models.PositiveIntegerField()
    clear = models.PositiveIntegerField()
    not_read = models.PositiveIntegerField()
    drifted = models.PositiveIntegerField()

    class Meta:
        ordering: ClassVar = ["-started_at"]

    @override
    def __str__(self) -> str:
        return f"{self.source_id} {self.started_at:%Y-%m-%d %H:%M}"


class Correction(models.Model):
    """A steward's word on what a column holds; in force it outlives every scan.

    `scope` says whether it is about one place or about every column of this name in the institution. `heading` is what
    the scanner reads of the column (table, name, type), kept as a regression case.
    """

    correction_id = models.UUIDField(primary_key=True)
    source = models.ForeignKey(DataSource, on_delete=models.PROTECT, related_name="corrections")
    schema_name = models.TextField(blank=True, default="")
    table_name = models.TextField(blank=True, default="")
    column_name = models.TextField()
    file_name = models.TextField(blank=True, default="")
    scope = models.CharField(max_length=16, choices=[(one.value, one.value) for one in Scope])
    verdict = models.CharField(max_length=16, choices=[(one.value, one.value) for one in Verdict])
    element = models.CharField(max_length=32, blank=True, default="")
    found_element = models.CharField(max_length=32, blank=True, default="")
    heading = models.JSONField(default=dict)
    lowers = models.BooleanField()
    state = models.CharField(max_length=16, choices=[(one.value, one.value) for one in CorrectionState])
    reason = models.TextField()
    proposed_by = models.TextField()
    proposed_at = models.DateTimeField()
    decided_by = models.TextField(blank=True, default="")
    decided_at = models.DateTimeField(null=True)
    decision_reason = models.TextField(blank=True, default="")

    class Meta:
        ordering: ClassVar = ["-proposed_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="inventory_correction_place",
                fields=["source", "schema_name", "table_name", "column_name", "file_name"],
                condition=models.Q(state=CorrectionState.IN_FORCE.value, scope=Scope.COLUMN.value),
            ),
            models.UniqueConstraint(
                name="inventory_correction_name",
                fields=["column_name"],
                condition=models.Q(state=CorrectionState.IN_FORCE.value, scope=Scope.NAME.value),
            ),
            models.CheckConstraint(
                name="inventory_correction_lowers",
                condition=~models.Q(lowers=True, state=CorrectionState.IN_FORCE.value, decided_by=""),
            ),
            models.CheckConstraint(
                name="inventory_correction_four_eyes",
                condition=models.Q(decided_by="") | ~models.Q(decided_by=models.F("proposed_by")),
            ),
        ]

    @override
    def __str__(self) -> str:
        return ".".join(part for part in (self.schema_name, self.table_name, self.file_name, self.column_name) if part)


class Asset(models.Model):
    """One column, one element of a text file, or one thing that was named and not read.

    `facet` tells the elements of one text file apart; it is empty for columns. `reference_column` is where the vault's
    references stand once the clear column is gone. `found_element` is the scanner's word, `element` the directory's:
    they differ where a correction is in force. `review` marks evidence that contradicts itself.
    """

    source = models.ForeignKey(DataSource, on_delete=models.PROTECT, related_name="assets")
    schema_name = models.TextField(blank=True, default="")
    table_name = models.TextField(blank=True, default="")
    column_name = models.TextField(blank=True, default="")
    file_name = models.TextField(blank=True, default="")
    facet = models.CharField(max_length=32, blank=True, default="")
    reference_column = models.TextField(blank=True, default="")
    value_type = models.TextField(blank=True, default="")
    element = models.CharField(max_length=32, blank=True, default="")
    category = models.CharField(max_length=8, blank=True, default="")
    level = models.PositiveSmallIntegerField(null=True)
    likelihood = models.CharField(max_length=32, blank=True, default="")
    state = models.CharField(max_length=16, choices=[(one.value, one.value) for one in AssetState])
    masked = models.BooleanField(default=False)
    secondary = models.JSONField(default=list)
    evidence = models.JSONField(default=list)
    rows = models.BigIntegerField(default=0)
    sampled = models.BigIntegerField(default=0)
    reason = models.TextField(blank=True, default="")
    present = models.BooleanField(default=True)
    first_seen_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    state_since = models.DateTimeField()
    drifted_at = models.DateTimeField(null=True)
    found_element = models.CharField(max_length=32, blank=True, default="")
    review = models.BooleanField(default=False)
    correction = models.ForeignKey(Correction, on_delete=models.PROTECT, null=True, related_name="assets")

    class Meta:
        ordering: ClassVar = ["source_id", "schema_name", "table_name", "file_name", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="inventory_asset_place",
                fields=["source", "schema_name", "table_name", "column_name", "file_name", "facet"],
            ),
            models.CheckConstraint(
                name="inventory_asset_somewhere",
                condition=~models.Q(table_name="", file_name="", reason=""),
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["element", "state"], name="inventory_asset_element")]

    @override
    def __str__(self) -> str:
        return ".".join(part for part in (self.schema_name, self.table_name, self.file_name, self.column_name) if part)


class Drift(models.Model):
    """One change that a scan saw, until a steward has taken note of it; `announced_at` is when a mail told of it."""

    drift_id = models.UUIDField(primary_key=True)
    asset = models.ForeignKey(Asset, on_delete=models.PROTECT, related_name="drifts")
    run = models.ForeignKey(ScanRun, on_delete=models.PROTECT, related_name="drifts")
    kind = models.CharField(max_length=16, choices=[(one.value, one.value) for one in DriftKind])
    before = models.CharField(max_length=32, blank=True, default="")
    after = models.CharField(max_length=32, blank=True, default="")
    seen_at = models.DateTimeField()
    announced_at = models.DateTimeField(null=True)
    noted_by = models.TextField(blank=True, default="")
    noted_at = models.DateTimeField(null=True)
    note = models.TextField(blank=True, default="")

    class Meta:
        ordering: ClassVar = ["-seen_at", "drift_id"]
        indexes: ClassVar = [
            models.Index(fields=["kind"], condition=models.Q(noted_at=None), name="inventory_drift_open")
        ]

    @override
    def __str__(self) -> str:
        return f"{self.kind} {self.seen_at:%Y-%m-%d %H:%M}"
