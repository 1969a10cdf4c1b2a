"""A configuration that cannot be served is refused with the name of its field."""

from pathlib import Path
from uuid import UUID

import pytest

from kuimen.entrypoints.installation import config, servers
from kuimen.entrypoints.installation.errors import ConfigurationError
from kuimen.entrypoints.installation.home import InstallationHome


@pytest.fixture
def home(tmp_path: Path) -> InstallationHome:
    found = InstallationHome.locate(tmp_path / "home")
    found.create()
    return found


def test_what_is_saved_is_loaded(home: InstallationHome) -> None:
    written = config.Configuration(
        institution_id=UUID(int=5), institution_name="测试小贷", overlay="fictitious", port=8123, behind_https=True,
        mail_host="mail.lender.example", mail_from="kuimen@lender.example", alert_recipients=("a@lender.example",),
    )  # fmt: skip
    config.save(home, written)
    assert config.load(home, environment={}) == written
    assert home.config.stat().st_mode & 0o777 == 0o600


def test_without_a_file_the_defaults_hold(home: InstallationHome) -> None:
    assert config.load(home, environment={}) == config.Configuration()


def test_the_environment_names_the_overlay_over_the_file(home: InstallationHome) -> None:
    config.save(home, config.Configuration(overlay="fictitious"))
    assert config.load(home, environment={"KUIMEN_OVERLAY": ""}).overlay == ""


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("port: 0", "port"),
        ("port: 70000", "port"),
        ("port: no number", "wrong type"),
        ("overlay: made-up", "overlay"),
        ("language: tlh", "language"),
        ("institution_id: 7", "wrong type"),
        ("behind_https: perhaps", "behind_https"),
        ("colour: red", "colour"),
        ("mail_host: mail.lender.example", "alert_recipients"),
        ("mail_security: rot13", "mail_security"),
        ("{mail_user: a, mail_security: none}", "no password goes out in clear"),
        ('alert_recipients: ["a b@lender.example"]', "plain addresses"),
        ("mail_port: 0", "mail_port"),
        ("[1, 2]", "mapping"),
        ("a: b: c", "YAML"),
    ],
)
def test_an_unusable_field_is_named(home: InstallationHome, text: str, named: str) -> None:
    home.config.write_text(text)
    with pytest.raises(ConfigurationError, match=named):
        config.load(home, environment={})


def test_home_is_where_the_variable_says(tmp_path: Path) -> None:
    assert InstallationHome.locate(environment={"KUIMEN_HOME": str(tmp_path)}).root == tmp_path
    assert (
        InstallationHome.locate(tmp_path / "other", environment={"KUIMEN_HOME": str(tmp_path)}).root
        == tmp_path / "other"
    )


def test_an_operators_address_decides_against_the_embedded_server(
    home: InstallationHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(servers.URL_VARIABLE, "postgresql://app:secret@db.example.invalid:5433/prod?sslmode=require")
    chosen = servers.server_of(home)
    assert not chosen.prepares_itself
    entry = servers.django_database(home, servers.APPLICATION, servers.MAIN_DATABASE)
    assert (entry["HOST"], entry["PORT"], entry["NAME"], entry["USER"]) == ("db.example.invalid", "5433", "prod", "app")
    assert entry["OPTIONS"] == {"sslmode": "require"}
    with pytest.raises(ConfigurationError, match="KUIMEN_KEYS_DATABASE_URL"):
        servers.dsn(chosen, servers.KEYS, servers.KEYS_DATABASE)


def test_an_address_that_is_none_is_refused_without_being_quoted(
    home: InstallationHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(servers.URL_VARIABLE, "mysql//secret-password")
    with pytest.raises(ConfigurationError) as refused:
        servers.dsn(servers.server_of(home), servers.APPLICATION, servers.MAIN_DATABASE)
    assert "secret-password" not in str(refused.value)
