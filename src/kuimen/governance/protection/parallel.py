"""Work through a table's blocks with two processes: sealing is bound by the processor, and a lender's table is long.

The second process is forked, so that it inherits the unlocked keyring; it opens connections of its own and dies with
the first one, killed or not. Results travel back through a pipe; nothing else is shared but the next range's number.
"""

import ctypes
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection as Pipe
from multiprocessing.sharedctypes import Synchronized
from typing import Any, TypeVar

from django.db import DatabaseError, connections

from kuimen.foundation.errors import KuimenError
from kuimen.governance.protection.errors import SourceLostError
from kuimen.governance.protection.session import SourceSession

Range = tuple[str, str]
Result = TypeVar("Result")

FEWEST_RANGES = 6
_PR_SET_PDEATHSIG = 1
_inherited: list[Any] = []


def over_ranges(
    session: SourceSession,
    ranges: Sequence[Range],
    work: Callable[[SourceSession, Range], Result],
    *,
    tell: Callable[[Result], None],
) -> list[Result]:
    """Call `work` once for every range, in any order, and return what it returned.

    Args:
        session: the caller's session; the second process opens its twin.
        ranges: block ranges of one table.
        work: must not rely on side effects in memory: half of the calls happen in another process.
        tell: called in this process with every result, for progress.

    Raises:
        SourceLostError: the second process died; run again to resume.
        KuimenError: what `work` raised, in either process. No further range is begun then.
    """
    if len(ranges) < FEWEST_RANGES or not _has_second_processor():
        return _alone(session, ranges, work, tell)
    context = multiprocessing.get_context("fork")
    taken: Synchronized[int] = context.Value("q", 0)
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(
        target=_second_process, args=(session, ranges, work, taken, sender, os.getpid()), daemon=True
    )
    child.start()
    sender.close()
    results: list[Result] = []

    def accept(result: Result) -> None:
        results.append(result)
        tell(result)

    try:
        while (place := _take(taken, len(ranges))) is not None:
            accept(work(session, ranges[place]))
            while not receiver.closed and receiver.poll():
                _receive(receiver, accept)
        while _receive(receiver, accept):
            pass
    finally:
        # done, it has ended by itself; after an error it may be stopped anywhere: a crash loses nothing
        child.kill()
        child.join()
        receiver.close()
    return results


def _alone(
    session: SourceSession,
    ranges: Sequence[Range],
    work: Callable[[SourceSession, Range], Result],
    tell: Callable[[Result], None],
) -> list[Result]:
    results = []
    for one in ranges:
        results.append(work(session, one))
        tell(results[-1])
    return results


def _has_second_processor() -> bool:
    return sys.platform == "linux" and len(os.sched_getaffinity(0)) > 1


def _take(taken: "Synchronized[int]", total: int) -> int | None:
    with taken.get_lock():
        place = taken.value
        taken.value = place + 1
    return place if place < total else None


def _receive(receiver: "Pipe[Any, Any]", accept: Callable[[Any], None]) -> bool:
    """Take one message of the second process; False once it has said that it is done."""
    if receiver.closed:
        return False
    try:
        kind, content = receiver.recv()
    except (EOFError, OSError):
        raise SourceLostError("source: the second process of protection died; run again to resume") from None
    if kind == "error":
        raise content
    if kind == "done":
        receiver.close()
        return False
    accept(content)
    return True


def _second_process(
    session: SourceSession,
    ranges: Sequence[Range],
    work: Callable[[SourceSession, Range], object],
    taken: "Synchronized[int]",
    sender: "Pipe[Any, Any]",
    parent: int,
) -> None:
    _die_with(parent)
    _leave_inherited_connections()
    try:
        own = session.twin()
        while (place := _take(taken, len(ranges))) is not None:
            sender.send(("result", work(own, ranges[place])))
        own.close()
        sender.send(("done", None))
    except KuimenError as error:
        sender.send(("error", error))
    except DatabaseError:
        sender.send(("error", SourceLostError("jobs: a database failed in the second process; run again to resume")))
    finally:
        connections.close_all()


def _die_with(parent: int) -> None:
    """Ask the kernel to kill this process when its parent dies, so that no orphan goes on sealing."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _leave_inherited_connections() -> None:
    """Forget the parent's connections without a word on their sockets, which are the parent's still."""
    for alias in connections:
        wrapper = connections[alias]
        _inherited.append(wrapper.connection)
        wrapper.connection = None
