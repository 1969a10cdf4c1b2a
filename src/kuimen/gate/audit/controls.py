"""Probes of the audit room: the log takes inserts only, still gives its signed roots, and is audited on a schedule."""

import json
from collections import Counter
from datetime import timedelta

from django.conf import settings
from django.db import connection

from kuimen.gate.audit.exploring import SEARCHED, says_the_same
from kuimen.gate.audit.models import Checkpoint, Entry, SequencedEntry
from kuimen.gate.audit.screening import REVIEW_INTERVAL, Risk, last_review, screen
from kuimen.gate.audit.sink import CheckpointSink
from kuimen.kernels.ciphers.errors import SignatureBrokenError, Sm2KeyError
from kuimen.kernels.ciphers.sm2 import Sm2PublicKey
from kuimen.kernels.merkle import Frontier, leaf_hash
from kuimen.standard import Observation, Outcome, ProbeContext, ProbeResult, control

LONGEST_WAIT = timedelta(minutes=10)
_BATCH = 5_000
_TABLES = ("audit_entry", "audit_sequenced", "audit_node", "audit_checkpoint", "audit_signing_key")
_RIGHTS = """
SELECT count(*) FROM unnest(%s::text[]) AS t(name), unnest(ARRAY['UPDATE', 'DELETE', 'TRUNCATE']) AS p(privilege)
WHERE has_table_privilege(current_user, t.name, p.privilege)
"""
_TRIGGERS = """
SELECT count(DISTINCT c.relname) FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid
JOIN pg_proc f ON f.oid = g.tgfoid
WHERE c.relname = ANY(%s) AND f.proname = 'audit_refuse' AND g.tgenabled IN ('O', 'A')
"""
_READERS = """
SELECT string_agg(r.rolname, ', ' ORDER BY r.rolname) FROM pg_roles r
WHERE r.rolcanlogin AND NOT r.rolsuper AND has_table_privilege(r.oid, 'audit_entry', 'SELECT')
"""


@control("CQJR-6.5-a", title_zh="审计日志只可追加", title_en="The audit log takes inserts only")
@control("JRT0171-7.3-h", title_zh="操作日志的访问授权", title_en="Who may reach the operation log")
def log_takes_inserts_only(_context: ProbeContext) -> ProbeResult:
    """Ask the database which rights this role has on the log, and whether the triggers stand."""
    with connection.cursor() as cursor:
        cursor.execute(_RIGHTS, [list(_TABLES)])
        changing = int(cursor.fetchone()[0])
        cursor.execute(_TRIGGERS, [list(_TABLES)])
        guarded = int(cursor.fetchone()[0])
        cursor.execute(_READERS)
        readers = str(cursor.fetchone()[0] or "")
        cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        superuser = bool(cursor.fetchone()[0])
    seen = Observation(
        title_zh="审计表的权限与触发器",
        title_en="rights and triggers of the audit tables",
        facts={
            "tables": len(_TABLES),
            "rights_to_change": changing,
            "guarded_by_trigger": guarded,
            "application_is_superuser": superuser,
            "database_roles_that_read": readers,
        },
        reference="pg_catalog",
    )
    if changing or superuser or guarded < len(_TABLES):
        return ProbeResult(
            outcome=Outcome.REFUTED,
            observations=(seen,),
            remedy_zh="重新执行数据库授权并恢复审计表触发器；应用不得以属主或超级用户连接",
            remedy_en="apply the grants again and restore the triggers; never connect as owner or superuser",
        )
    return ProbeResult(outcome=Outcome.HOLDS, observations=(seen,))


@control("CQJR-6.5-a", title_zh="审计日志的完整性", title_en="The audit log is whole")
@control("CQJR-5.4-f", title_zh="操作日志完整可验证", title_en="The operation log is whole and verifiable")
@control("JRT0171-7.3-g", title_zh="日志完整、可用、可追溯", title_en="The log is whole, available and traceable")
def log_gives_its_signed_roots(context: ProbeContext) -> ProbeResult:
    """Hash every stored entry again, grow the tree again, and hold it against every signed checkpoint."""
    found = _walk()
    waiting = (
        Entry.objects.filter(sequenced__isnull=True, occurred_at__lt=context.at - LONGEST_WAIT).count()
        if found["entries"]
        else 0
    )
    found["waiting_too_long"] = waiting
    found["outside_copy_agrees"] = _outside_agrees()
    seen = Observation(
        title_zh="逐条重算散列、逐个核对签名检查点",
        title_en="every entry hashed again, every signed checkpoint checked",
        facts=found,
        reference="audit_sequenced, audit_checkpoint",
    )
    broken = (
        found["altered"]
        + found["columns_differ"]
        + found["gaps"]
        + found["wrong_roots"]
        + found["bad_signatures"]
        + waiting
        or not found["outside_copy_agrees"]
    )
    if broken:
        return ProbeResult(
            outcome=Outcome.REFUTED,
            observations=(seen,),
            remedy_zh="立即按篡改处置：封存数据库与库外检查点，用离线校验程序定位首个异常条目",
            remedy_en="treat as tampering: secure database and outside checkpoints, locate the first bad entry offline",
        )
    return ProbeResult(outcome=Outcome.HOLDS if found["checkpoints"] else Outcome.INSUFFICIENT, observations=(seen,))


