"""Hard cases of structured data: what evaluators and logs come up with, spelling by spelling."""

import pytest
from detection_corpus import STRUCTURED

from benchmarks.detection_hard import hard
from kuimen.kernels.detection import detect, detect_many
from kuimen.kernels.elements.overlay import FICTITIOUS


@pytest.mark.clause("CQJR-6.2-b")
def test_hard_cases_reach_the_floors() -> None:
    sentences = hard(20_261_123, 800)
    found = detect_many([one.text for one in sentences], elements=STRUCTURED, tables=FICTITIOUS)
    told = [{(str(one.element), one.start, one.end) for one in each} for each in found]
    for element in STRUCTURED:
        pairs = [
            ({one for one in sentence.gold if one[0] == element}, {one for one in each if one[0] == element})
            for sentence, each in zip(sentences, told, strict=True)
        ]
        hits = sum(len(gold & seen) for gold, seen in pairs)
        wrong = sum(len(seen - gold) for gold, seen in pairs)
        missed = sum(len(gold - seen) for gold, seen in pairs)
        assert hits / (hits + missed) >= 0.999, (element, missed)
        assert hits / (hits + wrong) >= 0.995, (element, wrong)


@pytest.mark.parametrize(
    ("text", "element", "datum"),
    [
        ("税号91330100799655058b。", "uscc", "91330100799655058b"),
        ("拨打86-13812345678", "mobile", "86-13812345678"),
        ("联系电话No.13812345678", "mobile", "13812345678"),
        ("微信同号13812345678", "mobile", "13812345678"),
        ("https://a.example/r?to=a.b@example.com&x=1", "email", "a.b@example.com"),
        ("4111111111111111 12/28 123", "bank_card", "4111111111111111"),
        ("4111111111111111|12/28|123", "card_expiry", "12/28"),
        ("4111111111111111,12/2028,123", "cvn2", "123"),
        ('{"password":"hunter22","x":1}', "password", "hunter22"),
        ('{\\"password\\":\\"hunter22\\",\\"x\\":1}', "password", "hunter22"),
        ("{token: ab, pwd=hunter22}", "password", "hunter22"),
        ("password => 'hunter22'", "password", "hunter22"),
    ],
)
def test_a_rare_spelling_is_found_with_its_offsets(text: str, element: str, datum: str) -> None:
    assert (element, datum) in {(str(one.element), text[one.start : one.end]) for one in detect(text)}


@pytest.mark.parametrize(
    "text",
    [
        "编号No.13812345678",
        "支付单6222021234567890128",
        "许可证 2635-6855-0170-1806-8617",
        "累计13812345678笔",
        "postgresql://app:secret@db.internal.example/loan",
        "13812345678abc",
        "设备重启 12/28 123",
    ],
)
def test_what_only_looks_like_a_datum_is_left(text: str) -> None:
    assert not [one for one in detect(text) if str(one.element) in {*STRUCTURED, "card_expiry", "cvn2"}]


def test_a_private_key_ends_at_its_last_line_with_headers_and_in_json() -> None:
    key = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nMIIabc+/=\nxyz\n-----END RSA PRIVATE KEY-----"
    for text in (f"{key}\nnext", f'{{"key":"{key.replace(chr(10), chr(92) + "n")}"}}'):
        found = [one for one in detect(text) if one.element == "secret_key"]
        assert len(found) == 1
        assert text[found[0].start : found[0].end].endswith("-----END RSA PRIVATE KEY-----")
