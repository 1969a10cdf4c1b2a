from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("inventory", "0003_source_kind_mysql")]

    operations = [
        migrations.AddField(
            model_name="drift",
            name="announced_at",
            field=models.DateTimeField(null=True),
        ),
    ]
