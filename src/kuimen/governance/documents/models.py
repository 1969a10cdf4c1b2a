"""Tables of documents and of who has read them."""

from django.db import models
from typing_extensions import override

from kuimen.foundation.identifiers import new_ref
from kuimen.gate.access.models import Post, Staff
from kuimen.governance.documents.rules import TextKind, TextState


class ControlledText(models.Model):
    """One version of a rule, plan or customer text; its words are never changed, it is never deleted."""

    text_id = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    kind = models.CharField(max_length=16, choices=[(kind.value, kind.value) for kind in TextKind])
    code = models.CharField(max_length=64)
    version = models.PositiveIntegerField()
    title = models.CharField(max_length=200)
    body = models.TextField()
    body_sm3 = models.CharField(max_length=64)
    topics = models.JSONField(default=list)
    owner_post = models.ForeignKey(Post, on_delete=models.PROTECT, related_name="+")
    review_by = models.DateField()
    state = models.CharField(max_length=16, choices=[(state.value, state.value) for state in TextState])
    drafted_by = models.ForeignKey(Staff, on_delete=models.PROTECT, related_name="+")
    drafted_at = models.DateTimeField()
    decided_by = models.ForeignKey(Staff, null=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True)
    decision_reason = models.CharField(max_length=200, blank=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "documents_text"
        constraints = (
            models.UniqueConstraint(fields=["code", "version"], name="documents_text_version_once"),
            models.UniqueConstraint(
                fields=["code"],
                condition=models.Q(state=TextState.IN_FORCE.value),
                name="documents_text_one_in_force",
            ),
            models.UniqueConstraint(
                fields=["code"], condition=models.Q(state=TextState.DRAFTED.value), name="documents_text_one_draft"
            ),
            models.CheckConstraint(
                condition=models.Q(decided_by__isnull=True) | ~models.Q(decided_by=models.F("drafted_by")),
                name="documents_text_four_eyes",
            ),
            models.CheckConstraint(
                condition=~models.Q(
                    state__in=[TextState.IN_FORCE.value, TextState.SUPERSEDED.value, TextState.REPEALED.value]
                )
                | models.Q(decided_by__isnull=False),
                name="documents_text_approved_by_someone",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=[state.value for state in TextState]), name="documents_text_known_state"
            ),
        )

    @override
    def __str__(self) -> str:
        return f"{self.code}/{self.version}"


class Acknowledgement(models.Model):
    """A member of staff has read one version."""

    text = models.ForeignKey(ControlledText, on_delete=models.PROTECT, related_name="acknowledgements")
    staff = models.ForeignKey(Staff, on_delete=models.PROTECT, related_name="+")
    acknowledged_at = models.DateTimeField()

    class Meta:
        db_table = "documents_acknowledgement"
        constraints = (models.UniqueConstraint(fields=["text", "staff"], name="documents_acknowledged_once"),)

    @override
    def __str__(self) -> str:
        return f"{self.text_id}:{self.staff_id}"
