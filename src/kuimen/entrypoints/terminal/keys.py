"""What is shown of keys: names, versions, states and counts; nothing that opens anything."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kuimen.entrypoints.terminal.output import stdout, table

if TYPE_CHECKING:
    from kuimen.gate.keys.backup import BackupFinding

BACKUP_WORDS = {
    "confirmed": ("green", "已确认 confirmed"),
    "ageing": ("yellow", "即将过期 due soon"),
    "overdue": ("red", "确认已过期 confirmed too long ago"),
    "changed": ("red", "确认后有变 changed since it was confirmed"),
    "never": ("red", "从未确认 never confirmed"),
    "exposed": ("red", "权限过宽 open to others"),
    "unreadable": ("red", "无法读取 unreadable"),
    "missing": ("red", "缺失 missing"),
    "not_yet": ("yellow", "尚无域密钥 no domain key yet"),
}
DUE_WORDS = {"": "—", "well": "正常 well", "soon": "临近 soon", "overdue": "逾期 overdue", "unknown": "不明 unknown"}
COLUMNS = {
    "domain_keys": ("retention_class", "version", "suite", "state", "age_days", "due", "uses_permille", "person_keys",
                    "table_keys"),
    "index_keys": ("element", "generation", "state", "since", "due"),
    "orders": ("order_id", "kind", "subject", "state", "done", "total", "maker", "checker", "stopped_by"),
}  # fmt: skip


def key_facts(root_file: Path) -> dict[str, Any]:
    """Return the state of every key above the data keys, and of the rotations; Django is loaded."""
    from kuimen.gate.keys.overview import overview  # noqa: PLC0415 - settings exist only by now
    from kuimen.gate.vault.rotation.jobs import latest_jobs  # noqa: PLC0415

    return {
        **overview(root_file),
        "rotations": [
            {
                "kind": job.kind,
                "subject": job.subject,
                "running": job.running,
                "changed": job.changed,
                "does_not_open": job.does_not_open,
                "started_at": job.started_at.isoformat(),
            }
            for job in latest_jobs()
        ],
    }


def show_keys(facts: dict[str, Any]) -> None:
    """Print the facts as tables."""
    root = facts["root"]
    stdout.print(
        f"根密钥 Root: {root['state']}  {root.get('fingerprint', '')}  {root.get('provider', '')}  "
        f"{root.get('threshold', '')}/{len(root.get('custodians', []))}  {', '.join(root.get('custodians', []))}  "
        f"{DUE_WORDS[root['due']]}",
        highlight=False,
    )
    for title, name in (
        ("域密钥 Domain keys", "domain_keys"),
        ("索引密钥 Index keys", "index_keys"),
        ("作业 Orders", "orders"),
        ("重新包裹 Rewraps", "rewraps"),
        ("轮换 Rotations", "rotations"),
    ):
        rows = facts[name]
        if not rows:
            continue
        columns = COLUMNS.get(name) or tuple(rows[0])
        shown = table(title, *columns)
        for row in rows:
            shown.add_row(*(DUE_WORDS[row[one]] if one == "due" else str(row[one]) for one in columns))
        stdout.print(shown)
    for row in facts["backup"]:
        colour, words = BACKUP_WORDS[row["state"]]
        stdout.print(f"备份 Backup {row['name']}: [{colour}]{words}[/]", highlight=False)


def show_backup(findings: "Sequence[BackupFinding]") -> None:
    """Print how each file of the key folder stands, with the digest by which to compare a copy."""
    shown = table(
        "密钥文件备份 Backup of the key files", "文件 File", "状态 State", "变更 Changed", "确认 Confirmed", "SM3"
    )
    for one in findings:
        colour, words = BACKUP_WORDS[one.state.value]
        told = (f"{moment:%Y-%m-%d %H:%M}" if moment else "—" for moment in (one.changed_at, one.confirmed_at))
        shown.add_row(one.name, f"[{colour}]{words}[/]", *told, one.sm3[:16])
    stdout.print(shown)
