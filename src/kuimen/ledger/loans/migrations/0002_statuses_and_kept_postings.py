from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from kuimen.gate.access.table_rules import never_deleted
from kuimen.ledger.loans.rules import STATUS_TABLE


def fill(apps: Apps, _schema_editor: BaseDatabaseSchemaEditor) -> None:
    status = apps.get_model("loans", "Status")
    status.objects.bulk_create(
        status(
            code=code.value,
            title_zh=rule.title_zh,
            title_en=rule.title_en,
            overdue=rule.overdue,
            days_from=rule.days_from,
            days_to=rule.days_to,
        )
        for code, rule in STATUS_TABLE.items()
    )


def clear(apps: Apps, _schema_editor: BaseDatabaseSchemaEditor) -> None:
    apps.get_model("loans", "Status").objects.all().delete()


class Migration(migrations.Migration):
    dependencies = [("loans", "0001_initial"), ("access", "0002_grants_sessions_tokens")]

    operations = [
        migrations.RunPython(fill, clear),
        *never_deleted("loans_transaction", nor_changed=True),
    ]
