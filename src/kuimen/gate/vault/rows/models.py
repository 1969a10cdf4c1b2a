"""The seals of rows. A row has the source coordinates of its records, without their column."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from typing_extensions import override


class RowSeal(models.Model):
    """One keyed tag over every field of a row; `revision` grows by one with each write and is never reused."""

    # The order of the unique constraint of the records, so that both are read with one prefix.
    pk = models.CompositePrimaryKey("source_key", "source_id", "source_table")
    source_key = models.BinaryField()
    source_id = models.CharField(max_length=100)
    source_table = models.CharField(max_length=300)
    revision = models.BigIntegerField()
    key_generation = models.PositiveIntegerField()
    tag = models.BinaryField()

    class Meta:
        db_table = "vault_row_seal"
        constraints: ClassVar = [models.CheckConstraint(name="vault_row_seal_revision", condition=Q(revision__gte=1))]

    @override
    def __str__(self) -> str:
        return f"{self.source_table}/{self.revision}"
