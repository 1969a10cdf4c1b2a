"""`kuimen keys`: status, ceremony, custodians, rotation of every key without downtime."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

import click

from kuimen.entrypoints.cli.installed import home_option, operator, unlock_options, unlocked
from kuimen.entrypoints.cli.keys_ceremony import ceremony, custodians
from kuimen.entrypoints.installation.home import InstallationHome
from kuimen.entrypoints.terminal.output import Advance, emit_json, progress_bars, stdout, table
from kuimen.foundation.errors import DeniedError, InvalidInputError, TamperError

if TYPE_CHECKING:
    from kuimen.gate.access.rules import Subject

CLASSES = ("identity_transaction", "adverse_item", "collection_record", "consent_based")
SUITES = ("sm4-gcm", "aes-256-gcm")
Command = TypeVar("Command", bound=Callable[..., object])


class UnfinishedRotationError(TamperError):
    """Keys or records are left that do not open; the rotation is not finished and its proof is not clean."""

    code = "keys.rotation_unfinished"


class NotPresentError(DeniedError):
    """The person named did not open a share of the root in this process."""

    code = "keys.not_present"


class PersonShapeError(InvalidInputError):
    """A reference to a person is no UUID."""

    code = "keys.person_reference"


@click.group()
def keys() -> None:
    """Keys: status, key ceremony, custodians, rotation."""


keys.add_command(ceremony)
keys.add_command(custodians)


def job_options(command: Command) -> Command:
    """Add what every rotation job takes."""
    command = click.option("--dry-run", is_flag=True, help="Count what would be done, and change nothing.")(command)
    command = click.option("--rate", type=click.IntRange(min=1), help="At most so many rows a second.")(command)
    return click.option("--json", "as_json", is_flag=True, help="One JSON object.")(command)


@keys.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@home_option
def status(*, as_json: bool, home: InstallationHome) -> None:
    """Show root, custodians, domain keys, index keys and rotations; needs no passphrase."""
    from kuimen.entrypoints.installation.install import opened

    with opened(home):
        from kuimen.entrypoints.terminal.keys import key_facts, show_keys

        facts = key_facts(home.root_key)
    if as_json:
        emit_json(facts)
    else:
        show_keys(facts)


@keys.command("rotate-domain")
@click.argument("retention_class", type=click.Choice(CLASSES))
@click.option("--suite", type=click.Choice(SUITES), help="Suite of the new version; as before when absent.")
@click.option("--json", "as_json", is_flag=True)
@unlock_options
@home_option
def rotate_domain(
    *, retention_class: str, suite: str | None, as_json: bool, credentials_file: Path | None,
    passphrase_fd: int | None, home: InstallationHome,
) -> None:  # fmt: skip
    """Make the next version of a class's domain key; the old one opens until it is destroyed. Then: keys rewrap."""
    with unlocked(home, file=credentials_file, descriptor=passphrase_fd):
        from kuimen.gate.keys import services
        from kuimen.gate.keys.domain_keys import active_suite
        from kuimen.gate.keys.rules import KeySuite, RetentionClass

        kind = RetentionClass(retention_class)
        chosen = KeySuite(suite) if suite else active_suite(kind) or KeySuite.SM4_GCM
        version = services.rotate_domain(kind, actor=operator(), suite=chosen)
    _say({"retention_class": retention_class, "version": version, "suite": chosen.value}, as_json=as_json)


@keys.command()
@click.argument("retention_class", type=click.Choice(CLASSES))
@job_options
@unlock_options
@home_option
def rewrap(
    *, retention_class: str, dry_run: bool, rate: int | None, as_json: bool, credentials_file: Path | None,
    passphrase_fd: int | None, home: InstallationHome,
) -> None:  # fmt: skip
    """Move every key of a class under the active version of its domain key. Stopped, it goes on where it was."""
    with unlocked(home, file=credentials_file, descriptor=passphrase_fd):
        from kuimen.gate.keys.rules import RetentionClass
        from kuimen.gate.vault.rotation import services

        kind = RetentionClass(retention_class)
        if dry_run:
            plan = services.plan_rewrap(kind)
            _say({**asdict(plan), "to_do": plan.to_do}, as_json=as_json)
            return
        with progress_bars(visible=not as_json) as advance:
            report = services.rewrap(
                kind, actor=operator(), rows_per_second=rate, advance=_bar(advance, "重新包裹 rewrap")
            )
    _finish(asdict(report), as_json=as_json)


