"""The database itself refuses key material that is not wrapped."""

from django.db import migrations

# 193 = 0xC1: mark of a sealed value, version 1; suites 1 and 2.
ADD = """
    ALTER TABLE keys_domainkey ADD CONSTRAINT keys_domain_is_wrapped
        CHECK (octet_length(wrapped) >= 50 AND get_byte(wrapped, 0) = 193 AND get_byte(wrapped, 1) IN (1, 2));
    ALTER TABLE keys_personkey ADD CONSTRAINT keys_person_is_wrapped
        CHECK (octet_length(wrapped) >= 50 AND get_byte(wrapped, 0) = 193 AND get_byte(wrapped, 1) IN (1, 2));
    ALTER TABLE keys_tablekey ADD CONSTRAINT keys_table_is_wrapped
        CHECK (octet_length(wrapped) >= 50 AND get_byte(wrapped, 0) = 193 AND get_byte(wrapped, 1) IN (1, 2));
    ALTER TABLE keys_indexkey ADD CONSTRAINT keys_index_is_wrapped
        CHECK (octet_length(wrapped) >= 66 AND get_byte(wrapped, 0) = 193 AND get_byte(wrapped, 1) IN (1, 2));
    ALTER TABLE keys_signingkey ADD CONSTRAINT keys_signing_is_wrapped
        CHECK (octet_length(wrapped) >= 66 AND get_byte(wrapped, 0) = 193 AND get_byte(wrapped, 1) IN (1, 2));
"""
REMOVE = """
    ALTER TABLE keys_domainkey DROP CONSTRAINT keys_domain_is_wrapped;
    ALTER TABLE keys_personkey DROP CONSTRAINT keys_person_is_wrapped;
    ALTER TABLE keys_tablekey DROP CONSTRAINT keys_table_is_wrapped;
    ALTER TABLE keys_indexkey DROP CONSTRAINT keys_index_is_wrapped;
    ALTER TABLE keys_signingkey DROP CONSTRAINT keys_signing_is_wrapped;
"""


class Migration(migrations.Migration):
    dependencies = [("keys", "0001_initial")]
    operations = [migrations.RunSQL(ADD, REMOVE)]
