"""Wrapped keys. Every `wrapped` opens only under its parent and only for the row that it was written for.

Clause: JRT0171-6.2.4-a
"""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from typing_extensions import override

from kuimen.gate.keys.rules import KeyState, KeySuite, OrderState, RetentionClass

CLASSES = [(one.value, one.value) for one in RetentionClass]
SUITES = [(one.value, one.value) for one in KeySuite]
STATES = [(one.value, one.value) for one in KeyState]


def _wrapped_unless_destroyed(table: str) -> models.CheckConstraint:
    """A destroyed key keeps its row as a tombstone and nothing of its material."""
    return models.CheckConstraint(
        name=f"keys_{table}_destroyed_is_empty",
        condition=(Q(state=KeyState.DESTROYED.value) & Q(wrapped__isnull=True))
        | (~Q(state=KeyState.DESTROYED.value) & Q(wrapped__isnull=False)),
    )


def _one_active(table: str, *fields: str) -> models.UniqueConstraint:
    return models.UniqueConstraint(
        name=f"keys_{table}_one_active",
        fields=list(fields),
        condition=Q(state=KeyState.ACTIVE.value),
    )


class DomainKey(models.Model):
    """Key of one retention class, versioned, wrapped under the root; it wraps person and table keys."""

    retention_class = models.CharField(max_length=32, choices=CLASSES)
    version = models.PositiveIntegerField()
    suite = models.CharField(max_length=16, choices=SUITES)
    wrapped = models.BinaryField(null=True)
    state = models.CharField(max_length=16, choices=STATES, default=KeyState.ACTIVE.value)
    created_at = models.DateTimeField()
    state_since = models.DateTimeField()
    # How many uses processes have taken the right to, counted in advance; see `leases`.
    uses_leased = models.BigIntegerField(default=0, db_default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(name="keys_domain_version", fields=["retention_class", "version"]),
            _one_active("domain", "retention_class"),
            _wrapped_unless_destroyed("domain"),
        ]

    @override
    def __str__(self) -> str:
        return f"{self.retention_class}/{self.version}"


class PersonKey(models.Model):
    """Random key of one person in one retention class, wrapped under the domain key of `domain_version`."""

    person_ref = models.UUIDField()
    retention_class = models.CharField(max_length=32, choices=CLASSES)
    generation = models.PositiveIntegerField()
    suite = models.CharField(max_length=16, choices=SUITES)
    domain_version = models.PositiveIntegerField()
    wrapped = models.BinaryField(null=True)
    state = models.CharField(max_length=16, choices=STATES, default=KeyState.ACTIVE.value)
    created_at = models.DateTimeField()
    uses_leased = models.BigIntegerField(default=0, db_default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="keys_person_generation", fields=["person_ref", "retention_class", "generation"]
            ),
            _one_active("person", "person_ref", "retention_class"),
            _wrapped_unless_destroyed("person"),
        ]
        # No index names the domain version: rewrapping a million keys then rewrites rows and no index entries.

    @override
    def __str__(self) -> str:
        return f"{self.retention_class}/{self.person_ref}/{self.generation}"


class TableKey(models.Model):
    """Key for values whose person is not known, one per scope (for example a table) and retention class."""

    scope = models.CharField(max_length=600)
    retention_class = models.CharField(max_length=32, choices=CLASSES)
    generation = models.PositiveIntegerField()
    suite = models.CharField(max_length=16, choices=SUITES)
    domain_version = models.PositiveIntegerField()
    wrapped = models.BinaryField(null=True)
    state = models.CharField(max_length=16, choices=STATES, default=KeyState.ACTIVE.value)
    created_at = models.DateTimeField()
    uses_leased = models.BigIntegerField(default=0, db_default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(name="keys_table_generation", fields=["scope", "retention_class", "generation"]),
            _one_active("table", "scope", "retention_class"),
            _wrapped_unless_destroyed("table"),
        ]

    @override
    def __str__(self) -> str:
        return f"{self.retention_class}/{self.scope}/{self.generation}"


class IndexKey(models.Model):
    """Key of the blind index of one element, by generation, wrapped under the root."""

    element = models.CharField(max_length=40)
    generation = models.PositiveIntegerField()
    wrapped = models.BinaryField(null=True)
    state = models.CharField(max_length=16, choices=STATES, default=KeyState.ACTIVE.value)
    created_at = models.DateTimeField()
    state_since = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(name="keys_index_generation", fields=["element", "generation"]),
            _one_active("index", "element"),
            _wrapped_unless_destroyed("index"),
        ]

    @override
    def __str__(self) -> str:
        return f"{self.element}/{self.generation}"


