"""Headings and progress of the demonstration."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from kuimen.entrypoints.terminal.output import Advance, progress_bars, stderr


class Stage:
    """Headings and progress bars of the demonstration, on standard error, so that standard output stays clean."""

    def __init__(self) -> None:
        """Count steps from 1."""
        self._number = 0

    @contextmanager
    def step(self, chinese: str, english: str) -> Iterator[Advance]:
        """Announce a step, draw its progress, tell how long it took."""
        self._number += 1
        stderr.rule(f"[bold]{self._number}. {chinese}[/] {english}", align="left", style="dim")
        began = time.perf_counter()
        with progress_bars(visible=True) as advance:
            yield advance
        stderr.print(f"[dim]   {time.perf_counter() - began:.1f} s[/]")
