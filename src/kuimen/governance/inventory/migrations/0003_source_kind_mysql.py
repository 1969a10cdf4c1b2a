from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("inventory", "0002_corrections_and_drift"),
    ]

    operations = [
        migrations.AlterField(
            model_name="datasource",
            name="kind",
            field=models.CharField(
                choices=[("postgresql", "postgresql"), ("mysql", "mysql"), ("files", "files")], max_length=16
            ),
        ),
    ]
