"""A release from application to confirmed deletion: measured, enforced, labelled, registered, reached by erasure."""

import csv
import io
from collections import Counter
from datetime import date, timedelta

import pytest

from fixtures.erasing import listed
from fixtures.installed import System
from fixtures.releasing import Analysis, application, open_analysis, released
from kuimen.foundation import clock
from kuimen.gate.access.errors import DutySeparationError, NotPermittedError
from kuimen.gate.access.rules import Purpose
from kuimen.gate.approvals import services as approvals
from kuimen.gate.audit.models import Entry
from kuimen.gate.retention import services as retention
from kuimen.gate.retention.models import Export
from kuimen.gate.retention.rules import EventKind
from kuimen.governance.releases import services
from kuimen.governance.releases.errors import (
    BoundsMissedError,
    PackageAlteredError,
    ReleaseEndedError,
    ReleaseNotFoundError,
    ReleaseTransitionError,
)
from kuimen.governance.releases.models import Release
from kuimen.governance.releases.rules import Form, RecipientKind, ReleaseState
from kuimen.kernels.anonymity import Standing
from kuimen.ledger.loans.models import Loan


@pytest.fixture
def analysis(system: System) -> Analysis:
    return open_analysis()


def rows_of(body: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(body.decode())))


def test_rows_leave_only_by_two_persons_and_carry_groups_pseudonyms_and_no_identity(analysis: Analysis) -> None:
    release_id = services.apply(application(), applicant=analysis.analyst)
    with pytest.raises(ReleaseTransitionError):
        services.release(release_id, applicant=analysis.analyst)
    with pytest.raises(DutySeparationError):
        services.approve(release_id, officer=analysis.analyst)
    services.approve(release_id, officer=analysis.officer)
    view = services.release(release_id, applicant=analysis.analyst)
    assert (view.state, view.standing) == (ReleaseState.RELEASED, Standing.DEIDENTIFIED)
    assert view.measured["k"] >= 5  # type: ignore[operator]  # a figure
    assert view.measured["k_before"] < 5  # type: ignore[operator]  # a figure

    body = services.fetch(release_id, reader=analysis.analyst)
    rows = rows_of(body)
    assert len(rows) == view.rows == view.persons
    assert len({row["person"] for row in rows}) == len(rows)
    assert min(Counter((row["age"], row["sex"]) for row in rows).values()) >= 5
    for identity in analysis.identities.values():
        for value in (identity.resident_id, identity.person_name, identity.mobile, identity.bank_card):
            assert value.encode() not in body
    assert not any(str(person).encode() in body for person in analysis.identities)
    sealed = Release.objects.get(release_id=release_id)
    assert body[:40] not in bytes(sealed.sealed_body or b"")
    steps = set(Entry.objects.filter(object_ref=str(release_id)).values_list("action", flat=True))
    assert {"release.apply", "release.approve", "release.release", "release.fetch"} <= steps


def test_the_next_package_tells_nobody_apart_by_the_last_ones_pseudonyms(analysis: Analysis) -> None:
    first, second = (rows_of(services.fetch(released(analysis), reader=analysis.analyst)) for _ in range(2))
    assert not {row["person"] for row in first} & {row["person"] for row in second}


def test_missed_bounds_refuse_with_what_was_measured_and_release_nothing(analysis: Analysis) -> None:
    release_id = services.apply(application(k=500), applicant=analysis.analyst)
    services.approve(release_id, officer=analysis.officer)
    with pytest.raises(BoundsMissedError, match=r"k_before \d+.*k_best \d+"):
        services.require_released(services.release(release_id, applicant=analysis.analyst))
    view = services.release_seen_by(analysis.officer, release_id)
    assert (view.state, view.standing, view.rows) == (ReleaseState.MISSED, None, 0)
    assert not Export.objects.exists()
    assert Release.objects.get(release_id=release_id).sealed_body is None
    with pytest.raises(ReleaseTransitionError):
        services.fetch(release_id, reader=analysis.analyst)


def test_counts_hide_small_cells_and_may_be_called_anonymised_only_when_measured_so(analysis: Analysis) -> None:
    counts = {"form": Form.COUNTS, "pseudonym": False, "columns": ("sex", "overdue")}
    inside = services.release_seen_by(analysis.officer, released(analysis, application(**counts, k=5)))
    body = services.fetch(inside.release_id, reader=analysis.analyst)
    shown = [int(cell) for row in rows_of(body) for cell in row.values() if cell.isdigit()]
    assert min(one for one in shown if one) >= 5
    assert inside.standing is (Standing.ANONYMISED if inside.measured["k"] >= 20 else Standing.DEIDENTIFIED)  # type: ignore[operator]
    if inside.standing is Standing.ANONYMISED:
        assert not Export.objects.filter(reference=services.reference_of(inside.release_id)).exists()


