"""Run the worker in this process; the keys are unlocked before."""

from procrastinate.contrib.django import app

CONCURRENCY = 2  # jobs are minutes long and the machine may be small


def run_worker(*, once: bool = False) -> None:
    """Work until stopped, or, with `once`, until no job waits."""
    with app.replace_connector(app.connector.get_worker_connector()) as worker:
        worker.run_worker(wait=not once, concurrency=CONCURRENCY, listen_notify=not once)
