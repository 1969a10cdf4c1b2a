"""What scans find in clear is told by mail, once, without places and values; what the server refuses is tried again."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import override_settings

from fixtures.installed import System
from fixtures.lender import mobile, resident_id
from fixtures.mailing import MailServer, mail_server
from fixtures.people import appoint_officers
from kuimen.entrypoints.worker import tasks
from kuimen.gate.access.rules import Role
from kuimen.gate.audit.models import Entry
from kuimen.gate.audit.services import SYSTEM
from kuimen.governance.inventory import services
from kuimen.governance.inventory.errors import AlertUndeliveredError
from kuimen.governance.inventory.models import Drift
from kuimen.sources.scan import scan_source

RECIPIENTS = ("security@lender.example", "data@lender.example")


@pytest.fixture
def server(system: System) -> Iterator[MailServer]:
    with (
        mail_server() as made,
        override_settings(
            EMAIL_BACKEND="django.core.mail.backends.smtp.EmailBackend", EMAIL_HOST="127.0.0.1", EMAIL_PORT=made.port,
            EMAIL_USE_TLS=False, EMAIL_USE_SSL=False, DEFAULT_FROM_EMAIL="kuimen@lender.example",
            KUIMEN_ALERT_RECIPIENTS=RECIPIENTS,
        ),
    ):  # fmt: skip
        yield made


@pytest.fixture
def exports(tmp_path: Path) -> Path:
    write(tmp_path, "memo")
    scan(tmp_path)
    return tmp_path


def write(folder: Path, *names: str) -> None:
    lines = [",".join(names), *(",".join([mobile(at), resident_id(at)][: len(names)]) for at in range(40))]
    if names == ("memo",):
        lines = ["memo", *("nothing here" for _ in range(40))]
    (folder / "people.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def scan(folder: Path) -> None:
    source = services.register_source(str(folder), actor=SYSTEM, overlay="fictitious")
    services.record_scan(scan_source(str(folder), overlay="fictitious"), SYSTEM, source_id=source.source_id)


@pytest.mark.clause("CQJR-6.2-a")
def test_new_clear_columns_are_mailed_once_without_places_or_values(server: MailServer, exports: Path) -> None:
    assert tasks.announce_changes(0) == 0
    assert server.letters == []
    write(exports, "contact_phone", "sfzh")
    scan(exports)

    assert tasks.announce_changes(0) == 2
    assert tasks.announce_changes(0) == 0

    (letter,) = server.letters
    body = letter.get_content()
    assert letter["To"] == ", ".join(RECIPIENTS)
    assert "夔门" in letter["Subject"]
    assert "新增明文列" in body
    assert "mobile (C2): 1" in body
    assert "resident_id (C2): 1" in body
    for secret in (mobile(1), resident_id(1), "contact_phone", "people.csv", str(exports)):
        assert secret not in body
        assert secret.encode() not in server.raw[0]
    (entry,) = Entry.objects.filter(action="inventory.alert")
    assert entry.outcome == "done"


def test_a_refusing_server_costs_nothing_but_time(server: MailServer, exports: Path) -> None:
    write(exports, "contact_phone", "sfzh")
    scan(exports)
    server.refusing = True
    with pytest.raises(AlertUndeliveredError):
        services.announce_changes(SYSTEM)
    assert not Drift.objects.exclude(announced_at=None).exists()
    assert Entry.objects.get(action="inventory.alert").outcome == "failed"
    server.refusing = False
    assert services.announce_changes(SYSTEM) == 2


def test_what_a_steward_noted_and_what_nobody_is_to_be_told_stays_unsent(server: MailServer, exports: Path) -> None:
    write(exports, "contact_phone", "sfzh")
    scan(exports)
    with override_settings(KUIMEN_ALERT_RECIPIENTS=()):
        assert services.announce_changes(SYSTEM) == 0
    steward = appoint_officers().hire("D0001", Role.IMPORTER)
    for change in services.changes():
        services.note_change(change.drift_id, steward=steward, note="已排期保护")
    assert services.announce_changes(SYSTEM) == 0
    assert server.letters == []
