from django.db import migrations, models

import kuimen.foundation.clock


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel(
            name="IdempotentCall",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("staff_no", models.CharField(max_length=64)),
                ("route", models.CharField(max_length=200)),
                ("key", models.CharField(max_length=128)),
                ("request_digest", models.BinaryField(max_length=32)),
                ("answer", models.JSONField(null=True)),
                ("started_at", models.DateTimeField(default=kuimen.foundation.clock.now)),
            ],
            options={"db_table": "api_idempotent_calls"},
        ),
        migrations.AddConstraint(
            model_name="idempotentcall",
            constraint=models.UniqueConstraint(fields=("staff_no", "route", "key"), name="uq_api_idempotent_calls_key"),
        ),
    ]
