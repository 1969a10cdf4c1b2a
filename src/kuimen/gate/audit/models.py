"""Tables of the audit log. All of them take inserts only: by privilege, and by triggers against the owner's slips."""

from django.db import models
from django.db.models import Func
from typing_extensions import override

from kuimen.gate.audit.rules import Outcome


class Xid8Field(models.TextField):  # type: ignore[type-arg]  # not generic at run time
    """A transaction number of PostgreSQL that never wraps."""

    @override
    def db_type(self, connection: object) -> str:
        return "xid8"


class CurrentXid(Func):
    """The number of the transaction that inserts."""

    function = "pg_current_xact_id"
    output_field = Xid8Field()


class Entry(models.Model):
    """One deed or refusal, as the business transaction wrote it. `body` is the truth; the columns serve searching."""

    id = models.BigAutoField(primary_key=True)
    entry_id = models.UUIDField(unique=True)
    occurred_at = models.DateTimeField()
    actor_kind = models.CharField(max_length=16)
    actor = models.CharField(max_length=500)
    action = models.CharField(max_length=128)
    outcome = models.CharField(max_length=8, choices=[(outcome.value, outcome.name) for outcome in Outcome])
    purpose = models.CharField(max_length=500)
    object_type = models.CharField(max_length=500)
    object_ref = models.CharField(max_length=500)
    view_id = models.UUIDField(null=True)
    body = models.BinaryField()
    xid = Xid8Field(db_default=CurrentXid())

    class Meta:
        db_table = "audit_entry"
        indexes = (
            models.Index(fields=["xid", "id"], name="audit_entry_sequencing"),
            models.Index(fields=["occurred_at"], name="audit_entry_when"),
            models.Index(fields=["actor", "occurred_at"], name="audit_entry_who"),
            models.Index(fields=["action", "occurred_at"], name="audit_entry_what"),
            models.Index(fields=["object_type", "object_ref"], name="audit_entry_object"),
            models.Index(fields=["view_id"], name="audit_entry_view", condition=models.Q(view_id__isnull=False)),
        )
        constraints = (
            models.CheckConstraint(
                condition=models.Q(outcome__in=[outcome.value for outcome in Outcome]), name="audit_entry_outcome"
            ),
        )

    @override
    def __str__(self) -> str:
        return str(self.entry_id)


class SequencedEntry(models.Model):
    """The place of an entry in the log, counted from 0, and its leaf hash."""

    seq = models.BigIntegerField(primary_key=True)
    entry = models.OneToOneField(Entry, on_delete=models.PROTECT, related_name="sequenced")
    leaf = models.BinaryField(max_length=32)

    class Meta:
        db_table = "audit_sequenced"

    @override
    def __str__(self) -> str:
        return str(self.seq)


class TreeNode(models.Model):
    """The root of a full subtree of 256, 65 536, … leaves, so that a proof reads a few hundred rows at most."""

    id = models.BigAutoField(primary_key=True)
    level = models.SmallIntegerField()
    position = models.BigIntegerField()
    digest = models.BinaryField(max_length=32)

    class Meta:
        db_table = "audit_node"
        constraints = (models.UniqueConstraint(fields=["level", "position"], name="audit_node_place"),)

    @override
    def __str__(self) -> str:
        return f"{self.level}/{self.position}"


class SigningKey(models.Model):
    """A public key that signed checkpoints."""

    key_id = models.CharField(max_length=64, primary_key=True)
    public_key = models.BinaryField(max_length=65)
    first_used_at = models.DateTimeField()

    class Meta:
        db_table = "audit_signing_key"

    @override
    def __str__(self) -> str:
        return self.key_id


class Checkpoint(models.Model):
    """A signed statement: after `size` entries the tree had this root."""

    size = models.BigIntegerField(primary_key=True)
    root = models.BinaryField(max_length=32)
    note = models.BinaryField()
    signature = models.BinaryField(max_length=80)
    key = models.ForeignKey(SigningKey, on_delete=models.PROTECT)
    frontier = models.BinaryField()
    created_at = models.DateTimeField()

    class Meta:
        db_table = "audit_checkpoint"

    @override
    def __str__(self) -> str:
        return str(self.size)
