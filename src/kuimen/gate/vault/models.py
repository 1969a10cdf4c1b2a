"""Sealed values and their blind indexes: the only tables of the installation where personal values rest.

Clause: CQJR-5.3-d, CQJR-5.4-g, CQJR-5.5-c, JRT0171-6.1.3-b
"""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from typing_extensions import override

from kuimen.gate.vault.part_rules import LONGEST_TAG, NO_PART, Part, PartIndexState
from kuimen.gate.vault.rows.models import RowSeal
from kuimen.gate.vault.rules import RecordState, RotationKind
from kuimen.kernels.elements.model import Element, RetentionClass

__all__ = ["Index", "PartIndex", "PartTag", "Record", "RotationJob", "RowSeal"]

ELEMENTS = [(one.value, one.value) for one in Element]
CLASSES = [(one.value, one.value) for one in RetentionClass]
STATES = [(one.value, one.value) for one in RecordState]
ROTATIONS = [(one.value, one.value) for one in RotationKind]
PARTS = [(one.value, one.value) for one in Part]
PART_STATES = [(one.value, one.value) for one in PartIndexState]
SEALED_CONSTRAINT = "vault_record_is_sealed"  # in SQL by migration 0001: the bytes begin with our header


class Record(models.Model):
    """One sealed value. Its source coordinates stand beside it and are unique; the person may be unknown."""

    record_id = models.UUIDField(primary_key=True)
    element = models.CharField(max_length=40, choices=ELEMENTS)
    person_ref = models.UUIDField(null=True, blank=True)
    key_scope = models.CharField(max_length=600, blank=True)
    retention_class = models.CharField(max_length=32, choices=CLASSES)
    key_generation = models.PositiveIntegerField()
    sealed = models.BinaryField()
    source_id = models.CharField(max_length=100)
    source_table = models.CharField(max_length=300)
    source_column = models.CharField(max_length=200)
    source_key = models.BinaryField()
    state = models.CharField(max_length=16, choices=STATES, default=RecordState.PENDING.value)
    sealed_at = models.DateTimeField()
    bound_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="vault_record_source",
                fields=["source_key", "source_id", "source_table", "source_column"],
            ),
            models.CheckConstraint(
                name="vault_record_person_or_scope",
                condition=(Q(person_ref__isnull=False) & Q(key_scope=""))
                | (Q(person_ref__isnull=True) & ~Q(key_scope="")),
            ),
            models.CheckConstraint(
                name="vault_record_bound_has_moment",
                condition=Q(state=RecordState.PENDING.value, bound_at__isnull=True)
                | Q(state=RecordState.BOUND.value, bound_at__isnull=False)
                | Q(state__in=[RecordState.SUSPENDED.value, RecordState.DESTROYED.value]),
            ),
        ]
        indexes: ClassVar = [
            models.Index(name="vault_record_by_person", fields=["person_ref", "element"]),
        ]

    @override
    def __str__(self) -> str:
        return f"{self.element}/{self.record_id}"


class Index(models.Model):
    """A 64-bit keyed tag of a normalised value, by index-key generation; it tells equality and nothing else."""

    # The unique constraint below begins with the record, so the key needs no index of its own.
    record = models.ForeignKey(Record, on_delete=models.CASCADE, related_name="tags", db_index=False)
    element = models.CharField(max_length=40, choices=ELEMENTS)
    generation = models.PositiveIntegerField()
    tag = models.BinaryField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(name="vault_index_record_generation", fields=["record", "generation"]),
        ]
        indexes: ClassVar = [
            models.Index(name="vault_index_by_tag", fields=["element", "generation", "tag"]),
        ]

    @override
    def __str__(self) -> str:
        return f"{self.element}/{self.generation}/{self.record_id}"


class RotationJob(models.Model):
    """One rotation of sealed values or their tags; the cursor is committed with every batch."""

    job_id = models.UUIDField(primary_key=True)
    kind = models.CharField(max_length=16, choices=ROTATIONS)
    subject = models.CharField(max_length=100)
    running = models.BooleanField(default=True)
    suite = models.CharField(max_length=16, blank=True)
    # Keys made after these rows of the key tables are the new ones; a row number knows no clock.
    person_mark = models.BigIntegerField(default=0)
    table_mark = models.BigIntegerField(default=0)
    generation = models.PositiveIntegerField(default=0)
    cursor = models.UUIDField()
    changed = models.BigIntegerField(default=0)
    swaps_lost = models.BigIntegerField(default=0)
    does_not_open = models.BigIntegerField(default=0)
    passes = models.PositiveIntegerField(default=1)
    started_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="vault_rotation_one_running", fields=["kind", "subject"], condition=Q(running=True)
            ),
        ]

    @override
    def __str__(self) -> str:
        return f"{self.kind}/{self.subject}"


class PartIndex(models.Model):
    """One generation of the index of a declared part of an element. `measures` are counts, never a value."""

    element = models.CharField(max_length=40, choices=ELEMENTS)
    part = models.CharField(max_length=16, choices=PARTS)
    generation = models.PositiveIntegerField()
    bits = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=16, choices=PART_STATES, default=PartIndexState.BUILDING.value)
    measures = models.JSONField()
    began_at = models.DateTimeField()
    ready_at = models.DateTimeField(null=True)
    dropped_at = models.DateTimeField(null=True)
    key_destroyed = models.BooleanField(default=False)

    class Meta:
        db_table = "vault_part_index"
        constraints: ClassVar = [
            models.UniqueConstraint(name="vault_part_index_generation", fields=["element", "part", "generation"]),
            models.UniqueConstraint(
                name="vault_part_index_one_building",
                fields=["element", "part"],
                condition=Q(state=PartIndexState.BUILDING.value),
            ),
            models.CheckConstraint(name="vault_part_index_bits", condition=Q(bits__gte=1, bits__lte=LONGEST_TAG)),
        ]

    @override
    def __str__(self) -> str:
        return f"{self.element}/{self.part}/{self.generation}"


class PartTag(models.Model):
    """The short keyed tag of a part of one record; several parts share a tag on purpose."""

    record = models.ForeignKey(Record, on_delete=models.CASCADE, related_name="part_tags", db_index=False)
    index = models.ForeignKey(PartIndex, on_delete=models.CASCADE, related_name="tags", db_index=False)
    tag = models.IntegerField()  # NO_PART where the value has no such part: nobody finds it, and it counts as done

    class Meta:
        db_table = "vault_part_tag"
        constraints: ClassVar = [
            models.UniqueConstraint(name="vault_part_tag_record_index", fields=["record", "index"]),
            models.CheckConstraint(
                name="vault_part_tag_is_short", condition=Q(tag__gte=NO_PART, tag__lt=2**LONGEST_TAG)
            ),
        ]
        indexes: ClassVar = [models.Index(name="vault_part_tag_by_tag", fields=["index", "tag"])]

    @override
    def __str__(self) -> str:
        return f"{self.index_id}/{self.record_id}"
