"""The page of data assets and its API: filters, corrections by two people, changes, what was not read."""

from pathlib import Path

import pytest
from django.test import Client

from fixtures.installed import System
from fixtures.lender import mobile, resident_id
from fixtures.people import PASSWORD, People, appoint_officers
from kuimen.gate.access.rules import Role
from kuimen.gate.audit.services import SYSTEM
from kuimen.governance.inventory import services
from kuimen.governance.inventory.models import Asset, DataSource
from kuimen.sources.scan import scan_source


@pytest.fixture
def people(system: System) -> People:
    made = appoint_officers()
    made.hire("D0001", Role.IMPORTER)
    made.hire("A0001", Role.AUDITOR)
    return made


@pytest.fixture
def exports(tmp_path: Path) -> Path:
    lines = ["phone,ext7,sfzh", *(f"{mobile(at)},{700000 + at},{resident_id(at)}" for at in range(40))]
    (tmp_path / "people.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (tmp_path / "picture.bin").write_bytes(b"\x00\x01\x02" * 500)
    return tmp_path


def scan(folder: Path) -> DataSource:
    source = services.register_source(str(folder), actor=SYSTEM, overlay="fictitious")
    services.record_scan(scan_source(str(folder), overlay="fictitious"), SYSTEM, source_id=source.source_id)
    return source


def enter(people: People, staff_no: str, *, ahead: int = 0) -> Client:
    client = Client(raise_request_exception=False)
    client.post("/accounts/login/", {"login": staff_no, "password": PASSWORD})
    assert client.post("/accounts/2fa/authenticate/", {"code": people.code(staff_no, ahead=ahead)}).status_code == 302
    return client


def page(client: Client, query: str = "") -> str:
    answer = client.get(f"/assets/{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_page_filters_shows_evidence_and_says_what_was_not_read(people: People, exports: Path) -> None:
    client = enter(people, "D0001")
    assert "尚未登记数据源" in page(client)
    scan(exports)
    everything = page(client)
    assert "people.csv.phone" in everything
    assert "people.csv.ext7" not in everything
    assert "cells prove" in everything
    assert mobile(1) not in everything
    assert "people.csv.sfzh" in page(client, "?element=resident_id")
    assert "people.csv.phone" not in page(client, "?element=resident_id")
    assert "people.csv.ext7" in page(client, "?only=everything&q=ext")
    unread = page(client, "?only=not_read")
    assert "picture.bin" in unread
    assert "未读取原因" in unread


def test_two_people_lower_a_class_on_the_page_and_the_auditor_only_looks(people: People, exports: Path) -> None:
    scan(exports)
    steward, checker, auditor = enter(people, "D0001"), enter(people, "S0002"), enter(people, "A0001")
    phone = Asset.objects.get(column_name="phone")
    form = {"asset": phone.pk, "element": "none", "scope": "column", "reason": "测试号码", "query": "only=personal"}
    assert auditor.post("/assets/correct", form).status_code == 403
    assert "订正或确认" not in page(auditor)
    answer = steward.post("/assets/correct", form)
    assert (answer.status_code, answer["Location"]) == (302, "/assets/?only=personal")
    (waiting,) = services.corrections()
    assert "撤回" in page(steward)
    assert "批准" in page(checker)
    assert steward.post(f"/assets/corrections/{waiting.correction_id}", {"verdict": "approve"}).status_code == 403
    assert checker.post(f"/assets/corrections/{waiting.correction_id}", {"verdict": "approve"}).status_code == 302
    phone.refresh_from_db()
    assert phone.element == ""
    assert "已订正" in page(steward, "?only=corrected")


def test_changes_are_listed_until_noted_and_intervals_are_set(people: People, exports: Path) -> None:
    source = scan(exports)
    steward = enter(people, "D0001")
    lines = ["phone,ext7,sfzh,contact_phone"]
    lines += [f"{mobile(at)},{700000 + at},{resident_id(at)},{mobile(at + 50)}" for at in range(40)]
    (exports / "people.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    scan(exports)
    assert "新增明文列" in page(steward)
    (change,) = services.changes()
    assert steward.post(f"/assets/changes/{change.drift_id}", {"note": "已排期保护"}).status_code == 302
    assert "新增明文列" not in page(steward)
    assert steward.post(f"/assets/sources/{source.source_id}", {"hours": "6"}).status_code == 302
    assert steward.post(f"/assets/sources/{source.source_id}", {"hours": "9999"}).status_code == 422
    (view,) = services.sources()
    assert view.every_hours == 6


def test_the_api_says_the_same(people: People, exports: Path) -> None:
    source = scan(exports)
    steward, checker = people.token("D0001"), people.token("S0002")
    client = Client()

    def call(token: str, method: str, path: str, body: dict[str, object] | None = None) -> tuple[int, object]:
        headers = {
            "Authorization": f"Bearer {token}",
            "Idempotency-Key": f"{method}{path}{body}"[:100].encode().hex()[:64],
        }
        send = client.get if method == "GET" else client.post
        answer = send(f"/api/v1/inventory{path}", body, content_type="application/json", headers=headers)  # type: ignore[arg-type]
        return answer.status_code, answer.json()

    status, found = call(steward, "GET", "/assets")
    assert status == 200
    assert isinstance(found, dict)
    phone = next(item for item in found["items"] if item["place"] == "people.csv.phone")
    body = {"asset_id": phone["asset_id"], "element": "", "scope": "column", "reason": "测试号码"}
    status, made = call(steward, "POST", "/corrections", body)
    assert isinstance(made, dict)
    assert (status, made["state"], made["lowers"]) == (200, "proposed", True)
    assert call(steward, "POST", f"/corrections/{made['correction_id']}/approve", {})[0] == 403
    assert call(checker, "POST", f"/corrections/{made['correction_id']}/approve", {})[0] == 200
    status, listed = call(checker, "GET", "/corrections")
    assert isinstance(listed, list)
    assert [one["state"] for one in listed] == ["in_force"]
    assert call(steward, "GET", "/changes") == (200, [])
    assert call(steward, "POST", f"/sources/{source.source_id}/interval", {"hours": 12})[0] == 200
    status, sources = call(steward, "GET", "/sources")
    assert isinstance(sources, list)
    assert (sources[0]["every_hours"], sources[0]["not_read"] > 0) == (12, True)
