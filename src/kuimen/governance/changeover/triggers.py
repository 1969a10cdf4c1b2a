"""The trigger of a changeover. It never sees a key and copies no value.

Following: the clear columns are the truth. A row whose clear value changes loses its sealed one in the same statement,
and by that stands in the partial index of what is to be sealed: the queue of row keys, kept by the writer's own
transaction. Guarding, after the cut-over: the sealed columns are the truth. A clear value is refused by an error that
says where to write, and a row whose sealed value changes loses its clear one.
"""

from enum import StrEnum

from psycopg import sql

from kuimen.governance.changeover.plan import ColumnChange, TableChange
from kuimen.governance.protection.naming import with_suffix
from kuimen.governance.protection.session import Connection, joined, table_name

TRIGGER = "zz_kuimen_changeover"  # BEFORE triggers fire in name order; this one must see what the others wrote
SEALING = "kuimen.sealing"
REFUSED = "KM001"


class Stage(StrEnum):
    """Which columns are the truth; told by the comment of the trigger function."""

    FOLLOWING = "kuimen:following"
    GUARDING = "kuimen:guarding"


def set_stage(connection: Connection, plan: TableChange, stage: Stage) -> None:
    """Replace the body of the trigger function; the caller holds a lock where it matters that no writer runs."""
    body = sql.SQL("BEGIN IF current_setting({}, true) = 'on' THEN RETURN NEW; END IF; {} RETURN NEW; END").format(
        sql.Literal(SEALING), _following(plan) if stage is Stage.FOLLOWING else _guarding(plan)
    )
    name = _function(plan)
    connection.execute(
        sql.SQL(
            "CREATE OR REPLACE FUNCTION {}() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS {}"
        ).format(name, sql.Literal(body.as_string(connection)))
    )
    connection.execute(sql.SQL("COMMENT ON FUNCTION {}() IS {}").format(name, sql.Literal(stage.value)))


def install(connection: Connection, plan: TableChange) -> None:
    """Put the trigger on the table; doing it again changes nothing."""
    set_stage(connection, plan, Stage.FOLLOWING)
    table, name = table_name(plan.schema, plan.name), sql.Identifier(TRIGGER)
    connection.execute(
        sql.SQL("CREATE OR REPLACE TRIGGER {} BEFORE INSERT OR UPDATE ON {} FOR EACH ROW EXECUTE FUNCTION {}()").format(
            name, table, _function(plan)
        )
    )
    connection.execute(sql.SQL("ALTER TABLE {} ENABLE ALWAYS TRIGGER {}").format(table, name))


def remove(connection: Connection, plan: TableChange) -> None:
    """Take trigger and function away."""
    connection.execute(
        sql.SQL("DROP TRIGGER IF EXISTS {} ON {}").format(sql.Identifier(TRIGGER), table_name(plan.schema, plan.name))
    )
    connection.execute(sql.SQL("DROP FUNCTION IF EXISTS {}()").format(_function(plan)))


def stage_of(connection: Connection, plan: TableChange) -> Stage | None:
    """Return the stage of the source itself; None where no trigger stands."""
    row = connection.execute(
        "SELECT obj_description(p.oid, 'pg_proc') FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
        " JOIN pg_trigger t ON t.tgfoid = p.oid JOIN pg_class c ON c.oid = t.tgrelid"
        " WHERE n.nspname = %s AND p.proname = %s AND c.relname = %s AND t.tgname = %s",
        (plan.schema, _function_name(plan), plan.name, TRIGGER),
    ).fetchone()
    return Stage(row[0]) if row and row[0] in set(Stage) else None


def _function_name(plan: TableChange) -> str:
    return with_suffix(plan.name, "_kuimen_changeover")


def _function(plan: TableChange) -> sql.Identifier:
    return sql.Identifier(plan.schema, _function_name(plan))


def _following(plan: TableChange) -> sql.Composed:
    moved = _key_moved(plan)
    parts: list[sql.Composable] = []
    for one in plan.columns:
        words = {
            "clear": sql.Identifier(one.name),
            "sealed": sql.Identifier(one.sealed),
            "moved": moved,
            "forget": _forget(one),
            "refuse": _refuse(f"{plan.place}.{one.sealed} is not cut over yet; write {one.name}"),
        }
        parts.append(
            sql.SQL(
                "IF TG_OP = 'INSERT' THEN IF NEW.{sealed} IS NOT NULL THEN {refuse} END IF;"
                " ELSIF NEW.{clear} IS DISTINCT FROM OLD.{clear} OR {moved} THEN {forget}"
                " ELSIF NEW.{sealed} IS DISTINCT FROM OLD.{sealed} THEN {refuse} END IF;"
            ).format(**words)
        )
    return joined(parts, " ")


def _guarding(plan: TableChange) -> sql.Composed:
    moved = _key_moved(plan)
    parts: list[sql.Composable] = []
    for one in plan.columns:
        words = {
            "clear": sql.Identifier(one.name),
            "sealed": sql.Identifier(one.sealed),
            "moved": moved,
            "refuse": _refuse(f"{plan.place}.{one.name} is cut over; write {one.sealed}"),
            "refuse_key": _refuse(f"{plan.place}.{one.sealed} is bound to the key of its row; seal it anew"),
        }
        parts.append(
            sql.SQL(
                "IF NEW.{clear} IS NOT NULL AND (TG_OP = 'INSERT' OR NEW.{clear} IS DISTINCT FROM OLD.{clear})"
                " THEN {refuse} END IF;"
                " IF TG_OP = 'UPDATE' THEN"
                " IF NEW.{sealed} IS DISTINCT FROM OLD.{sealed} THEN NEW.{clear} := NULL;"
                " ELSIF NEW.{sealed} IS NOT NULL AND ({moved}) THEN {refuse_key} END IF; END IF;"
            ).format(**words)
        )
    return joined(parts, " ")


def _key_moved(plan: TableChange) -> sql.Composed:
    return joined(
        [sql.SQL("NEW.{0} IS DISTINCT FROM OLD.{0}").format(sql.Identifier(name)) for name in plan.key], " OR "
    )


def _forget(one: ColumnChange) -> sql.Composed:
    names = [one.sealed, one.index] if one.index else [one.sealed]
    return joined([sql.SQL("NEW.{} := NULL;").format(sql.Identifier(name)) for name in names], " ")


def _refuse(message: str) -> sql.Composed:
    return sql.SQL("RAISE EXCEPTION USING ERRCODE = {}, MESSAGE = {};").format(
        sql.Literal(REFUSED), sql.Literal(f"kuimen: {message}")
    )


def pending(plan: TableChange) -> sql.Composed:
    """Return the condition of a row that is to be sealed; the partial index has the same."""
    return joined(
        [
            sql.SQL("({} IS NOT NULL AND {} IS NULL)").format(sql.Identifier(one.name), sql.Identifier(one.sealed))
            for one in plan.columns
        ],
        " OR ",
    )
