"""`kuimen detect` and `kuimen classify`: the finding kernels on JSON lines, for pipes and other languages."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import click

from kuimen.entrypoints.terminal.name_search import tell_name_search
from kuimen.entrypoints.terminal.output import emit_json, json_line
from kuimen.foundation.errors import InvalidInputError
from kuimen.kernels.detection.evidence import Finding, Likelihood

_LINES_TOGETHER, _CHARACTERS_TOGETHER = 2048, 1 << 18


class JsonLineError(InvalidInputError):
    """A line of the input is not one JSON object of the documented form."""

    code = "cli.json_line"


def read_objects(stream: BinaryIO, *, required: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (line number, object); an unreadable line is named, its content is not.

    Raises:
        JsonLineError: a line is no JSON object in UTF-8, or `required` is missing or no text.
    """
    for number, line in enumerate(stream, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            raise JsonLineError(f"line {number} is not JSON in UTF-8; write one object a line") from None
        if not isinstance(row, dict) or not isinstance(row.get(required), str):
            raise JsonLineError(f"line {number}: `{required}` must be there and be text; see --help for the form")
        yield number, row


def read_columns(stream: BinaryIO) -> Iterator[dict[str, Any]]:
    """Yield descriptions of columns whose parts have the documented types.

    Raises:
        JsonLineError: as above, or another part is of the wrong type.
    """
    for number, row in read_objects(stream, required="name"):
        for name in ("table", "comment", "type"):
            if not isinstance(row.get(name) or "", str):
                raise JsonLineError(f"line {number}: `{name}` must be text or missing")
        values = row.get("values")
        if values is not None and (
            not isinstance(values, list) or any(isinstance(value, list | dict) for value in values)
        ):
            raise JsonLineError(f"line {number}: `values` must be a list of texts, numbers and nulls, or missing")
        yield row


@click.command()
@click.option("--jsonl", is_flag=True, required=True, help='Read {"id", "text"} lines, write {"id", "findings"} lines.')
@click.option(
    "--min-likelihood", default="possible", show_default=True, type=click.Choice([step.value for step in Likelihood])
)
@click.option("--rules", "rule_folder", type=click.Path(path_type=Path, exists=True), help="Folder of your own rules.")
@click.option("--template", help="Look for the elements of this template only; `kuimen rules list` names them.")
@click.option(
    "--overlay", type=click.Choice(["fictitious"]), help="Recognise the demonstration's impossible identities."
)
@click.argument("stream", type=click.File("rb"), default="-")
def detect(
    *,
    jsonl: bool,
    min_likelihood: str,
    rule_folder: Path | None,
    template: str | None,
    overlay: str | None,
    stream: BinaryIO,
) -> None:
    """Find personal data in text; the output never holds a value."""
    from kuimen.kernels.detection.facade import detect_many
    from kuimen.kernels.detection.rules import built_in_rules
    from kuimen.sources.rulefolder import load_rules

    del jsonl
    rules = load_rules(rule_folder) if rule_folder else built_in_rules()
    chosen = rules.template(template) if template else None
    least: Likelihood | str = min_likelihood
    if chosen is not None and chosen.min_likelihood.rank > Likelihood(min_likelihood).rank:
        least = chosen.min_likelihood
    elements = chosen.elements if chosen else None
    tell_name_search()
    rows = (row for _number, row in read_objects(stream, required="text"))
    for group in _groups(rows):
        together = detect_many(
            [row["text"] for row in group], elements=elements, min_likelihood=least, overlay=overlay, rules=rules
        )
        answers = (
            {"id": row.get("id"), "findings": [_as_json(one) for one in found]}
            for row, found in zip(group, together, strict=True)
        )
        click.echo("\n".join(map(json_line, answers)))


def _groups(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Yield rows in groups that are worth reading together and small enough to be held."""
    group: list[dict[str, Any]] = []
    characters = 0
    for row in rows:
        group.append(row)
        characters += len(row["text"])
        if len(group) == _LINES_TOGETHER or characters >= _CHARACTERS_TOGETHER:
            yield group
            group, characters = [], 0
    if group:
        yield group


def _as_json(one: Finding) -> dict[str, object]:
    return {
        "element": one.element,
        "start": one.start,
        "end": one.end,
        "category": one.category,
        "likelihood": one.likelihood,
    }


@click.command()
@click.option(
    "--jsonl",
    is_flag=True,
    required=True,
    help="Read {table, name, comment, type, values} lines, write one classification a line.",
)
@click.option(
    "--overlay", type=click.Choice(["fictitious"]), help="Recognise the demonstration's impossible identities."
)
@click.argument("stream", type=click.File("rb"), default="-")
def classify(*, jsonl: bool, overlay: str | None, stream: BinaryIO) -> None:
    """Name the data element of every column; columns of one table are judged together."""
    import kuimen

    del jsonl
    for found in kuimen.classify_columns(list(read_columns(stream)), overlay=overlay):
        if found.element is None:
            emit_json({"element": None})
        else:
            emit_json(
                {
                    "element": str(found.element),
                    "category": str(found.category),
                    "level": found.level,
                    "likelihood": str(found.likelihood),
                }
            )
