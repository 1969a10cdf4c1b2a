"""Refuse UPDATE, DELETE and TRUNCATE on every table of the log, and let nobody choose an entry's transaction number."""

from typing import ClassVar

from django.db import migrations

REFUSE = """
CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log takes inserts only' USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE FUNCTION audit_stamp() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.xid := pg_current_xact_id();
    RETURN NEW;
END $$;

CREATE TRIGGER audit_entry_stamp BEFORE INSERT ON audit_entry FOR EACH ROW EXECUTE FUNCTION audit_stamp();
CREATE TRIGGER audit_entry_insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entry
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_sequenced_insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_sequenced
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_node_insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_node
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_checkpoint_insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_checkpoint
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_signing_key_insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_signing_key
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
"""
UNDO = """
DROP TRIGGER audit_entry_stamp ON audit_entry;
DROP TRIGGER audit_entry_insert_only ON audit_entry;
DROP TRIGGER audit_sequenced_insert_only ON audit_sequenced;
DROP TRIGGER audit_node_insert_only ON audit_node;
DROP TRIGGER audit_checkpoint_insert_only ON audit_checkpoint;
DROP TRIGGER audit_signing_key_insert_only ON audit_signing_key;
DROP FUNCTION audit_refuse();
DROP FUNCTION audit_stamp();
"""


class Migration(migrations.Migration):
    dependencies: ClassVar = [("audit", "0001_tables")]
    operations: ClassVar = [migrations.RunSQL(REFUSE, UNDO)]
