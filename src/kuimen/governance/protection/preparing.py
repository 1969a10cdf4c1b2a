"""Add what sealing needs to a live table: reference columns, row key, customer reference, and a trigger.

The trigger forgets a reference as soon as the application changes the value it stands for, so that a row with a
reference always is a row whose present value is sealed.
"""

from psycopg import sql

from kuimen.governance.protection.catalogue import columns_of, leaves_of
from kuimen.governance.protection.naming import with_suffix
from kuimen.governance.protection.plan import TablePlan
from kuimen.governance.protection.rules import Action
from kuimen.governance.protection.session import Connection, SourceSession, column, joined, table_name, translated
from kuimen.sources.marks import CUSTOMER_REF, ROW_KEY, ROW_KEY_COLUMN, SealedMark, sealed_comment

BLOCKS_PER_FILL = 1_000
TRIGGER = "zz_kuimen_forget"  # BEFORE triggers fire in name order; this one must see what the others wrote


def prepare_table(session: SourceSession, plan: TablePlan) -> None:
    """Add columns and trigger; doing it again changes nothing. Short exclusive locks, no rewrite of the table.

    Raises:
        SourceChangedError, CutOverRefusedError, RelationUnreadableError, SourceLostError: nothing half-done.
    """
    with session.transaction() as connection:
        live = columns_of(connection, plan.schema, plan.name)
        table = table_name(plan.schema, plan.name)
        if plan.adds_row_key:
            _add_uuid(connection, plan, ROW_KEY_COLUMN, comment=ROW_KEY, live=live, default=True)
        if plan.customer_ref:
            _add_uuid(connection, plan, plan.customer_ref, comment=CUSTOMER_REF, live=live, default=plan.is_person)
        for one in plan.referenced:
            mark = SealedMark(
                element=str(one.element), column=one.name, type=one.type, follows=one.action is Action.FOLLOW
            )
            _add_uuid(connection, plan, one.reference, comment=sealed_comment(mark), live=live, default=False)
        watched = [one for one in plan.referenced if one.name in live]
        if watched:
            _install_trigger(connection, plan, table)
    _fill_generated(session, plan)


def _add_uuid(
    connection: Connection,
    plan: TablePlan,
    name: str,
    *,
    comment: str,
    live: dict[str, tuple[str, str | None]],
    default: bool,
) -> None:
    if name in live:
        return
    table = table_name(plan.schema, plan.name)
    connection.execute(sql.SQL("ALTER TABLE {} ADD COLUMN {} uuid").format(table, sql.Identifier(name)))
    if default:  # set apart from ADD COLUMN, so that the table is not rewritten under its lock
        connection.execute(
            sql.SQL("ALTER TABLE {} ALTER COLUMN {} SET DEFAULT gen_random_uuid()").format(table, sql.Identifier(name))
        )
    connection.execute(
        sql.SQL("COMMENT ON COLUMN {} IS {}").format(sql.Identifier(plan.schema, plan.name, name), sql.Literal(comment))
    )


def _install_trigger(connection: Connection, plan: TablePlan, table: sql.Identifier) -> None:
    function = sql.Identifier(plan.schema, trigger_function(plan))
    forget = [
        sql.SQL("IF NEW.{value}::text IS DISTINCT FROM OLD.{value}::text THEN NEW.{ref} := NULL; END IF;").format(
            value=sql.Identifier(one.name), ref=sql.Identifier(one.reference)
        )
        for one in plan.referenced
    ]
    body = sql.SQL("BEGIN {} RETURN NEW; END").format(joined(list(forget), " ")).as_string(connection)
    connection.execute(
        sql.SQL(
            "CREATE OR REPLACE FUNCTION {}() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS {}"
        ).format(function, sql.Literal(body))
    )
    name = sql.Identifier(TRIGGER)
    connection.execute(sql.SQL("DROP TRIGGER IF EXISTS {} ON {}").format(name, table))
    connection.execute(
        sql.SQL("CREATE TRIGGER {} BEFORE UPDATE ON {} FOR EACH ROW EXECUTE FUNCTION {}()").format(
            name, table, function
        )
    )
    connection.execute(sql.SQL("ALTER TABLE {} ENABLE ALWAYS TRIGGER {}").format(table, name))


def trigger_function(plan: TablePlan) -> str:
    """Return the name of the trigger function of a table."""
    return with_suffix(plan.name, "_kuimen_forget")


