"""`kuimen inventory`: list the asset directory, correct a column, replay corrections against the recogniser."""

import sys
from pathlib import Path
from uuid import UUID

import click
from rich.table import Table

from kuimen.entrypoints.cli.installed import home_option, operator
from kuimen.entrypoints.cli.signed_in import signed_in, token_option
from kuimen.entrypoints.installation.home import InstallationHome
from kuimen.entrypoints.terminal.output import emit_json, stdout
from kuimen.foundation.errors import NotFoundError

NOTHING = "none"


class PlaceNotFoundError(NotFoundError):
    """No column of this place, or several sources have one."""

    code = "cli.place_not_found"


@click.group()
def inventory() -> None:
    """The asset directory: what is where, what changed, what stewards said of it."""


@inventory.command("list")
@click.option(
    "--only",
    default="personal",
    show_default=True,
    help="personal, unprotected, drifted, review, corrected, not_read, everything.",
)
@click.option("--text", default="", help="Part of a table, column or file.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@home_option
def list_assets(*, only: str, text: str, as_json: bool, home: InstallationHome) -> None:
    """List entries: place, element, class, state, and why something was not read."""
    from kuimen.entrypoints.installation.install import opened

    with opened(home):
        from kuimen.governance.inventory.reading import AssetFilter, Only, find_assets

        if only not in set(Only):
            raise click.BadParameter(f"--only: one of {', '.join(Only)}")
        shown = Table("位置 place", "要素 element", "类别 class", "状态 state", "说明 remark")
        number, pages = 1, 1
        while number <= pages:
            page = find_assets(AssetFilter(only=Only(only), text=text), page=number, size=500)
            pages, number = page.pages, number + 1
            for line in page.lines:
                if as_json:
                    emit_json(
                        {
                            "asset_id": line.asset_id, "source": line.source, "place": line.place,
                            "element": line.element or None, "found_element": line.found_element or None,
                            "category": line.category, "level": line.level, "state": line.state,
                            "review": line.review, "drifted": line.drifted, "corrected": line.corrected,
                            "reason": line.reason,
                        }
                    )  # fmt: skip
                    continue
                marks = [
                    word
                    for word, holds in (("订正", line.corrected), ("复核", line.review), ("新增", line.drifted))
                    if holds
                ]
                shown.add_row(
                    line.place, line.element or "—", line.category, line.state, line.reason or " ".join(marks)
                )
        if not as_json:
            stdout.print(shown)


@inventory.command()
@click.argument("place")
@click.option(
    "--element", required=True, help="Name of the element; `none` for nothing personal; the one found confirms it."
)
@click.option("--reason", required=True, help="Why, in words without anybody's number.")
@click.option("--scope", type=click.Choice(["column", "name"]), default="column", show_default=True)
@home_option
def correct(*, place: str, element: str, reason: str, scope: str, home: InstallationHome) -> None:
    """Say what the column PLACE (schema.table.column or file.column) holds; it survives scans.

    What lowers a class or its protection waits until an officer approves it, on the console or by `decide`.
    """
    from kuimen.entrypoints.installation.install import opened

    with opened(home):
        from kuimen.governance.inventory import services
        from kuimen.governance.inventory.correction_rules import Scope
        from kuimen.governance.inventory.reading import AssetFilter, Only, find_assets

        word = place.rpartition(".")[2] or place
        found = [
            line
            for line in find_assets(AssetFilter(only=Only.EVERYTHING, text=word), size=5000).lines
            if line.place == place and line.correctable
        ]
        if len(found) != 1:
            raise PlaceNotFoundError("place: write it as `kuimen inventory list` does; several sources may share it")
        made = services.correct_at_terminal(
            found[0].asset_id,
            actor=operator(),
            element="" if element == NOTHING else element,
            reason=reason,
            scope=Scope(scope),
        )
        emit_json({"correction_id": str(made.correction_id), "state": made.state.value, "lowers": made.lowers})


@inventory.command()
@home_option
def proposals(*, home: InstallationHome) -> None:
    """List the corrections that wait for another person, one JSON object a line."""
    from kuimen.entrypoints.installation.install import opened

    with opened(home):
        from kuimen.governance.inventory import services
        from kuimen.governance.inventory.correction_rules import CorrectionState

        for one in services.corrections(state=CorrectionState.PROPOSED):
            emit_json(
                {
                    "correction_id": str(one.correction_id), "place": one.place,
                    "found_element": one.found_element or None, "element": one.element or None,
                    "scope": one.scope.value, "reason": one.reason, "proposed_by": one.proposed_by,
                }
            )  # fmt: skip


@inventory.command()
@click.argument("correction_id", type=click.UUID)
@click.argument("verdict", type=click.Choice(["approve", "refuse", "withdraw"]))
@click.option("--reason", default="", help="Why it is refused.")
@token_option(required=True)
@home_option
def decide(*, correction_id: UUID, verdict: str, reason: str, token_file: Path, home: InstallationHome) -> None:
    """Approve or refuse a correction that lowers protection, as another person; withdraw one's own."""
    from kuimen.entrypoints.installation.install import opened

    with opened(home):
        from kuimen.governance.inventory import services

        person = signed_in(token_file)
        if verdict == "approve":
            made = services.approve_correction(correction_id, checker=person)
        elif verdict == "refuse":
            made = services.refuse_correction(correction_id, checker=person, reason=reason)
        else:
            made = services.withdraw_correction(correction_id, steward=person)
        emit_json({"correction_id": str(made.correction_id), "state": made.state.value, "place": made.place})


@inventory.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@home_option
def replay(*, as_json: bool, home: InstallationHome) -> None:
    """Replay every correction in force as a regression case; exit with 1 where one no longer holds.

    Each is held against the directory, and against what the recogniser says today of the same heading: `learned` tells
    that the rules have caught up and the correction only confirms them.
    """
    from kuimen.entrypoints.installation.install import opened

    with opened(home):
        from kuimen.governance.inventory import services

        cases = services.replay_corrections()
        broken = 0
        for case in cases:
            broken += not case.holds
            if as_json:
                emit_json(
                    {
                        "correction_id": str(case.correction_id), "place": case.place, "element": case.element or None,
                        "holds": case.holds, "learned": case.learned, "recogniser": case.recognised or None,
                    }
                )  # fmt: skip
            else:
                mark = "ok" if case.holds else "破坏 broken"
                learned = " · 规则已会 learned" if case.learned else ""
                stdout.print(
                    f"{mark}  {case.place}  → {case.element or '非个人信息 nothing'}{learned}", highlight=False
                )
        if not as_json:
            stdout.print(f"{len(cases)} 条订正 corrections, {broken} 条不再成立 broken", highlight=False)
    if broken:
        sys.exit(1)
