"""Rotation: rewrap the keys of a million persons while somebody reads; re-encrypt and re-index records."""

import os
import signal
import time
from uuid import UUID, uuid4

from django.db import DatabaseError, connections

from benchmarks.measurement import Measurement, seconds_of
from benchmarks.run import Run
from kuimen.foundation.errors import KuimenError
from kuimen.foundation.sensitive import Sensitive
from kuimen.gate.audit.services import SYSTEM
from kuimen.gate.keys import services as keys
from kuimen.gate.keys.rewrap import run_rewrap
from kuimen.gate.keys.rules import RetentionClass
from kuimen.gate.vault import services as vault
from kuimen.gate.vault.rotation import services as rotation
from kuimen.gate.vault.services import SealItem
from kuimen.kernels.elements.model import Element

KIND = RetentionClass.IDENTITY_TRANSACTION
BATCH = 10_000
READ_AT_ONCE = 50


def measure(run: Run) -> list[Measurement]:
    run.open_installation()
    return [*rewrapping(run), *resealing(run)]


def rewrapping(run: Run) -> list[Measurement]:
    count = run.sized(1_000_000, 5_000)
    refs = [uuid4() for _ in range(count)]
    for start in range(0, count, BATCH):
        keys.keyring().person_keys(refs[start : start + BATCH], KIND)
    keys.rotate_domain(KIND, actor=SYSTEM)
    reader = _reading(refs[:: max(1, count // 1000)])
    took = seconds_of(lambda: run_rewrap(keys.keyring(), KIND, actor=SYSTEM))
    failed = _stopped(reader)
    assert failed == 0, f"{failed} reads failed"
    return [
        Measurement(
            what=f"rewrap {count:,} person keys while they are read (0 of the reads failed)",
            value=count / took,
            limit="the goal, 1 million keys in 60 s",
            limit_value=1_000_000 / 60,
        )
    ]


def resealing(run: Run) -> list[Measurement]:
    count = run.sized(100_000, 1_000)
    for start in range(0, count, BATCH):
        rows = range(start, min(start + BATCH, count))
        vault.seal_many([_item(row) for row in rows])
    sealing = count / seconds_of(lambda: vault.seal_many([_item(count + row) for row in range(min(count, BATCH))]))
    sealing *= min(count, BATCH) / count
    changed = 0

    def reencrypt() -> None:
        nonlocal changed
        changed = rotation.reencrypt(KIND, actor=SYSTEM).changed

    took = seconds_of(reencrypt)
    tagging = seconds_of(lambda: rotation.reindex(Element.MOBILE, actor=SYSTEM))
    return [
        Measurement(
            what=f"re-encrypt {changed:,} records under new keys",
            value=changed / took,
            limit="sealing new records, in the same run",
            limit_value=sealing,
        ),
        Measurement(
            what=f"re-index {changed:,} records",
            value=changed / tagging,
            limit="sealing new records, in the same run",
            limit_value=sealing,
        ),
    ]


def _item(row: int) -> SealItem:
    return SealItem(
        element=Element.MOBILE,
        value=Sensitive(f"1999000{row % 10_000:04}", element="mobile"),
        source_id="bench",
        source_table="public.customers",
        source_column="phone",
        source_key=row.to_bytes(32, "big"),
        person_ref=UUID(int=row + 1),
        retention_class=KIND,
    )


def _reading(refs: list[UUID]) -> int:
    """Fork a reader that opens keys past its caches until told to stop; its exit code is the number of failures."""
    connections.close_all()
    child = os.fork()
    if child:
        return child
    outcome = 255  # a reader that ends in a defect has failed
    try:
        outcome = min(_failed_reads(refs), 254)
    finally:
        os._exit(outcome)


def _failed_reads(refs: list[UUID]) -> int:
    stopping = False

    def stop(_signal: int, _frame: object) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, stop)
    failed, position = 0, 0
    while not stopping:
        chosen = [refs[(position + step) % len(refs)] for step in range(READ_AT_ONCE)]
        position += READ_AT_ONCE
        for ref in chosen:
            keys.keyring().forget_person(ref)
        try:
            failed += len(set(chosen)) - len(keys.keyring().person_keys(chosen, KIND))
        except (KuimenError, DatabaseError):
            failed += 1
        time.sleep(0.005)
    return failed


def _stopped(child: int) -> int:
    os.kill(child, signal.SIGTERM)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)
