"""Look at one table of a source and decide whether and how it can change over. Nothing is changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import LiteralString
from uuid import UUID

from kuimen.governance.changeover.errors import ColumnChoiceError, TableChoiceError
from kuimen.governance.changeover.plan import ColumnChange, Remark, TableChange
from kuimen.governance.changeover.rules import (
    INDEX_SUFFIX,
    KEY_CASTS,
    SEALED_SUFFIX,
    TEXT_TYPES,
    searchable,
    type_name,
)
from kuimen.governance.protection.catalogue import TableFacts, table_facts
from kuimen.governance.protection.naming import with_suffix
from kuimen.governance.protection.session import Connection
from kuimen.kernels.elements import Element

_COLUMNS: LiteralString = """
    SELECT a.attname, format_type(a.atttypid, a.atttypmod), NOT a.attnotnull, a.attgenerated <> '',
           EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND a.attnum = ANY(i.indkey)),
           EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisunique AND i.indnkeyatts = 1
                   AND i.indkey[0] = a.attnum AND i.indpred IS NULL)
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    WHERE c.oid = %s AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""
_KEY: LiteralString = """
    SELECT a.attname, format_type(a.atttypid, a.atttypmod)
    FROM pg_index i JOIN unnest(i.indkey) WITH ORDINALITY k(n, place) ON true
    JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.n
    WHERE i.indrelid = %s AND i.indisprimary ORDER BY k.place
"""
# What carries a column and cannot be carried over to ciphertext: several columns, an expression, a condition.
_INDEXES: LiteralString = """
    SELECT x.relname, i.indisunique,
           ARRAY(SELECT a.attname::text FROM pg_attribute a
                 JOIN pg_depend d ON d.refobjid = a.attrelid AND d.refobjsubid = a.attnum
                 WHERE d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid AND a.attrelid = i.indrelid),
           i.indnkeyatts = 1 AND i.indpred IS NULL AND i.indexprs IS NULL
    FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid WHERE i.indrelid = %s ORDER BY 1
"""
_CONSTRAINTS: LiteralString = """
    SELECT k.conname, k.contype::text,
           ARRAY(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = %(oid)s
                 AND a.attnum = ANY(CASE WHEN k.conrelid = %(oid)s THEN k.conkey ELSE k.confkey END))
    FROM pg_constraint k
    WHERE (k.conrelid = %(oid)s OR k.confrelid = %(oid)s) AND k.contype IN ('f', 'c', 'x') ORDER BY 1
"""
_SIZE: LiteralString = """
    SELECT greatest(c.reltuples, 0)::bigint, pg_total_relation_size(c.oid), c.relkind::text
    FROM pg_class c WHERE c.oid = %s
"""
_SETTINGS: LiteralString = "SELECT name, setting FROM pg_settings WHERE name = ANY(%s)"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Column:
    type: str
    nullable: bool
    generated: bool
    indexed: bool
    unique: bool


def chosen_columns(given: Sequence[str]) -> dict[str, Element]:
    """Return columns and elements of `NAME=ELEMENT` words.

    Raises:
        ColumnChoiceError: a word is of another form, an element unknown, or a column named twice.
    """
    found: dict[str, Element] = {}
    for word in given:
        name, _, element = word.partition("=")
        if not name or name in found or element not in set(Element):
            raise ColumnChoiceError("column: write NAME=ELEMENT, each column once, with a name of the element table")
        found[name] = Element(element)
    if not found:
        raise ColumnChoiceError("column: name at least one column with its element")
    return found


def look_at(
    connection: Connection,
    *,
    schema: str,
    name: str,
    columns: Mapping[str, Element],
    source_id: UUID,
    label: str,
    application: str,
) -> TableChange:
    """Return the plan for a table, blockers and warnings included.

    Raises:
        TableChoiceError, ColumnChoiceError: there is no such table or column.
    """
    facts = table_facts(connection).get((schema, name))
    if facts is None:
        raise TableChoiceError("table: the source has no such table; write SCHEMA.NAME")
    live = {
        row[0]: _Column(type=row[1], nullable=row[2], generated=row[3], indexed=row[4], unique=row[5])
        for row in connection.execute(_COLUMNS, (facts.oid,)).fetchall()
    }
    missing = [one for one in columns if one not in live]
    if missing:
        raise ColumnChoiceError(f"column: the table has no {', '.join(missing)}")
    key = connection.execute(_KEY, (facts.oid,)).fetchall()
    size = connection.execute(_SIZE, (facts.oid,)).fetchone()
    assert size is not None
    changes = tuple(_change(one, live, element) for one, element in columns.items())
    remarks = [
        *_of_table(facts, key, str(size[2]), set(columns)),
        *(remark for one in changes for remark in _of_column(one, live[one.name], facts)),
        *_of_indexes(connection, facts.oid, set(columns)),
        *_of_constraints(connection, facts.oid, set(columns)),
        *_of_server(connection, size[1]),
    ]
    return TableChange(
        source_id=source_id,
        label=label,
        application=application,
        schema=schema,
        name=name,
        key=tuple(row[0] for row in key),
        key_types=tuple(row[1] for row in key),
        columns=changes,
        rows=int(size[0]),
        bytes=int(size[1]),
        remarks=tuple(remarks),
    )


