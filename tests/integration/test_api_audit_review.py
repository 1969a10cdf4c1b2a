"""Periodic review of the log over the API: the auditor signs off, nobody else does."""

import json
from datetime import timedelta

import pytest
from django.test import Client

from fixtures.installed import System
from fixtures.people import People, appoint_officers
from kuimen.foundation import clock
from kuimen.gate.access.rules import Role
from kuimen.gate.audit.services import last_review


@pytest.fixture
def people(system: System) -> People:
    staffed = appoint_officers()
    staffed.hire("D0001", Role.AUDITOR)
    staffed.hire("P0001", Role.ASSESSOR)
    return staffed


def review(people: People, staff_no: str, **body: str) -> tuple[int, dict[str, object]]:
    content = {
        "since": (clock.now() - timedelta(days=1)).isoformat(),
        "before": clock.now().isoformat(),
        "conclusion": "未见异常",
        **body,
    }
    answer = Client().post(
        "/api/v1/audit/reviews",
        json.dumps(content),
        content_type="application/json",
        headers={"Authorization": f"Bearer {people.token(staff_no)}", "Idempotency-Key": "review-20261120"},
    )
    return answer.status_code, answer.json()


@pytest.mark.clause("CQJR-5.4-f")
def test_the_auditor_signs_a_review_off(people: People) -> None:
    status, body = review(people, "D0001")
    assert status == 200
    newest = last_review()
    assert newest is not None
    assert str(newest.entry_id) == body["entry_id"]
    assert newest.actor == "D0001"


def test_nobody_else_signs_a_review_off(people: People) -> None:
    status, body = review(people, "P0001")
    assert (status, last_review()) == (403, None)
    assert body["status"] == 403


def test_a_review_names_nobody(people: People) -> None:
    status, _ = review(people, "D0001", conclusion="核对了 13812345678 的查看")
    assert (status, last_review()) == (422, None)
