"""`kuimen release`: apply for an analysis package, decide, compute, fetch, end; the demands for deletion that wait."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import click

from kuimen.entrypoints.cli.at_terminal import AtTerminal, staff_options
from kuimen.entrypoints.cli.erase_command import Opening, opening_options
from kuimen.entrypoints.installation.home import write_private
from kuimen.entrypoints.terminal.output import emit_json, stdout, table
from kuimen.foundation.errors import UnavailableError

if TYPE_CHECKING:
    from kuimen.governance.releases.services import ReleaseView

DAY = click.DateTime(["%Y-%m-%d"])


class PackageFileError(UnavailableError):
    """A package cannot be written there."""

    code = "cli.package_file"


@click.group("release")
def release_group() -> None:
    """分析数据发布 Releases: applied for by one, approved by another, measured, registered, taken back."""


@release_group.command("apply")
@click.option("--title", required=True)
@click.option("--purpose", required=True, help="servicing, collection, credit, marketing, risk, reporting, audit.")
@click.option("--reason", required=True, help="Why, in words without anybody's number.")
@click.option("--recipient", required=True, help="Who gets it.")
@click.option("--recipient-kind", type=click.Choice(["internal", "partner", "public"]), required=True)
@click.option("--column", "columns", multiple=True, required=True, help="Once for each column.")
@click.option("--keep-until", type=DAY, required=True)
@click.option("--counts", is_flag=True, help="Counts by two columns instead of a row a person.")
@click.option("--no-pseudonym", is_flag=True)
@click.option("--k", type=int, help="Stricter than the policy.")
@click.option("--l", "l_distinct", type=int, help="Stricter than the policy.")
@click.option("--t", type=float, help="Stricter than the policy.")
@staff_options
@opening_options
def apply_command(*, person: AtTerminal, opening: Opening, **given: object) -> None:
    """申请 Apply; nothing is computed until another person approves."""
    with opening():
        from kuimen.gate.access.rules import Purpose
        from kuimen.governance.releases import services
        from kuimen.governance.releases.rules import Form, RecipientKind

        if given["purpose"] not in set(Purpose):
            raise click.BadParameter(f"--purpose: one of {', '.join(Purpose)}")
        keep_until = given["keep_until"]
        assert isinstance(keep_until, datetime)
        counts = bool(given["counts"])
        release_id = services.apply(
            services.Application(
                title=str(given["title"]),
                purpose=Purpose(str(given["purpose"])),
                reason=str(given["reason"]),
                recipient=str(given["recipient"]),
                recipient_kind=RecipientKind(str(given["recipient_kind"])),
                columns=given["columns"],  # type: ignore[arg-type]  # click gives a tuple of texts
                keep_until=keep_until.date(),
                form=Form.COUNTS if counts else Form.ROWS,
                pseudonym=not counts and not given["no_pseudonym"],
                k=given["k"],  # type: ignore[arg-type]  # click gives a whole number or None
                l_distinct=given["l_distinct"],  # type: ignore[arg-type]  # likewise
                t=given["t"],  # type: ignore[arg-type]  # likewise
            ),
            applicant=person.signed_in(),
        )
    emit_json({"release_id": str(release_id), "state": "applied"})


@release_group.command("approve")
@click.argument("release_id", type=click.UUID)
@staff_options
@opening_options
def approve_command(*, release_id: UUID, person: AtTerminal, opening: Opening) -> None:
    """批准 Approve as another person than the applicant."""
    with opening():
        from kuimen.governance.releases import services

        state = services.approve(release_id, officer=person.signed_in())
    emit_json({"release_id": str(release_id), "state": state.value})


@release_group.command("refuse")
@click.argument("release_id", type=click.UUID)
@click.option("--reason", required=True)
@staff_options
@opening_options
def refuse_command(*, release_id: UUID, reason: str, person: AtTerminal, opening: Opening) -> None:
    """驳回 Refuse an application."""
    with opening():
        from kuimen.governance.releases import services

        state = services.refuse(release_id, officer=person.signed_in(), reason=reason)
    emit_json({"release_id": str(release_id), "state": state.value})


@release_group.command("compute")
@click.argument("release_id", type=click.UUID)
@staff_options
@opening_options
def compute_command(*, release_id: UUID, person: AtTerminal, opening: Opening) -> None:
    """计算并发布 Compute what was approved; refused with the figures when the bounds are missed."""
    with opening():
        from kuimen.governance.releases import services

        done = services.release(release_id, applicant=person.signed_in())
        _show([done], as_json=False)
        services.require_released(done)


@release_group.command("fetch")
@click.argument("release_id", type=click.UUID)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="A file that is not there.")
@staff_options
@opening_options
def fetch_command(*, release_id: UUID, out: Path, person: AtTerminal, opening: Opening) -> None:
    """领取 Write the package to a private file; recorded every time."""
    if out.exists():
        raise PackageFileError("--out: the file is there already; name another one")
    with opening():
        from kuimen.governance.releases import services

        body = services.fetch(release_id, reader=person.signed_in())
    try:
        write_private(out, body)
    except OSError:
        raise PackageFileError("--out: cannot be written; check path and mode") from None
    emit_json({"release_id": str(release_id), "bytes": len(body), "out": str(out)})


@release_group.command("end")
@click.argument("release_id", type=click.UUID)
@click.option("--reason", required=True)
@staff_options
@opening_options
def end_command(*, release_id: UUID, reason: str, person: AtTerminal, opening: Opening) -> None:
    """终止 End a release: destroy its key, tell the recipient to delete."""
    with opening():
        from kuimen.governance.releases import services

        state = services.end(release_id, actor_subject=person.signed_in(), reason=reason)
    emit_json({"release_id": str(release_id), "state": state.value})


@release_group.command("confirm")
@click.argument("release_id", type=click.UUID)
@click.option("--document", required=True, help="What the recipient's confirmation is called.")
@staff_options
@opening_options
def confirm_command(*, release_id: UUID, document: str, person: AtTerminal, opening: Opening) -> None:
    """登记删除 Enter that the recipient deleted the package."""
    with opening():
        from kuimen.governance.releases import services

        state = services.confirm(release_id, officer=person.signed_in(), confirmation=document)
    emit_json({"release_id": str(release_id), "state": state.value})


@release_group.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@staff_options
@opening_options
def list_command(*, as_json: bool, person: AtTerminal, opening: Opening) -> None:
    """列出 List releases with their measures, the newest first."""
    with opening():
        from kuimen.governance.releases import services

        _show(services.releases_seen_by(person.signed_in()), as_json=as_json)


@release_group.command("demands")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@staff_options
@opening_options
def demands_command(*, as_json: bool, person: AtTerminal, opening: Opening) -> None:
    """待删除 List what recipients were told to delete and have not confirmed."""
    with opening():
        from kuimen.governance.releases import services

        shown = table("待接收方删除 Demands", "接收方 Recipient", "出处 Reference", "假名 Pseudonym", "期限 Due")
        for line in services.demands(reader=person.signed_in()):
            one = line.demand
            if as_json:
                emit_json(
                    {"export_id": str(one.export_id), "person_ref": str(one.person_ref), "recipient": one.recipient,
                     "reference": one.reference, "pseudonym": line.pseudonym or None, "due_on": line.due_on}
                )  # fmt: skip
            shown.add_row(one.recipient, one.reference, line.pseudonym or "—", line.due_on.isoformat())
        if not as_json:
            stdout.print(shown)


def _show(found: "list[ReleaseView]", *, as_json: bool) -> None:
    from kuimen.governance.releases.rules import LABEL_TITLES, STATE_TITLES

    shown = table("分析数据发布 Releases", "编号 Id", "名称 Title", "接收方 Recipient", "状态 State", "标识 Standing",
                  "行 Rows", "量得 Measured")  # fmt: skip
    for one in found:
        if as_json:
            emit_json(
                {"release_id": str(one.release_id), "title": one.title, "recipient": one.recipient,
                 "state": one.state.value, "standing": one.standing.value if one.standing else None,
                 "rows": one.rows, "measured": dict(one.measured), "keep_until": one.keep_until}
            )  # fmt: skip
            continue
        label = " ".join(LABEL_TITLES[one.standing]) if one.standing else "—"
        measured = ", ".join(f"{name} {value}" for name, value in one.measured.items())
        shown.add_row(
            str(one.release_id), one.title, one.recipient, " ".join(STATE_TITLES[one.state]), label,
            f"{one.rows:,}", measured,
        )  # fmt: skip
    if not as_json:
        stdout.print(shown)
