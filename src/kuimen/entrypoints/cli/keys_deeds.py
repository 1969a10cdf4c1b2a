"""What two persons do to keys, at the terminal: one applies, another approves, the first carries it out.

Every command takes the same three steps: `--dry-run` counts, `--reason` applies and prints the ticket, `--ticket`
carries out what somebody else approved. Who acts is who signed in with `kuimen sign-in`; passphrases open the keys and
speak for nobody.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import wraps
from pathlib import Path
from uuid import UUID

import click

from kuimen.entrypoints.cli.installed import home_option, operator, unlock_options, unlocked
from kuimen.entrypoints.cli.signed_in import signed_in, token_option
from kuimen.entrypoints.installation.home import InstallationHome
from kuimen.entrypoints.terminal.output import emit_json, progress_bars, stdout, table
from kuimen.foundation.errors import InvalidInputError, TamperError

CLASSES = click.Choice(("identity_transaction", "adverse_item", "collection_record", "consent_based"))
SUITES = click.Choice(("sm4-gcm", "aes-256-gcm"))
JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object.")


class UnfinishedRotationError(TamperError):
    """Keys or records are left that do not open; the rotation is not finished and its proof is not clean."""

    code = "keys.rotation_unfinished"


class StepMissingError(InvalidInputError):
    """The command does not say which step of the deed is meant."""

    code = "keys.step_missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Which step of a deed, whose, and where."""

    dry_run: bool
    reason: str
    ticket: UUID | None
    rate: int | None
    token_file: Path
    as_json: bool
    credentials_file: Path | None
    passphrase_fd: int | None
    home: InstallationHome


def deed_options(command: Callable[..., object]) -> Callable[..., object]:
    """Add the steps; the command receives them as `step`, a :class:`Step`."""

    @wraps(command)
    def run(**given: object) -> object:
        step = Step(**{name: given.pop(name) for name in Step.__slots__})  # type: ignore[arg-type]  # click's values
        return command(step=step, **given)

    options = (
        click.option("--dry-run", is_flag=True, help="只统计不改动 Count what would be done, and change nothing."),
        click.option("--reason", default="", help="提出申请：事由 Apply: why, in words without personal numbers."),
        click.option("--ticket", type=click.UUID, help="办理他人已批准的审批单 Carry out what another approved."),
        click.option("--rate", type=click.IntRange(min=1), help="每秒最多行数 At most so many rows a second."),
        token_option(required=True), JSON, unlock_options, home_option,
    )  # fmt: skip
    for option in reversed(options):
        run = option(run)
    return run


@click.command("rotate-domain")
@click.argument("retention_class", type=CLASSES)
@click.option("--suite", type=SUITES, help="Suite of the new version; as before when absent.")
@deed_options
def rotate_domain(*, retention_class: str, suite: str | None, step: Step) -> None:
    """启用域密钥新版本 Make the next version of a class's domain key; the old one is retired and still opens."""
    _take("keys.rotate_domain", retention_class, step, suite=suite or "")


@click.command()
@click.argument("retention_class", type=CLASSES)
@deed_options
def rewrap(*, retention_class: str, step: Step) -> None:
    """重新包裹 Move every key of a class under the active version of its domain key."""
    _take("keys.rewrap", retention_class, step)


@click.command()
@click.argument("retention_class", type=CLASSES)
@click.option("--suite", type=SUITES, help="Go over to this suite; as before when absent.")
@deed_options
def reencrypt(*, retention_class: str, suite: str | None, step: Step) -> None:
    """重新加密 Seal every record of a class under new keys; reading never fails meanwhile."""
    _take("vault.reencrypt", retention_class, step, suite=suite or "")


@click.command()
@click.argument("element")
@deed_options
def reindex(*, element: str, step: Step) -> None:
    """重建索引 Tag every record of ELEMENT under the next index key; searches look in both until the cut-over."""
    _take("vault.reindex", element, step)


@click.command()
@click.argument("merged", type=click.UUID)
@click.argument("survivor", type=click.UUID)
@deed_options
def merge(*, merged: UUID, survivor: UUID, step: Step) -> None:
    """合并客户 Seal everything of the person MERGED for the person SURVIVOR, who is the same."""
    _take("vault.merge", f"{merged}>{survivor}", step)


@click.command("destroy-domain")
@click.argument("retention_class", type=CLASSES)
@click.argument("version", type=click.IntRange(1, 2**31 - 1))
@deed_options
def destroy_domain(*, retention_class: str, version: int, step: Step) -> None:
    """销毁域密钥旧版本 Destroy an old VERSION of a domain key for good. Refused while keys stand under it."""
    _take("keys.destroy_domain", retention_class, step, number=version)


@click.command("cut-over")
@click.argument("element")
@click.argument("generation", type=click.IntRange(1, 2**31 - 1))
@deed_options
def cut_over(*, element: str, generation: int, step: Step) -> None:
    """切换索引 Stop writing and searching the index generations of ELEMENT before GENERATION."""
    _take("keys.index_cut_over", element, step, number=generation)


@click.command("drop-index")
@click.argument("element")
@click.argument("generation", type=click.IntRange(1, 2**31 - 1))
@deed_options
def drop_index(*, element: str, generation: int, step: Step) -> None:
    """删除旧索引 Delete the tags of an index GENERATION that was cut over, and destroy its key."""
    _take("keys.index_drop", element, step, number=generation)


