"""Runs benchmarks and writes docs/benchmarks.md: figures, the machine, and the ratio to the nearest limit.

    python -m benchmarks [--quick] [MODULE ...]

Without a name everything runs; a named one replaces its own section of the page only. `--quick` takes small amounts
to see that everything works, and writes nothing. A benchmark is a module of this folder with
`measure(run) -> list[Measurement]`, and where accuracy counts `report(run) -> list[str]`, a table; name it in
`MODULES`. It is imported when the installation stands, so that it may import models; those in `PURE` need none.
"""

import argparse
import os
import platform
import signal
import sys
import time
from contextlib import closing
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

from benchmarks.measurement import Measurement
from benchmarks.run import Run
from kuimen.foundation import clock

MODULES = {
    "kernels": "Kernels, one core, processor time",
    "sealing": "Sealing, indexing and masking columns, one core, processor time",
    "anonymity": "Measuring anonymity and making test data, processor time",
    "protection": "Protecting a lender's table",
    "searching": "Searching sealed values",
    "disclosures": "Disclosing",
    "changeover": "Changing a live table over",
    "rotation": "Rotating keys",
    "erasure": "Erasing a person",
    "audit": "Audit log",
    "verification": "Verifying the audit log offline",
    "detection_text": "Structured data in text",
    "detection_names": "Names and addresses in running text",
    "detection_files": "Whole logs, every element",
    "detection_columns": "Naming the columns of schemas",
    "detection_images": "Fields in pictures, and redaction",
}
PURE = {
    "anonymity",
    "kernels",
    "sealing",
    "verification",
    "detection_columns",
    "detection_files",
    "detection_images",
    "detection_names",
    "detection_text",
}
REPORT = Path(__file__).parent.parent / "docs" / "benchmarks.md"
PREAMBLE = """\
# Benchmarks

Written by `make bench`. Every figure stands beside the nearest limit, measured in the same run on the same machine: the
same work without what Kuimen adds. The ratio is the figure divided by its limit: of rates (/s) more is better, of times
(ms, s) less. Except for the kernels, times are on the wall, against a durable PostgreSQL of a temporary installation;
where the load of the machine stood above its number of cores, other work slowed both sides.
"""
SECTION = "\n## "


def machine() -> str:
    cpu = platform.machine()
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            cpu = line.partition(":")[2].strip()
            break
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
    parts = [cpu, f"{os.cpu_count()} cores", f"{memory:.0f} GiB", f"Python {platform.python_version()}"]
    return ", ".join([*parts, *(f"{name} {version(name)}" for name in ("django", "cryptography", "pyarrow", "numpy"))])


def figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def table(measurements: list[Measurement]) -> list[str]:
    head = ["| measure | figure | unit | nearest limit, same run | limit | ratio |", "|---|---:|---|---|---:|---:|"]
    return head + [
        "| "
        + " | ".join([one.what, figure(one.value), one.unit, one.limit, figure(one.limit_value), f"{one.ratio:.3g} ×"])
        + " |"
        for one in measurements
    ]


def sections() -> dict[str, str]:
    """The sections that the page has, by title."""
    text = REPORT.read_text(encoding="utf-8") if REPORT.is_file() else ""
    return {part.partition("\n")[0]: part.partition("\n")[2].strip() for part in text.split(SECTION)[1:]}


def write(measured: dict[str, str]) -> None:
    known = sections() | measured
    parts = [f"## {title}\n\n{known[title]}\n" for title in MODULES.values() if title in known]
    REPORT.write_text("\n".join([PREAMBLE, *parts]), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure beside the nearest limit.")
    parser.add_argument("modules", nargs="*", metavar="MODULE", help=", ".join(MODULES))
    parser.add_argument("--quick", action="store_true", help="small amounts; docs/benchmarks.md stays as it is")
    chosen = parser.parse_args()
    if unknown := sorted(set(chosen.modules) - set(MODULES)):
        parser.error(f"no such module: {', '.join(unknown)}; there are {', '.join(MODULES)}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the temporary installation goes with us
    measured: dict[str, str] = {}
    with closing(Run(quick=chosen.quick)) as run:
        for name in [one for one in MODULES if one in (chosen.modules or MODULES)]:
            print(f"{MODULES[name]} ...", flush=True)
            if name not in PURE:
                run.open_installation()
            load, began = os.getloadavg()[0], time.perf_counter()
            module = import_module(f"benchmarks.{name}")
            rows = table(module.measure(run))
            if hasattr(module, "report"):
                rows += ["", *module.report(run)]
            print("\n".join(rows), f"{time.perf_counter() - began:.0f} s", "", sep="\n", flush=True)
            told = f"{clock.today()}: {machine()}; load before it {load:.1f}."
            measured[MODULES[name]] = "\n".join([told, "", *rows])
    if not chosen.quick:
        write(measured)
        print(f"written: {REPORT.name}")


if __name__ == "__main__":
    main()
