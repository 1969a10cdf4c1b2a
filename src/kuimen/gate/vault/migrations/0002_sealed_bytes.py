"""The database itself refuses bytes that are not a sealed value of the generation its row names."""

from django.db import migrations

# 193 = 0xC1: mark of a sealed value, version 1. Suites 1 and 2, with and without the text flag 128.
ADD = """
    ALTER TABLE vault_record ADD CONSTRAINT vault_record_is_sealed CHECK (
        octet_length(sealed) >= 34
        AND get_byte(sealed, 0) = 193
        AND get_byte(sealed, 1) IN (1, 2, 129, 130)
        AND get_byte(sealed, 2)::bigint * 16777216 + get_byte(sealed, 3) * 65536
            + get_byte(sealed, 4) * 256 + get_byte(sealed, 5) = key_generation
    );
    ALTER TABLE vault_record ADD CONSTRAINT vault_record_source_key_length CHECK (octet_length(source_key) = 32);
    ALTER TABLE vault_index ADD CONSTRAINT vault_index_tag_length CHECK (octet_length(tag) = 8);
"""
REMOVE = """
    ALTER TABLE vault_record DROP CONSTRAINT vault_record_is_sealed;
    ALTER TABLE vault_record DROP CONSTRAINT vault_record_source_key_length;
    ALTER TABLE vault_index DROP CONSTRAINT vault_index_tag_length;
"""


class Migration(migrations.Migration):
    dependencies = [("vault", "0001_initial")]
    operations = [migrations.RunSQL(ADD, REMOVE)]
