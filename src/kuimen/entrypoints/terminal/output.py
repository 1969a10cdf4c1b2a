"""What the commands share: the terminal, tables, JSON lines and progress bars.

People read standard output; progress goes to standard error, so that `--json` output stays clean in a pipe.
"""

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

Advance = Callable[[str, int, int], None]
"""Called with (what is being done, done so far, total); total 0 means not known."""

WIDE = 150  # where nobody watches, tables keep their lines


def _console(*, errors: bool) -> Console:
    stream = sys.stderr if errors else sys.stdout
    return Console(stderr=errors, width=None if stream.isatty() else WIDE)


stdout = _console(errors=False)
stderr = _console(errors=True)


def emit_json(row: Mapping[str, object]) -> None:
    """Print one JSON object on one line."""
    click.echo(json_line(row))


def json_line(row: Mapping[str, object]) -> str:
    """Return one JSON object as a line without its end."""
    text = json.dumps(row, ensure_ascii=False, default=str)
    try:
        text.encode()
    except UnicodeEncodeError:  # half a surrogate pair, which JSON can write and UTF-8 cannot
        text = json.dumps(row, default=str)
    return text


def table(title: str, *columns: str) -> Table:
    """Return an empty table in the house look."""
    made = Table(title=title, title_justify="left", header_style="bold", border_style="dim", pad_edge=False)
    for column in columns:
        made.add_column(column, overflow="fold")
    return made


@contextmanager
def progress_bars(*, visible: bool) -> Iterator[Advance]:
    """Yield a callback that draws one bar per kind of work; silent when not `visible`."""
    if not visible:
        yield lambda _what, _done, _total: None
        return
    bars = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=stderr,
        transient=False,
    )
    tasks: dict[str, int] = {}

    def advance(what: str, done: int, total: int) -> None:
        if what not in tasks:
            tasks[what] = bars.add_task(what, total=total or None)
        bars.update(bars.task_ids[tasks[what]], completed=done, total=total or None)

    with bars:
        yield advance
