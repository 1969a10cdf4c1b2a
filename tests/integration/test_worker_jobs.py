"""The worker takes jobs from PostgreSQL as the application role, with its periodic tasks registered."""

from datetime import timedelta

from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from fixtures.installed import System
from fixtures.people import appoint_officers
from kuimen.entrypoints.worker import tasks
from kuimen.entrypoints.worker.running import run_worker
from kuimen.gate.access.models import RoleGrant
from kuimen.gate.access.rules import Role

CRONS = {
    "kuimen.entrypoints.worker.tasks.expire_grants": "*/5 * * * *",
    "kuimen.entrypoints.worker.tasks.expire_changes": "*/5 * * * *",
    "kuimen.entrypoints.worker.tasks.expire_tickets": "*/5 * * * *",
    "kuimen.entrypoints.worker.tasks.forget_nonces": "*/30 * * * *",
    "kuimen.entrypoints.worker.tasks.build_cases": "30 1 * * *",
    "kuimen.entrypoints.worker.tasks.rescan_sources": "*/15 * * * *",
    "kuimen.entrypoints.worker.tasks.announce_changes": "*/5 * * * *",
    "kuimen.entrypoints.worker.tasks.check_retention": "0 2 * * *",
    "kuimen.entrypoints.worker.tasks.end_releases": "30 2 * * *",
    "kuimen.entrypoints.worker.tasks.assess_nightly": "0 4 * * *",
}


def test_periodic_jobs_are_registered_with_their_hours() -> None:
    found = {task.task.name: task.cron for task in app.periodic_registry.periodic_tasks.values()}

    assert found == CRONS


def test_a_deferred_job_runs_as_the_application_role_and_its_work_is_on_record(system: System) -> None:
    people = appoint_officers()
    people.hire("C0001", Role.COLLECTOR)
    system.clock.advance(timedelta(days=91))
    job = tasks.expire_grants.defer(timestamp=0)

    run_worker(once=True)

    assert ProcrastinateJob.objects.get(id=job).status == "succeeded"
    assert set(RoleGrant.objects.filter(staff__staff_no="C0001").values_list("state", flat=True)) == {"recovered"}
    with system.connect() as session:
        assert session.execute("SELECT current_user").fetchone() == ("kuimen_app",)


def test_a_job_that_fails_is_kept_as_failed_and_the_worker_goes_on(system: System) -> None:
    failing = tasks.rescan_source.defer(source_id="00000000-0000-4000-8000-000000000000")
    good = tasks.expire_tickets.defer(timestamp=0)

    run_worker(once=True)

    states = dict(ProcrastinateJob.objects.values_list("id", "status"))
    assert (states[failing], states[good]) == ("failed", "succeeded")
