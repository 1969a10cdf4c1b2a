"""Faults below the API: a database error that quotes a phone reaches neither the answer nor any log."""

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from fixtures.calling import Caller, problem_of, signed_in
from fixtures.collecting import open_department
from fixtures.installed import System
from kuimen.entrypoints.installation.logs import ValueFreeFormatter
from kuimen.scenarios.collections import services

PHONE = "19990004321"
WHY = {"reason_code": "verify_identity", "reason": "客户对登记信息有异议"}
TABLES = ("collections_transition", "disclosure_record", "api_idempotent_calls", "audit_entry")

pytestmark = pytest.mark.fault


@pytest.fixture
def case(system: System) -> tuple[Caller, str]:
    made = open_department(each=1)
    services.assign(made.leader, made.cases[0], assignee="C0001")
    return signed_in(made.people, "C0001"), str(made.cases[0])


@contextmanager
def duplicate_in(system: System, table: str) -> Iterator[None]:
    """Let every insert into a table fail as a unique violation whose text quotes a phone."""
    with system.connect("kuimen_owner") as owner:
        owner.execute(
            "CREATE FUNCTION quote_a_phone() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            " RAISE unique_violation USING MESSAGE = 'duplicate key value violates unique constraint',"
            f" DETAIL = 'Key (mobile)=({PHONE}) already exists.'; END $$"
        )
        owner.execute("GRANT EXECUTE ON FUNCTION quote_a_phone() TO PUBLIC")
        owner.execute(f"CREATE TRIGGER planted BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION quote_a_phone()")
        try:
            yield
        finally:
            owner.execute(f"DROP TRIGGER planted ON {table}")
            owner.execute("DROP FUNCTION quote_a_phone()")


@contextmanager
def operators_log() -> Iterator[io.StringIO]:
    """Collect what the operator's log shows, in the format the installation writes."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(ValueFreeFormatter())
    names = ("", "django", "kuimen")
    for name in names:
        logging.getLogger(name).addHandler(handler)
    try:
        yield stream
    finally:
        for name in names:
            logging.getLogger(name).removeHandler(handler)


@pytest.mark.clause("CQJR-6.5-b")
@pytest.mark.parametrize("table", TABLES)
def test_a_unique_violation_that_quotes_a_phone_shows_it_nowhere(
    system: System, case: tuple[Caller, str], table: str, caplog: pytest.LogCaptureFixture
) -> None:
    api, where = case[0], f"/collections/cases/{case[1]}"

    with caplog.at_level(logging.DEBUG, logger="kuimen"), operators_log() as log, duplicate_in(system, table):
        answers = [
            api.post(f"{where}/events", {"event": "start_work"}),
            api.post(f"{where}/reveal", {"element": "mobile", **WHY}),
            api.get(where),
        ]

    refused = [answer for answer in answers if answer.status_code >= 400]
    assert refused, "the planted fault was met"
    for answer in refused:
        problem_of(answer, answer.status_code)
    for answer in answers:
        assert PHONE not in answer.content.decode()
    assert PHONE not in log.getvalue()
    assert PHONE not in caplog.text
    server_logs = [path for path in system.postgres.log_dir.rglob("*") if path.is_file()]
    assert server_logs
    for path in server_logs:
        assert PHONE.encode() not in path.read_bytes(), path.name


def test_a_locked_keyring_is_unavailable_and_nothing_is_shown(case: tuple[Caller, str]) -> None:
    from kuimen.gate.keys import services as keys

    keys.lock()

    problem_of(case[0].post(f"/collections/cases/{case[1]}/reveal", {"element": "mobile", **WHY}), 503, "keys.locked")
    problem_of(case[0].get(f"/collections/cases/{case[1]}"), 503)
