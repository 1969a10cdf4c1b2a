"""A collector's day, worked through the HTTP API under that post's own sign-in: what goes, and what is refused."""

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from uuid import uuid4

from kuimen.foundation.errors import UnavailableError

TIMEOUT_SECONDS = 30


class UnexpectedAnswerError(UnavailableError):
    """The API answered something else than the day's plan says."""

    code = "demo.unexpected_answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Status and body of one call."""

    status: int
    body: dict[str, Any]

    @property
    def code(self) -> str:
        """Code of a problem document, or empty."""
        return str(self.body.get("code", ""))


@dataclass(slots=True, kw_only=True)
class Step:
    """One thing the collector did, in words a reader understands."""

    title_zh: str
    title_en: str
    status: int
    allowed: bool


@dataclass(slots=True, kw_only=True)
class DayReport:
    """What the day showed."""

    steps: list[Step] = field(default_factory=list)

    @property
    def refusals(self) -> int:
        """How many calls were refused."""
        return sum(not step.allowed for step in self.steps)

    def note(self, answer: Answer, title_zh: str, title_en: str, *, expect: int) -> Answer:
        """Remember one step.

        Raises:
            UnexpectedAnswerError: the API did not answer as it must.
        """
        if answer.status != expect:
            raise UnexpectedAnswerError(
                f"{title_en}: the API answered {answer.status} {answer.code} instead of {expect}"
            )
        self.steps.append(
            Step(
                title_zh=title_zh,
                title_en=title_en,
                status=answer.status,
                allowed=answer.status < HTTPStatus.BAD_REQUEST,
            )
        )
        return answer


class ApiClient:
    """A small JSON client for one caller."""

    def __init__(self, base_url: str) -> None:
        """Talk to `base_url`, for example ``http://127.0.0.1:8000``; loopback only, no proxy."""
        self._base = base_url.rstrip("/") + "/api/v1"
        self._token = ""
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def sign_in(self, staff_no: str, *, password: str, totp: str) -> Answer:
        """Sign in and keep the token for later calls."""
        answer = self.call("POST", "/session", {"staff_no": staff_no, "password": password, "totp": totp})
        self._token = str(answer.body.get("token", ""))
        return answer

    def call(self, method: str, path: str, body: Mapping[str, object] | None = None, *, key: str = "") -> Answer:
        """Send one call; every POST carries an idempotency key."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._base + path, data=data, method=method)  # noqa: S310 - loopback address of our own server
        request.add_header("Content-Type", "application/json")
        if self._token:
            request.add_header("Authorization", f"Bearer {self._token}")
        if method == "POST":
            request.add_header("Idempotency-Key", key or uuid4().hex)
        try:
            with self._opener.open(request, timeout=TIMEOUT_SECONDS) as response:
                return Answer(status=response.status, body=_json(response.read()))
        except urllib.error.HTTPError as refused:
            with refused:
                return Answer(status=refused.code, body=_json(refused.read()))


def _json(text: bytes) -> dict[str, Any]:
    found = json.loads(text) if text else {}
    return found if isinstance(found, dict) else {"items": found}


def _reveal(client: ApiClient, case_id: str, element: str, *, key: str = "") -> Answer:
    body = {"element": element, "reason_code": "verify_identity", "reason": "客户对登记信息有异议，需核对"}
    return client.call("POST", f"/collections/cases/{case_id}/reveal", body, key=key)


def work_a_day(client: ApiClient, *, foreign_case: str, reveal_quota: int = 10) -> DayReport:
    """Work the day step by step and report what was allowed and what was refused.

    The client must be signed in as a collector who holds at least two cases; `foreign_case` belongs to another agency.
    """
    report = DayReport()
    first, second = _look(client, report)
    _reveal_within_and_beyond(client, report, first, second, quota=reveal_quota)
    _try_what_is_refused(client, report, first, foreign_case)
    return report


def _look(client: ApiClient, report: DayReport) -> tuple[str, str]:
    listed = report.note(
        client.call("GET", "/collections/cases"), "打开案件清单（脱敏）", "open the case list, masked", expect=200
    )
    cases = [str(item["case_id"]) for item in listed.body["items"]]
    first, second = cases[0], cases[1]
    for case_id in (first, second):
        report.note(
            client.call("GET", f"/collections/cases/{case_id}"),
            "打开案件页（脱敏、带水印）",
            "open a case page, masked, with watermark",
            expect=200,
        )
    report.note(
        client.call("POST", f"/collections/cases/{first}/events", {"event": "start_work"}),
        "开始作业",
        "start work",
        expect=200,
    )
    challenge = client.call(
        "POST", f"/collections/cases/{first}/challenge", {"element": "resident_id", "answer": "0000"}
    )
    report.note(
        challenge, "核验身份：后四位不符，不显示原值", "identity challenge, wrong answer, no value shown", expect=200
    )
    return first, second


def _reveal_within_and_beyond(client: ApiClient, report: DayReport, first: str, second: str, *, quota: int) -> None:
    key = uuid4().hex
    report.note(
        _reveal(client, first, "mobile", key=key), "说明事由后查看一项", "reveal one field with a reason", expect=200
    )
    report.note(
        _reveal(client, first, "mobile", key=key),
        "同一请求重发：不重复披露",
        "the same request again: nothing disclosed twice",
        expect=200,
    )
    for _ in range(quota - 1):
        report.note(_reveal(client, second, "mobile"), "额度内查看", "reveal within quota", expect=200)
    report.note(_reveal(client, second, "mobile"), "超出当日额度：拒绝", "beyond the daily quota: refused", expect=429)


def _try_what_is_refused(client: ApiClient, report: DayReport, first: str, foreign_case: str) -> None:
    report.note(
        client.call("GET", f"/collections/cases/{foreign_case}"),
        "打开他机构案件：不存在",
        "another agency's case: not found",
        expect=404,
    )
    report.note(
        client.call("POST", f"/collections/cases/{first}/events", {"event": "close"}),
        "越级变更状态：拒绝",
        "a step the table does not allow: refused",
        expect=409,
    )
    report.note(
        client.call("GET", "/audit/entries"),
        "催收员查阅审计日志：拒绝",
        "a collector reading the audit log: refused",
        expect=403,
    )
    report.note(
        client.call("POST", "/assessments", {}),
        "催收员运行评估：拒绝",
        "a collector running the assessment: refused",
        expect=403,
    )
    report.note(client.call("DELETE", "/session"), "退出", "sign out", expect=204)
    report.note(
        client.call("GET", "/collections/cases"), "退出后令牌失效", "the token is dead after sign-out", expect=401
    )
