"""Programs written for Presidio's analyzer get Chinese findings by the same calls, names, offsets and routes."""

import io
import json
import socket
import subprocess
import sys
import urllib.request
from typing import Any

import pytest

from fixtures.commands import environment
from fixtures.lender import mobile, resident_id
from kuimen.entrypoints.presidio import (
    AnalyzerEngine,
    AnalyzerRequestError,
    Pattern,
    PatternRecognizer,
    UnsupportedLanguageError,
)
from kuimen.entrypoints.presidio.entities import entity_names, entity_of
from kuimen.entrypoints.presidio.service import MAX_BODY_BYTES, AnalyzerService
from kuimen.kernels.elements.model import Element

TEXT = f"身份证{resident_id(3)}已核验，手机{mobile(3)}，邮箱a.b@example.com"


@pytest.fixture(scope="module")
def engine() -> AnalyzerEngine:
    return AnalyzerEngine(overlay="fictitious")


def found(results: list[Any], text: str = TEXT) -> dict[str, str]:
    return {one.entity_type: text[one.start : one.end] for one in results}


def test_results_carry_presidios_names_and_exact_offsets_without_spaces_in_the_text(engine: AnalyzerEngine) -> None:
    results = engine.analyze(text=TEXT, language="zh")
    assert found(results) == {
        "CN_ID_CARD": resident_id(3), "PHONE_NUMBER": mobile(3), "EMAIL_ADDRESS": "a.b@example.com",
    }  # fmt: skip
    assert all(0 < one.score <= 1 and one.analysis_explanation is None for one in results)
    assert [one.start for one in results] == sorted(one.start for one in results)


def test_entities_threshold_allow_list_and_decision_process(engine: AnalyzerEngine) -> None:
    assert set(found(engine.analyze(TEXT, "zh", entities=["PHONE_NUMBER"]))) == {"PHONE_NUMBER"}
    assert set(found(engine.analyze(TEXT, "zh", entities=["mobile", "EMAIL_ADDRESS"]))) == {
        "PHONE_NUMBER", "EMAIL_ADDRESS",
    }  # fmt: skip
    assert all(one.score >= 0.9 for one in engine.analyze(TEXT, "zh", score_threshold=0.9))
    assert "EMAIL_ADDRESS" not in found(engine.analyze(TEXT, "zh", allow_list=["a.b@example.com"]))
    assert "EMAIL_ADDRESS" not in found(
        engine.analyze(TEXT, "zh", allow_list=[r"@example\.com"], allow_list_match="regex")
    )
    explained = engine.analyze(TEXT, "zh", return_decision_process=True)
    assert all(one.analysis_explanation and one.analysis_explanation.textual_explanation for one in explained)
    assert resident_id(3) not in json.dumps([one.to_dict() for one in explained], ensure_ascii=False)


def test_words_around_a_text_decide_like_words_inside_it(engine: AnalyzerEngine) -> None:
    assert engine.analyze("482913", "zh") == []
    results = engine.analyze("482913", "zh", context=["短信验证码"])
    assert [(one.entity_type, one.start, one.end) for one in results] == [("SMS_CODE", 0, 6)]


def test_recognizers_of_the_caller_are_understood_in_three_forms(engine: AnalyzerEngine) -> None:
    text = "工单 WO-20260001 已转给 夔门组"

    class Foreign:  # the shape of Presidio's own object
        supported_entities = ("TICKET",)
        name = "foreign"
        patterns = (Pattern("t", r"WO-\d{8}", 0.4),)
        context = ("工单",)

    ours = PatternRecognizer(supported_entity="TEAM", deny_list=["夔门组"])
    plain = {"supported_entity": "NUMBER", "patterns": [{"name": "n", "regex": r"(?<=WO-)\d{8}", "score": 0.3}]}
    results = {one.entity_type: one for one in engine.analyze(text, ad_hoc_recognizers=[Foreign(), ours, plain])}
    assert text[results["TICKET"].start : results["TICKET"].end] == "WO-20260001"
    assert results["TICKET"].score == pytest.approx(0.75), "a word of its context stands before it"
    assert text[results["TEAM"].start : results["TEAM"].end] == "夔门组"
    assert results["NUMBER"].score == pytest.approx(0.3)


