"""Background jobs: what happens at night and every few minutes, each as the system and on record.

Times of day are of the business clock; procrastinate reads cron in the process's time zone, which the worker sets.
"""

import logging
from contextlib import suppress
from uuid import UUID

from django.db import transaction
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from kuimen.assessment import services as assessment
from kuimen.foundation.errors import KuimenError
from kuimen.gate.access import services as access
from kuimen.gate.approvals import services as approvals
from kuimen.gate.audit.services import SYSTEM
from kuimen.gate.exchange import services as exchange
from kuimen.gate.keys.errors import RotationPausedError
from kuimen.gate.retention import services as retention
from kuimen.gate.vault.rotation import approved
from kuimen.governance.inventory import services as inventory
from kuimen.governance.releases import services as releases
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


@app.periodic(cron="*/30 * * * *")
@app.task(queueing_lock="forget_nonces", pass_context=False)
def forget_nonces(timestamp: int) -> int:
    """Delete nonces of partners' messages that would be refused by their date."""
    del timestamp
    return exchange.forget_nonces()


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


@app.periodic(cron="30 2 * * *")
@app.task(queueing_lock="end_releases", pass_context=False)
def end_releases(timestamp: int) -> int:
    """End releases whose last day has passed: their keys go and the recipients are told to delete."""
    del timestamp
    return releases.end_due()


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


@app.periodic(cron="*/5 * * * *")
@app.task(queueing_lock="announce_changes", pass_context=False)
def announce_changes(timestamp: int) -> int:
    """Mail what scans found in clear and nobody was told of; what the server does not take waits for the next time."""
    del timestamp
    try:
        return inventory.announce_changes(SYSTEM)
    except KuimenError as failure:
        log.warning("an alert was not delivered: %s", failure.code)
        raise


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


@app.task(pass_context=False)
def carry_out_order(order_id: str) -> bool:
    """Work on the rotation job of an order that two persons placed; a paused job is no failure."""
    try:
        return approved.run_order(UUID(order_id), actor=SYSTEM).finished
    except RotationPausedError:
        return False
    except KuimenError as failure:
        log.warning("a rotation job stopped: %s", failure.code)
        raise


def queue_order(order_id: UUID) -> None:
    """Have the worker take up an order; one that waits already is not queued twice."""
    with suppress(AlreadyEnqueued), transaction.atomic():  # a refused row must not spoil the caller's transaction
        carry_out_order.configure(queueing_lock=f"order-{order_id}").defer(order_id=str(order_id))
