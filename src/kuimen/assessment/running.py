"""Runs the probes of every installed room against the live system, in one read-only snapshot."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from importlib import import_module
from importlib.util import find_spec

from django.apps import apps
from django.db import Error as DatabaseFault
from django.db import connection, connections, transaction

from kuimen.foundation import clock
from kuimen.foundation.errors import KuimenError
from kuimen.gate.access import scope
from kuimen.standard import Probe, ProbeContext, ProbeResult, RegisteredProbe, registered_controls

Progress = Callable[[int, int, str], None]

# What a probe may break with. A defect of the probe counts as well: it must not pass for a result, nor stop the others.
_PROBE_FAULTS = (
    KuimenError,
    DatabaseFault,
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeRun:
    """What came of one probe.

    Attributes:
        probe: who looked.
        at: when it looked.
        result: what it reported, None when it broke.
        fault: code of a Kuimen error or the name of the error's class. Never its text, which may hold values.
    """

    probe: RegisteredProbe
    at: datetime
    result: ProbeResult | None
    fault: str


def import_controls() -> tuple[str, ...]:
    """Import the controls of every installed room and return the names of the modules found."""
    names = [f"{app.name}.controls" for app in apps.get_app_configs() if app.name.startswith("kuimen.")]
    found = tuple(name for name in names if find_spec(name) is not None)
    for name in found:
        import_module(name)
    return found


def all_probes() -> tuple[RegisteredProbe, ...]:
    """Return every probe in the order of the catalogue."""
    import_controls()
    return tuple(probe for control in registered_controls().values() for probe in control.probes)


def run_probes(
    probes: Sequence[RegisteredProbe], *, context: ProbeContext, progress: Progress | None = None
) -> tuple[ProbeRun, ...]:
    """Run every probe and return what came of each; none can change anything.

    All of them see the same committed snapshot of the database, on connections of their own: whatever transaction the
    caller has open is neither seen nor touched. Each probe has a savepoint, so that one that breaks leaves the others
    whole. A function that stands for several clauses looks once.

    Args:
        probes: who looks, in order.
        context: what they may know.
        progress: called with (done, total, clause id) before each probe and once at the end, from another thread.
    """
    # Connections belong to threads: a fresh thread is how Django gives a transaction beside the caller's.
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="assessment") as aside:
        return aside.submit(_run_all, probes, context, progress or _silent).result()


def _run_all(probes: Sequence[RegisteredProbe], context: ProbeContext, report: Progress) -> tuple[ProbeRun, ...]:
    runs: list[ProbeRun] = []
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            with scope.institution_wide():
                looked: dict[Probe, ProbeRun] = {}
                for position, probe in enumerate(probes):
                    report(position, len(probes), probe.clause)
                    if probe.function not in looked:
                        looked[probe.function] = _run(probe, context=context)
                    runs.append(replace(looked[probe.function], probe=probe))
        report(len(probes), len(probes), "")
    finally:
        connections.close_all()
    return tuple(runs)


def _run(probe: RegisteredProbe, *, context: ProbeContext) -> ProbeRun:
    at = clock.now()
    try:
        with transaction.atomic():
            return ProbeRun(probe=probe, at=at, result=probe.function(context), fault="")
    except _PROBE_FAULTS as error:
        fault = error.code if isinstance(error, KuimenError) else type(error).__name__
        return ProbeRun(probe=probe, at=at, result=None, fault=fault)


def _silent(_done: int, _total: int, _clause: str) -> None:
    """Report nothing."""
