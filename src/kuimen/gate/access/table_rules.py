"""Database rules that migrations of other rooms reuse: row scopes, rows that are never deleted or changed."""

from typing import Final

from django.db.migrations import RunSQL
from psycopg import sql

SCOPE_SETTING: Final = "kuimen.scope"

CREATE_REFUSAL_FUNCTION: Final = """
CREATE FUNCTION kuimen_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are kept: % is refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END
$$
"""
DROP_REFUSAL_FUNCTION: Final = "DROP FUNCTION kuimen_refuse_change()"


def row_scope_policy(table: str, column: str) -> list[RunSQL]:
    """Return migration operations that put a table under row-level security by agency code.

    A row is visible and writable when the transaction's scope (see `kuimen.gate.access.scope`) is ``*`` or equals
    `column` as text; without a scope no row is. The table's owner is held to it as well (FORCE).

    Args:
        table: table name, without schema.
        column: text column with the agency code; empty or null for the institution's own rows.
    """
    name = sql.Identifier(table)
    policy = sql.Identifier(f"{table}_row_scope")
    setting = sql.Literal(SCOPE_SETTING)
    # A setting that was local to a finished transaction reads as '' and must not match rows with an empty column.
    allowed = sql.SQL("(nullif(current_setting({setting}, true), '') IN ('*', {column}::text))")
    condition = allowed.format(setting=setting, column=sql.Identifier(column))
    forward = [
        sql.SQL("ALTER TABLE {0} ENABLE ROW LEVEL SECURITY").format(name),
        sql.SQL("ALTER TABLE {0} FORCE ROW LEVEL SECURITY").format(name),
        sql.SQL("CREATE POLICY {0} ON {1} USING {2} WITH CHECK {2}").format(policy, name, condition),
    ]
    backward = [
        sql.SQL("ALTER TABLE {0} NO FORCE ROW LEVEL SECURITY").format(name),
        sql.SQL("ALTER TABLE {0} DISABLE ROW LEVEL SECURITY").format(name),
        sql.SQL("DROP POLICY {0} ON {1}").format(policy, name),
    ]
    return [RunSQL(do.as_string(None), undo.as_string(None)) for do, undo in zip(forward, backward, strict=True)]


def never_deleted(table: str, *, nor_changed: bool = False) -> list[RunSQL]:
    """Return a migration operation that makes PostgreSQL refuse DELETE and TRUNCATE (and UPDATE) on a table.

    It needs the function of access migration 0002, so the migration that uses it depends on that one.
    """
    name = sql.Identifier(table)
    rows = sql.SQL("DELETE OR UPDATE") if nor_changed else sql.SQL("DELETE")
    create_rows = sql.SQL(
        "CREATE TRIGGER kept_rows BEFORE {0} ON {1} FOR EACH ROW EXECUTE FUNCTION kuimen_refuse_change()"
    )
    create_table = sql.SQL(
        "CREATE TRIGGER kept_table BEFORE TRUNCATE ON {0} FOR EACH STATEMENT EXECUTE FUNCTION kuimen_refuse_change()"
    )
    return [
        RunSQL(
            create_rows.format(rows, name).as_string(None),
            sql.SQL("DROP TRIGGER kept_rows ON {0}").format(name).as_string(None),
        ),
        RunSQL(
            create_table.format(name).as_string(None),
            sql.SQL("DROP TRIGGER kept_table ON {0}").format(name).as_string(None),
        ),
    ]
