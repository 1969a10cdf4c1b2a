"""Row scopes: a transaction sees its agency's rows, the institution's people see all, nobody else sees any."""

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction

from fixtures.at_once import at_once
from fixtures.installed import System
from kuimen.gate.access import scope
from kuimen.gate.access.rules import EVERYWHERE, Subject

IN_HOUSE = Subject(staff_no="C1", display_name="甲")
AGENCY_1 = Subject(staff_no="W1", display_name="乙", agency_id="AG1")
AGENCY_2 = Subject(staff_no="W2", display_name="丙", agency_id="AG2")


@pytest.fixture
def desks(system: System) -> None:
    """Make a table of another room's kind, under the policy that migrations use."""
    with system.connect("kuimen_owner") as owner:
        owner.execute("CREATE TABLE desk (id int PRIMARY KEY, agency text NULL)")
        owner.execute("INSERT INTO desk VALUES (1, 'AG1'), (2, 'AG2'), (3, NULL), (4, '')")
        for operation in scope.row_scope_policy("desk", "agency"):
            owner.execute(str(operation.sql).encode())
        owner.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON desk TO kuimen_app")


def seen() -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM desk ORDER BY id")
        return [row[0] for row in cursor.fetchall()]


@pytest.mark.usefixtures("desks")
def test_each_scope_sees_its_rows_and_without_a_scope_there_are_none() -> None:
    assert seen() == []
    with scope.applied(AGENCY_1):
        assert (scope.current(), seen()) == ("AG1", [1])
    with scope.applied(AGENCY_2):
        assert seen() == [2]
    with scope.applied(IN_HOUSE):
        assert (scope.current(), seen()) == (EVERYWHERE, [1, 2, 3, 4])
    assert (scope.current(), seen()) == ("", [])


@pytest.mark.usefixtures("desks")
def test_a_scope_cannot_write_into_another_agency() -> None:
    for statement in ("INSERT INTO desk VALUES (9, 'AG2')", "UPDATE desk SET agency = 'AG2' WHERE id = 1"):
        with pytest.raises(DatabaseError), scope.applied(AGENCY_1), connection.cursor() as cursor:
            cursor.execute(statement)
    with scope.applied(AGENCY_1), connection.cursor() as cursor:
        cursor.execute("DELETE FROM desk WHERE id = 2")
        assert cursor.rowcount == 0


@pytest.mark.usefixtures("desks")
def test_an_inner_scope_gives_the_outer_one_back_also_after_an_error() -> None:
    with scope.applied(AGENCY_1):
        with scope.institution_wide():
            assert seen() == [1, 2, 3, 4]
        assert seen() == [1]
        with pytest.raises(DatabaseError), scope.applied(AGENCY_2), connection.cursor() as cursor:
            cursor.execute("SELECT 1/0")
        assert (scope.current(), seen()) == ("AG1", [1])


@pytest.mark.usefixtures("desks")
def test_a_connection_carries_no_scope_over_after_a_rollback() -> None:
    with transaction.atomic():
        with scope.applied(IN_HOUSE):
            assert seen()
        transaction.set_rollback(True)
    assert seen() == []


@pytest.mark.usefixtures("desks")
def test_scopes_of_two_connections_do_not_mix() -> None:
    def look(subject: Subject) -> list[int]:
        with scope.applied(subject):
            return seen()

    assert at_once(lambda: look(AGENCY_1), lambda: look(AGENCY_2)) == [[1], [2]]


@pytest.mark.usefixtures("desks")
def test_the_owner_is_held_to_the_policy_too(system: System) -> None:
    with system.connect("kuimen_owner") as owner:
        assert owner.execute("SELECT id FROM desk").fetchall() == []
        with pytest.raises(psycopg.Error):
            owner.execute("INSERT INTO desk VALUES (9, 'AG2')")


def test_a_hostile_agency_code_is_data_not_statement(system: System, desks: None) -> None:
    hostile = Subject(staff_no="W3", display_name="丁", agency_id="*'; DROP TABLE desk; --")
    with scope.applied(hostile):
        assert seen() == []
    with scope.applied(AGENCY_1):
        assert seen() == [1]