def _walk() -> dict[str, int]:
    counts: Counter[str] = Counter(
        entries=0, altered=0, columns_differ=0, gaps=0, checkpoints=0, wrong_roots=0, bad_signatures=0
    )
    checkpoints = {row.size: row for row in Checkpoint.objects.select_related("key")}
    counts["checkpoints"] = len(checkpoints)
    tree = Frontier()
    # Entries between two checkpoints are appended together: one call per leaf would cost four times as much.
    waiting: list[bytes] = []
    rows = SequencedEntry.objects.order_by("seq").values_list(
        "seq", "leaf", "entry__body", *(f"entry__{name}" for name in SEARCHED)
    )
    for expected, (seq, leaf, body, *columns) in enumerate(rows.iterator(chunk_size=_BATCH)):
        counts["entries"] += 1
        counts["gaps"] += seq != expected
        digest = leaf_hash(bytes(body))
        if digest != bytes(leaf):
            counts["altered"] += 1
        elif not says_the_same(json.loads(bytes(body)), dict(zip(SEARCHED, columns, strict=True))):
            counts["columns_differ"] += 1
        waiting.append(digest)
        checkpoint = checkpoints.pop(expected + 1, None)
        if checkpoint is not None or len(waiting) == _BATCH:
            tree.append_many(waiting)
            waiting.clear()
        if checkpoint is not None:
            counts["wrong_roots"] += tree.root() != bytes(checkpoint.root)
            counts["bad_signatures"] += not _signed(checkpoint)
    counts["wrong_roots"] += len(checkpoints)  # a checkpoint beyond the last entry: entries were removed
    return dict(counts)


def _signed(checkpoint: Checkpoint) -> bool:
    stated = bytes(checkpoint.note).split(b"\n")
    if bytes(checkpoint.root).hex().encode() not in stated or str(checkpoint.size).encode() not in stated:
        return False
    try:
        Sm2PublicKey.from_bytes(bytes(checkpoint.key.public_key)).verify(
            bytes(checkpoint.note), bytes(checkpoint.signature)
        )
    except (SignatureBrokenError, Sm2KeyError):
        return False
    return True


def _outside_agrees() -> bool:
    outside = CheckpointSink(settings.KUIMEN_CHECKPOINT_DIR).last()
    if outside is None:
        return not Checkpoint.objects.exists()
    held = Checkpoint.objects.filter(size=outside.size).values_list("note", flat=True).first()
    return held is not None and bytes(held) == outside.note


@control("CQJR-5.4-f", title_zh="定期审计与高危操作", title_en="Periodic audit of high-risk operations")
def log_is_reviewed_on_schedule(context: ProbeContext) -> ProbeResult:
    """Look for operations on customer data, the high-risk ones among them, and the last review that was signed off."""
    operations = Entry.objects.filter(action__startswith="disclosure.").exclude(actor_kind="system").order_by("id")
    first = operations.first()
    newest = last_review()
    findings = Counter(finding.risk for finding in screen(context.since, context.at))
    seen = Observation(
        title_zh="对客户数据的操作与审计复核",
        title_en="operations on customer data and their review",
        facts={
            "operations": operations.count(),
            **{risk.value: findings[risk] for risk in Risk},
            "last_review": newest.occurred_at.isoformat() if newest else "",
            "interval_days": REVIEW_INTERVAL.days,
        },
        reference=str(newest.entry_id) if newest else "audit_entry",
    )
    if first is None:
        return ProbeResult(outcome=Outcome.INSUFFICIENT, observations=(seen,))
    overdue_since = (newest or first).occurred_at + REVIEW_INTERVAL
    if context.at > overdue_since:
        return ProbeResult(
            outcome=Outcome.REFUTED,
            observations=(seen,),
            remedy_zh="由审计员复核回看期内的高危操作并签批",
            remedy_en="have an auditor review the high-risk operations of the period and sign off",
        )
    return ProbeResult(outcome=Outcome.HOLDS if newest else Outcome.INSUFFICIENT, observations=(seen,))
