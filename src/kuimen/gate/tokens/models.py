"""Table of tokens. A token says nothing of the number it stands for; only this table leads from one to the other."""

from typing import ClassVar

from django.db import models
from typing_extensions import override

from kuimen.gate.tokens.rules import TokenState


class Token(models.Model):
    """A token of one vault record for one partner in one domain."""

    token = models.CharField(max_length=19, primary_key=True)
    record = models.ForeignKey("vault.Record", on_delete=models.PROTECT, related_name="+")
    person_ref = models.UUIDField(null=True, db_index=True)
    domain = models.CharField(max_length=64)
    partner_id = models.CharField(max_length=64)
    state = models.CharField(max_length=16, choices=[(state.value, state.value) for state in TokenState])
    issued_at = models.DateTimeField()
    valid_until = models.DateTimeField()
    state_since = models.DateTimeField()

    class Meta:
        db_table = "tokens_issued"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["record", "domain", "partner_id"],
                condition=~models.Q(state=TokenState.DELETED.value),
                name="tokens_one_a_purpose",
            ),
        ]

    @override
    def __str__(self) -> str:
        return f"{self.domain}/{self.partner_id}/{self.token[-4:]}"
