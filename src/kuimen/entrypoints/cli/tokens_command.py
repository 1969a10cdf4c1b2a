"""`kuimen tokens`: give a partner tokens instead of card numbers, lead them back, suspend and end them.

Tokens come and go in files, never in arguments: what stands in a shell's history or a process list is read by others.
"""

import csv
import io
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import TextIO
from uuid import UUID

import click

from kuimen.entrypoints.cli.installed import home_option
from kuimen.entrypoints.cli.signed_in import signed_in, token_option
from kuimen.entrypoints.installation.home import InstallationHome, write_private
from kuimen.entrypoints.terminal.output import emit_json, stdout
from kuimen.foundation.errors import InvalidInputError

JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object.")
PARTNER = click.option("--partner", required=True, help="合作机构代码 Code of the partner.")
DOMAIN = click.option("--domain", required=True, help="用途域 What it is for, for example repayment.")
OUT = click.option(
    "--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="写入此新文件（0600） A new file."
)
PURPOSES = click.Choice(("servicing", "collection", "credit", "marketing", "risk", "reporting", "audit"))
LONGEST_DAYS = 3 * 365
BATCH = 5_000


class TokenLineError(InvalidInputError):
    """A line of the input is none of what the command takes."""

    code = "cli.token_line"


class OutputPlaceError(InvalidInputError):
    """The output file exists already or cannot be written."""

    code = "cli.output_place"


@click.group()
def tokens() -> None:
    """支付标记：发放、还原、停用、终止 Payment tokens: issue, open, suspend, end."""


@tokens.command()
@click.argument("records", type=click.File(encoding="utf-8"))
@PARTNER
@DOMAIN
@click.option("--days", type=click.IntRange(1, LONGEST_DAYS), default=365, show_default=True, help="有效天数 Days.")
@OUT
@token_option(required=True)
@JSON
@home_option
def issue(
    *, records: TextIO, partner: str, domain: str, days: int, out: Path, token_file: Path, as_json: bool,
    home: InstallationHome,
) -> None:  # fmt: skip
    """发放标记 Issue tokens: RECORDS holds one vault record id a line; a token that holds is given again."""
    from kuimen.entrypoints.installation.install import opened

    wanted = [_record(line, number) for number, line in _lines(records)]
    refuse_place(out)
    with opened(home):
        from kuimen.foundation.identifiers import RecordId
        from kuimen.gate.tokens import services

        person = signed_in(token_file)
        made: dict[str, str] = {}
        for start in range(0, len(wanted), BATCH):
            part = services.issue(
                [RecordId(one) for one in wanted[start : start + BATCH]], domain=domain, partner_id=partner,
                life=timedelta(days=days), subject=person,
            )  # fmt: skip
            made |= {str(record_id): token for record_id, token in part.items()}
    _write(out, ("record_id", "token"), made)
    _tell({"issued": len(made), "file": str(out)}, as_json=as_json)


@tokens.command("open")
@click.argument("given", metavar="TOKENS", type=click.File(encoding="utf-8"))
@PARTNER
@DOMAIN
@click.option("--purpose", type=PURPOSES, required=True, help="处理目的 Purpose.")
@OUT
@token_option(required=True)
@JSON
@home_option
def open_(
    *, given: TextIO, partner: str, domain: str, purpose: str, out: Path, token_file: Path, as_json: bool,
    home: InstallationHome,
) -> None:  # fmt: skip
    """还原为保险库引用 Lead TOKENS, one a line, back to vault records; all of them or none. No number comes out."""
    from kuimen.entrypoints.installation.install import opened

    wanted = [line for _, line in _lines(given)]
    refuse_place(out)
    with opened(home):
        from kuimen.gate.tokens import services

        found = services.resolve(
            wanted, domain=domain, partner_id=partner, subject=signed_in(token_file), purpose=purpose
        )
    _write(out, ("token", "record_id"), {token: str(record_id) for token, record_id in found.items()})
    _tell({"opened": len(found), "file": str(out)}, as_json=as_json)


def _changing(name: str, event: str, words: str) -> click.Command:
    @tokens.command(name, help=f"{words} TOKENS holds one token a line: all of them change, or none.")
    @click.argument("given", metavar="TOKENS", type=click.File(encoding="utf-8"))
    @click.option("--reason", required=True, help="事由 Why, without anybody's number.")
    @token_option(required=True)
    @JSON
    @home_option
    def change(*, given: TextIO, reason: str, token_file: Path, as_json: bool, home: InstallationHome) -> None:
        from kuimen.entrypoints.installation.install import opened

        wanted = [line for _, line in _lines(given)]
        with opened(home):
            from kuimen.gate.tokens import services
            from kuimen.gate.tokens.rules import TokenEvent

            state = services.change_state(wanted, TokenEvent(event), officer=signed_in(token_file), reason=reason)
        _tell({"state": state.value, "count": len(set(wanted))}, as_json=as_json)

    return change


suspend = _changing("suspend", "suspend", "停用标记 Suspend tokens; they can be resumed.")
resume = _changing("resume", "resume", "恢复标记 Resume suspended tokens.")
end = _changing("end", "delete", "终止标记 End tokens for good.")


def _lines(stream: TextIO) -> list[tuple[int, str]]:
    """Return the first column of each line that holds something, with its number; a heading is left out."""
    try:
        rows = list(csv.reader(stream))
    except (UnicodeDecodeError, csv.Error):
        raise TokenLineError("input: one value a line, in UTF-8") from None
    found = [(number, row[0].strip()) for number, row in enumerate(rows, 1) if row and row[0].strip()]
    return [one for one in found if one[1] not in {"token", "record_id"}]


def _record(line: str, number: int) -> UUID:
    try:
        return UUID(line)
    except ValueError:
        raise TokenLineError(f"line {number}: write the id of one vault record, a UUID") from None


def refuse_place(out: Path) -> None:
    """Raise OutputPlaceError unless a new file can be made here."""
    if out.exists() or not out.parent.is_dir():
        raise OutputPlaceError("--out: name a new file in a folder that exists")


def new_file(out: Path, content: bytes) -> None:
    """Write a private file where none stands."""
    refuse_place(out)
    try:
        write_private(out, content)
    except OSError:
        raise OutputPlaceError("--out: cannot be written there") from None


def _write(out: Path, heading: tuple[str, str], rows: Mapping[str, str]) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([heading, *rows.items()])
    new_file(out, text.getvalue().encode())


def _tell(facts: Mapping[str, object], *, as_json: bool) -> None:
    if as_json:
        emit_json(facts)
    else:
        stdout.print("  ".join(f"{name}: {value}" for name, value in facts.items()), highlight=False)