@keys.command()
@click.argument("retention_class", type=click.Choice(CLASSES))
@click.option("--suite", type=click.Choice(SUITES), help="Go over to this suite; as before when absent.")
@job_options
@unlock_options
@home_option
def reencrypt(
    *, retention_class: str, suite: str | None, dry_run: bool, rate: int | None, as_json: bool,
    credentials_file: Path | None, passphrase_fd: int | None, home: InstallationHome,
) -> None:  # fmt: skip
    """Seal every record of a class under new keys. Stopped, it goes on where it was; reading never fails meanwhile."""
    with unlocked(home, file=credentials_file, descriptor=passphrase_fd):
        from kuimen.gate.keys.rules import KeySuite, RetentionClass
        from kuimen.gate.vault.rotation import services

        kind, chosen = RetentionClass(retention_class), KeySuite(suite) if suite else None
        if dry_run:
            _say(asdict(services.plan_reencrypt(kind, suite=chosen)), as_json=as_json)
            return
        with progress_bars(visible=not as_json) as advance:
            report = services.reencrypt(
                kind, actor=operator(), suite=chosen, rows_per_second=rate,
                advance=_bar(advance, "重新加密 reencrypt"),
            )  # fmt: skip
    _finish(asdict(report), as_json=as_json)


@keys.command()
@click.argument("element")
@job_options
@unlock_options
@home_option
def reindex(
    *, element: str, dry_run: bool, rate: int | None, as_json: bool, credentials_file: Path | None,
    passphrase_fd: int | None, home: InstallationHome,
) -> None:  # fmt: skip
    """Tag every record of ELEMENT under the next index key. Searches look in both until two persons cut over."""
    with unlocked(home, file=credentials_file, descriptor=passphrase_fd):
        from kuimen.gate.vault.errors import RotationInputError
        from kuimen.gate.vault.rotation import services
        from kuimen.kernels.elements.model import Element

        if element not in set(Element):
            raise RotationInputError("element: it is not in the element table; use one of its names")
        if dry_run:
            _say(asdict(services.plan_reindex(element)), as_json=as_json)
            return
        with progress_bars(visible=not as_json) as advance:
            report = services.reindex(
                element, actor=operator(), rows_per_second=rate, advance=_bar(advance, "重建索引 reindex")
            )
    _finish(asdict(report), as_json=as_json)


@keys.command()
@click.argument("merged")
@click.argument("survivor")
@click.option("--rate", type=click.IntRange(min=1), help="At most so many rows a second.")
@click.option("--json", "as_json", is_flag=True)
@unlock_options
@home_option
def merge(
    *, merged: str, survivor: str, rate: int | None, as_json: bool, credentials_file: Path | None,
    passphrase_fd: int | None, home: InstallationHome,
) -> None:  # fmt: skip
    """Seal everything of the person MERGED for the person SURVIVOR, who is the same."""
    try:
        source, target = UUID(merged), UUID(survivor)
    except ValueError:
        raise PersonShapeError("MERGED, SURVIVOR: write both references as UUIDs") from None
    with unlocked(home, file=credentials_file, descriptor=passphrase_fd):
        from kuimen.gate.vault.rotation import services

        with progress_bars(visible=not as_json) as advance:
            report = services.merge_persons(
                source, target, actor=operator(), rows_per_second=rate, advance=_bar(advance, "合并 merge")
            )
    _finish(asdict(report), as_json=as_json)


def two_persons(command: Command) -> Command:
    """Add who asks and who approves; both must be present with their passphrases."""
    command = click.option("--maker", required=True, help="Staff number of the custodian who does it.")(command)
    command = click.option("--checker", required=True, help="Staff number of the other one, who approves.")(command)
    command = click.option("--reason", required=True, help="Why, in words without personal numbers.")(command)
    return click.option("--json", "as_json", is_flag=True)(command)


