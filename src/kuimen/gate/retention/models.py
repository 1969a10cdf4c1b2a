"""Erasures, holds, events, the registers of copies, and certificates. References and counts, never values."""

from django.db import models
from django.db.models import F, Q
from typing_extensions import override

from kuimen.foundation.identifiers import new_ref
from kuimen.gate.retention.rules import OPEN_STATES, ErasureState, EventKind, HoldKind
from kuimen.kernels.elements.model import RetentionClass

CLASSES = [(one.value, one.value) for one in RetentionClass]


class Erasure(models.Model):
    """One class of one person on its way out: due, suspended, destroyed."""

    erasure_id = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    person_ref = models.UUIDField()
    retention_class = models.CharField(max_length=32, choices=CLASSES)
    state = models.CharField(max_length=16, choices=[(one.value, one.value) for one in ErasureState])
    due_on = models.DateField()
    reason_zh = models.TextField()
    reason_en = models.TextField()
    clause = models.CharField(max_length=40)
    listed_at = models.DateTimeField()
    suspended_at = models.DateTimeField(null=True)
    suspended_by = models.CharField(max_length=32, blank=True)
    ticket_id = models.UUIDField(null=True)
    destroyed_at = models.DateTimeField(null=True)
    destroyed_by = models.CharField(max_length=32, blank=True)
    checked_by = models.CharField(max_length=32, blank=True)
    closed_at = models.DateTimeField(null=True)
    keys_destroyed = models.PositiveIntegerField(default=0)
    records_destroyed = models.PositiveIntegerField(default=0)
    tags_destroyed = models.PositiveIntegerField(default=0)
    elements = models.JSONField(default=list)
    entry_id = models.UUIDField(null=True)
    ledger_seq = models.PositiveBigIntegerField(null=True)

    class Meta:
        db_table = "retention_erasure"
        constraints = (
            models.UniqueConstraint(
                fields=["person_ref", "retention_class"],
                condition=Q(state__in=[state.value for state in OPEN_STATES]),
                name="retention_erasure_one_open",
            ),
            models.CheckConstraint(
                condition=~Q(state=ErasureState.DESTROYED.value)
                | Q(destroyed_at__isnull=False, ledger_seq__isnull=False, entry_id__isnull=False)
                & ~Q(destroyed_by="")
                & ~Q(checked_by="")
                & ~Q(destroyed_by=F("checked_by")),
                name="retention_erasure_destroyed_by_two",
            ),
            models.CheckConstraint(
                condition=~Q(state=ErasureState.SUSPENDED.value) | Q(suspended_at__isnull=False),
                name="retention_erasure_suspended_when",
            ),
        )
        indexes = (models.Index(fields=["state", "due_on"], name="retention_erasure_due"),)

    @override
    def __str__(self) -> str:
        return str(self.erasure_id)


class Hold(models.Model):
    """A reason why somebody's data must stay although it is due."""

    hold_id = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    person_ref = models.UUIDField(db_index=True)
    kind = models.CharField(max_length=16, choices=[(one.value, one.value) for one in HoldKind])
    evidence = models.CharField(max_length=200)
    placed_by = models.CharField(max_length=32)
    placed_at = models.DateTimeField()
    lifted_by = models.CharField(max_length=32, blank=True)
    lifted_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "retention_hold"
        constraints = (
            models.UniqueConstraint(
                fields=["person_ref", "kind", "evidence"],
                condition=Q(lifted_at__isnull=True),
                name="retention_hold_once",
            ),
        )

    @override
    def __str__(self) -> str:
        return str(self.hold_id)


class Event(models.Model):
    """An event that an officer records where no room knows it; its end starts a clock."""

    event_id = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    person_ref = models.UUIDField(db_index=True)
    kind = models.CharField(max_length=16, choices=[(one.value, one.value) for one in EventKind])
    ended_on = models.DateField(null=True)
    evidence = models.CharField(max_length=200)
    recorded_by = models.CharField(max_length=32)
    recorded_at = models.DateTimeField()

    class Meta:
        db_table = "retention_event"
        constraints = (models.UniqueConstraint(fields=["person_ref", "kind", "evidence"], name="retention_event_once"),)

    @override
    def __str__(self) -> str:
        return str(self.event_id)


class Backup(models.Model):
    """A backup that exists somewhere. Without `expires_on` nobody knows how long, and certificates say so."""

    backup_id = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    label = models.CharField(max_length=160, unique=True)
    holds_main = models.BooleanField()
    holds_keys = models.BooleanField()
    holds_key_folder = models.BooleanField(default=False)  # root file and outside halves: with it nothing is shredded
    taken_on = models.DateField()
    expires_on = models.DateField(null=True)
    registered_by = models.CharField(max_length=64)
    registered_at = models.DateTimeField()

    class Meta:
        db_table = "retention_backup"
        constraints = (
            models.CheckConstraint(
                condition=Q(holds_main=True) | Q(holds_keys=True) | Q(holds_key_folder=True),
                name="retention_backup_holds_something",
            ),
            models.CheckConstraint(
                condition=Q(expires_on__isnull=True) | Q(expires_on__gte=F("taken_on")),
                name="retention_backup_expires_later",
            ),
        )

    @override
    def __str__(self) -> str:
        return self.label


class Export(models.Model):
    """Where a person's data went; on destruction the recipient is to be told to delete it."""

    export_id = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    person_ref = models.UUIDField(db_index=True)
    retention_class = models.CharField(max_length=32, choices=CLASSES)
    recipient = models.CharField(max_length=160)
    reference = models.CharField(max_length=200)
    exported_at = models.DateTimeField()
    demanded_at = models.DateTimeField(null=True)
    confirmed_at = models.DateTimeField(null=True)
    confirmation = models.CharField(max_length=200, blank=True)

    class Meta:
        db_table = "retention_export"
        constraints = (
            models.UniqueConstraint(
                fields=["person_ref", "retention_class", "recipient", "reference"], name="retention_export_once"
            ),
        )

    @override
    def __str__(self) -> str:
        return str(self.export_id)


class Applied(models.Model):
    """A line of the shred ledger that this database has carried out. Insert-only."""

    seq = models.PositiveBigIntegerField(primary_key=True)
    person_ref = models.UUIDField()
    retention_class = models.CharField(max_length=32, choices=CLASSES)
    applied_at = models.DateTimeField()
    replayed = models.BooleanField()

    class Meta:
        db_table = "retention_applied"

    @override
    def __str__(self) -> str:
        return str(self.seq)


class Certificate(models.Model):
    """A signed certificate of one erasure, as it was handed out. Insert-only."""

    certificate_id = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    erasure = models.ForeignKey(Erasure, on_delete=models.PROTECT, related_name="certificates")
    made_at = models.DateTimeField()
    document = models.TextField()
    signature = models.BinaryField()
    key_id = models.CharField(max_length=64)

    class Meta:
        db_table = "retention_certificate"

    @override
    def __str__(self) -> str:
        return str(self.certificate_id)
