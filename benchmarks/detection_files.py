"""Whole logs: every element looked for, names and addresses included, from a file to its findings; memory and start.

Five lines in a hundred hold a name. Speeds are of processor time on one core.
"""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.detection_hard import hard
from benchmarks.detection_names import log_block
from benchmarks.detection_text import scores
from benchmarks.measurement import Measurement, rate_of
from benchmarks.run import Run
from kuimen.kernels.detection import detect_many, scan_bytes
from kuimen.kernels.detection.streaming import StreamRedactor
from kuimen.kernels.elements.overlay import FICTITIOUS
from kuimen.sources.logscan import find_in_text
from kuimen.sources.redacting import CHUNK
from kuimen.sources.textfiles import shape_of

_PEAK = (
    "import resource, sys\nfrom kuimen.sources.scan import scan_source\n"
    "list(scan_source(sys.argv[1], overlay='fictitious'))\n"
    "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)"
)
_START = (
    "import sys, time\nbegan = time.process_time()\nimport kuimen\nkuimen.detect('mobile=1')\n"
    "print(time.process_time() - began)"
)


def measure(run: Run) -> list[Measurement]:
    lines = log_block(run.sized(40_000, 4_000)).split("\n")
    block = "\n".join(lines).encode() + b"\n"
    size = len(block) / 1e6
    with TemporaryDirectory() as folder:
        path = Path(folder) / "app.log"
        path.write_bytes(block)
        together = rate_of(lambda: detect_many(lines, tables=FICTITIOUS), items=1, rounds=2) * size
        structured = rate_of(lambda: scan_bytes(block, tables=FICTITIOUS), items=1) * size
        scanned = rate_of(lambda: _scanned(path), items=1, rounds=2) * size
        redacted = rate_of(lambda: _redacted(block), items=1, rounds=2) * size
        few = lines[: len(lines) // 20]
        alone = rate_of(lambda: [detect_many([line], tables=FICTITIOUS) for line in few], items=1) * size / 20
    return [
        Measurement(
            what="full scan of the lines of a log, MB", value=together, limit="structured scan", limit_value=structured
        ),
        Measurement(
            what="the same, each line by itself, MB", value=alone, limit="all lines together", limit_value=together
        ),
        Measurement(
            what="a log file to its findings with their lines, MB",
            value=scanned,
            limit="its lines in memory",
            limit_value=together,
        ),
        Measurement(
            what="a log redacted as a stream, MB", value=redacted, limit="its lines in memory", limit_value=together
        ),
        Measurement(
            what="start: import and first text",
            value=float(_printed(_START)),
            unit="s",
            limit="Python alone",
            limit_value=float(_printed("import time; print(time.process_time())")),
        ),
    ]


def report(run: Run) -> list[str]:
    per_element = run.sized(5_000, 300)
    lines = [
        f"Hard cases put together from parts (`benchmarks/detection_hard.py`), {per_element:,} texts of each element:",
        "",
        "| element | n | P | R | F1 |",
        "|---|---:|---|---|---|",
    ]
    lines += [f"| {element} | {told}" for element, told in scores(hard(20_261_122, per_element), _structured)]
    with TemporaryDirectory() as folder:
        small, large = Path(folder) / "small.log", Path(folder) / "large.log"
        block = log_block(4_000).encode() + b"\n"
        small.write_bytes(block)
        times = run.sized(200, 20)
        with large.open("wb") as out:
            for _ in range(times):
                out.write(block)
        peaks = [f"{path.stat().st_size / 1e6:,.1f} MB: {_printed(_PEAK, path)} MB" for path in (small, large)]
        lines += ["", f"Most memory of `kuimen scan` on a log of {', on one of '.join(peaks)}."]
    return lines


def _structured(text: str) -> set[tuple[str, int, int]]:
    return {(str(one.element), one.start, one.end) for one in detect_many([text], tables=FICTITIOUS)[0]}


def _scanned(path: Path) -> None:
    shape = shape_of(path)
    assert shape is not None
    find_in_text(path, shape, tables=FICTITIOUS)


def _redacted(block: bytes) -> None:
    redactor = StreamRedactor(tables=FICTITIOUS)
    for begin in range(0, len(block), CHUNK):
        redactor.feed(block[begin : begin + CHUNK])
    redactor.close()


def _printed(code: str, *arguments: object) -> str:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603 - our own code
