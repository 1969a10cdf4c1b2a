"""Counted uses, the root in use, rewrap jobs; keys wrapped in a token; room in pages for rewrapping in place."""

from django.db import migrations, models
from django.db.models import Q

# Root-wrapped keys may be wrapped by a PKCS#11 token: mark 0xC1, suite 3 (AES key wrap).
ROOT_WRAPPED = (("domain", 50), ("index", 66), ("signing", 66))
ALTER = """
    ALTER TABLE keys_{0}key DROP CONSTRAINT keys_{0}_is_wrapped;
    ALTER TABLE keys_{0}key ADD CONSTRAINT keys_{0}_is_wrapped
        CHECK (octet_length(wrapped) >= {1} AND get_byte(wrapped, 0) = 193 AND get_byte(wrapped, 1) IN ({2}));
"""
ADD = "".join(ALTER.format(name, least, "1, 2, 3") for name, least in ROOT_WRAPPED)
REMOVE = "".join(ALTER.format(name, least, "1, 2") for name, least in ROOT_WRAPPED)
# Half of a page stays free, so that a batch of rewrapped rows finds room beside the old ones and no index changes.
ROOM = "ALTER TABLE keys_personkey SET (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05)"
NO_ROOM = "ALTER TABLE keys_personkey RESET (fillfactor, autovacuum_vacuum_scale_factor)"


class Migration(migrations.Migration):
    dependencies = [
        ("keys", "0003_shreds"),
    ]

    operations = [
        migrations.CreateModel(
            name="RewrapJob",
            fields=[
                ("job_id", models.UUIDField(primary_key=True, serialize=False)),
                (
                    "retention_class",
                    models.CharField(
                        choices=[
                            ("identity_transaction", "identity_transaction"),
                            ("adverse_item", "adverse_item"),
                            ("collection_record", "collection_record"),
                            ("consent_based", "consent_based"),
                        ],
                        max_length=32,
                    ),
                ),
                ("to_version", models.PositiveIntegerField()),
                ("running", models.BooleanField(default=True)),
                ("person_cursor", models.BigIntegerField(default=0)),
                ("table_cursor", models.BigIntegerField(default=0)),
                ("rewrapped", models.BigIntegerField(default=0)),
                ("swaps_lost", models.BigIntegerField(default=0)),
                ("does_not_open", models.BigIntegerField(default=0)),
                ("passes", models.PositiveIntegerField(default=1)),
                ("started_at", models.DateTimeField()),
                ("updated_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="RootInUse",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("fingerprint", models.CharField(max_length=64, unique=True)),
                ("provider", models.CharField(max_length=32)),
                ("since", models.DateTimeField()),
                ("one", models.BooleanField(default=True, unique=True)),
            ],
        ),
        migrations.RemoveIndex(
            model_name="personkey",
            name="keys_person_by_domain",
        ),
        migrations.AddField(
            model_name="domainkey",
            name="uses_leased",
            field=models.BigIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="indexkey",
            name="state_since",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="personkey",
            name="uses_leased",
            field=models.BigIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="tablekey",
            name="uses_leased",
            field=models.BigIntegerField(db_default=0, default=0),
        ),
        migrations.AddConstraint(
            model_name="rewrapjob",
            constraint=models.UniqueConstraint(
                condition=Q(("running", True)), fields=("retention_class",), name="keys_rewrap_one_running"
            ),
        ),
        migrations.AddConstraint(
            model_name="rootinuse",
            constraint=models.CheckConstraint(condition=Q(("one", True)), name="keys_root_only_one"),
        ),
        migrations.RunSQL(ADD, REMOVE),
        migrations.RunSQL(ROOM, NO_ROOM),
    ]
