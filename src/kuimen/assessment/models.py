"""Tables of the assessment room. Every row is written once: what was found stays as it was found."""

from django.db import models
from typing_extensions import override

from kuimen.assessment.rules import Verdict
from kuimen.standard import Outcome

_VERDICTS = [(verdict.value, verdict.title_zh) for verdict in Verdict]
_OUTCOMES = [(outcome.value, outcome.value) for outcome in Outcome]


class Assessment(models.Model):
    """One run of every control against the live system."""

    assessment_id = models.UUIDField(primary_key=True)
    number = models.CharField(max_length=32, unique=True)
    institution_id = models.CharField(max_length=64)
    institution_name = models.CharField(max_length=128)
    actor_ref = models.CharField(max_length=64)
    actor_label = models.CharField(max_length=128)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField()
    period_days = models.PositiveIntegerField()
    product_version = models.CharField(max_length=32)
    catalogue_version = models.CharField(max_length=32)
    method = models.CharField(max_length=32)
    snapshot_sm3 = models.BinaryField(max_length=32)
    snapshot_sha256 = models.BinaryField(max_length=32)
    audit_entry = models.UUIDField()

    class Meta:
        ordering = ("-started_at", "-number")
        constraints = (
            models.CheckConstraint(
                condition=models.Q(finished_at__gte=models.F("started_at")), name="assessment_ends_after_it_starts"
            ),
        )

    @override
    def __str__(self) -> str:
        return self.number


class ClauseResult(models.Model):
    """What followed for one clause from the probes alone."""

    assessment = models.ForeignKey(Assessment, on_delete=models.PROTECT, related_name="results")
    position = models.PositiveIntegerField()
    clause_id = models.CharField(max_length=48)
    verdict = models.CharField(max_length=16, choices=_VERDICTS)
    reason_zh = models.TextField()
    reason_en = models.TextField()
    remedy_zh = models.TextField(blank=True)
    remedy_en = models.TextField(blank=True)
    refuted = models.BooleanField()
    probes = models.PositiveIntegerField()

    class Meta:
        ordering = ("position",)
        constraints = (
            models.UniqueConstraint(fields=["assessment", "clause_id"], name="assessment_one_result_per_clause"),
            models.CheckConstraint(
                condition=models.Q(verdict__in=[verdict.value for verdict in Verdict]), name="assessment_known_verdict"
            ),
            # Nothing is green by absence: 符合 needs at least one probe that looked.
            models.CheckConstraint(
                condition=~models.Q(verdict=Verdict.CONFORM.value) | models.Q(probes__gt=0, refuted=False),
                name="assessment_conform_needs_a_probe",
            ),
        )

    @override
    def __str__(self) -> str:
        return f"{self.clause_id} {self.verdict}"


class EvidenceItem(models.Model):
    """What one probe saw, as the bytes that its digests cover."""

    assessment = models.ForeignKey(Assessment, on_delete=models.PROTECT, related_name="evidence")
    number = models.PositiveIntegerField()
    clause_id = models.CharField(max_length=48)
    probe = models.CharField(max_length=160)
    outcome = models.CharField(max_length=16, choices=_OUTCOMES)
    fault = models.CharField(max_length=64, blank=True)
    observed_at = models.DateTimeField()
    body = models.BinaryField()
    sm3 = models.BinaryField(max_length=32)
    sha256 = models.BinaryField(max_length=32)

    class Meta:
        ordering = ("number",)
        constraints = (
            models.UniqueConstraint(fields=["assessment", "number"], name="assessment_evidence_number"),
            models.UniqueConstraint(fields=["assessment", "clause_id", "probe"], name="assessment_evidence_per_probe"),
        )

    @override
    def __str__(self) -> str:
        return f"E-{self.number:04d}"


class Judgement(models.Model):
    """What a person judged about one clause, with reason and reference to evidence."""

    judgement_id = models.UUIDField(primary_key=True)
    assessment = models.ForeignKey(Assessment, on_delete=models.PROTECT, related_name="judgements")
    clause_id = models.CharField(max_length=48)
    verdict = models.CharField(max_length=16, choices=_VERDICTS)
    reason = models.TextField()
    evidence_reference = models.TextField()
    judged_by = models.CharField(max_length=64)
    judged_at = models.DateTimeField()

    class Meta:
        ordering = ("judged_at",)
        constraints = (
            models.CheckConstraint(condition=~models.Q(reason=""), name="assessment_judgement_has_reason"),
            models.CheckConstraint(condition=~models.Q(evidence_reference=""), name="assessment_judgement_cites"),
        )

    @override
    def __str__(self) -> str:
        return f"{self.clause_id} {self.verdict}"


class JudgementDecision(models.Model):
    """What a second person decided about a judgement."""

    judgement = models.OneToOneField(Judgement, on_delete=models.PROTECT, related_name="decision", primary_key=True)
    approved = models.BooleanField()
    decided_by = models.CharField(max_length=64)
    decided_at = models.DateTimeField()

    @override
    def __str__(self) -> str:
        return "approved" if self.approved else "refused"


class Report(models.Model):
    """One typeset report with the digests of its file."""

    assessment = models.ForeignKey(Assessment, on_delete=models.PROTECT, related_name="reports")
    path = models.TextField()
    rendered_at = models.DateTimeField()
    sm3 = models.BinaryField(max_length=32)
    sha256 = models.BinaryField(max_length=32)

    class Meta:
        ordering = ("rendered_at",)

    @override
    def __str__(self) -> str:
        return self.path