def drop_trigger(connection: Connection, plan: TablePlan) -> None:
    """Remove trigger and function, within the cut-over."""
    table = table_name(plan.schema, plan.name)
    connection.execute(sql.SQL("DROP TRIGGER IF EXISTS {} ON {}").format(sql.Identifier(TRIGGER), table))
    connection.execute(
        sql.SQL("DROP FUNCTION IF EXISTS {}()").format(sql.Identifier(plan.schema, trigger_function(plan)))
    )


def _fill_generated(session: SourceSession, plan: TablePlan) -> None:
    """Give existing rows their random row key and customer reference, in short transactions."""
    names = [ROW_KEY_COLUMN] if plan.adds_row_key else []
    if plan.is_person:
        names.append(plan.customer_ref)
    for name in names:
        target = sql.Identifier(name)
        for schema, leaf in leaf_tables(session.connection, plan):
            statement = sql.SQL(
                "UPDATE ONLY {} AS t SET {} = gen_random_uuid()"
                " WHERE t.ctid >= %s::tid AND t.ctid < %s::tid AND t.{} IS NULL"
            ).format(table_name(schema, leaf), target, target)
            for first, last in block_ranges(session.connection, schema, leaf, BLOCKS_PER_FILL):
                with session.transaction() as connection:
                    connection.execute(statement, (first, last))
    if plan.is_person:
        _index_once(session, plan)


def _index_once(session: SourceSession, plan: TablePlan) -> None:
    name = with_suffix(plan.name, "_kuimen_person")
    with session.transaction() as connection:
        connection.execute(
            sql.SQL("CREATE INDEX IF NOT EXISTS {} ON {} ({})").format(
                sql.Identifier(name), table_name(plan.schema, plan.name), sql.Identifier(plan.customer_ref)
            )
        )


def fill_customer_refs(connection: Connection, plan: TablePlan) -> int:
    """Write the customer reference of every row that can reach its person now; return how many were written."""
    link = plan.link
    if link is None or not plan.customer_ref:
        return 0
    live = columns_of(connection, plan.schema, plan.name)
    target_live = columns_of(connection, link.schema, link.table)
    if any(name not in live for name in link.columns) or any(name not in target_live for name in link.target_columns):
        return 0  # the columns that joined them are sealed already; what could be joined was joined before
    target_ref = next((name for name, (_, comment) in target_live.items() if comment == CUSTOMER_REF), None)
    if target_ref is None:
        return 0
    written = 0
    equal = [
        _equality(own, other, live[own][0], target_live[other][0])
        for own, other in zip(link.columns, link.target_columns, strict=True)
    ]
    for schema, leaf in leaf_tables(connection, plan):
        statement = sql.SQL(
            "UPDATE ONLY {leaf} AS t SET {own} = p.{ref} FROM {parent} AS p"
            " WHERE t.ctid >= %s::tid AND t.ctid < %s::tid AND t.{own} IS NULL AND p.{ref} IS NOT NULL AND {equal}"
        ).format(
            leaf=table_name(schema, leaf),
            own=sql.Identifier(plan.customer_ref),
            ref=sql.Identifier(target_ref),
            parent=table_name(link.schema, link.table),
            equal=joined(list(equal), " AND "),
        )
        for first, last in block_ranges(connection, schema, leaf, BLOCKS_PER_FILL):
            with translated(), connection.transaction():
                written += connection.execute(statement, (first, last)).rowcount
    return written


def _equality(own: str, other: str, own_type: str, other_type: str) -> sql.Composed:
    if own_type == other_type:
        return sql.SQL("{} = {}").format(column(own), column(other, alias="p"))
    return sql.SQL("{}::text = {}::text").format(column(own), column(other, alias="p"))


def leaf_tables(connection: Connection, plan: TablePlan) -> list[tuple[str, str]]:
    """Return the tables that hold the rows of a planned table."""
    return leaves(connection, plan.schema, plan.name)


def leaves(connection: Connection, schema: str, name: str) -> list[tuple[str, str]]:
    """Return the tables that hold the rows of a table: itself, or its partitions."""
    with translated():
        row = connection.execute(
            "SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname = %s AND c.relname = %s",
            (schema, name),
        ).fetchone()
        return leaves_of(connection, row[0]) if row else []


def block_ranges(connection: Connection, schema: str, name: str, step: int) -> list[tuple[str, str]]:
    """Cut a table's present length into ranges of physical blocks, as (first, past) tuple ids."""
    with translated():
        row = connection.execute(
            "SELECT pg_relation_size(%s::regclass) / current_setting('block_size')::int",
            (table_name(schema, name).as_string(connection),),
        ).fetchone()
    blocks = int(row[0]) if row else 0
    return [(f"({start},0)", f"({start + step},0)") for start in range(0, blocks, step)]
