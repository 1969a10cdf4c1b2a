"""`kuimen protect`: move the personal data of a source into the vault, scrub the source, prove that nothing is left."""

from pathlib import Path

import click

from kuimen.entrypoints.cli.installed import home_option, operator, unlock_options, unlocked
from kuimen.entrypoints.installation.home import InstallationHome
from kuimen.entrypoints.terminal.output import progress_bars
from kuimen.entrypoints.terminal.protection import show_plan, show_reports
from kuimen.foundation.errors import InvalidInputError, TamperError
from kuimen.sources.mysql import is_mysql


class ResidueError(TamperError):
    """Clear values were found after protection."""

    code = "protect.residue"


class SourceKindError(InvalidInputError):
    """Protection rewrites PostgreSQL databases and text files; this source is neither."""

    code = "protect.source_kind"


@click.command()
@click.option("--source", required=True, help="PostgreSQL address (postgresql://…) or a folder.")
@click.option(
    "--source-credentials",
    type=click.Path(path_type=Path),
    help="File (0600) with user=… and password=… of the database, a line each.",
)
@click.option(
    "--folder",
    "folders",
    multiple=True,
    type=click.Path(path_type=Path, exists=True),
    help="Search these folders for the same originals too.",
)
@click.option("--yes", is_flag=True, help="Do not ask before the clear columns are dropped.")
@click.option("--no-scrub", is_flag=True, help="Leave out the clean-up procedure; the proof will then find residues.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a step; implies --yes.")
@unlock_options
@home_option
def protect(  # noqa: PLR0913 - one option each
    *, source: str, source_credentials: Path | None, folders: tuple[Path, ...], yes: bool, no_scrub: bool,
    as_json: bool, credentials_file: Path | None, passphrase_fd: int | None, home: InstallationHome,
) -> None:  # fmt: skip
    """加密入库、核对、切换、清除、验证 Seal, verify, cut over, scrub, prove.

    A run that was stopped is resumed by starting it again.
    """
    if is_mysql(source):
        raise SourceKindError(
            "source: MySQL is scanned, not protected; move the data to PostgreSQL, or protect an export of it"
        )
    with unlocked(home, file=credentials_file, descriptor=passphrase_fd):
        from django.conf import settings

        from kuimen.governance.protection import services

        actor = operator()
        with progress_bars(visible=not as_json) as advance:
            made = services.plan(
                source, actor=actor, credentials_file=source_credentials, overlay=settings.KUIMEN_OVERLAY or None,
                progress=lambda done, total, _name: advance("扫描 scan", done, total),
            )  # fmt: skip
        show_plan(made, as_json=as_json)
        if not (yes or as_json):
            click.confirm(
                "明文列将移入保险库并删除。继续？ Values move into the vault, clear columns are dropped. Go on?",
                abort=True,
            )
        with progress_bars(visible=not as_json) as advance:
            done_report = services.protect(made, actor=actor, progress=lambda d, t, _n: advance("加密 seal", d, t))
            scrubbed = (
                None
                if no_scrub
                else services.scrub(made, actor=actor, progress=lambda d, t, _n: advance("清除 scrub", d, t))
            )
            proof = services.prove(
                made, actor=actor, folders=folders, progress=lambda d, t, _n: advance("检索 prove", d, t)
            )
    show_reports(done_report, scrubbed, proof, as_json=as_json)
    if proof.residual_clear_values:
        raise ResidueError("clear values are left; the report names the places, run scrub with more rights or by hand")
