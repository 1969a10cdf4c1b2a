"""The role of those who exchange messages and tokens with partners, and its post."""

from django.db import migrations, models

ROLES = [
    (role, role)
    for role in (
        "security_officer", "key_custodian", "collector", "team_leader", "auditor", "assessor", "engineer", "importer",
        "partner_operator",
    )
]  # fmt: skip

# An installation that has its posts gets the new one; a new installation lays down all of them at `kuimen init`.
ADD_POST = """
    INSERT INTO access_post (code, title_zh, title_en)
    SELECT 'partners', '机构往来岗', 'Partners' WHERE EXISTS (SELECT 1 FROM access_post) ON CONFLICT DO NOTHING;
    INSERT INTO access_post_role (post_id, role)
    SELECT id, 'partner_operator' FROM access_post WHERE code = 'partners' ON CONFLICT DO NOTHING;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("access", "0004_personnel_files"),
    ]

    operations = [
        migrations.AlterField(model_name="postrole", name="role", field=models.CharField(choices=ROLES, max_length=32)),
        migrations.AlterField(
            model_name="rolegrant", name="role", field=models.CharField(choices=ROLES, max_length=32)
        ),
        migrations.RunSQL(ADD_POST, migrations.RunSQL.noop),
    ]
