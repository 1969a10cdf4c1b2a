"""`kuimen migrate-table`: change a live table over to sealed columns of its own while its application goes on writing.

Start, scrub and handing out keys are acts of two persons: one gives --request, another --approve, the first --ticket.
"""

import secrets
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import click

from kuimen.entrypoints.cli.at_terminal import AtTerminal, staff_options
from kuimen.entrypoints.cli.erase_command import Opening, opening_options
from kuimen.entrypoints.cli.installed import operator
from kuimen.entrypoints.installation.home import write_private
from kuimen.entrypoints.terminal.changeover import show_change, show_facts, show_leftovers
from kuimen.entrypoints.terminal.output import progress_bars
from kuimen.foundation.errors import InvalidInputError, TamperError, UnavailableError

if TYPE_CHECKING:
    from kuimen.gate.access.rules import Subject

LARGEST_PHRASE = 4096


class LeftoverError(TamperError):
    """The scrub is not complete, or clear values were found afterwards."""

    code = "migrate.leftover"


class PhraseFileError(InvalidInputError):
    """The passphrase of a key file cannot be read."""

    code = "migrate.phrase_file"


class KeyFileWriteError(UnavailableError):
    """The key file cannot be written there."""

    code = "migrate.key_file"


@click.group("migrate-table")
def migrate_table() -> None:
    """在线换列 Change a live table over to sealed columns: plan, start, backfill, verify, cut-over, scrub."""


changeover_id = click.argument("changeover_id", type=click.UUID)
json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object.")


def two_persons(command: Callable[..., object]) -> Callable[..., object]:
    """Add the three deeds of an approved act; the command receives `reason`, `approving` and `ticket`."""

    @wraps(command)
    def run(*, reason: str | None, approving: UUID | None, **others: object) -> object:
        if reason is not None and approving is not None:
            raise click.UsageError("--request and --approve are the deeds of two persons")
        return command(reason=reason, approving=approving, **others)

    run = click.option("--request", "reason", metavar="REASON", help="Ask for the approval, with this reason.")(run)
    run = click.option("--approve", "approving", type=click.UUID, help="Approve this ticket as the second person.")(run)
    return staff_options(click.option("--ticket", type=click.UUID, help="Do it, with this approved ticket.")(run))


@migrate_table.command()
@click.option("--source", required=True, help="PostgreSQL address (postgresql://…).")
@click.option(
    "--source-credentials", type=click.Path(path_type=Path),
    help="File (0600) with user=… and password=… of the database, a line each.",
)  # fmt: skip
@click.option("--table", required=True, help="SCHEMA.NAME; without a schema, public.")
@click.option("--column", "columns", multiple=True, required=True, help="NAME=ELEMENT, for example mobile=mobile.")
@click.option("--application", required=True, help="Name of the application; its own key seals the columns.")
@json_option
@opening_options
def plan(
    *, source: str, source_credentials: Path | None, table: str, columns: tuple[str, ...], application: str,
    as_json: bool, opening: Opening,
) -> None:  # fmt: skip
    """Look at a table: what will happen, what stands in the way. Changes nothing."""
    with opening():
        from kuimen.governance.changeover import services

        view = services.plan(
            source, table=table, columns=columns, application=application, actor=operator(),
            credentials_file=source_credentials,
        )  # fmt: skip
        show_change(view, as_json=as_json)


@migrate_table.command()
@changeover_id
@two_persons
@json_option
@opening_options
def start(
    *, changeover_id: UUID, person: AtTerminal, reason: str | None, approving: UUID | None, ticket: UUID | None,
    as_json: bool, opening: Opening,
) -> None:  # fmt: skip
    """Add sealed columns and the trigger; from now on every change is seen. Killed? Again, without --ticket."""
    with opening():
        from kuimen.governance.changeover import services

        subject = person.signed_in()
        if _asked(changeover_id, services.START, subject, reason=reason, approving=approving, as_json=as_json):
            return
        show_change(services.start(changeover_id, ticket_id=ticket, actor=subject), as_json=as_json)


@migrate_table.command()
@changeover_id
@json_option
@opening_options
def backfill(*, changeover_id: UUID, as_json: bool, opening: Opening) -> None:
    """Seal what is not sealed yet, until nothing is left. Run it again at any time."""
    with opening():
        from kuimen.governance.changeover import services

        with progress_bars(visible=not as_json) as advance:
            view, counts = services.backfill(
                changeover_id, actor=operator(), advance=_counting(advance, changeover_id, "密封 seal")
            )
        show_facts(view, {"sealed": counts.sealed, "met_again": counts.skipped}, as_json=as_json)


@migrate_table.command()
@changeover_id
@json_option
@opening_options
def verify(*, changeover_id: UUID, as_json: bool, opening: Opening) -> None:
    """Open every sealed value and compare it with the clear one, in one snapshot, without locks."""
    with opening():
        from dataclasses import asdict

        from kuimen.governance.changeover import services

        with progress_bars(visible=not as_json) as advance:
            view, report = services.verify(
                changeover_id, actor=operator(), advance=_counting(advance, changeover_id, "核对 verify")
            )
        show_facts(view, asdict(report), as_json=as_json)


@migrate_table.command("cut-over")
@changeover_id
@json_option
@opening_options
def cut_over(*, changeover_id: UUID, as_json: bool, opening: Opening) -> None:
    """Make the sealed columns the truth in one short lock; writers of clear values get error KM001 from then on."""
    with opening():
        from dataclasses import asdict

        from kuimen.governance.changeover import services

        view, report = services.cut_over(changeover_id, actor=operator())
        show_facts(view, asdict(report) if report else {}, as_json=as_json)


