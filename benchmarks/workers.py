"""Several processes at once, as `kuimen serve` runs them: forked after the keys are unlocked, a sequencer in each."""

import multiprocessing
import time
from collections.abc import Callable
from multiprocessing.connection import Connection

WORKERS = 2
FORKING = multiprocessing.get_context("fork")
Deed = Callable[[], object]


def rate_of_workers(begin: Callable[[int], Deed], *, seconds: float) -> float:
    """Deeds per second of all workers together.

    Args:
        begin: called in each worker with its number; opens what the worker needs and returns its deed.
        seconds: for how long.
    """
    pipes = [FORKING.Pipe() for _ in range(WORKERS)]
    children = [
        FORKING.Process(target=_work, args=(theirs, begin, number, seconds)) for number, (_, theirs) in enumerate(pipes)
    ]
    for child in children:
        child.start()
    for ours, _ in pipes:
        ours.recv()  # ready
    for ours, _ in pipes:
        ours.send("go")
    rates = [ours.recv() for ours, _ in pipes]
    for child in children:
        child.join()
    return float(sum(rates))


def _work(pipe: Connection, begin: Callable[[int], Deed], number: int, seconds: float) -> None:
    deed = begin(number)
    deed()  # the first goes without measure: it connects
    pipe.send("ready")
    pipe.recv()
    done, started = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - started) < seconds:
        deed()
        done += 1
    pipe.send(done / elapsed)
