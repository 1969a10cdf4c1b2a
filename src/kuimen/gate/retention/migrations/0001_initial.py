"""Erasures, holds, events, registers of copies, certificates."""

import django.db.models.deletion
from django.db import migrations, models

import kuimen.foundation.identifiers


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Applied",
            fields=[
                ("seq", models.PositiveBigIntegerField(primary_key=True, serialize=False)),
                ("person_ref", models.UUIDField()),
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
                ("applied_at", models.DateTimeField()),
                ("replayed", models.BooleanField()),
            ],
            options={
                "db_table": "retention_applied",
            },
        ),
        migrations.CreateModel(
            name="Backup",
            fields=[
                (
                    "backup_id",
                    models.UUIDField(
                        default=kuimen.foundation.identifiers.new_ref, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("label", models.CharField(max_length=160, unique=True)),
                ("holds_main", models.BooleanField()),
                ("holds_keys", models.BooleanField()),
                ("holds_key_folder", models.BooleanField(default=False)),
                ("taken_on", models.DateField()),
                ("expires_on", models.DateField(null=True)),
                ("registered_by", models.CharField(max_length=64)),
                ("registered_at", models.DateTimeField()),
            ],
            options={
                "db_table": "retention_backup",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("holds_main", True), ("holds_keys", True), ("holds_key_folder", True), _connector="OR"
                        ),
                        name="retention_backup_holds_something",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("expires_on__isnull", True), ("expires_on__gte", models.F("taken_on")), _connector="OR"
                        ),
                        name="retention_backup_expires_later",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Erasure",
            fields=[
                (
                    "erasure_id",
                    models.UUIDField(
                        default=kuimen.foundation.identifiers.new_ref, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("person_ref", models.UUIDField()),
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
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("due", "due"),
                            ("suspended", "suspended"),
                            ("destroyed", "destroyed"),
                            ("lapsed", "lapsed"),
                        ],
                        max_length=16,
                    ),
                ),
                ("due_on", models.DateField()),
                ("reason_zh", models.TextField()),
                ("reason_en", models.TextField()),
                ("clause", models.CharField(max_length=40)),
                ("listed_at", models.DateTimeField()),
                ("suspended_at", models.DateTimeField(null=True)),
                ("suspended_by", models.CharField(blank=True, max_length=32)),
                ("ticket_id", models.UUIDField(null=True)),
                ("destroyed_at", models.DateTimeField(null=True)),
                ("destroyed_by", models.CharField(blank=True, max_length=32)),
                ("checked_by", models.CharField(blank=True, max_length=32)),
                ("closed_at", models.DateTimeField(null=True)),
                ("keys_destroyed", models.PositiveIntegerField(default=0)),
                ("records_destroyed", models.PositiveIntegerField(default=0)),
                ("tags_destroyed", models.PositiveIntegerField(default=0)),
                ("elements", models.JSONField(default=list)),
                ("entry_id", models.UUIDField(null=True)),
                ("ledger_seq", models.PositiveBigIntegerField(null=True)),
            ],
            options={
                "db_table": "retention_erasure",
                "indexes": [models.Index(fields=["state", "due_on"], name="retention_erasure_due")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ["due", "suspended"])),
                        fields=("person_ref", "retention_class"),
                        name="retention_erasure_one_open",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "destroyed"), _negated=True),
                            models.Q(
                                ("destroyed_at__isnull", False),
                                ("entry_id__isnull", False),
                                ("ledger_seq__isnull", False),
                                models.Q(("destroyed_by", ""), _negated=True),
                                models.Q(("checked_by", ""), _negated=True),
                                models.Q(("destroyed_by", models.F("checked_by")), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="retention_erasure_destroyed_by_two",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "suspended"), _negated=True),
                            ("suspended_at__isnull", False),
                            _connector="OR",
                        ),
                        name="retention_erasure_suspended_when",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Certificate",
            fields=[
                (
                    "certificate_id",
                    models.UUIDField(
                        default=kuimen.foundation.identifiers.new_ref, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("made_at", models.DateTimeField()),
                ("document", models.TextField()),
                ("signature", models.BinaryField()),
                ("key_id", models.CharField(max_length=64)),
                (
                    "erasure",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="certificates", to="retention.erasure"
                    ),
                ),
            ],
            options={
                "db_table": "retention_certificate",
            },
        ),
        migrations.CreateModel(
            name="Event",
            fields=[
                (
                    "event_id",
                    models.UUIDField(
                        default=kuimen.foundation.identifiers.new_ref, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("person_ref", models.UUIDField(db_index=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("relationship", "relationship"),
                            ("adverse", "adverse"),
                            ("collection", "collection"),
                            ("consent", "consent"),
                        ],
                        max_length=16,
                    ),
                ),
                ("ended_on", models.DateField(null=True)),
                ("evidence", models.CharField(max_length=200)),
                ("recorded_by", models.CharField(max_length=32)),
                ("recorded_at", models.DateTimeField()),
            ],
            options={
                "db_table": "retention_event",
                "constraints": [
                    models.UniqueConstraint(fields=("person_ref", "kind", "evidence"), name="retention_event_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="Export",
            fields=[
                (
                    "export_id",
                    models.UUIDField(
                        default=kuimen.foundation.identifiers.new_ref, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("person_ref", models.UUIDField(db_index=True)),
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
                ("recipient", models.CharField(max_length=160)),
                ("reference", models.CharField(max_length=200)),
                ("exported_at", models.DateTimeField()),
                ("demanded_at", models.DateTimeField(null=True)),
                ("confirmed_at", models.DateTimeField(null=True)),
                ("confirmation", models.CharField(blank=True, max_length=200)),
            ],
            options={
                "db_table": "retention_export",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("person_ref", "retention_class", "recipient", "reference"), name="retention_export_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Hold",
            fields=[
                (
                    "hold_id",
                    models.UUIDField(
                        default=kuimen.foundation.identifiers.new_ref, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("person_ref", models.UUIDField(db_index=True)),
                ("kind", models.CharField(choices=[("aml", "aml"), ("legal", "legal")], max_length=16)),
                ("evidence", models.CharField(max_length=200)),
                ("placed_by", models.CharField(max_length=32)),
                ("placed_at", models.DateTimeField()),
                ("lifted_by", models.CharField(blank=True, max_length=32)),
                ("lifted_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "retention_hold",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("lifted_at__isnull", True)),
                        fields=("person_ref", "kind", "evidence"),
                        name="retention_hold_once",
                    )
                ],
            },
        ),
    ]