def _change(name: str, live: Mapping[str, _Column], element: Element) -> ColumnChange:
    one = live[name]
    return ColumnChange(
        name=name,
        type=one.type,
        element=element.value,
        sealed=with_suffix(name, SEALED_SUFFIX, taken=live),
        index=with_suffix(name, INDEX_SUFFIX, taken=live) if searchable(element.value) else "",
        nullable=one.nullable,
        indexed=one.indexed,
        unique=one.unique,
    )


def _blocker(zh: str, en: str) -> Remark:
    return Remark(blocker=True, message_zh=zh, message_en=en)


def _warning(zh: str, en: str) -> Remark:
    return Remark(blocker=False, message_zh=zh, message_en=en)


def _of_table(facts: TableFacts, key: Sequence[tuple[str, str]], kind: str, chosen: set[str]) -> list[Remark]:
    found = []
    if kind != "r" or facts.has_children or facts.inherited_columns:
        found.append(_blocker("分区表或继承表不支持", "partitioned and inherited tables are not supported"))
    if not facts.owned or not facts.may_create:
        found.append(
            _blocker("当前角色须为表属主且可在模式中建函数", "the role must own the table and may create in its schema")
        )
    if not key:
        found.append(_blocker("没有主键，密文无法绑定到行", "no primary key to bind values to"))
    if any(type_name(kind) not in KEY_CASTS for _, kind in key):
        found.append(
            _blocker("主键类型须为整数、UUID 或文本", "the primary key must be of whole numbers, UUIDs or text")
        )
    if chosen & {name for name, _ in key}:
        found.append(_blocker("主键列不能换列", "a column of the primary key cannot change over"))
    if any(type_name(kind) in {"text", "character varying"} for _, kind in key):
        found.append(
            _warning(
                "文本主键保持明文，请确认不含个人信息",
                "a text key stays in clear; make sure that it is no personal datum",
            )
        )
    if facts.user_triggers:
        names = ", ".join(facts.user_triggers[:5])
        found.append(
            _warning(
                f"表上有触发器（{names}）：非超级用户执行时，密封写入也会触发",
                f"triggers on the table ({names}) also fire for the sealing of rows, unless the role is a superuser",
            )
        )
    return found


def _of_column(one: ColumnChange, live: _Column, facts: TableFacts) -> list[Remark]:
    found = []
    if type_name(one.type) not in TEXT_TYPES or live.generated:
        found.append(_blocker(f"{one.name}：只支持文本列", f"{one.name}: only plain text columns can change over"))
    standing = [f"{dependant.kind} {dependant.name}" for dependant in facts.standing_on(one.name)]
    derived = sorted(facts.generated_from.get(one.name, ()))
    if standing or derived:
        names = ", ".join([*standing, *(f"generated column {name}" for name in derived)])
        found.append(
            _blocker(f"{one.name}：被 {names} 使用，请先改掉", f"{one.name}: used by {names}; change that first")
        )
    if live.unique and not one.index:
        found.append(
            _blocker(
                f"{one.name}：该要素不建索引，唯一约束无法保留",
                f"{one.name}: unique, but this element gets no blind index",
            )
        )
    return found


def _of_indexes(connection: Connection, oid: int, chosen: set[str]) -> list[Remark]:
    found = []
    for name, unique, columns, simple in connection.execute(_INDEXES, (oid,)).fetchall():
        if not chosen & set(columns) or simple:
            continue
        if unique:
            found.append(
                _blocker(
                    f"唯一索引 {name} 含多列、表达式或条件，无法保留",
                    f"unique index {name} has several columns or a condition",
                )
            )
        else:
            found.append(_warning(f"索引 {name} 随列消失", f"index {name} goes with its column"))
    return found


def _of_constraints(connection: Connection, oid: int, chosen: set[str]) -> list[Remark]:
    found = []
    for name, kind, columns in connection.execute(_CONSTRAINTS, {"oid": oid}).fetchall():
        if not chosen & set(columns):
            continue
        if kind == "c":
            found.append(_warning(f"检查约束 {name} 随列消失", f"check constraint {name} goes with its column"))
        else:
            found.append(
                _blocker(
                    f"外键或排除约束 {name} 使用该列；请改用 kuimen protect",
                    f"foreign key or exclusion {name} uses the column; kuimen protect carries foreign keys over",
                )
            )
    return found


def _of_server(connection: Connection, size: int) -> list[Remark]:
    found = [
        _warning(
            f"清除时 VACUUM FULL 独占锁表，需重写约 {size // 1_048_576 + 1} MiB；请安排停写窗口",
            f"the scrub rewrites about {size // 1_048_576 + 1} MiB under an exclusive lock (VACUUM FULL): when?",
        ),
        _warning(
            "新增列会使预备好的 SELECT * 语句报一次错",
            "added columns make a prepared SELECT * fail once (cached plan)",
        ),
    ]
    settings: dict[str, str] = dict(
        connection.execute(
            _SETTINGS, (["log_min_error_statement", "log_statement", "log_min_duration_statement"],)
        ).fetchall()
    )
    if settings.get("log_min_error_statement") != "panic" or settings.get("log_statement", "") in {"all", "mod"}:
        found.append(
            _warning(
                "服务器日志会记录含明文的语句（log_statement、log_min_error_statement），请先调整",
                "the server's log takes statements with values (log_statement, log_min_error_statement); change that",
            )
        )
    return found
