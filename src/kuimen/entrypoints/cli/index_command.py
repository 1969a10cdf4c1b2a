"""`kuimen index`: what an index of a part would leak, and building or dropping one as two persons.

Building and dropping take three steps, as `kuimen keys` does: `--reason` applies and prints the ticket, another person
approves it, `--ticket` carries it out. Who acts is who signed in with `kuimen sign-in`.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial, wraps
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import click

from kuimen.entrypoints.cli.installed import home_option, unlock_options, unlocked
from kuimen.entrypoints.cli.signed_in import signed_in, token_option
from kuimen.entrypoints.installation.home import InstallationHome
from kuimen.entrypoints.terminal.output import emit_json, progress_bars, stdout, table
from kuimen.foundation.errors import InvalidInputError, TamperError

if TYPE_CHECKING:
    from kuimen.gate.vault.part_rules import IndexName
    from kuimen.kernels.elements.model import Element

PARTS = click.Choice(("last_four", "first_three", "both_ends", "surname"))
JSON = click.option("--json", "as_json", is_flag=True, help="一个 JSON 对象 One JSON object.")
ELEMENT = click.argument("element")


class ElementUnknownError(InvalidInputError):
    """The element is not in the element table."""

    code = "index.element"


class StepUnclearError(InvalidInputError):
    """The command does not say whether to apply or to carry out."""

    code = "index.step"


class UnfinishedIndexError(TamperError):
    """Records are left without a tag: they do not open, or wait for a suspended person."""

    code = "index.unfinished"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Which step of a build or a drop, whose, and where."""

    reason: str
    ticket: UUID | None
    token_file: Path
    as_json: bool
    credentials_file: Path | None
    passphrase_fd: int | None
    home: InstallationHome


def step_options(command: Callable[..., object]) -> Callable[..., object]:
    """Add the steps; the command receives them as `step`, a :class:`Step`."""

    @wraps(command)
    def run(**given: object) -> object:
        step = Step(**{name: given.pop(name) for name in Step.__slots__})  # type: ignore[arg-type]  # click's values
        if bool(step.reason) == (step.ticket is not None):
            raise StepUnclearError("give --reason to apply, or --ticket to carry out what another person approved")
        return command(step=step, **given)

    options = (
        click.option("--reason", default="", help="提出申请：事由 Apply: why, in words without personal numbers."),
        click.option("--ticket", type=click.UUID, help="办理他人已批准的审批单 Carry out what another approved."),
        token_option(required=True), JSON, unlock_options, home_option,
    )  # fmt: skip
    for option in reversed(options):
        run = option(run)
    return run


@click.group()
def index() -> None:
    """片段索引：评估泄漏、建立、删除 Indexes of parts of values: what they leak, build, drop."""


@index.command()
@JSON
@home_option
def status(*, as_json: bool, home: InstallationHome) -> None:
    """现有片段索引，不需口令 Show every index; needs no passphrase."""
    from kuimen.entrypoints.installation.install import opened

    with opened(home):
        from kuimen.gate.vault.parts.services import part_indexes

        rows = [
            {**asdict(one), "name": one.name.text, "state": one.state.value, "began_at": one.began_at.isoformat()}
            for one in part_indexes()
        ]
    if as_json:
        emit_json({"indexes": [{name: str(value) for name, value in row.items()} for row in rows]})
        return
    shown = table("片段索引 Indexes of parts", "索引 index", "代 generation", "位 bits", "状态 state", "记录 records")
    for row in rows:
        shown.add_row(*(str(row[name]) for name in ("name", "generation", "bits", "state", "records")))
    stdout.print(shown)


@index.command()
@click.argument("elements", nargs=-1)
@token_option(required=True)
@JSON
@unlock_options
@home_option
def plan(
    *, elements: tuple[str, ...], token_file: Path, as_json: bool, credentials_file: Path | None,
    passphrase_fd: int | None, home: InstallationHome,
) -> None:  # fmt: skip
    """评估索引会泄漏什么 Measure what indexes of ELEMENTS would leak, and say why one is refused; changes nothing.

    Without ELEMENTS, every element that has records and an index or a declared part.
    """
    with unlocked(home, file=credentials_file, descriptor=passphrase_fd):
        from kuimen.entrypoints.terminal.leakage import plan_facts, show_plans
        from kuimen.gate.vault.parts import building
        from kuimen.gate.vault.parts.planner import elements_to_plan

        reader = signed_in(token_file)
        chosen = [_element(one) for one in elements] or elements_to_plan()
        plans = []
        with progress_bars(visible=not as_json) as advance:
            for element in chosen:
                bar = partial(advance, f"评估 plan {element}")
                plans += building.plan(element, reader=reader, advance=bar)
    if as_json:
        emit_json({"plans": plan_facts(plans)})
    else:
        show_plans(plans)


