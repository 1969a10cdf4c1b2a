"""Run the worker in this process; the keys are unlocked before."""

from collections.abc import Callable
from typing import TypeVar

from django.db import connections
from procrastinate import JobContext
from procrastinate.contrib.django import app
from procrastinate.contrib.django.django_connector import DjangoConnector
from procrastinate.worker import Worker

CONCURRENCY = 2  # jobs are minutes long and the machine may be small

Result = TypeVar("Result")


def run_worker(*, once: bool = False) -> None:
    """Work until stopped, or, with `once`, until no job waits."""
    connector = app.connector
    if not isinstance(connector, DjangoConnector):
        msg = "the worker runs once per process"
        raise TypeError(msg)
    with app.replace_connector(connector.get_worker_connector()) as worker:
        worker.run_worker(
            wait=not once, concurrency=CONCURRENCY, listen_notify=not once, task_middleware=[_leave_no_connection]
        )


def _leave_no_connection(call_next: Callable[[], Result], _context: JobContext, _worker: Worker) -> Result:
    """Close what a job opened in its thread: minutes pass before the next one, and threads end with their pool."""
    try:
        return call_next()
    finally:
        connections.close_all()
