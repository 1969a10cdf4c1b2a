"""What the benchmarks of one run share: how large they are, and one installation that the first who needs it makes."""

from contextlib import ExitStack
from functools import cached_property
from typing import TYPE_CHECKING

from benchmarks.installed import Installed, temporary_installation

if TYPE_CHECKING:
    from benchmarks.department import Department


class Run:
    """One call of `python -m benchmarks`."""

    def __init__(self, *, quick: bool) -> None:
        self.quick = quick
        self._open = ExitStack()

    def sized(self, full: int, quick: int) -> int:
        """How many of something this run takes."""
        return quick if self.quick else full

    @cached_property
    def installed(self) -> Installed:
        """A real installation with unlocked keys in a temporary home; it is removed when the run ends."""
        return self._open.enter_context(temporary_installation())

    @cached_property
    def department(self) -> "Department":
        """The collection department of that installation, staffed and with its cases dealt out."""
        from benchmarks.department import open_department  # noqa: PLC0415 - models exist only in an installation

        return open_department(self.installed)

    def open_installation(self) -> None:
        """Make the installation unless it stands."""
        self.installed  # noqa: B018 - asking for it makes it

    def close(self) -> None:
        self._open.close()
