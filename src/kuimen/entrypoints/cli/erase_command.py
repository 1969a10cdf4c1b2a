"""`kuimen retention`: what is due, suspend, destroy by two persons, certificates, verification, replay."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date, datetime
from functools import partial, wraps
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import click

from kuimen.entrypoints.cli.at_terminal import AtTerminal, staff_options
from kuimen.entrypoints.cli.installed import home_option, operator, unlock_options, unlocked
from kuimen.entrypoints.installation.home import InstallationHome, write_private
from kuimen.entrypoints.terminal.output import emit_json, stdout, table
from kuimen.foundation.errors import InvalidInputError, UnavailableError

if TYPE_CHECKING:
    from kuimen.gate.keys.keyring import Keyring
    from kuimen.gate.retention.services import ErasureView

LARGEST_CERTIFICATE = 4 * 1024 * 1024
DAY = click.DateTime(["%Y-%m-%d"])


class CertificateFileError(UnavailableError):
    """A certificate cannot be read or written there."""

    code = "cli.certificate_file"


class PublicKeyError(InvalidInputError):
    """A public key is not 65 bytes in hexadecimal digits."""

    code = "cli.public_key"


@click.group()
def retention() -> None:
    """See what is due, suspend and destroy it by two persons, certify and verify that it was."""


Opening = Callable[[], AbstractContextManager["Keyring"]]
"""Opens the installation with its keys unlocked for the length of a block."""


def opening_options(command: Callable[..., object]) -> Callable[..., object]:
    """Add `--home` and the ways to unlock; the command receives them as `opening`."""

    @wraps(command)
    def run(
        *, credentials_file: Path | None, passphrase_fd: int | None, home: InstallationHome, **others: object
    ) -> object:
        return command(opening=partial(unlocked, home, file=credentials_file, descriptor=passphrase_fd), **others)

    return home_option(unlock_options(run))


@retention.command()
@click.option("--destroyed", is_flag=True, help="Show what was destroyed instead.")
@click.option("--no-check", is_flag=True, help="Show the list as the last check left it.")
@click.option("--json", "as_json", is_flag=True)
@opening_options
def due(
    *, destroyed: bool, no_check: bool, as_json: bool, opening: Opening,
) -> None:  # fmt: skip
    """Ask the clocks about everybody and list what is due; nothing is suspended or destroyed by this."""
    with opening():
        from kuimen.gate.retention import services
        from kuimen.gate.retention.rules import ErasureState

        if not no_check and not destroyed:
            report = services.check_due(actor=operator())
            told = {verdict.value: count for verdict, count in report.verdicts.items()}
            if as_json:
                emit_json({"step": "check", "persons": report.persons, "listed": report.listed, **told})
            else:
                stdout.print(
                    f"已核对 checked {report.persons:,} 人；到期 due {told['due']:,}，"
                    f"未到期 not due {told['not_due']:,}，保全 blocked {told['blocked']:,}，"
                    f"未起算 no clock {told['no_clock']:,}"
                )
        found = services.due_list(state=ErasureState.DESTROYED if destroyed else None)
        if as_json:
            for one in found:
                emit_json(_as_row(one))
            return
        shown = table(
            "到期清单 Due", "编号 Erasure", "个人引用 Person", "类别 Class", "状态 State", "到期 Due", "依据 Why"
        )
        for column in shown.columns[:1]:
            column.no_wrap, column.min_width = True, 36
        for one in found:
            shown.add_row(
                str(one.erasure_id), str(one.person_ref), one.retention_class.value, one.state.value, str(one.due_on),
                f"{one.reason_zh}（{one.clause}）",
            )  # fmt: skip
        stdout.print(shown)


@retention.command()
@click.argument("person_ref", type=click.UUID)
@click.option("--json", "as_json", is_flag=True)
@opening_options
def explain(
    *,
    person_ref: UUID,
    as_json: bool,
    opening: Opening,
) -> None:
    """Say of every class of one person whether it is due, stays, or is held, and why."""
    with opening():
        from kuimen.gate.retention import services

        found = services.decisions_of(person_ref)
        if as_json:
            for one in found:
                emit_json(
                    {"class": one.retention_class.value, "verdict": one.verdict.value, "due_on": one.due_on,
                     "reason_zh": one.reason_zh, "reason_en": one.reason_en, "clause": one.clause}
                )  # fmt: skip
            return
        shown = table(f"{person_ref}", "类别 Class", "结论 Verdict", "到期 Due", "原因 Why", "条款 Clause")
        for one in found:
            shown.add_row(
                one.retention_class.value, one.verdict.value, str(one.due_on or "—"), one.reason_zh, one.clause
            )
        stdout.print(shown)


@retention.command()
@click.argument("erasure_id", type=click.UUID)
@staff_options
@click.option("--resume", is_flag=True, help="Take the suspension back.")
@click.option("--json", "as_json", is_flag=True)
@opening_options
def suspend(
    *, erasure_id: UUID, person: AtTerminal, resume: bool, as_json: bool,
    opening: Opening,
) -> None:  # fmt: skip
    """Stop every disclosure of what an erasure is about; it can be taken back with --resume."""
    with opening():
        from kuimen.gate.retention import services

        officer = person.signed_in()
        deed = services.resume if resume else services.suspend
        _tell(deed(erasure_id, officer=officer), as_json=as_json)


@retention.command()
@click.argument("erasure_id", type=click.UUID)
@staff_options
@click.option("--request", "reason", metavar="REASON", help="Ask another person for the approval, with this reason.")
@click.option("--approve", "ticket", type=click.UUID, help="Approve this ticket as the second person.")
@click.option("--json", "as_json", is_flag=True)
@opening_options
def destroy(
    *, erasure_id: UUID, person: AtTerminal, reason: str | None, ticket: UUID | None,
    as_json: bool, opening: Opening,
) -> None:  # fmt: skip
    """Destroy for good: first --request by one person, then --approve by another, then without either by the first."""
    if reason is not None and ticket is not None:
        raise click.UsageError("--request and --approve are the deeds of two persons")
    with opening():
        from kuimen.gate.approvals import services as approvals
        from kuimen.gate.retention import services

        subject = person.signed_in()
        if reason is not None:
            _tell_ticket(
                services.request_destruction(erasure_id, maker=subject, reason=reason).ticket_id, "requested", as_json
            )
        elif ticket is not None:
            _tell_ticket(approvals.approve(ticket, checker=subject).ticket_id, "approved", as_json)
        else:
            _tell(services.destroy(erasure_id, maker=subject), as_json=as_json)


@retention.command()
@click.argument("person_ref", type=click.UUID)
@staff_options
@click.option("--place", type=click.Choice(["aml", "legal"]), help="Place a hold of this kind.")
@click.option("--lift", type=click.UUID, help="Lift this hold; another officer than the one who placed it.")
@click.option("--evidence", default="", help="The document that the hold rests on.")
@click.option("--json", "as_json", is_flag=True)
@opening_options
def hold(
    *, person_ref: UUID, person: AtTerminal, place: str | None, lift: UUID | None, evidence: str,
    as_json: bool, opening: Opening,
) -> None:  # fmt: skip
    """Place or lift a hold that stops destruction, or list those in force on a person."""
    with opening():
        from kuimen.gate.retention import services
        from kuimen.gate.retention.rules import HoldKind

        officer = person.signed_in()
        if place:
            services.place_hold(person_ref, kind=HoldKind(place), evidence=evidence, officer=officer)
        if lift:
            services.lift_hold(lift, officer=officer)
        for one in services.holds_of(person_ref):
            row = {"hold": str(one.hold_id), "kind": one.kind.value, "evidence": one.evidence, "by": one.placed_by}
            emit_json(row) if as_json else stdout.print(" ".join(row.values()), highlight=False)


@retention.command()
@click.argument("person_ref", type=click.UUID)
@staff_options
@click.option("--kind", required=True, type=click.Choice(["relationship", "adverse", "collection", "consent"]))
@click.option("--ended", type=DAY, help="The day on which it ended; without it the event is open.")
@click.option("--evidence", required=True, help="The document that says so.")
@opening_options
def event(
    *, person_ref: UUID, person: AtTerminal, kind: str, ended: datetime | None, evidence: str,
    opening: Opening,
) -> None:  # fmt: skip
    """Record an event that no room of the installation knows of, so that its clock can start."""
    with opening():
        from kuimen.gate.retention import services
        from kuimen.gate.retention.rules import EventKind

        officer = person.signed_in()
        made = services.record_event(
            person_ref, kind=EventKind(kind), ended_on=_day(ended), evidence=evidence, officer=officer
        )
        stdout.print(str(made), highlight=False)


@retention.command()
@click.argument("label", required=False)
@click.option("--taken", type=DAY, help="The day on which it was taken.")
@click.option("--expires", type=DAY, help="The day after which it is gone; left out, it counts as unknown.")
@click.option(
    "--holds", multiple=True, type=click.Choice(["main", "keys", "key-folder"]), help="What it holds; give it again."
)
@click.option("--json", "as_json", is_flag=True)
@opening_options
def backup(
    *, label: str | None, taken: datetime | None, expires: datetime | None, holds: tuple[str, ...], as_json: bool,
    opening: Opening,
) -> None:  # fmt: skip
    """Enter a backup into the register that certificates read, or list the register."""
    with opening():
        from kuimen.gate.retention import services

        if label is not None:
            if taken is None:
                raise click.UsageError("--taken: say when it was taken")
            entered = services.BackupView(
                label=label, holds_main="main" in holds, holds_keys="keys" in holds,
                holds_key_folder="key-folder" in holds, taken_on=taken.date(), expires_on=_day(expires),
            )  # fmt: skip
            services.register_backup(entered, actor=operator())
        for one in services.backups():
            row = {"label": one.label, "taken_on": str(one.taken_on), "expires_on": str(one.expires_on or "unknown")}
            emit_json(row) if as_json else stdout.print(" ".join(row.values()), highlight=False)


@retention.command()
@click.argument("erasure_id", type=click.UUID)
@click.option(
    "--into", default=".", show_default=True, type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Folder for the two files.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True)
@opening_options
def certificate(
    *, erasure_id: UUID, into: Path, as_json: bool, opening: Opening,
) -> None:  # fmt: skip
    """Make a signed certificate of an erasure: JSON to verify, PDF to read."""
    with opening() as ring:
        from kuimen.gate.retention import services
        from kuimen.gate.retention.typesetting import certificate_pdf

        made = services.certify(erasure_id, actor=operator())
        stem = into / f"erasure-{erasure_id}"
        try:
            write_private(stem.with_suffix(".json"), made.content)
            write_private(stem.with_suffix(".pdf"), certificate_pdf(made.document, key_id=ring.signer().key_id))
        except OSError:
            raise CertificateFileError("--into: the folder cannot be written") from None
    row = {"certificate": str(made.certificate_id), "json": f"{stem}.json", "pdf": f"{stem}.pdf"}
    if as_json:
        emit_json(row)
    else:
        stdout.print(f"销毁证明 Certificate: {row['json']}, {row['pdf']}", highlight=False)


@retention.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option(
    "--checkpoints", type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Folder of independent checkpoints; they vouch for who made the certificate.",
)  # fmt: skip
@click.option("--key", "keys_given", multiple=True, help="A public key to trust, 65 bytes in hexadecimal digits.")
@click.option("--json", "as_json", is_flag=True)
def verify(*, file: Path, checkpoints: Path | None, keys_given: tuple[str, ...], as_json: bool) -> None:
    """Verify a certificate offline; needs no installation."""
    from kuimen.gate.retention.verifier import verify as verify_certificate

    try:
        content = file.read_bytes()[: LARGEST_CERTIFICATE + 1]
    except OSError:
        raise CertificateFileError("the certificate cannot be read") from None
    found = verify_certificate(content, checkpoints=checkpoints, known_keys=[_public(key) for key in keys_given])
    erasure = found.document["erasure"]
    row = {
        "verified": True, "anchored": found.anchored, "key_id": found.key_id, "person": erasure["person"],
        "class": erasure["class"], "destroyed_at": erasure["destroyed_at"], "maker": erasure["maker"],
        "checker": erasure["checker"], "shredded_since": found.document["backups"]["shredded_since"],
    }  # fmt: skip
    if as_json:
        emit_json(row)
        return
    stdout.print(
        "[green]已核验 Verified[/]" if found.anchored else "[yellow]自洽，签发者未核实 whole, issuer unknown[/]"
    )
    for name, value in row.items():
        stdout.print(f"  {name}: {value}", highlight=False)


@retention.command()
@click.option("--json", "as_json", is_flag=True)
@opening_options
def replay(
    *,
    as_json: bool,
    opening: Opening,
) -> None:
    """Verify the shred ledger from its first line and carry out what a restored database lacks.

    Unlocking does the latter by itself, always; this command shows it.
    """
    with opening() as ring:
        from kuimen.gate.retention import services

        report = services.catch_up(ring, actor=operator())
        row = {
            "lines": services.verify_whole(), "agreed": report.did_nothing,
            "keys_destroyed_again": report.keys_destroyed_again,
            "records_destroyed_again": report.records_destroyed_again,
        }  # fmt: skip
        if as_json:
            emit_json(row)
        else:
            stdout.print(
                f"销毁台账 {row['lines']} 行已核验 lines verified；三处一致 all three places agree", highlight=False
            )


def _as_row(one: "ErasureView") -> dict[str, object]:
    return {
        "erasure": str(one.erasure_id),
        "person": str(one.person_ref),
        "class": one.retention_class.value,
        "state": one.state.value,
        "due_on": str(one.due_on),
        "reason_zh": one.reason_zh,
        "reason_en": one.reason_en,
        "clause": one.clause,
    }


def _tell(one: "ErasureView", *, as_json: bool) -> None:
    if as_json:
        emit_json({**_as_row(one), "records_destroyed": one.records_destroyed, "ledger_seq": one.ledger_seq})
        return
    stdout.print(
        f"{one.erasure_id}: {one.state.value}；已销毁记录 records destroyed {one.records_destroyed}", highlight=False
    )


def _tell_ticket(ticket_id: UUID, state: str, as_json: bool) -> None:  # noqa: FBT001 - an output format
    if as_json:
        emit_json({"ticket": str(ticket_id), "state": state})
    else:
        stdout.print(f"审批单 Ticket {ticket_id}: {state}", highlight=False)


def _day(moment: datetime | None) -> date | None:
    return moment.date() if moment else None


def _public(text: str) -> bytes:
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != 65:  # noqa: PLR2004 - 04‖x‖y
        raise PublicKeyError("--key: 65 bytes 04||x||y in hexadecimal digits")
    return key
