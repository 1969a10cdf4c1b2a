"""A file gives what `detect` gives line by line, with the numbers of the lines, whatever its reader lays together."""

from collections import Counter
from pathlib import Path
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from kuimen import detect
from kuimen.kernels.detection.rules import combine
from kuimen.kernels.detection.streaming import StreamRedactor
from kuimen.kernels.elements.fictitious import make_identity
from kuimen.kernels.elements.overlay import FICTITIOUS
from kuimen.sources.logscan import find_in_lines, find_in_text
from kuimen.sources.prose import is_protected
from kuimen.sources.textfiles import shape_of

PERSON = make_identity(Random(9), 31)
OWN = """
format: 1
version: "9"
rules:
  - id: member_card
    element: account_number
    labels: ["会员卡号"]
    pattern: 'VIP[0-9]{8}(?![0-9])'
    good: ["会员卡号：<<VIP12345678>>"]
    bad: ["会员卡号VIP1234"]
"""
RULES = combine({"own.yaml": OWN})
LINES = (
    f"INFO mobile={PERSON.mobile} ok", f"客户{PERSON.person_name}，身份证{PERSON.resident_id}", "",
    "还款处理完成 cost=3ms", f"接通，{PERSON.person_name}称在外地", f"卡{PERSON.bank_card}",
    "INFO [main] 会员卡号：VIP12345678 登记", "①②③", f"邮箱{PERSON.email}，税号{PERSON.employer_uscc}",
    "orderNo=123456789012345678", "验证码482913", "password: hunter22", "2026-03-04 ERROR 短信发送失败，通道返回超时",
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(LINES), max_size=30), st.sampled_from(["\n", "\r\n"]))
def test_a_file_gives_what_its_lines_give(lines: list[str], end: str) -> None:
    found = find_in_lines(enumerate((line + end for line in lines), start=1), tables=FICTITIOUS, rules=RULES)
    counts: Counter[str] = Counter()
    places: dict[str, list[int]] = {}
    for number, line in enumerate(lines, start=1):
        for one in detect(line, overlay="fictitious", rules=RULES):
            if is_protected(one):
                counts[str(one.element)] += 1
                known = places.setdefault(str(one.element), [])
                if number not in known and len(known) < 5:
                    known.append(number)
    assert {hit.element: hit.count for hit in found.hits} == counts
    assert {hit.element: list(hit.first_lines) for hit in found.hits} == places
    assert found.lines == len(lines)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(LINES), min_size=1, max_size=25), st.lists(st.integers(1, 90), max_size=20))
def test_a_stream_replaces_what_detect_finds(lines: list[str], cuts: list[int]) -> None:
    whole = "\n".join(lines).encode()
    redactor = StreamRedactor(tables=FICTITIOUS, rules=RULES, replace=lambda element, _: f"[{element}]")
    out, position = b"", 0
    for width in cuts:
        out += redactor.feed(whole[position : position + width])
        position += width
    out += redactor.feed(whole[position:]) + redactor.close()
    wanted = []
    for line in lines:
        for one in reversed(detect(line, overlay="fictitious", rules=RULES)):
            line = f"{line[: one.start]}[{one.element}]{line[one.end :]}"  # noqa: PLW2901 - from the end to the front
        wanted.append(line)
    assert out.decode().split("\n") == wanted


def test_a_private_key_over_many_lines_is_one_finding_at_its_first(tmp_path: Path) -> None:
    body = "\n".join("MIIEvQIBADANBgkqhkiG9w0BAQEFAASC" for _ in range(20))
    path = tmp_path / "app.log"
    path.write_text(f"ok\n-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\nok\n", encoding="utf-8")
    shape = shape_of(path)
    assert shape is not None
    found = find_in_text(path, shape, tables=FICTITIOUS)
    assert [(hit.element, hit.count, hit.first_lines) for hit in found.hits] == [("secret_key", 1, (2,))]
    assert found.lines == 24
