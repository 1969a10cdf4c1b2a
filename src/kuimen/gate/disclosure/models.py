"""What was disclosed to whom: references, counts and reasons, never a value.

Clause: CQJR-5.4-d, CQJR-5.2-h, JRT0171-6.1.4.1-b
"""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from typing_extensions import override

from kuimen.gate.audit.models import Entry
from kuimen.gate.disclosure.rules import Kind, LimitName, ReasonCode

KINDS = [(one.value, one.value) for one in Kind]
REASONS = [(one.value, one.value) for one in ReasonCode]
LIMITS = [(one.value, one.value) for one in LimitName]


class Disclosure(models.Model):
    """One view. Its id stands in the watermark; the audit entry of the same transaction is part of the row."""

    view_id = models.UUIDField(primary_key=True)
    kind = models.CharField(max_length=16, choices=KINDS)
    occurred_at = models.DateTimeField()
    day = models.DateField()
    staff_no = models.CharField(max_length=64)
    agency = models.CharField(max_length=64, blank=True)
    purpose = models.CharField(max_length=64)
    object_type = models.CharField(max_length=64)
    object_ref = models.CharField(max_length=200)
    rows = models.PositiveIntegerField()
    elements = models.JSONField()
    customer_ref = models.UUIDField(null=True, blank=True)
    basis_id = models.UUIDField(null=True, blank=True)
    reason_code = models.CharField(max_length=32, blank=True, choices=REASONS)
    sealed = models.BinaryField(null=True)  # the reason in words: free text may hold anything
    expires_at = models.DateTimeField(null=True, blank=True)
    entry = models.OneToOneField(Entry, on_delete=models.PROTECT, to_field="entry_id", related_name="disclosure")

    class Meta:
        db_table = "disclosure_record"
        constraints: ClassVar = [
            models.CheckConstraint(
                name="disclosure_reveal_is_reasoned",
                condition=~Q(kind=Kind.REVEAL.value)
                | (
                    Q(
                        customer_ref__isnull=False,
                        basis_id__isnull=False,
                        sealed__isnull=False,
                        expires_at__isnull=False,
                        rows=1,
                    )
                    & ~Q(reason_code="")
                ),
            ),
        ]
        indexes: ClassVar = [
            models.Index(name="disclosure_by_day", fields=["day", "purpose"]),
            models.Index(name="disclosure_by_staff", fields=["staff_no", "day"]),
            models.Index(name="disclosure_by_object", fields=["object_type", "object_ref"]),
        ]

    @override
    def __str__(self) -> str:
        return f"{self.kind}/{self.view_id}"


class DailyUse(models.Model):
    """What one member of staff used up on one day; the row is the lock that orders their requests."""

    staff_no = models.CharField(max_length=64)
    day = models.DateField()
    reveals = models.PositiveIntegerField(default=0)
    searches = models.PositiveIntegerField(default=0)

    class Meta:
        db_table = "disclosure_daily_use"
        constraints: ClassVar = [
            models.UniqueConstraint(name="disclosure_daily_use_once", fields=["staff_no", "day"]),
        ]

    @override
    def __str__(self) -> str:
        return f"{self.staff_no}/{self.day}"


class Lookup(models.Model):
    """One person whose C2 or C3 data one member of staff looked up on one day."""

    staff_no = models.CharField(max_length=64)
    day = models.DateField()
    customer_ref = models.UUIDField()

    class Meta:
        db_table = "disclosure_lookup"
        constraints: ClassVar = [
            models.UniqueConstraint(name="disclosure_lookup_once", fields=["staff_no", "day", "customer_ref"]),
        ]

    @override
    def __str__(self) -> str:
        return f"{self.staff_no}/{self.day}/{self.customer_ref}"


class ChallengeDay(models.Model):
    """Wrong answers about one customer on one day, whoever gave them: several askers guess no better than one."""

    customer_ref = models.UUIDField()
    day = models.DateField()
    wrong = models.PositiveIntegerField(default=0)

    class Meta:
        db_table = "disclosure_challenge_day"
        constraints: ClassVar = [
            models.UniqueConstraint(name="disclosure_challenge_day_once", fields=["customer_ref", "day"]),
        ]

    @override
    def __str__(self) -> str:
        return f"{self.customer_ref}/{self.day}"


class RevealRequest(models.Model):
    """An idempotency key and what it was used for: digests and a reference, never a disclosed body."""

    staff_no = models.CharField(max_length=64)
    key_sm3 = models.BinaryField()
    digest = models.BinaryField()
    view = models.OneToOneField(Disclosure, on_delete=models.PROTECT, related_name="request")
    created_at = models.DateTimeField()

    class Meta:
        db_table = "disclosure_reveal_request"
        constraints: ClassVar = [
            models.UniqueConstraint(name="disclosure_reveal_request_once", fields=["staff_no", "key_sm3"]),
        ]

    @override
    def __str__(self) -> str:
        return str(self.view_id)


class Limit(models.Model):
    """A limit that differs from its default, with the audit entry of whoever set it."""

    limit = models.CharField(primary_key=True, max_length=32, choices=LIMITS)
    value = models.PositiveIntegerField()
    changed_at = models.DateTimeField()
    entry = models.OneToOneField(Entry, on_delete=models.PROTECT, to_field="entry_id", related_name="+")

    class Meta:
        db_table = "disclosure_limit"

    @override
    def __str__(self) -> str:
        return f"{self.limit}={self.value}"
