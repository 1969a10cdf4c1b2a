"""Indexes of parts of values, and their tags."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("vault", "0004_rotation"),
    ]

    operations = [
        migrations.AlterField(
            model_name="rotationjob",
            name="kind",
            field=models.CharField(
                choices=[
                    ("reencrypt", "reencrypt"),
                    ("reindex", "reindex"),
                    ("merge", "merge"),
                    ("index_part", "index_part"),
                ],
                max_length=16,
            ),
        ),
        migrations.CreateModel(
            name="PartIndex",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "element",
                    models.CharField(
                        choices=[
                            ("person_name", "person_name"),
                            ("resident_id", "resident_id"),
                            ("passport", "passport"),
                            ("other_certificate", "other_certificate"),
                            ("mobile", "mobile"),
                            ("landline", "landline"),
                            ("email", "email"),
                            ("address", "address"),
                            ("bank_card", "bank_card"),
                            ("account_number", "account_number"),
                            ("uscc", "uscc"),
                            ("company_name", "company_name"),
                            ("plate", "plate"),
                            ("wechat", "wechat"),
                            ("qq", "qq"),
                            ("ip", "ip"),
                            ("mac", "mac"),
                            ("imei", "imei"),
                            ("device_id", "device_id"),
                            ("location", "location"),
                            ("birth_date", "birth_date"),
                            ("sex", "sex"),
                            ("nationality", "nationality"),
                            ("ethnicity", "ethnicity"),
                            ("occupation", "occupation"),
                            ("education", "education"),
                            ("marital_status", "marital_status"),
                            ("income", "income"),
                            ("balance", "balance"),
                            ("credit_limit", "credit_limit"),
                            ("loan_amount", "loan_amount"),
                            ("overdue", "overdue"),
                            ("repayment", "repayment"),
                            ("credit_score", "credit_score"),
                            ("credit_report", "credit_report"),
                            ("contact_relation", "contact_relation"),
                            ("photo_image", "photo_image"),
                            ("password", "password"),
                            ("payment_password", "payment_password"),
                            ("sms_code", "sms_code"),
                            ("security_answer", "security_answer"),
                            ("secret_key", "secret_key"),
                            ("cvn2", "cvn2"),
                            ("card_expiry", "card_expiry"),
                            ("track_data", "track_data"),
                            ("user_name", "user_name"),
                            ("biometric", "biometric"),
                            ("call_record", "call_record"),
                            ("free_text", "free_text"),
                        ],
                        max_length=40,
                    ),
                ),
                (
                    "part",
                    models.CharField(
                        choices=[
                            ("whole", "whole"),
                            ("last_four", "last_four"),
                            ("first_three", "first_three"),
                            ("both_ends", "both_ends"),
                            ("surname", "surname"),
                        ],
                        max_length=16,
                    ),
                ),
                ("generation", models.PositiveIntegerField()),
                ("bits", models.PositiveSmallIntegerField()),
                (
                    "state",
                    models.CharField(
                        choices=[("building", "building"), ("ready", "ready"), ("dropped", "dropped")],
                        default="building",
                        max_length=16,
                    ),
                ),
                ("measures", models.JSONField()),
                ("began_at", models.DateTimeField()),
                ("ready_at", models.DateTimeField(null=True)),
                ("dropped_at", models.DateTimeField(null=True)),
                ("key_destroyed", models.BooleanField(default=False)),
            ],
            options={
                "db_table": "vault_part_index",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("element", "part", "generation"), name="vault_part_index_generation"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state", "building")),
                        fields=("element", "part"),
                        name="vault_part_index_one_building",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("bits__gte", 1), ("bits__lte", 24)), name="vault_part_index_bits"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PartTag",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("tag", models.IntegerField()),
                (
                    "index",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="tags",
                        to="vault.partindex",
                    ),
                ),
                (
                    "record",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="part_tags",
                        to="vault.record",
                    ),
                ),
            ],
            options={
                "db_table": "vault_part_tag",
                "indexes": [models.Index(fields=["index", "tag"], name="vault_part_tag_by_tag")],
                "constraints": [
                    models.UniqueConstraint(fields=("record", "index"), name="vault_part_tag_record_index"),
                    models.CheckConstraint(
                        condition=models.Q(("tag__gte", -1), ("tag__lt", 16777216)), name="vault_part_tag_is_short"
                    ),
                ],
            },
        ),
    ]
