"""Demands for deletion that wait, and the test data that were made."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import pyarrow as pa
from django.db import transaction

from kuimen.foundation import clock
from kuimen.gate.access.rules import Action, Resource, Subject
from kuimen.gate.access.services import actor_of, require
from kuimen.gate.audit.services import Actor, record
from kuimen.gate.retention import services as retention
from kuimen.governance.releases import packages
from kuimen.governance.releases.models import Release, TestDataRun
from kuimen.governance.releases.rules import (
    DEMAND_TERM,
    ReleaseState,
)
from kuimen.governance.releases.services.shelf import reference_of
from kuimen.kernels.anonymity import pseudonyms
from kuimen.sources.testdata import TestDataReport

LONGEST_LIST = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class DemandLine:
    """A demand for deletion with what the recipient needs to find the person: the pseudonym, while its key exists."""

    demand: retention.DemandView
    pseudonym: str
    due_on: date


def demands(*, reader: Subject) -> list[DemandLine]:
    """Return the open demands for deletion of persons, with the pseudonym by which a recipient finds each.

    Cost: one pseudonym a demand whose package still has its key.

    Raises:
        NotPermittedError: `reader` may not.
        KeysLockedError: nobody has unlocked the keys, and a pseudonym is needed.
    """
    require(reader, Action.RELEASE_READ, Resource(kind="export"))
    waiting = retention.open_demands(limit=LONGEST_LIST)
    held = {
        reference_of(row.release_id): row
        for row in Release.objects.filter(state=ReleaseState.RELEASED.value, pseudonym=True)
    }
    lines = []
    for one in waiting:
        row = held.get(one.reference)
        mark = ""
        if row is not None and row.sealed_key is not None:
            key = packages.open_key(row.release_id, bytes(row.sealed_key))
            mark = str(pseudonyms(pa.array([str(one.person_ref)]), key=key, package=str(row))[0].as_py())
        lines.append(DemandLine(demand=one, pseudonym=mark, due_on=_demand_due(one.demanded_at)))
    return lines


def confirm_person(export_id: UUID, *, officer: Subject, confirmation: str) -> None:
    """Enter that a recipient deleted one person, as an erasure demanded.

    Raises:
        NotPermittedError, RetentionInputError: may not; no open demand, or no document named.
    """
    require(officer, Action.RELEASE_END, Resource(kind="export", ref=str(export_id)))
    retention.confirm_deletion(export_id, confirmation=confirmation, actor=actor_of(officer))


def record_test_data(report: TestDataReport, *, actor: Actor) -> UUID:
    """Enter test data that were made and proven."""
    with transaction.atomic():
        row = TestDataRun.objects.create(
            made_at=clock.now(),
            made_by=actor.ref,
            source=report.label,
            target=report.target,
            tables=len(report.rows),
            rows=sum(report.rows.values()),
            columns=report.columns,
            needles=report.proof.needles_raw + report.proof.needles_cell,
            residual=report.proof.residual,
            repeatable=report.repeatable,
            package=report.fingerprint,
        )
        record(
            "testdata.make",
            actor=actor,
            object_type="testdata",
            object_ref=str(row.run_id),
            facts={"source": row.source, "target": row.target, "rows": row.rows, "residual": row.residual},
        )
    return row.run_id


def test_data_runs(*, reader: Subject) -> list[TestDataRun]:
    """Return the test data that were made, the newest first; at most 500.

    Raises:
        NotPermittedError: `reader` may not.
    """
    require(reader, Action.RELEASE_READ, Resource(kind="testdata"))
    return list(TestDataRun.objects.order_by("-made_at")[:LONGEST_LIST])


def _demand_due(demanded_at: datetime) -> date:
    return demanded_at.astimezone(clock.SHANGHAI).date() + DEMAND_TERM
