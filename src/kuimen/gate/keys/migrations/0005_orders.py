"""Orders of rotation jobs: who asked, who approved, how fast, how far, paused or not."""

from django.db import migrations, models
from django.db.models import F, Q


class Migration(migrations.Migration):
    dependencies = [
        ("keys", "0004_rotation"),
    ]

    operations = [
        migrations.CreateModel(
            name="RotationOrder",
            fields=[
                ("order_id", models.UUIDField(primary_key=True, serialize=False)),
                ("kind", models.CharField(max_length=32)),
                ("subject", models.CharField(max_length=128)),
                ("suite", models.CharField(blank=True, max_length=16)),
                ("rows_per_second", models.PositiveIntegerField(null=True)),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "open"), ("paused", "paused"), ("finished", "finished")], max_length=16
                    ),
                ),
                ("ticket_id", models.UUIDField(unique=True)),
                ("maker", models.CharField(max_length=32)),
                ("checker", models.CharField(max_length=32)),
                ("ordered_at", models.DateTimeField()),
                ("state_since", models.DateTimeField()),
                ("changed_by", models.CharField(blank=True, max_length=32)),
                ("done", models.BigIntegerField(default=0)),
                ("total", models.BigIntegerField(default=0)),
                ("seen_at", models.DateTimeField(null=True)),
                ("report", models.JSONField(null=True)),
                ("stopped_by", models.CharField(blank=True, max_length=64)),
            ],
            options={"db_table": "keys_order"},
        ),
        migrations.AddConstraint(
            model_name="rotationorder",
            constraint=models.UniqueConstraint(
                condition=~Q(state="finished"), fields=("kind", "subject"), name="keys_order_one_open"
            ),
        ),
        migrations.AddConstraint(
            model_name="rotationorder",
            constraint=models.CheckConstraint(condition=~Q(maker=F("checker")), name="keys_order_two_persons"),
        ),
    ]
