"""The probes of releases hold while everything was measured, and fail the moment a package is spoilt."""

from collections.abc import Callable
from datetime import timedelta

import psycopg
import pytest

from fixtures.installed import System
from fixtures.releasing import Analysis, open_analysis, released
from kuimen.entrypoints.installation import servers
from kuimen.foundation import clock
from kuimen.gate.audit.services import SYSTEM
from kuimen.gate.retention.models import Export
from kuimen.governance.releases import controls, models, services
from kuimen.governance.releases.models import Release
from kuimen.kernels.elements import overlay
from kuimen.sources.testdata import proof as proofs
from kuimen.sources.testdata import running
from kuimen.standard import Outcome, ProbeContext, ProbeResult

Probe = Callable[[ProbeContext], ProbeResult]


def look(probe: Probe) -> Outcome:
    return probe(ProbeContext(at=clock.now())).outcome


@pytest.fixture
def analysis(system: System) -> Analysis:
    return open_analysis()


def report() -> running.TestDataReport:
    proof = proofs.TestDataProof(needles_raw=10, needles_cell=30, too_short=0, bytes_searched=100)
    return running.TestDataReport(
        label="local/core", target="local/test", rows={"t": 3}, columns=4, proof=proof, rules_not_kept=(),
        seconds=1.0, repeatable=False, fingerprint="0011223344556677",
    )  # fmt: skip


@pytest.mark.clause("JRT0171-6.1.4.5-b", "JRT0171-6.1.4.4-c")
@pytest.mark.planted_defect("JRT0171-6.1.4.5-b", "JRT0171-6.1.4.4-c")
def test_the_probes_see_every_way_in_which_a_package_can_be_spoilt(analysis: Analysis, system: System) -> None:
    measured, registered = controls.releases_were_measured, controls.what_left_is_deidentified_and_registered
    assert (look(measured), look(registered)) == (Outcome.INSUFFICIENT, Outcome.INSUFFICIENT)
    release_id = released(analysis)
    assert (look(measured), look(registered)) == (Outcome.HOLDS, Outcome.HOLDS)
    row = Release.objects.get(release_id=release_id)

    with system.connect(servers.OWNER) as owner:
        owner.execute("UPDATE releases_release SET measured = measured || '{\"k\": 2}'")
        assert look(measured) is Outcome.REFUTED
        owner.execute("UPDATE releases_release SET measured = measured || '{\"k\": 9}', pseudonym = false,"
                      " standing = 'anonymised'")  # fmt: skip
        assert look(measured) is Outcome.REFUTED
        with pytest.raises(psycopg.errors.CheckViolation):
            owner.execute("UPDATE releases_release SET pseudonym = true")
        owner.execute("UPDATE releases_release SET pseudonym = true, standing = 'deidentified'")
        assert look(measured) is Outcome.HOLDS
        with pytest.raises(psycopg.errors.CheckViolation):
            owner.execute("UPDATE releases_release SET decided_by_id = applied_by_id")

    Export.objects.filter(reference=services.reference_of(release_id), person_ref=_anybody(release_id)).delete()
    assert look(registered) is Outcome.REFUTED
    services.end(release_id, actor_subject=analysis.officer, reason="分析结束")
    again = released(analysis)
    Release.objects.filter(release_id=row.release_id).delete()
    assert look(registered) is Outcome.HOLDS
    system.clock.advance(timedelta(days=40))
    assert look(registered) is Outcome.REFUTED
    services.end_due()
    assert look(registered) is Outcome.HOLDS
    assert Release.objects.get(release_id=again).sealed_key is None


def _anybody(release_id: object) -> object:
    return Export.objects.filter(reference=f"release:{release_id}").values_list("person_ref", flat=True)[0]


@pytest.mark.clause("JRT0171-6.1.4.7-b")
@pytest.mark.planted_defect("JRT0171-6.1.4.7-b")
def test_the_probe_of_test_data_sees_originals_and_numbers_that_somebody_could_have(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    probe = controls.test_data_are_fabricated
    assert look(probe) is Outcome.INSUFFICIENT
    services.record_test_data(report(), actor=SYSTEM)
    assert look(probe) is Outcome.HOLDS
    with pytest.raises(psycopg.errors.InsufficientPrivilege), system.connect() as session:
        session.execute("UPDATE releases_testdata SET needles = 1")
    with monkeypatch.context() as patch:
        patch.setattr(controls, "PRODUCTION", overlay.FICTITIOUS)  # as if the ranges had been given out to people
        assert look(probe) is Outcome.REFUTED
    with system.connect(servers.OWNER) as owner:
        owner.execute("UPDATE releases_testdata SET needles = 0")
    assert models.TestDataRun.objects.get().needles == 0
    assert look(probe) is Outcome.REFUTED
