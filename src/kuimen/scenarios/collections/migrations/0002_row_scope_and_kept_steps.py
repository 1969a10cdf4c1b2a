from django.db import migrations

from kuimen.gate.access.table_rules import never_deleted, row_scope_policy


class Migration(migrations.Migration):
    dependencies = [("collections", "0001_initial"), ("access", "0002_grants_sessions_tokens")]

    operations = [
        *row_scope_policy("collections_case", "agency_code"),
        *row_scope_policy("collections_assignment", "agency_code"),
        *never_deleted("collections_case"),
        *never_deleted("collections_transition", nor_changed=True),
    ]