@keys.command("destroy-domain")
@click.argument("retention_class", type=click.Choice(CLASSES))
@click.argument("version", type=click.IntRange(min=1))
@two_persons
@unlock_options
@home_option
def destroy_domain(  # noqa: PLR0913 - one option each
    *, retention_class: str, version: int, maker: str, checker: str, reason: str, as_json: bool,
    credentials_file: Path | None, passphrase_fd: int | None, home: InstallationHome,
) -> None:  # fmt: skip
    """Destroy an old VERSION of a domain key for good; two custodians are present. Refused while it is in use."""
    with unlocked(home, file=credentials_file, descriptor=passphrase_fd) as ring:
        from kuimen.gate.approvals import services as approvals
        from kuimen.gate.keys.rules import RetentionClass
        from kuimen.gate.vault.rotation import approved

        _both_present(ring.present, maker, checker)
        kind, first, second = RetentionClass(retention_class), _subject(maker), _subject(checker)
        ticket = approved.ask_to_destroy_domain(kind, version, maker=first, reason=reason)
        approvals.approve(ticket.ticket_id, checker=second)
        approved.destroy_domain(kind, version, ticket_id=ticket.ticket_id, actor=first)
    _say({"destroyed": f"{retention_class}/{version}", "ticket": str(ticket.ticket_id)}, as_json=as_json)


@keys.command("cut-over")
@click.argument("element")
@click.argument("generation", type=click.IntRange(min=1))
@two_persons
@unlock_options
@home_option
def cut_over(  # noqa: PLR0913 - one option each
    *, element: str, generation: int, maker: str, checker: str, reason: str, as_json: bool,
    credentials_file: Path | None, passphrase_fd: int | None, home: InstallationHome,
) -> None:  # fmt: skip
    """Stop writing and searching the index generations of ELEMENT before GENERATION; two custodians are present."""
    with unlocked(home, file=credentials_file, descriptor=passphrase_fd) as ring:
        from kuimen.gate.approvals import services as approvals
        from kuimen.gate.vault.rotation import approved

        _both_present(ring.present, maker, checker)
        first, second = _subject(maker), _subject(checker)
        ticket = approved.ask_to_cut_over(element, maker=first, reason=reason)
        approvals.approve(ticket.ticket_id, checker=second)
        ended = approved.cut_over(element, generation, ticket_id=ticket.ticket_id, actor=first)
    _say({"element": element, "generation": generation, "ended": ended}, as_json=as_json)


@keys.command("drop-index")
@click.argument("element")
@click.argument("generation", type=click.IntRange(min=1))
@two_persons
@unlock_options
@home_option
def drop_index(  # noqa: PLR0913 - one option each
    *, element: str, generation: int, maker: str, checker: str, reason: str, as_json: bool,
    credentials_file: Path | None, passphrase_fd: int | None, home: InstallationHome,
) -> None:  # fmt: skip
    """Delete the tags of an index GENERATION that was cut over, and destroy its key; two custodians are present."""
    with unlocked(home, file=credentials_file, descriptor=passphrase_fd) as ring:
        from kuimen.gate.approvals import services as approvals
        from kuimen.gate.vault.rotation import approved

        _both_present(ring.present, maker, checker)
        first, second = _subject(maker), _subject(checker)
        ticket = approved.ask_to_drop(element, generation, maker=first, reason=reason)
        approvals.approve(ticket.ticket_id, checker=second)
        gone = approved.drop_index(element, generation, ticket_id=ticket.ticket_id, actor=first)
    _say({"element": element, "generation": generation, "tags_deleted": gone}, as_json=as_json)


def _both_present(present: tuple[str, ...], maker: str, checker: str) -> None:
    """Hold the two persons to the passphrases that were given: a staff number alone is nobody."""
    missing = [one for one in (maker, checker) if one not in present]
    if missing:
        raise NotPresentError(
            f"{', '.join(missing)}: a custodian is present who gave the own passphrase to this command"
        )


def _subject(staff_no: str) -> "Subject":
    from kuimen.gate.access.models import Staff
    from kuimen.gate.access.services import subject_of

    row = Staff.objects.select_related("agency").filter(staff_no=staff_no).first()
    if row is None:
        raise NotPresentError(f"{staff_no}: a custodian is no member of staff any more; hand the share over first")
    return subject_of(row)


def _bar(advance: Advance, what: str) -> Callable[[int, int], None]:
    return lambda done, total: advance(what, done, total)


def _finish(report: dict[str, object], *, as_json: bool) -> None:
    _say(report, as_json=as_json)
    if not report["finished"]:
        raise UnfinishedRotationError(
            "something is left that does not open or waits for a suspended person; the report counts it, the alarm is "
            "recorded, mend it and start again"
        )


def _say(facts: dict[str, object], *, as_json: bool) -> None:
    if as_json:
        emit_json(facts)
        return
    shown = table("", "", "")
    for name, value in facts.items():
        shown.add_row(name, str(value))
    stdout.print(shown)