@click.command()
@click.argument("ticket", type=click.UUID)
@token_option(required=True)
@JSON
@home_option
def approve(*, ticket: UUID, token_file: Path, as_json: bool, home: InstallationHome) -> None:
    """作为第二人批准 Approve a TICKET as the second person."""
    from kuimen.entrypoints.installation.install import opened

    with opened(home):
        from kuimen.gate.approvals import services as approvals
        from kuimen.gate.vault.rotation import approved

        deed = approved.deed_of_ticket(ticket)
        done = approvals.approve(ticket, checker=signed_in(token_file))
    _say({"ticket": str(ticket), "deed": deed.kind.value, "object": deed.ref, "state": done.state.value}, as_json)


@click.command()
@click.argument("ticket", type=click.UUID)
@click.option("--reason", required=True, help="驳回理由 Why not.")
@token_option(required=True)
@JSON
@home_option
def refuse(*, ticket: UUID, reason: str, token_file: Path, as_json: bool, home: InstallationHome) -> None:
    """驳回 Refuse a TICKET as the second person."""
    from kuimen.entrypoints.installation.install import opened

    with opened(home):
        from kuimen.gate.approvals import services as approvals
        from kuimen.gate.vault.rotation import approved

        approved.deed_of_ticket(ticket)
        done = approvals.refuse(ticket, checker=signed_in(token_file), reason=reason)
    _say({"ticket": str(ticket), "state": done.state.value}, as_json)


@click.command()
@click.argument("order", type=click.UUID)
@token_option(required=True)
@JSON
@home_option
def pause(*, order: UUID, token_file: Path, as_json: bool, home: InstallationHome) -> None:
    """暂停作业 Pause the job of an ORDER behind its next batch; nothing is lost."""
    from kuimen.entrypoints.installation.install import opened

    with opened(home):
        from kuimen.gate.vault.rotation import approved

        paused = approved.pause(order, officer=signed_in(token_file))
    _say({"order": str(order), "state": paused.state.value}, as_json)


@click.command("go-on")
@click.argument("order", type=click.UUID)
@token_option(required=True)
@JSON
@unlock_options
@home_option
def go_on(
    *, order: UUID, token_file: Path, as_json: bool, credentials_file: Path | None, passphrase_fd: int | None,
    home: InstallationHome,
) -> None:  # fmt: skip
    """继续作业 Go on with a job that was paused, cut off or hindered. It was approved; no second ticket is needed."""
    with unlocked(home, file=credentials_file, descriptor=passphrase_fd):
        from kuimen.gate.vault.rotation import approved

        approved.resume(order, officer=signed_in(token_file))
        report = _work(order, as_json=as_json)
    _finish(report, as_json=as_json)


DEED_COMMANDS = (
    rotate_domain, rewrap, reencrypt, reindex, merge, destroy_domain, cut_over, drop_index, approve, refuse, pause,
    go_on,
)  # fmt: skip


def _take(action: str, subject: str, step: Step, *, number: int = 0, suite: str = "") -> None:
    """Take the step that the options name."""
    if [step.dry_run, bool(step.reason), step.ticket is not None].count(True) != 1:
        raise StepMissingError("give one of --dry-run to count, --reason to apply, --ticket to carry out")
    if step.ticket is not None:
        _carry_out(step.ticket, (action, subject, number, suite), step)
        return
    from kuimen.entrypoints.installation.install import opened

    with opened(step.home):
        from kuimen.gate.keys.deeds import Deed, DeedKind
        from kuimen.gate.vault.rotation import approved

        deed = Deed(kind=DeedKind(action), subject=subject, number=number, suite=suite)
        person = signed_in(step.token_file)
        if step.dry_run:
            told = dict(approved.plan(deed, reader=person))
        else:
            ticket = approved.ask(deed, maker=person, reason=step.reason)
            told = {"ticket": str(ticket.ticket_id), "state": ticket.state.value, "until": ticket.expires_at}
    _say(told, step.as_json)


def _carry_out(ticket: UUID, deed_parts: tuple[str, str, int, str], step: Step) -> None:
    action, subject, number, suite = deed_parts
    with unlocked(step.home, file=step.credentials_file, descriptor=step.passphrase_fd):
        from kuimen.gate.keys.deeds import Deed, DeedKind
        from kuimen.gate.vault.rotation import approved

        deed = Deed(kind=DeedKind(action), subject=subject, number=number, suite=suite)
        person = signed_in(step.token_file)
        done = approved.carry_out(deed, ticket_id=ticket, actor=person, rows_per_second=step.rate)
        report = {} if done.order is None else _work(done.order.order_id, as_json=step.as_json)
    if done.order is None:
        _say(dict(done.facts), step.as_json)
    else:
        _finish(report, as_json=step.as_json)


def _work(order: UUID, *, as_json: bool) -> Mapping[str, object]:
    """Run the job of an order in this process, and show how far it is."""
    from kuimen.gate.vault.rotation import approved

    with progress_bars(visible=not as_json) as advance:
        report = approved.run_order(
            order, actor=operator(), advance=lambda done, total: advance("轮换作业 rotation", done, total)
        )
    return {"order": str(order), **asdict(report)}


def _finish(report: Mapping[str, object], *, as_json: bool) -> None:
    _say(report, as_json)
    if not report["finished"]:
        raise UnfinishedRotationError(
            "something is left that does not open or waits for a suspended person; the report counts it, the alarm is "
            "recorded, mend it and run kuimen keys go-on"
        )


def _say(facts: Mapping[str, object], as_json: bool) -> None:  # noqa: FBT001 - the one thing it is told
    if as_json:
        emit_json(dict(facts))
        return
    shown = table("", "", "")
    for name, value in facts.items():
        shown.add_row(name, str(value))
    stdout.print(shown)
