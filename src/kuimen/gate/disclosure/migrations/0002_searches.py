"""Searches by a number or a part of one: their kind, their limit, their daily count."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("disclosure", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="dailyuse",
            name="searches",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AlterField(
            model_name="disclosure",
            name="kind",
            field=models.CharField(
                choices=[
                    ("page", "page"),
                    ("reveal", "reveal"),
                    ("challenge", "challenge"),
                    ("bulk", "bulk"),
                    ("search", "search"),
                ],
                max_length=16,
            ),
        ),
        migrations.AlterField(
            model_name="limit",
            name="limit",
            field=models.CharField(
                choices=[
                    ("rows_per_view", "rows_per_view"),
                    ("people_per_day", "people_per_day"),
                    ("reveals_per_day", "reveals_per_day"),
                    ("wrong_answers_per_day", "wrong_answers_per_day"),
                    ("reveal_seconds", "reveal_seconds"),
                    ("searches_per_day", "searches_per_day"),
                ],
                max_length=32,
                primary_key=True,
                serialize=False,
            ),
        ),
    ]
