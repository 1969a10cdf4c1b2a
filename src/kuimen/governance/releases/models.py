"""Tables of releases and of test data that were made. References, figures and sealed bytes, never a clear value."""

from django.db import models
from django.db.models import F, Q
from typing_extensions import override

from kuimen.foundation.identifiers import new_ref
from kuimen.gate.access.models import Staff
from kuimen.gate.access.rules import Purpose
from kuimen.governance.releases.rules import Form, RecipientKind, ReleaseState
from kuimen.kernels.anonymity import Standing


class Release(models.Model):
    """One analysis package from its application to the recipient's word that it is deleted; never deleted itself."""

    release_id = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    title = models.CharField(max_length=120)
    purpose = models.CharField(max_length=32, choices=[(one.value, one.value) for one in Purpose])
    reason = models.CharField(max_length=200)
    recipient = models.CharField(max_length=160)
    recipient_kind = models.CharField(max_length=16, choices=[(one.value, one.value) for one in RecipientKind])
    form = models.CharField(max_length=16, choices=[(one.value, one.value) for one in Form])
    columns = models.JSONField()
    pseudonym = models.BooleanField()
    k = models.PositiveIntegerField()
    l_distinct = models.PositiveIntegerField()
    t = models.DecimalField(max_digits=4, decimal_places=3)
    keep_until = models.DateField()
    state = models.CharField(max_length=16, choices=[(one.value, one.value) for one in ReleaseState])
    applied_by = models.ForeignKey(Staff, on_delete=models.PROTECT, related_name="+")
    applied_at = models.DateTimeField()
    decided_by = models.ForeignKey(Staff, null=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True)
    decision_reason = models.CharField(max_length=200, blank=True)
    computed_at = models.DateTimeField(null=True)
    measured = models.JSONField(default=dict)
    standing = models.CharField(max_length=16, blank=True, choices=[(one.value, one.value) for one in Standing])
    rows = models.PositiveIntegerField(default=0)
    persons = models.PositiveIntegerField(default=0)
    suppressed = models.PositiveIntegerField(default=0)
    body_sm3 = models.CharField(max_length=64, blank=True)
    sealed_body = models.BinaryField(null=True)
    sealed_key = models.BinaryField(null=True)
    fetched = models.PositiveIntegerField(default=0)
    ended_by = models.CharField(max_length=64, blank=True)
    ended_at = models.DateTimeField(null=True)
    confirmed_at = models.DateTimeField(null=True)
    confirmation = models.CharField(max_length=200, blank=True)

    class Meta:
        db_table = "releases_release"
        constraints = (
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("applied_by")), name="releases_four_eyes"
            ),
            models.CheckConstraint(
                condition=~Q(
                    state__in=[
                        ReleaseState.APPROVED.value,
                        ReleaseState.MISSED.value,
                        ReleaseState.RELEASED.value,
                        ReleaseState.ENDED.value,
                        ReleaseState.DELETED.value,
                    ]
                )
                | Q(decided_by__isnull=False),
                name="releases_approved_by_someone",
            ),
            models.CheckConstraint(
                condition=~Q(state=ReleaseState.RELEASED.value)
                | Q(sealed_key__isnull=False, sealed_body__isnull=False),
                name="releases_released_is_sealed",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=[ReleaseState.ENDED.value, ReleaseState.DELETED.value])
                | Q(sealed_key__isnull=True, sealed_body__isnull=True, ended_at__isnull=False),
                name="releases_ended_has_no_key",
            ),
            models.CheckConstraint(
                condition=~Q(standing=Standing.ANONYMISED.value) | Q(pseudonym=False),
                name="releases_pseudonym_is_not_anonymous",
            ),
        )
        indexes = (models.Index(fields=["state", "keep_until"], name="releases_due"),)

    @override
    def __str__(self) -> str:
        return str(self.release_id)


class TestDataRun(models.Model):
    """Test data that were made and proven; insert-only."""

    run_id = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    made_at = models.DateTimeField()
    made_by = models.CharField(max_length=64)
    source = models.CharField(max_length=300)
    target = models.CharField(max_length=300)
    tables = models.PositiveIntegerField()
    rows = models.PositiveBigIntegerField()
    columns = models.PositiveIntegerField()
    needles = models.PositiveBigIntegerField()
    residual = models.PositiveIntegerField()
    repeatable = models.BooleanField()
    package = models.CharField(max_length=64)

    class Meta:
        db_table = "releases_testdata"
        constraints = (models.CheckConstraint(condition=Q(residual=0), name="releases_testdata_nothing_left"),)

    @override
    def __str__(self) -> str:
        return str(self.run_id)
