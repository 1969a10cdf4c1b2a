"""Records that are suspended or destroyed."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("vault", "0002_sealed_bytes")]

    operations = [
        migrations.RemoveConstraint(model_name="record", name="vault_record_bound_has_moment"),
        migrations.AlterField(
            model_name="record",
            name="state",
            field=models.CharField(
                choices=[
                    ("pending", "pending"),
                    ("bound", "bound"),
                    ("suspended", "suspended"),
                    ("destroyed", "destroyed"),
                ],
                default="pending",
                max_length=16,
            ),
        ),
        migrations.AddConstraint(
            model_name="record",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("bound_at__isnull", True), ("state", "pending")),
                    models.Q(("bound_at__isnull", False), ("state", "bound")),
                    ("state__in", ["suspended", "destroyed"]),
                    _connector="OR",
                ),
                name="vault_record_bound_has_moment",
            ),
        ),
    ]