@index.command()
@ELEMENT
@click.argument("part", type=PARTS)
@step_options
def build(*, element: str, part: str, step: Step) -> None:
    """建立片段索引 Build the index of a PART of ELEMENT, if the planner admits it."""
    with unlocked(step.home, file=step.credentials_file, descriptor=step.passphrase_fd):
        from kuimen.gate.vault.parts import building

        name, person = _name(element, part), signed_in(step.token_file)
        if step.ticket is None:
            ticket = building.ask_to_build(name, maker=person, reason=step.reason)
            _say({"ticket": str(ticket.ticket_id), "index": name.text, "state": ticket.state.value}, step.as_json)
            return
        with progress_bars(visible=not step.as_json) as advance:
            report = building.build(name, ticket_id=step.ticket, actor=person, advance=partial(advance, name.text))
    _finish(asdict(report), as_json=step.as_json)


@index.command()
@ELEMENT
@click.argument("part", type=PARTS)
@token_option(required=True)
@JSON
@unlock_options
@home_option
def resume(
    *, element: str, part: str, token_file: Path, as_json: bool, credentials_file: Path | None,
    passphrase_fd: int | None, home: InstallationHome,
) -> None:  # fmt: skip
    """继续建立 Go on with a build that was cut off; it was approved, no second ticket is needed."""
    with unlocked(home, file=credentials_file, descriptor=passphrase_fd):
        from kuimen.gate.vault.parts import building

        name = _name(element, part)
        with progress_bars(visible=not as_json) as advance:
            report = building.resume(name, actor=signed_in(token_file), advance=partial(advance, name.text))
    _finish(asdict(report), as_json=as_json)


@index.command()
@ELEMENT
@click.argument("part", type=PARTS)
@click.argument("generation", type=click.IntRange(1, 2**31 - 1))
@step_options
def drop(*, element: str, part: str, generation: int, step: Step) -> None:
    """删除片段索引 Delete the tags of a GENERATION of an index and destroy its key."""
    with unlocked(step.home, file=step.credentials_file, descriptor=step.passphrase_fd):
        from kuimen.gate.vault.parts import building

        name, person = _name(element, part), signed_in(step.token_file)
        if step.ticket is None:
            ticket = building.ask_to_drop(name, generation, maker=person, reason=step.reason)
            _say({"ticket": str(ticket.ticket_id), "index": name.text, "state": ticket.state.value}, step.as_json)
            return
        gone = building.drop(name, generation, ticket_id=step.ticket, actor=person)
    _say({"index": name.text, "generation": generation, "tags_deleted": gone}, step.as_json)


@index.command()
@click.argument("ticket", type=click.UUID)
@token_option(required=True)
@JSON
@home_option
def approve(*, ticket: UUID, token_file: Path, as_json: bool, home: InstallationHome) -> None:
    """作为第二人批准 Approve a TICKET as the second person."""
    from kuimen.entrypoints.installation.install import opened

    with opened(home):
        from kuimen.gate.approvals import services as approvals
        from kuimen.gate.vault.parts import building

        building.refuse_other_ticket(ticket)
        done = approvals.approve(ticket, checker=signed_in(token_file))
    _say({"ticket": str(ticket), "index": done.object_ref, "state": done.state.value}, as_json)


def _element(name: str) -> "Element":
    from kuimen.kernels.elements.model import Element

    if name not in set(Element):
        raise ElementUnknownError("ELEMENT: it is not in the element table; use one of its names, such as mobile")
    return Element(name)


def _name(element: str, part: str) -> "IndexName":
    from kuimen.gate.vault.part_rules import IndexName, Part

    return IndexName(element=_element(element), part=Part(part))


def _finish(report: dict[str, object], *, as_json: bool) -> None:
    _say(report, as_json)
    if not report["finished"]:
        raise UnfinishedIndexError(
            "records are left that do not open or wait for a suspended person; the index is not searched yet, mend it "
            "and run kuimen index resume"
        )


def _say(facts: dict[str, object], as_json: bool) -> None:  # noqa: FBT001 - the one thing it is told
    if as_json:
        emit_json(facts)
        return
    shown = table("", "", "")
    for name, value in facts.items():
        shown.add_row(name, str(value))
    stdout.print(shown)
