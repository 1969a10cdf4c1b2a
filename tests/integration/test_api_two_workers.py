"""The served API on two workers: what one of them learnt, the other knows."""

import json
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

from fixtures.live import AGENT, AUDITOR, LiveConsole, live_console

__all__ = ["live_console"]
pytestmark = pytest.mark.slow
AT_ONCE = 8


def call(
    live: LiveConsole, method: str, path: str, body: object = None, *, token: str = "", key: str = ""
) -> tuple[int, dict[str, object]]:
    """Send one request on a connection of its own, so that either worker may take it."""
    request = urllib.request.Request(  # noqa: S310 - loopback address of our own server
        f"{live.address}/api/v1{path}", data=None if body is None else json.dumps(body).encode(), method=method
    )
    request.add_header("Content-Type", "application/json")
    request.add_header("Connection", "close")
    request.add_header("Idempotency-Key", key or uuid4().hex)
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=30) as answer:
            text = answer.read()
            return answer.status, json.loads(text) if text else {}
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, json.loads(refused.read())


def at_once(live: LiveConsole, method: str, path: str, body: object = None, **options: str) -> list[tuple[int, dict]]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        asked = [pool.submit(call, live, method, path, body, **options) for _ in range(AT_ONCE)]
        return [one.result() for one in asked]


def test_one_code_opens_one_token_whichever_worker_is_asked(live_console: LiveConsole) -> None:
    who = live_console.sign_ins[AUDITOR]
    body = {"staff_no": who.staff_no, "password": who.password, "totp": who.code()}

    answers = at_once(live_console, "POST", "/session", body)

    assert sorted(status for status, _ in answers).count(200) == 1
    assert {status for status, _ in answers if status != 200} <= {401, 403, 429}


def test_one_reveal_sent_many_times_at_once_is_one_and_sign_out_ends_it_everywhere(live_console: LiveConsole) -> None:
    who = live_console.sign_ins[AGENT]
    status, issued = call(
        live_console, "POST", "/session", {"staff_no": who.staff_no, "password": who.password, "totp": who.code()}
    )
    assert status == 200, issued
    token, case = str(issued["token"]), live_console.cases[AGENT][0]
    body = {"element": "mobile", "reason_code": "verify_identity", "reason": "客户对登记信息有异议"}
    _, before = call(
        live_console, "POST", f"/collections/cases/{case}/reveal", {**body, "element": "resident_id"}, token=token
    )

    answers = at_once(
        live_console, "POST", f"/collections/cases/{case}/reveal", body, token=token, key="the-same-intention"
    )

    assert {status for status, _ in answers} == {200}
    assert len({str(answer["view_id"]) for _, answer in answers}) == 1
    assert {answer["value"] for _, answer in answers} == {live_console.identities[case].mobile}
    assert answers[0][1]["remaining_today"] == int(str(before["remaining_today"])) - 1

    assert call(live_console, "DELETE", "/session", token=token)[0] == 204
    assert {status for status, _ in at_once(live_console, "GET", "/session", token=token)} == {401}
