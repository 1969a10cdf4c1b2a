"""`kuimen audit`: verify, export."""

from pathlib import Path
from tempfile import TemporaryDirectory

import click

from kuimen.entrypoints.cli.installed import home_option
from kuimen.entrypoints.installation.home import InstallationHome
from kuimen.entrypoints.terminal.audit import verify_export
from kuimen.entrypoints.terminal.output import emit_json, stdout


@click.group()
def audit() -> None:
    """验证或导出审计日志 Verify or export the audit log."""


@audit.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--json", "as_json", is_flag=True)
@home_option
def export(*, folder: Path, as_json: bool, home: InstallationHome) -> None:
    """导出条目、检查点与公钥 Write entries, checkpoints and public keys into FOLDER, beside the offline verifier."""
    from kuimen.entrypoints.installation.install import opened

    with opened(home):
        from kuimen.gate.audit import services

        report = services.export(folder)
    if as_json:
        emit_json({"folder": str(folder), "entries": report.entries, "checkpoints": report.checkpoints})
        return
    stdout.print(f"已导出 Exported: {report.entries:,} 条 entries → {folder}", highlight=False)


@audit.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.option(
    "--checkpoints",
    type=click.Path(path_type=Path, file_okay=False),
    help="Independent copy of the checkpoints; by default the installation's.",
)
@click.option("--json", "as_json", is_flag=True)
@home_option
def verify(*, folder: Path | None, checkpoints: Path | None, as_json: bool, home: InstallationHome) -> None:
    """验证审计日志 Verify an exported log, or export and verify the live one; names the first bad entry."""
    if folder is not None:
        _show(verify_export(folder, checkpoints), as_json=as_json)
        return
    from kuimen.entrypoints.installation.install import opened

    with TemporaryDirectory(prefix="kuimen-audit-") as temporary, opened(home):
        from kuimen.gate.audit import services

        exported = Path(temporary) / "export"
        services.export(exported)
        _show(verify_export(exported, checkpoints or home.checkpoints), as_json=as_json)


def _show(outcome: dict[str, object], *, as_json: bool) -> None:
    if as_json:
        emit_json({"verified": True, **outcome})
        return
    stdout.print("[green]已验证 Verified[/]")
    for name, value in outcome.items():
        stdout.print(f"  {name}: {value}", highlight=False)
