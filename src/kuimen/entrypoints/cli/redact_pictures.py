"""`kuimen redact` on pictures and PDF: one reading process for all of them."""

import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from kuimen.entrypoints.terminal.output import emit_json, stderr
from kuimen.foundation.errors import InvalidInputError
from kuimen.kernels.elements.overlay import RecognitionTables
from kuimen.sources.images import PictureReader, redacted_picture, replace_file


class OnePictureError(InvalidInputError):
    """Standard output takes one picture; several are redacted in place or checked."""

    code = "cli.one_picture"


def redact_pictures(
    paths: Sequence[Path], *, check: bool, in_place: bool, tables: RecognitionTables, as_json: bool
) -> bool:
    """Redact pictures to standard output or in place, or count only; tell whether anything was found.

    Raises:
        OnePictureError: several pictures for standard output, or standard output is a terminal.
        ImagesExtraError, PictureFormError, PictureRefusedError, StillReadableError: as named.
    """
    to_stdout = not check and not in_place
    if to_stdout and (len(paths) > 1 or sys.stdout.isatty()):
        raise OnePictureError("FILE: redirect one picture to a file (> clean.png), or use --in-place")
    found = False
    with closing(PictureReader.start()) as reader:
        for path in paths:
            clean, counts = redacted_picture(path, reader, tables=tables)
            found = found or bool(counts)
            if to_stdout:
                sys.stdout.buffer.write(clean)
                sys.stdout.buffer.flush()
            elif in_place and counts:
                replace_file(path, clean)
            if as_json and not to_stdout:
                emit_json({"file": str(path), "counts": counts})
            else:
                shown = ", ".join(f"{element} {count}" for element, count in sorted(counts.items())) or "无 none"
                stderr.print(f"{path}: {shown}", highlight=False, markup=False)
    return found