class SigningKey(models.Model):
    """SM2 key pair that signs audit checkpoints; the public half stays readable for ever."""

    key_id = models.CharField(max_length=64, unique=True)
    usage = models.CharField(max_length=32)
    public = models.BinaryField()
    wrapped = models.BinaryField(null=True)
    state = models.CharField(max_length=16, choices=STATES, default=KeyState.ACTIVE.value)
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            _one_active("signing", "usage"),
            _wrapped_unless_destroyed("signing"),
        ]

    @override
    def __str__(self) -> str:
        return self.key_id


class KeyEpoch(models.Model):
    """One row that counts each suspension, restoration and destruction of a person's key; a cache lives one epoch."""

    key = models.PositiveSmallIntegerField(primary_key=True)
    value = models.PositiveBigIntegerField()

    class Meta:
        db_table = "keys_epoch"
        constraints: ClassVar = [models.CheckConstraint(name="keys_epoch_one_row", condition=Q(key=1))]

    @override
    def __str__(self) -> str:
        return str(self.value)


class Shred(models.Model):
    """One line of the shred ledger: whose key of which class was destroyed. Insert-only; a copy stands outside."""

    seq = models.PositiveBigIntegerField(primary_key=True)
    person_ref = models.UUIDField()
    retention_class = models.CharField(max_length=32, choices=CLASSES)
    body = models.BinaryField()
    signature = models.BinaryField()
    key_id = models.CharField(max_length=64)
    public_key = models.BinaryField()

    class Meta:
        db_table = "keys_shred"
        constraints: ClassVar = [
            models.UniqueConstraint(name="keys_shred_once", fields=["person_ref", "retention_class"]),
        ]

    @override
    def __str__(self) -> str:
        return f"{self.seq} {self.retention_class}/{self.person_ref}"


class RootInUse(models.Model):
    """Which root the keys are wrapped under, by its public name; another one is refused before it does harm."""

    fingerprint = models.CharField(max_length=64, unique=True)
    provider = models.CharField(max_length=32)
    since = models.DateTimeField()
    one = models.BooleanField(default=True, unique=True)

    class Meta:
        constraints: ClassVar = [models.CheckConstraint(name="keys_root_only_one", condition=Q(one=True))]

    @override
    def __str__(self) -> str:
        return self.fingerprint


class RewrapJob(models.Model):
    """Moving every key of one class under the active version of its domain key; the cursor is committed per batch."""

    job_id = models.UUIDField(primary_key=True)
    retention_class = models.CharField(max_length=32, choices=CLASSES)
    to_version = models.PositiveIntegerField()
    running = models.BooleanField(default=True)
    person_cursor = models.BigIntegerField(default=0)
    table_cursor = models.BigIntegerField(default=0)
    rewrapped = models.BigIntegerField(default=0)
    swaps_lost = models.BigIntegerField(default=0)
    does_not_open = models.BigIntegerField(default=0)
    passes = models.PositiveIntegerField(default=1)
    started_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="keys_rewrap_one_running", fields=["retention_class"], condition=Q(running=True)
            ),
        ]

    @override
    def __str__(self) -> str:
        return f"{self.retention_class}/{self.to_version}"


class RotationOrder(models.Model):
    """A rotation job that one person asked for and another approved: how fast, how far, paused or not."""

    order_id = models.UUIDField(primary_key=True)
    kind = models.CharField(max_length=32)
    subject = models.CharField(max_length=128)
    suite = models.CharField(max_length=16, blank=True)
    rows_per_second = models.PositiveIntegerField(null=True)
    state = models.CharField(max_length=16, choices=[(one.value, one.value) for one in OrderState])
    ticket_id = models.UUIDField(unique=True)
    maker = models.CharField(max_length=32)
    checker = models.CharField(max_length=32)
    ordered_at = models.DateTimeField()
    state_since = models.DateTimeField()
    changed_by = models.CharField(max_length=32, blank=True)
    # Progress as last seen; the proof is the report.
    done = models.BigIntegerField(default=0)
    total = models.BigIntegerField(default=0)
    seen_at = models.DateTimeField(null=True)
    report = models.JSONField(null=True)
    stopped_by = models.CharField(max_length=64, blank=True)  # code of the error that ended the last run

    class Meta:
        db_table = "keys_order"
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="keys_order_one_open",
                fields=["kind", "subject"],
                condition=~Q(state=OrderState.FINISHED.value),
            ),
            models.CheckConstraint(name="keys_order_two_persons", condition=~Q(maker=models.F("checker"))),
        ]

    @override
    def __str__(self) -> str:
        return f"{self.kind}/{self.subject}"
