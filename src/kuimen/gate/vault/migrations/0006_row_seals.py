"""Seals of rows. Rows of earlier releases have none; each gets its first when one of its fields is written again."""

from django.db import migrations, models

# 32 bytes name a row, 16 bytes seal it.
ADD = """
    ALTER TABLE vault_row_seal ADD CONSTRAINT vault_row_seal_lengths CHECK (
        octet_length(source_key) = 32 AND octet_length(tag) = 16
    );
"""
REMOVE = "ALTER TABLE vault_row_seal DROP CONSTRAINT vault_row_seal_lengths;"


class Migration(migrations.Migration):
    dependencies = [("vault", "0005_parts")]

    operations = [
        migrations.CreateModel(
            name="RowSeal",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "source_key",
                        "source_id",
                        "source_table",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("source_key", models.BinaryField()),
                ("source_id", models.CharField(max_length=100)),
                ("source_table", models.CharField(max_length=300)),
                ("revision", models.BigIntegerField()),
                ("key_generation", models.PositiveIntegerField()),
                ("tag", models.BinaryField()),
            ],
            options={
                "db_table": "vault_row_seal",
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("revision__gte", 1)), name="vault_row_seal_revision")
                ],
            },
        ),
        migrations.RunSQL(ADD, REMOVE),
    ]
