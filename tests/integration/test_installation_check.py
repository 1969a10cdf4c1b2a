"""The doctor sees what is wrong and says so in both languages."""

import shutil
from pathlib import Path

import psycopg
import pytest

from fixtures.installed import Installation, System
from kuimen.entrypoints.installation import check, config, servers
from kuimen.entrypoints.installation.home import InstallationHome


def look(system: System, role: str = servers.APPLICATION) -> dict[str, check.CheckFinding]:
    with system.connect(role) as session:
        return {finding.subject: finding for finding in check.look_at_main(session)}


def test_a_sound_database_gets_no_warning(bare_system: System) -> None:
    assert {finding.grade for finding in look(bare_system).values()} == {check.Grade.OK}


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("log_error_verbosity", "default"),
        ("log_statement", "all"),
        ("log_min_error_statement", "error"),
        ("log_parameter_max_length", "-1"),
        ("log_min_duration_statement", "0"),
    ],
)
def test_a_server_whose_log_would_show_values_is_warned_of(bare_system: System, setting: str, value: str) -> None:
    with bare_system.connect(servers.ADMIN) as admin:
        admin.execute(
            psycopg.sql.SQL("ALTER ROLE kuimen_app IN DATABASE {} SET {} = {}").format(
                psycopg.sql.Identifier(bare_system.main), psycopg.sql.Identifier(setting), psycopg.sql.Literal(value)
            )
        )
        finding = look(bare_system)["server_log"]
    assert finding.grade is check.Grade.WARN
    assert setting in finding.text_en
    assert setting in finding.text_zh


def test_an_owner_in_place_of_the_application_role_fails(bare_system: System) -> None:
    finding = look(bare_system, servers.OWNER)["role"]
    assert finding.grade is check.Grade.FAIL
    assert "own tables" in finding.text_en


def test_a_right_to_change_the_log_fails(bare_system: System) -> None:
    with bare_system.connect(servers.OWNER) as owner:
        owner.execute("GRANT DELETE ON audit_checkpoint TO kuimen_app")
    assert look(bare_system)["audit"].grade is check.Grade.FAIL


def test_an_unreachable_server_is_a_finding_not_a_traceback(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(servers.URL_VARIABLE, "host=/nowhere user=u password=hidden-word dbname=d")
    findings = check.check(installation.home)
    assert check.worst(findings) is check.Grade.FAIL
    assert not any("hidden-word" in finding.text_en + finding.text_zh for finding in findings)


def test_a_key_file_or_folder_open_to_others_fails(tmp_path: Path) -> None:
    home = InstallationHome.locate(tmp_path / "home")
    assert check.worst(check.check(home)) is check.Grade.FAIL
    home.create()
    home.root_key.touch(mode=0o600)
    config.save(home, config.Configuration(institution_name="测试小贷"))
    grades = {finding.subject: finding.grade for finding in check.check(home)}
    assert grades["root_key"] is check.Grade.OK
    assert "overlay" not in grades
    home.root_key.chmod(0o640)
    home.keys.chmod(0o755)
    failed = {finding.subject for finding in check.check(home) if finding.grade is check.Grade.FAIL}
    assert failed == {"root_key", "home", "server"}, "an initialised installation whose server is down is broken"
    shutil.rmtree(home.root)


def test_the_catalogue_of_the_standards_is_looked_at(bare_system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    found = {finding.subject: finding for finding in check.check(bare_system.home)}
    assert found["standards"].grade is check.Grade.OK
    assert "225" in found["standards"].text_en
    monkeypatch.setattr(check, "find_problems", lambda: ["cqjr009.yaml: clauses/0: breaks rule required"])
    found = {finding.subject: finding for finding in check.check(bare_system.home)}
    assert found["standards"].grade is check.Grade.FAIL
