"""Runs every benchmark and writes docs/benchmarks.md: figures, the machine, and the ratio to the nearest limit.

A benchmark is a module of this folder with `measure() -> list[Measurement]`; name it in `MODULES`.
"""

import os
import platform
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

from benchmarks.measurement import Measurement
from kuimen.foundation import clock

MODULES = {"kernels": "Kernels, one core, processor time"}
REPORT = Path(__file__).parent.parent / "docs" / "benchmarks.md"


def machine() -> str:
    cpu = platform.machine()
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            cpu = line.partition(":")[2].strip()
            break
    parts = [cpu, f"{os.cpu_count()} cores", f"Python {platform.python_version()}"]
    return ", ".join([*parts, *(f"{name} {version(name)}" for name in ("cryptography", "pyarrow", "numpy"))])


def table(measurements: list[Measurement]) -> list[str]:
    head = ["| measure | per second | nearest limit, same run | per second | ratio |", "|---|---:|---|---:|---:|"]
    return head + [
        f"| {row.what} | {row.rate:,.0f} | {row.limit} | {row.limit_rate:,.0f} | {row.ratio:.2f} × |"
        for row in measurements
    ]


def main() -> None:
    lines = ["# Benchmarks", "", f"Written by `make bench` on {clock.today()}: {machine()}."]
    for module, title in MODULES.items():
        print(f"{title} ...", flush=True)
        rows = table(import_module(f"benchmarks.{module}").measure())
        print("\n".join(rows))
        lines += ["", f"## {title}", "", *rows]
    REPORT.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"written: {REPORT.name}")


if __name__ == "__main__":
    main()
