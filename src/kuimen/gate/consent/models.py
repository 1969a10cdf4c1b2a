"""Tables of documents, consent acts, withdrawals and legal bases."""

from django.db import models
from typing_extensions import override

from kuimen.foundation.identifiers import new_ref
from kuimen.gate.access.rules import Purpose
from kuimen.gate.consent.rules import ActKind, Basis

_PURPOSES = [(purpose.value, purpose.value) for purpose in Purpose]


class Document(models.Model):
    """One version of a text shown to customers; never changed, never deleted."""

    document_id = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    code = models.CharField(max_length=64)
    version = models.PositiveIntegerField()
    title = models.CharField(max_length=200)
    body = models.TextField()
    sm3 = models.CharField(max_length=64)
    published_at = models.DateTimeField()
    published_by = models.CharField(max_length=32)  # staff number

    class Meta:
        db_table = "consent_document"
        constraints = (models.UniqueConstraint(fields=["code", "version"], name="consent_document_version_once"),)

    @override
    def __str__(self) -> str:
        return f"{self.code}/{self.version}"


class ConsentAct(models.Model):
    """A customer's own act of consent to one version; never changed, a withdrawal is a row of its own."""

    act_id = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    customer_ref = models.UUIDField(db_index=True)
    document = models.ForeignKey(Document, on_delete=models.PROTECT, related_name="acts")
    purpose = models.CharField(max_length=32, choices=_PURPOSES)
    kind = models.CharField(max_length=8, choices=[(kind.value, kind.value) for kind in ActKind])
    initially_selected = models.BooleanField()
    shown_sm3 = models.CharField(max_length=64)
    channel = models.CharField(max_length=32)
    shown_at = models.DateTimeField()
    accepted_at = models.DateTimeField()
    valid_until = models.DateTimeField(null=True)

    class Meta:
        db_table = "consent_act"
        constraints = (
            models.CheckConstraint(condition=models.Q(initially_selected=False), name="consent_act_not_preselected"),
            models.CheckConstraint(
                condition=models.Q(shown_at__lte=models.F("accepted_at")), name="consent_act_shown_before"
            ),
            models.CheckConstraint(
                condition=models.Q(kind__in=[kind.value for kind in ActKind]), name="consent_act_known_kind"
            ),
        )

    @override
    def __str__(self) -> str:
        return str(self.act_id)


class Withdrawal(models.Model):
    """The withdrawal of an act; there is at most one, and it stays."""

    act = models.OneToOneField(ConsentAct, primary_key=True, on_delete=models.PROTECT, related_name="withdrawal")
    channel = models.CharField(max_length=32)
    withdrawn_at = models.DateTimeField()

    class Meta:
        db_table = "consent_withdrawal"

    @override
    def __str__(self) -> str:
        return str(self.pk)


class BasisRecord(models.Model):
    """A legal basis of one customer for one purpose, with its evidence."""

    basis_id = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    customer_ref = models.UUIDField()
    basis = models.CharField(max_length=16, choices=[(basis.value, basis.value) for basis in Basis])
    purpose = models.CharField(max_length=32, choices=_PURPOSES)
    source_id = models.CharField(max_length=64, blank=True)
    source_table = models.CharField(max_length=160, blank=True)
    source_key = models.CharField(max_length=160, blank=True)
    duty = models.CharField(max_length=160, blank=True)
    act = models.ForeignKey(ConsentAct, null=True, on_delete=models.PROTECT, related_name="bases")
    evidence_digest = models.BinaryField(max_length=32)
    valid_from = models.DateTimeField()
    valid_until = models.DateTimeField(null=True)
    recorded_at = models.DateTimeField()

    class Meta:
        db_table = "consent_basis"
        constraints = (
            models.UniqueConstraint(
                fields=["customer_ref", "purpose", "basis", "evidence_digest"], name="consent_basis_once"
            ),
            models.CheckConstraint(
                condition=models.Q(basis=Basis.CONTRACT.value, act__isnull=True)
                & ~models.Q(source_id="")
                & ~models.Q(source_key="")
                | models.Q(basis=Basis.LEGAL_DUTY.value, act__isnull=True) & ~models.Q(duty="")
                | models.Q(basis=Basis.CONSENT.value, act__isnull=False),
                name="consent_basis_has_its_evidence",
            ),
        )
        indexes = (models.Index(fields=["customer_ref", "purpose"], name="consent_basis_of_customer"),)

    @override
    def __str__(self) -> str:
        return str(self.basis_id)