def test_only_persons_with_a_legal_basis_for_the_purpose_are_in_a_package(analysis: Analysis) -> None:
    release_id = services.apply(application(purpose=Purpose.MARKETING), applicant=analysis.analyst)
    services.approve(release_id, officer=analysis.officer)
    with pytest.raises(BoundsMissedError, match="persons 0"):
        services.require_released(services.release(release_id, applicant=analysis.analyst))
    measured = services.release_seen_by(analysis.officer, release_id).measured
    assert measured["without_basis"] == len(analysis.identities)


def test_the_erasure_of_a_person_reaches_the_recipient_with_the_pseudonym(analysis: Analysis, system: System) -> None:
    release_id = released(analysis, application(recipient="合作机构甲", recipient_kind=RecipientKind.INTERNAL))
    reference = services.reference_of(release_id)
    before = rows_of(services.fetch(release_id, reader=analysis.analyst))
    healthy = Loan.objects.filter(status_id="normal").values_list("customer_id", flat=True)
    person = Export.objects.filter(reference=reference, person_ref__in=healthy)[0].person_ref
    retention.record_event(
        person, kind=EventKind.RELATIONSHIP, ended_on=date(2014, 5, 6), evidence="contract T-1",
        officer=analysis.people.maker,
    )  # fmt: skip
    someone = Loan.objects.exclude(customer_id=person).values_list("customer_id", flat=True)[0]
    Loan.objects.filter(customer_id=person).update(customer_id=someone)  # or an open loan would keep everything
    erasure = retention.suspend(listed(person).erasure_id, officer=analysis.people.maker)
    ticket = retention.request_destruction(erasure.erasure_id, maker=analysis.people.maker, reason="保存期限届满")
    approvals.approve(ticket.ticket_id, checker=analysis.people.checker)
    retention.destroy(erasure.erasure_id, maker=analysis.people.maker)

    (line,) = services.demands(reader=analysis.officer)
    assert (line.demand.person_ref, line.demand.recipient, line.demand.reference) == (person, "合作机构甲", reference)
    assert line.pseudonym in {row["person"] for row in before}
    assert line.due_on == clock.today() + timedelta(days=30)
    with pytest.raises(NotPermittedError):
        services.confirm_person(
            line.demand.export_id, officer=analysis.people.subject("C0001"), confirmation="函-2026-1"
        )
    services.confirm_person(line.demand.export_id, officer=analysis.officer, confirmation="函-2026-1")
    assert services.demands(reader=analysis.officer) == []
    after = rows_of(services.fetch(released(analysis), reader=analysis.analyst))
    assert len(after) <= len(before)
    assert not Export.objects.filter(person_ref=person).exclude(reference=reference).exists()


def test_an_ended_release_has_no_key_is_not_handed_out_and_waits_for_the_confirmation(
    analysis: Analysis, system: System
) -> None:
    release_id = released(analysis)
    system.clock.advance(timedelta(days=31))
    with pytest.raises(ReleaseEndedError):
        services.fetch(release_id, reader=analysis.analyst)
    assert services.end_due() == 1
    assert services.end_due() == 0
    row = Release.objects.get(release_id=release_id)
    assert (row.state, row.sealed_key, row.sealed_body) == (ReleaseState.ENDED.value, None, None)
    demanded = Export.objects.filter(reference=services.reference_of(release_id))
    assert demanded.count() == row.persons * 2
    assert not demanded.filter(demanded_at__isnull=True).exists()
    assert {line.pseudonym for line in services.demands(reader=analysis.officer)} == {""}
    system.clock.advance(timedelta(days=31))
    assert services.release_seen_by(analysis.officer, release_id).overdue
    services.confirm(release_id, officer=analysis.officer, confirmation="删除确认函 7")
    assert services.release_seen_by(analysis.officer, release_id).state is ReleaseState.DELETED
    assert services.demands(reader=analysis.officer) == []
    with pytest.raises(ReleaseTransitionError):
        services.end(release_id, actor_subject=analysis.officer, reason="再次")


def test_a_package_moved_to_another_release_does_not_open(analysis: Analysis) -> None:
    first, second = released(analysis), released(analysis)
    moved = Release.objects.get(release_id=first)
    Release.objects.filter(release_id=second).update(sealed_key=moved.sealed_key, sealed_body=moved.sealed_body)
    with pytest.raises(PackageAlteredError):
        services.fetch(second, reader=analysis.analyst)


def test_four_eyes_hold_and_strangers_are_refused(analysis: Analysis) -> None:
    release_id = services.apply(application(), applicant=analysis.analyst)
    with pytest.raises(NotPermittedError):
        services.apply(application(), applicant=analysis.officer)
    with pytest.raises(ReleaseNotFoundError):
        services.withdraw(release_id, applicant=analysis.officer)
    services.refuse(release_id, officer=analysis.officer, reason="目的不明")
    for call in (services.approve, services.approve):
        with pytest.raises(ReleaseTransitionError):
            call(release_id, officer=analysis.officer)
    again = services.apply(application(), applicant=analysis.analyst)
    assert services.withdraw(again, applicant=analysis.analyst) is ReleaseState.WITHDRAWN
    with pytest.raises(NotPermittedError):
        services.releases_seen_by(analysis.people.subject("C0001"))
