"""`kuimen redact`: take personal data out of a file or a stream; find it in logs; rewrite logs in their place."""

import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import click

from kuimen.entrypoints.cli.redact_pictures import redact_pictures
from kuimen.entrypoints.terminal.output import emit_json, stderr
from kuimen.foundation.errors import InvalidInputError
from kuimen.kernels.detection.evidence import Likelihood
from kuimen.kernels.detection.rules import RuleSet
from kuimen.kernels.detection.streaming import LineFinding, StreamRedactor
from kuimen.kernels.elements.model import Element
from kuimen.kernels.elements.overlay import RecognitionTables, tables_for
from kuimen.sources.images import is_picture
from kuimen.sources.redacting import CHUNK, RedactedFile, find_in_file, redacted_chunks, rewrite_redacted, text_shape
from kuimen.sources.rulefolder import load_rules

FOUND = 1


class RedactUseError(InvalidInputError):
    """The options of one call do not go together."""

    code = "cli.redact_use"


@click.command()
@click.option("--check", is_flag=True, help="Write no text; name file, line and element, and exit with 1 where any.")
@click.option("--in-place", is_flag=True, help="Replace the files by their redacted form, at once or not at all.")
@click.option(
    "--style", default="label", show_default=True, type=click.Choice(["label", "mask"]), help="<mobile> or 138****5678."
)
@click.option("--element", "elements", multiple=True, type=click.Choice([e.value for e in Element]), help="These only.")
@click.option(
    "--min-likelihood", default="possible", show_default=True, type=click.Choice([step.value for step in Likelihood])
)
@click.option("--rules", "rule_folder", type=click.Path(path_type=Path, exists=True), help="Folder of your own rules.")
@click.option("--encoding", default=None, type=click.Choice(["utf-8", "gb18030"]), help="Of standard input.")
@click.option(
    "--overlay", type=click.Choice(["fictitious"]), help="Recognise the demonstration's impossible identities."
)
@click.option("--json", "as_json", is_flag=True, help="With --check and --in-place: one JSON object a line.")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path, allow_dash=True))
@click.pass_context
def redact(  # noqa: PLR0913 - a parameter for each option
    context: click.Context,
    *,
    check: bool,
    in_place: bool,
    style: str,
    elements: tuple[str, ...],
    min_likelihood: str,
    rule_folder: Path | None,
    encoding: str | None,
    overlay: str | None,
    as_json: bool,
    paths: tuple[Path, ...],
) -> None:
    """Take personal data out of files or of standard input (-).

    `tail -f app.log | kuimen redact -` lets every line out as soon as it has ended. Pictures and PDF get solid boxes
    (`kuimen redact card.jpg > clean.jpg`, or --in-place); that needs the extra `images`.
    """
    redacting = partial(
        _redactor,
        style,
        frozenset(map(Element, elements)) or None,
        Likelihood(min_likelihood),
        tables_for(overlay),
        load_rules(rule_folder) if rule_folder else None,
    )
    given: Sequence[Path] = paths or (Path("-"),)
    pictures = [path for path in given if str(path) != "-" and is_picture(path)]
    if pictures:
        if len(pictures) < len(given) or elements or style != "label":
            raise RedactUseError("FILE: pictures are redacted by themselves, whole: no other files, --element, --style")
        found_any = redact_pictures(
            pictures, check=check, in_place=in_place, tables=tables_for(overlay), as_json=as_json
        )
        if check and not in_place and found_any:
            context.exit(FOUND)
        return
    if check or in_place:
        if any(str(path) == "-" for path in given):
            raise RedactUseError("FILE: name files with --check and --in-place, not standard input")
        work = rewrite_redacted if in_place else find_in_file
        found = [_report(path, work(path, redacting), as_json=as_json) for path in given]
        if check and not in_place and any(found):
            context.exit(FOUND)
        return
    for path in given:
        if str(path) == "-":
            _stream(redacting(encoding or "utf-8", None))
        else:
            shape = text_shape(path)
            redactor = redacting(shape.encoding.removesuffix("-sig"), None)
            for chunk in redacted_chunks(path, redactor, shape):
                sys.stdout.buffer.write(chunk)
    sys.stdout.buffer.flush()


def _redactor(
    style: str,
    elements: frozenset[Element] | None,
    least: Likelihood,
    tables: RecognitionTables,
    rules: RuleSet | None,
    encoding: str,
    on_finding: Callable[[LineFinding], None] | None,
) -> StreamRedactor:
    return StreamRedactor(
        encoding=encoding,
        elements=elements,
        min_likelihood=least,
        style=style,
        tables=tables,
        rules=rules,
        on_finding=on_finding,
    )


def _stream(redactor: StreamRedactor) -> None:
    """Redact standard input as it comes; a line goes out as soon as its end is there."""
    source = sys.stdin.fileno()
    while chunk := os.read(source, CHUNK):
        clean = redactor.feed(chunk)
        if clean:
            sys.stdout.buffer.write(clean)
            sys.stdout.buffer.flush()
    sys.stdout.buffer.write(redactor.close())


def _report(path: Path, done: RedactedFile, *, as_json: bool) -> bool:
    if as_json:
        first = [
            {"line": one.line, "element": str(one.element), "likelihood": str(one.likelihood)} for one in done.first
        ]
        emit_json({"file": str(path), "lines": done.lines, "counts": done.counts, "findings": first})
        return bool(done.counts)
    for one in done.first:
        click.echo(f"{path}:{one.line}: {one.element} ({one.likelihood})")
    total = sum(done.counts.values())
    stderr.print(f"{path}: {done.lines:,} 行 lines, 个人信息 {total:,} findings", highlight=False, markup=False)
    return bool(done.counts)
