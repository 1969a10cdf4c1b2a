"""The shred ledger of the key database, and the epoch that ends the caches of every process."""

from django.db import migrations, models

CLASSES = [
    ("identity_transaction", "identity_transaction"),
    ("adverse_item", "adverse_item"),
    ("collection_record", "collection_record"),
    ("consent_based", "consent_based"),
]


class Migration(migrations.Migration):
    dependencies = [("keys", "0002_wrapped_bytes")]

    operations = [
        migrations.CreateModel(
            name="KeyEpoch",
            fields=[
                ("key", models.PositiveSmallIntegerField(primary_key=True, serialize=False)),
                ("value", models.PositiveBigIntegerField()),
            ],
            options={
                "db_table": "keys_epoch",
                "constraints": [models.CheckConstraint(condition=models.Q(("key", 1)), name="keys_epoch_one_row")],
            },
        ),
        migrations.CreateModel(
            name="Shred",
            fields=[
                ("seq", models.PositiveBigIntegerField(primary_key=True, serialize=False)),
                ("person_ref", models.UUIDField()),
                ("retention_class", models.CharField(choices=CLASSES, max_length=32)),
                ("body", models.BinaryField()),
                ("signature", models.BinaryField()),
                ("key_id", models.CharField(max_length=64)),
                ("public_key", models.BinaryField()),
            ],
            options={
                "db_table": "keys_shred",
                "constraints": [
                    models.UniqueConstraint(fields=("person_ref", "retention_class"), name="keys_shred_once")
                ],
            },
        ),
        migrations.RunSQL("INSERT INTO keys_epoch (key, value) VALUES (1, 1)", "DELETE FROM keys_epoch"),
    ]
