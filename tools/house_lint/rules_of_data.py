"""Rules that keep clear values and untrusted text where they belong."""

import ast
import re
from collections.abc import Iterator

from tools.house_lint.model import Finding, Module, Rule, Sample, dotted

# The only rooms that may take a value out of `Sensitive`.
REVEALING_ROOMS = (
    "gate.access.",
    "gate.vault.",
    "gate.disclosure.",
    "gate.exchange.",
    "governance.protection.",
    "entrypoints.api.cases",
    "entrypoints.api.exchange",
    "entrypoints.api.session",
    "entrypoints.api.staff",
    "entrypoints.cli.exchange_command",
    "entrypoints.cli.staff_command",
    "entrypoints.console.cases",
    "entrypoints.console.people",
    "entrypoints.installation.install",
    "entrypoints.orm.cells",
    "entrypoints.demo.staff",
)
PERSONAL_NAMES = re.compile(
    r"^(?:(?:customer|person|borrower|contact|legal|real|id|cert)_?)?"
    r"(?:name|name_cn|mobile|phone|telephone|landline|id_?no|id_?card|id_number|resident_id|cert_no|passport|email|e_mail"
    r"|address|bank_card|card_no|account_no|account_number|birth_date|birthday|sex|gender|nationality|occupation|wechat|qq"
    r"|imei|mac|password_clear|cvn2|track_data|sms_code)$"
)
LOG_METHODS = {"debug", "info", "warning", "error", "exception", "critical", "log"}
EXECUTORS = {"execute", "executemany", "raw", "RunSQL", "copy", "SQL"}
STATEMENT = re.compile(
    r"\s*(?:SELECT|INSERT INTO|UPDATE|DELETE FROM|ALTER|CREATE|DROP|GRANT|REVOKE|TRUNCATE|COPY|VACUUM|SET LOCAL)\s"
)


def _built_text(node: ast.AST) -> bool:
    """Tell whether an expression builds text from parts."""
    if isinstance(node, ast.JoinedStr):
        return any(isinstance(part, ast.FormattedValue) for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Mod)):
        texts = [side for side in (node.left, node.right) if isinstance(side, ast.Constant | ast.JoinedStr | ast.BinOp)]
        both_constant = isinstance(node.left, ast.Constant) and isinstance(node.right, ast.Constant)
        return bool(texts) and not both_constant
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
        return isinstance(node.func.value, ast.Constant)
    return False


def check_sql_building(module: Module) -> Iterator[Finding]:
    """Injection through identifiers and values is the commonest hole of lending systems."""
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in EXECUTORS and _built_text(node.args[0]):
            yield node.lineno, "SQL is built from text; pass parameters, and identifiers through psycopg.sql.Identifier"
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.JoinedStr) or not _built_text(node):
            continue
        first = node.values[0]
        if isinstance(first, ast.Constant) and STATEMENT.match(str(first.value)):
            yield node.lineno, "a statement is built from text, to be run later; use psycopg.sql"


def check_revealing(module: Module) -> Iterator[Finding]:
    """A value leaves `Sensitive` only in the rooms registered for it."""
    if any(module.room == room or module.room.startswith(room) for room in REVEALING_ROOMS):
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "reveal_for":
            yield node.lineno, "a clear value is taken out here; only the gate's registered rooms may"


def check_logged_values(module: Module) -> Iterator[Finding]:
    """Neither a log line nor a text may be built from a revealed value, nor from a name it was given."""
    functions = [node for node in ast.walk(module.tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    found = set(_shown(module.tree, frozenset()))
    for function in functions:
        found |= set(_shown(function, frozenset(_clear_names(function))))
    yield from sorted(found)


def _shown(tree: ast.AST, clear: frozenset[str]) -> Iterator[Finding]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.FormattedValue | ast.Call):
            continue
        for part in [node.value] if isinstance(node, ast.FormattedValue) else _logged_arguments(node):
            for inner in ast.walk(part):
                if _reveals(inner) or (isinstance(inner, ast.Name) and inner.id in clear):
                    yield part.lineno, "a revealed value is formatted or logged"


def _reveals(node: ast.AST | None) -> bool:
    return isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "reveal_for"


def _clear_names(function: ast.AST) -> Iterator[str]:
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and _reveals(node.value):
            yield from (target.id for target in node.targets if isinstance(target, ast.Name))
        elif (
            isinstance(node, ast.AnnAssign | ast.NamedExpr)
            and _reveals(node.value)
            and isinstance(node.target, ast.Name)
        ):
            yield node.target.id


def _logged_arguments(node: ast.Call) -> list[ast.expr]:
    if isinstance(node.func, ast.Attribute) and node.func.attr in LOG_METHODS and "log" in dotted(node.func).lower():
        return list(node.args)
    if isinstance(node.func, ast.Name) and node.func.id in {"print", "repr", "str"}:
        return list(node.args)
    return []


def check_personal_columns(module: Module) -> Iterator[Finding]:
    """A personal value has one home: the vault's sealed column."""
    if not module.room.endswith("models") or module.room.startswith("gate.vault"):
        return
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.Assign | ast.AnnAssign) or not isinstance(node.value, ast.Call):
            continue
        if not dotted(node.value.func).startswith("models."):
            continue
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        for target in targets:
            if isinstance(target, ast.Name) and PERSONAL_NAMES.match(target.id):
                yield node.lineno, f"column `{target.id}` would hold a personal value; keep a reference"


