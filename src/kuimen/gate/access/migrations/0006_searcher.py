"""The role of those who search by a number or a part of one, and its post."""

from django.db import migrations, models

ROLES = [
    (role, role)
    for role in (
        "security_officer", "key_custodian", "collector", "team_leader", "auditor", "assessor", "engineer", "importer",
        "partner_operator", "searcher",
    )
]  # fmt: skip

# An installation that has its posts gets the new one; a new installation lays down all of them at `kuimen init`.
ADD_POST = """
    INSERT INTO access_post (code, title_zh, title_en)
    SELECT 'search', '号码检索岗', 'Number search' WHERE EXISTS (SELECT 1 FROM access_post) ON CONFLICT DO NOTHING;
    INSERT INTO access_post_role (post_id, role)
    SELECT id, 'searcher' FROM access_post WHERE code = 'search' ON CONFLICT DO NOTHING;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("access", "0005_partner_operator"),
    ]

    operations = [
        migrations.AlterField(model_name="postrole", name="role", field=models.CharField(choices=ROLES, max_length=32)),
        migrations.AlterField(
            model_name="rolegrant", name="role", field=models.CharField(choices=ROLES, max_length=32)
        ),
        migrations.RunSQL(ADD_POST, migrations.RunSQL.noop),
    ]
