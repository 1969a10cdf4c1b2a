"""What is shown of keys: names, versions, states and counts; nothing that opens anything."""

from pathlib import Path
from typing import Any

from kuimen.entrypoints.terminal.output import stdout, table


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
        f"{root.get('threshold', '')}/{len(root.get('custodians', []))}  {', '.join(root.get('custodians', []))}",
        highlight=False,
    )
    for title, rows in (
        ("域密钥 Domain keys", facts["domain_keys"]),
        ("索引密钥 Index keys", facts["index_keys"]),
        ("重新包裹 Rewraps", facts["rewraps"]),
        ("轮换 Rotations", facts["rotations"]),
    ):
        if not rows:
            continue
        shown = table(title, *rows[0])
        for row in rows:
            shown.add_row(*(str(value) for value in row.values()))
        stdout.print(shown)