def check_foreign_keys(module: Module) -> Iterator[Finding]:
    """A ForeignKey by string is an import that the contracts cannot see."""
    if not module.room.endswith("models"):
        return
    floors = ("audit", "keys", "access", "approvals", "consent", "vault", "tokens", "disclosure", "retention")
    higher = (*floors, "exchange", "customers", "loans", "inventory", "protection", "collections", "assessment")
    own = module.room.split(".")[-2]
    own_rank = higher.index(own) if own in higher else -1
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.Call) or dotted(node.func).split(".")[-1] not in {"ForeignKey", "OneToOneField"}:
            continue
        target = node.args[0] if node.args else next((k.value for k in node.keywords if k.arg == "to"), None)
        if not isinstance(target, ast.Constant) or not isinstance(target.value, str) or "." not in target.value:
            continue
        room = target.value.split(".")[0]
        if room not in higher or higher.index(room) > own_rank or {room, own} == {"inventory", "protection"}:
            yield node.lineno, f"ForeignKey to `{target.value}` points up or sideways"


RULES = (
    Rule(
        name="sql-building",
        check=check_sql_building,
        good=(
            Sample(room="gate.vault.services", code='cursor.execute("SELECT 1 WHERE a = %s", [a])'),
            Sample(room="sources.postgres", code='sql.SQL("SELECT {}").format(sql.Identifier(name))'),
            Sample(room="sources.postgres", code='cursor.execute("SELECT 1 " + "FROM t")'),
        ),
        bad=(
            Sample(room="gate.vault.services", code='cursor.execute(f"SELECT {name}")'),
            Sample(room="gate.vault.services", code='cursor.execute("SELECT " + name)'),
            Sample(room="gate.vault.services", code='cursor.execute("SELECT %s" % name)'),
            Sample(room="gate.vault.services", code='cursor.execute("SELECT {}".format(name))'),
            Sample(room="gate.vault.services", code='statement = f"DELETE FROM {name}"\ncursor.execute(statement)'),
        ),
    ),
    Rule(
        name="reveal-register",
        check=check_revealing,
        good=(Sample(room="gate.disclosure.services", code='v.reveal_for("collection")'),),
        bad=(Sample(room="scenarios.collections.services", code='v.reveal_for("collection")'),),
    ),
    Rule(
        name="sensitive-text",
        check=check_logged_values,
        good=(Sample(room="gate.disclosure.services", code='log.info("%s", value)\nf"{value}"'),),
        bad=(
            Sample(room="gate.disclosure.services", code='f"{value.reveal_for(1)}"'),
            Sample(room="gate.disclosure.services", code='log.info("x %s", value.reveal_for("p"))'),
            Sample(room="gate.disclosure.services", code='print(value.reveal_for("p"))'),
            Sample(
                room="gate.vault.sealing", code='def f(v):\n    said = v.reveal_for("p")\n    raise E(f"not {said}")'
            ),
            Sample(room="gate.vault.sealing", code='def f(v):\n    said = v.reveal_for("p")\n    log.info("%s", said)'),
        ),
    ),
    Rule(
        name="personal-column",
        check=check_personal_columns,
        good=(
            Sample(room="ledger.loans.models", code="customer_ref = models.UUIDField()"),
            Sample(room="gate.vault.models", code="mobile = models.BinaryField()"),
        ),
        bad=(
            Sample(room="ledger.loans.models", code="mobile = models.CharField(max_length=20)"),
            Sample(room="ledger.loans.models", code="customer_name: str = models.TextField()"),
        ),
    ),
    Rule(
        name="foreign-key",
        check=check_foreign_keys,
        good=(
            Sample(room="ledger.loans.models", code='models.ForeignKey("customers.Customer", models.PROTECT)'),
            Sample(room="ledger.loans.models", code='models.ForeignKey("Loan", models.PROTECT)'),
        ),
        bad=(
            Sample(room="ledger.loans.models", code='models.ForeignKey("collections.Case", models.PROTECT)'),
            Sample(room="gate.audit.models", code='models.OneToOneField(to="vault.Record")'),
        ),
    ),
)