@pytest.mark.parametrize("regex", [r"(a+)+$", "(", ""])
def test_a_pattern_that_could_run_for_ever_or_is_none_is_refused(engine: AnalyzerEngine, regex: str) -> None:
    brought = PatternRecognizer(supported_entity="X", patterns=[Pattern("x", regex, 0.5)])
    with pytest.raises(AnalyzerRequestError):
        engine.analyze("a" * 50, ad_hoc_recognizers=[brought])


def test_wrong_parameters_are_value_errors_as_callers_of_presidio_expect(engine: AnalyzerEngine) -> None:
    with pytest.raises(UnsupportedLanguageError):
        engine.analyze("x", language="de")
    with pytest.raises(ValueError, match="entities"):
        engine.analyze("x", entities=["NO_SUCH"])
    assert set(entity_names()) == {entity_of(element) for element in Element}


def call(
    service: AnalyzerService, method: str, path: str, body: bytes | None = None, query: str = ""
) -> tuple[int, Any]:
    answered: list[str] = []
    given = {
        "REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": query, "wsgi.input": io.BytesIO(body or b""),
        "CONTENT_LENGTH": "" if body is None else str(len(body)),
    }  # fmt: skip
    data = b"".join(service(given, lambda status, _headers: answered.append(status))).decode()
    return int(answered[0].split()[0]), json.loads(data) if data[:1] in "[{" else data


def test_the_routes_answer_as_presidios_do(engine: AnalyzerEngine) -> None:
    service = AnalyzerService(engine)
    status, several = call(service, "POST", "/analyze", json.dumps({"text": [TEXT, "无"], "language": "zh"}).encode())
    assert (status, len(several), several[1]) == (200, 2, [])
    assert {"entity_type", "start", "end", "score", "analysis_explanation"} <= set(several[0][0])
    assert call(service, "GET", "/health")[0] == 200
    assert "CN_ID_CARD" in call(service, "GET", "/supportedentities", query="language=zh")[1]
    assert call(service, "GET", "/recognizers")[1] == ["KuimenRecognizer"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/analyze", b"{", 400),
        ("POST", "/analyze", b"[]", 400),
        ("POST", "/analyze", b'{"language": "zh"}', 400),
        ("POST", "/analyze", b'{"text": "x"}', 400),
        ("POST", "/analyze", b'{"text": "x", "language": "de"}', 422),
        ("POST", "/analyze", b'{"text": "x", "language": "zh", "entities": "PERSON"}', 422),
        ("POST", "/analyze", b'{"text": "x", "language": "zh", "score_threshold": "high"}', 400),
        ("POST", "/analyze", b'{"text": "x", "language": "zh", "ad_hoc_recognizers": [5]}', 400),
        ("POST", "/analyze", None, 411),
        ("POST", "/analyze", b"x" * (MAX_BODY_BYTES + 1), 413),
        ("GET", "/analyze", None, 405),
        ("GET", "/nowhere", None, 404),
    ],
)
def test_a_bad_request_is_named_and_not_repeated(
    engine: AnalyzerEngine, method: str, path: str, body: bytes | None, status: int
) -> None:
    answered, said = call(AnalyzerService(engine), method, path, body)
    assert answered == status
    assert set(said) == {"error"}
    assert "high" not in said["error"]


def test_the_server_answers_over_http_and_writes_nothing_of_a_request() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with subprocess.Popen(
        [sys.executable, "-m", "kuimen.entrypoints.cli", "analyze-server", "--port", str(port),
         "--overlay", "fictitious"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**environment(), "PYTHONUNBUFFERED": "1"}, text=True,
    ) as server:  # fmt: skip
        try:
            assert server.stdout is not None
            assert server.stdout.readline().strip() == f"http://127.0.0.1:{port}"
            request = urllib.request.Request(
                f"http://127.0.0.1:{port}/analyze",
                data=json.dumps({"text": TEXT, "language": "zh"}).encode(),
                headers={"Content-Type": "application/json"},
            )
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - the address is written above
                found_there = json.load(answer)
        finally:
            server.terminate()
            said = server.communicate(timeout=30)
    assert {one["entity_type"] for one in found_there} == {"CN_ID_CARD", "PHONE_NUMBER", "EMAIL_ADDRESS"}
    assert mobile(3) not in "".join(said)
    assert "analyze" not in "".join(said)
