"""Whatever is sent, the API answers by its own description: no defect, and problem documents for errors."""

import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from hypothesis import HealthCheck, settings

from fixtures.collecting import open_department
from fixtures.installed import System
from kuimen.gate.access.rules import Role
from kuimen.scenarios.collections import services

pytestmark = pytest.mark.slow


@pytest.fixture
def tokens(system: System) -> dict[str, str]:
    made = open_department(each=1)
    services.assign(made.leader, made.cases[0], assignee="C0001")
    for staff_no, role in (("D0001", Role.AUDITOR), ("B0001", Role.ENGINEER)):
        made.people.hire(staff_no, role)
    return {staff_no: made.people.token(staff_no) for staff_no in ("C0001", "T0001", "D0001", "S0001")}


def test_no_request_of_the_description_makes_a_defect(tokens: dict[str, str]) -> None:
    application = WSGIHandler()
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", application)
    tried = 0
    for result in schema.get_all_operations():
        operation = result.ok()

        strategy = operation.as_strategy()
        tried += exercise(strategy, tokens)
    assert tried > 50


def exercise(strategy: object, tokens: dict[str, str]) -> int:
    from hypothesis import given

    count = 0

    @settings(max_examples=3, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(case=strategy)
    def send(case: schemathesis.Case) -> None:
        nonlocal count
        for number, token in enumerate(tokens.values()):
            if case.path.endswith("/session") and case.method.upper() == "DELETE":
                return
            headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": f"contract-{count:06d}-{number}"}
            answer = case.call(headers=headers)
            count += 1
            assert answer.status_code < 500, (case.method, case.path, answer.text)
            if answer.status_code >= 400:
                assert answer.headers["content-type"][0].startswith("application/problem+json"), (
                    case.path,
                    answer.text,
                )

    send()
    return count
