"""Releases on the console and over the API: pages and routes show figures, and hand nothing else out."""

import json
from datetime import timedelta

import pytest
from django.test import Client

from fixtures.calling import problem_of
from fixtures.calling import signed_in as caller
from fixtures.installed import System
from fixtures.people import PASSWORD, People
from fixtures.releasing import application, open_analysis
from kuimen.foundation import clock
from kuimen.governance.releases import services
from kuimen.governance.releases.models import Release
from kuimen.governance.releases.rules import ReleaseState


def signed_in(people: People, staff_no: str) -> Client:
    client = Client()
    client.post("/accounts/login/", {"login": staff_no, "password": PASSWORD})
    client.post("/accounts/2fa/authenticate/", {"code": people.code(staff_no)})
    return client


def test_the_page_carries_a_release_from_application_to_its_deletion(system: System) -> None:
    analysis = open_analysis()
    analyst, officer = signed_in(analysis.people, "D0001"), signed_in(analysis.people, "S0002")
    form = {
        "title": "逾期结构", "purpose": "collection", "reason": "季度分析", "recipient": "数据分析组",
        "recipient_kind": "internal", "form": "rows", "columns": ["age", "sex", "overdue"], "pseudonym": "1",
        "keep_until": (clock.today() + timedelta(days=30)).isoformat(),
    }  # fmt: skip
    assert analyst.post("/releases/apply", {**form, "purpose": "dance"}).status_code == 422
    assert analyst.post("/releases/apply", form).status_code == 302
    row = Release.objects.get()
    step = f"/releases/{row.pk}/step"
    assert "逾期结构" in analyst.get("/releases/").content.decode()
    assert analyst.post(step, {"step": "approve"}).status_code == 403
    assert officer.post(step, {"step": "approve"}).status_code == 302
    assert analyst.post(step, {"step": "release"}).status_code == 302
    page = officer.get("/releases/").content.decode()
    assert "去标识化（仍属个人金融信息）" in page
    assert 'data-src="/charts/release-k"' in page
    chart = json.loads(officer.get("/charts/release-k").content)
    before, after = (one["values"][0] for one in chart["series"])
    assert before < 5 <= after
    answer = analyst.post(f"/releases/{row.pk}/fetch")
    assert answer["Content-Disposition"].endswith('-deidentified.csv"')
    assert answer["Cache-Control"] == "no-store"
    assert answer.content.startswith(b'"person","age","sex","overdue"')
    assert officer.post(f"/releases/{row.pk}/fetch").status_code == 403
    assert officer.post(step, {"step": "end", "reason": "分析结束"}).status_code == 302
    assert str(services.reference_of(row.pk)) in officer.get("/releases/").content.decode()
    assert officer.post(step, {"step": "confirm", "reason": "函 7"}).status_code == 302
    assert Release.objects.get().state == ReleaseState.DELETED.value
    assert signed_in(analysis.people, "C0001").get("/releases/").status_code == 403


@pytest.mark.clause("JRT0171-6.1.4.5-b")
def test_missed_bounds_stay_on_record_with_their_figures_and_the_api_says_409(system: System) -> None:
    analysis = open_analysis()
    release_id = services.apply(application(k=400), applicant=analysis.analyst)
    services.approve(release_id, officer=analysis.officer)
    analyst = caller(analysis.people, "D0001")
    told = problem_of(analyst.post(f"/releases/{release_id}/release"), 409, "releases.bounds_missed")
    assert "k_best" in told["detail"]
    listed = analyst.get("/releases").json()
    assert [(one["state"], one["standing"]) for one in listed] == [("missed", None)]
    assert listed[0]["measured"]["k_best"] < 400
    problem_of(analyst.post(f"/releases/{release_id}/fetch"), 409, "releases.transition")
    body = {
        "title": "计数", "purpose": "collection", "reason": "季度分析", "recipient": "数据分析组",
        "recipient_kind": "internal", "columns": ["sex", "overdue"], "form": "counts", "pseudonym": False,
        "keep_until": (clock.today() + timedelta(days=9)).isoformat(),
    }  # fmt: skip
    other = analyst.post("/releases", body).json()["release_id"]
    problem_of(analyst.post(f"/releases/{other}/approve"), 403)
    services.approve(other, officer=analysis.officer)
    assert analyst.post(f"/releases/{other}/release").json()["state"] == "released"
    assert b'"sex"' in analyst.post(f"/releases/{other}/fetch").content
    assert analyst.get("/releases/demands").json() == []
