"""`kuimen detect` and `kuimen classify`: the finding kernels on JSON lines, for pipes and other languages."""

import json
from collections.abc import Iterator
from typing import Any, TextIO

import click

from kuimen.entrypoints.terminal.output import emit_json
from kuimen.foundation.errors import InvalidInputError


class JsonLineError(InvalidInputError):
    """A line of the input is not one JSON object of the documented form."""

    code = "cli.json_line"


def read_objects(stream: TextIO, *, required: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (line number, object); an unreadable line is named, its content is not.

    Raises:
        JsonLineError: a line is no JSON object or lacks the `required` key.
    """
    for number, line in enumerate(stream, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError:
            raise JsonLineError(f"line {number} is not JSON; write one object a line") from None
        if not isinstance(row, dict) or required not in row:
            raise JsonLineError(f"line {number} has no `{required}`; see --help for the form")
        yield number, row


@click.command()
@click.option("--jsonl", is_flag=True, required=True, help='Read {"id", "text"} lines, write {"id", "findings"} lines.')
@click.option("--min-likelihood", default="possible", show_default=True)
@click.option(
    "--overlay", type=click.Choice(["fictitious"]), help="Recognise the demonstration's impossible identities."
)
@click.argument("stream", type=click.File("r", encoding="utf-8"), default="-")
def detect(*, jsonl: bool, min_likelihood: str, overlay: str | None, stream: TextIO) -> None:
    """Find personal data in text; the output never holds a value."""
    import kuimen

    del jsonl
    for _number, row in read_objects(stream, required="text"):
        found = kuimen.detect(str(row["text"]), min_likelihood=min_likelihood, overlay=overlay)
        emit_json(
            {
                "id": row.get("id"),
                "findings": [
                    {
                        "element": str(f.element),
                        "start": f.start,
                        "end": f.end,
                        "category": str(f.category),
                        "likelihood": str(f.likelihood),
                    }
                    for f in found
                ],
            }
        )


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
@click.argument("stream", type=click.File("r", encoding="utf-8"), default="-")
def classify(*, jsonl: bool, overlay: str | None, stream: TextIO) -> None:
    """Name the data element of every column; columns of one table are judged together."""
    import kuimen

    del jsonl
    rows = [row for _number, row in read_objects(stream, required="name")]
    for found in kuimen.classify_columns(rows, overlay=overlay):
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
