"""Background jobs: what happens at night and every few minutes, each as the system and on record.

Times of day are of the business clock; procrastinate reads cron in the process's time zone, which the worker sets.
"""

import logging
from contextlib import suppress
from uuid import UUID

from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from kuimen.assessment import services as assessment
from kuimen.foundation.errors import KuimenError
from kuimen.gate.access import services as access
from kuimen.gate.approvals import services as approvals
from kuimen.gate.audit.services import SYSTEM
from kuimen.gate.keys.rules import KeySuite, RetentionClass
from kuimen.gate.retention import services as retention
from kuimen.gate.vault.rotation import services as rotation
from kuimen.governance.inventory import services as inventory
from kuimen.scenarios.collections import services as collections

log = logging.getLogger("kuimen.worker")


@app.periodic(cron="*/5 * * * *")
@app.task(queueing_lock="expire_grants", pass_context=False)
def expire_grants(timestamp: int) -> int:
    """Begin and end role grants whose dates have come."""
    del timestamp
    return access.expire_due_grants()


@app.periodic(cron="*/5 * * * *")
@app.task(queueing_lock="expire_changes", pass_context=False)
def expire_changes(timestamp: int) -> int:
    """Close changes of people that nobody decided in time."""
    del timestamp
    return access.expire_due_changes()


@app.periodic(cron="*/5 * * * *")
@app.task(queueing_lock="expire_tickets", pass_context=False)
def expire_tickets(timestamp: int) -> int:
    """Close approval tickets whose time is over."""
    del timestamp
    return approvals.expire_due()


@app.periodic(cron="30 1 * * *")
@app.task(queueing_lock="build_cases", pass_context=False)
def build_cases(timestamp: int) -> None:
    """Open cases for loans that became overdue and settle those of loans that were repaid."""
    del timestamp
    collections.build_cases()


@app.periodic(cron="0 2 * * *")
@app.task(queueing_lock="check_due", pass_context=False)
def check_retention(timestamp: int) -> int:
    """List what the clocks say is due; people suspend and destroy it."""
    del timestamp
    return retention.check_due().listed


@app.periodic(cron="*/15 * * * *")
@app.task(queueing_lock="rescan", pass_context=False)
def rescan_sources(timestamp: int) -> int:
    """Scan every source whose interval has passed, one job each; a source that still waits is not queued twice."""
    del timestamp
    due = inventory.due_sources()
    for source_id in due:
        with suppress(AlreadyEnqueued):
            rescan_source.configure(queueing_lock=f"rescan-{source_id}").defer(source_id=str(source_id))
    return len(due)


@app.task(pass_context=False)
def rescan_source(source_id: str) -> None:
    """Scan one registered source and record what drifted; why it could not be scanned is on record too."""
    try:
        found = inventory.scan_again(UUID(source_id), actor=SYSTEM)
    except KuimenError as failure:
        log.warning("a source was not scanned: %s", failure.code)
        raise
    if found.drifted:
        log.warning("a scan found %d personal columns in clear that were not there before", found.drifted)


@app.periodic(cron="0 4 * * *")
@app.task(queueing_lock="assess", pass_context=False)
def assess_nightly(timestamp: int) -> None:
    """Run every control, so that the morning's overview is of this night."""
    del timestamp
    try:
        assessment.run_assessment(SYSTEM)
    except KuimenError as failure:
        log.warning("the nightly assessment did not run: %s", failure.code)
        raise


@app.task(queueing_lock="rewrap", pass_context=False)
def rewrap(retention_class: str, rows_per_second: int | None = None) -> int:
    """Move the keys of a class under the active version of its domain key, or go on with it."""
    kind = RetentionClass(retention_class)
    return rotation.rewrap(kind, actor=SYSTEM, rows_per_second=rows_per_second).left


@app.task(queueing_lock="reencrypt", pass_context=False)
def reencrypt(retention_class: str, suite: str | None = None, rows_per_second: int | None = None) -> int:
    """Seal every record of a class under new keys, or go on with it."""
    kind, chosen = RetentionClass(retention_class), KeySuite(suite) if suite else None
    return rotation.reencrypt(kind, actor=SYSTEM, suite=chosen, rows_per_second=rows_per_second).left


@app.task(queueing_lock="reindex", pass_context=False)
def reindex(element: str, rows_per_second: int | None = None) -> int:
    """Tag every record of an element under the next index key, or go on with it."""
    return rotation.reindex(element, actor=SYSTEM, rows_per_second=rows_per_second).left


@app.task(queueing_lock="merge_persons", pass_context=False)
def merge_persons(merged: str, survivor: str) -> int:
    """Seal everything of one person for another, or go on with it."""
    return rotation.merge_persons(UUID(merged), UUID(survivor), actor=SYSTEM).left