@migrate_table.command()
@changeover_id
@two_persons
@click.option("--maintenance", help="Address of the same database for a superuser, where the owner is none.")
@click.option("--maintenance-credentials", type=click.Path(path_type=Path), help="User and password for it.")
@json_option
@opening_options
def scrub(  # noqa: PLR0913 - one option each
    *, changeover_id: UUID, person: AtTerminal, reason: str | None, approving: UUID | None, ticket: UUID | None,
    maintenance: str | None, maintenance_credentials: Path | None, as_json: bool, opening: Opening,
) -> None:  # fmt: skip
    """Drop the clear columns, rewrite the table (locked meanwhile), clean log and statistics, prove it. No way back."""
    with opening():
        from django.conf import settings

        from kuimen.governance.changeover import services
        from kuimen.sources.opening import connection_parameters

        subject = person.signed_in()
        if _asked(changeover_id, services.SCRUB, subject, reason=reason, approving=approving, as_json=as_json):
            return
        parameters = (
            connection_parameters(maintenance, credentials_file=maintenance_credentials) if maintenance else None
        )
        view, report = services.scrub(
            changeover_id, ticket_id=ticket, actor=subject, maintenance=parameters,
            overlay=settings.KUIMEN_OVERLAY or None,
        )  # fmt: skip
        show_leftovers(view, report, as_json=as_json)
    if not report.complete:
        raise LeftoverError("scrub: not complete; the report says what is left to do, run it again without --ticket")


@migrate_table.command()
@changeover_id
@json_option
@opening_options
def abandon(*, changeover_id: UUID, as_json: bool, opening: Opening) -> None:
    """Take everything back before the cut-over; the clear columns were never touched."""
    with opening():
        from kuimen.governance.changeover import services

        show_change(services.abandon(changeover_id, actor=operator()), as_json=as_json)


@migrate_table.command()
@click.argument("changeover_id", type=click.UUID, required=False)
@json_option
@opening_options
def status(*, changeover_id: UUID | None, as_json: bool, opening: Opening) -> None:
    """Show one changeover or all, and how many rows wait to be sealed."""
    with opening():
        from kuimen.governance.changeover import services

        for view, waiting in services.status(changeover_id, count=True):
            show_facts(
                view, {"values_sealed": view.values_sealed} | ({} if waiting is None else {"waiting": waiting}),
                as_json=as_json,
            )  # fmt: skip


@migrate_table.command()
@click.argument("application")
@two_persons
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Where to write the key file.")
@click.option("--passphrase-file", type=click.Path(path_type=Path, dir_okay=False), help="One line, 12 signs or more.")
@json_option
@opening_options
def keys(  # noqa: PLR0913 - one option each
    *, application: str, person: AtTerminal, reason: str | None, approving: UUID | None, ticket: UUID | None,
    out: Path | None, passphrase_file: Path | None, as_json: bool, opening: Opening,
) -> None:  # fmt: skip
    """Write the key file that APPLICATION opens its columns with, sealed under a passphrase."""
    with opening():
        from kuimen.governance.changeover import handing_out
        from kuimen.kernels.sealed_columns import SALT_BYTES, sealed_key_document

        subject = person.signed_in()
        if reason is not None:
            made = handing_out.request_keys(application, maker=subject, reason=reason)
            show_facts(None, {"ticket": str(made.ticket_id), "state": "requested"}, as_json=as_json)
            return
        if approving is not None:
            _approve(approving, subject, as_json=as_json)
            return
        if ticket is None or out is None or passphrase_file is None:
            raise click.UsageError("--ticket, --out and --passphrase-file: name all three")
        phrase = _phrase(passphrase_file)
        held = handing_out.hand_out_keys(application, ticket_id=ticket, actor=subject)
        content = sealed_key_document(
            held, application=application, passphrase=phrase, salt=secrets.token_bytes(SALT_BYTES)
        )
        try:
            write_private(out, content)
        except OSError:
            raise KeyFileWriteError("--out: the key file cannot be written; ask for a new ticket") from None
        show_facts(None, {"key_file": str(out), "generations": len(held.masters())}, as_json=as_json)


def _phrase(path: Path) -> str:
    try:
        return path.read_bytes()[:LARGEST_PHRASE].decode("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise PhraseFileError("--passphrase-file: it cannot be read; one line of UTF-8 text") from None


def _asked(
    changeover: UUID, act: str, subject: "Subject", *, reason: str | None, approving: UUID | None, as_json: bool
) -> bool:
    """Ask for or approve an act where that is what the person came for."""
    from kuimen.governance.changeover import services

    if reason is not None:
        made = services.request(changeover, act, maker=subject, reason=reason)
        show_facts(None, {"ticket": str(made.ticket_id), "state": "requested"}, as_json=as_json)
        return True
    if approving is not None:
        _approve(approving, subject, as_json=as_json)
        return True
    return False


def _approve(ticket: UUID, subject: "Subject", *, as_json: bool) -> None:
    from kuimen.gate.approvals import services as approvals

    made = approvals.approve(ticket, checker=subject)
    show_facts(None, {"ticket": str(made.ticket_id), "state": "approved"}, as_json=as_json)


def _counting(advance: Callable[[str, int, int], None], changeover: UUID, what: str) -> Callable[[int], None]:
    """Turn counts of values into a bar over the whole table."""
    from kuimen.governance.changeover import services

    ((view, _),) = services.status(changeover)
    total, done = max(view.plan.rows * len(view.plan.columns), 1), 0

    def told(count: int) -> None:
        nonlocal done
        done += count
        advance(what, min(done, total), total)

    return told
