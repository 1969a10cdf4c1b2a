"""Addresses: found from the province or from the road, whole, and not where a sentence merely names places."""

from pathlib import Path

import pytest

from kuimen.kernels.detection import detect, explain, likelihood_of
from kuimen.kernels.elements.overlay import FICTITIOUS

CORPORA = Path(__file__).parents[2] / "benchmarks" / "corpora"


def addresses(text: str) -> list[str]:
    return [text[one.start : one.end] for one in detect(text, elements=["address"], tables=FICTITIOUS)]


def lines(name: str) -> list[str]:
    return [line for line in (CORPORA / name).read_text(encoding="utf-8").splitlines() if line and line[0] != "#"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "请寄到浙江省杭州市余杭区五常街道文一西路969号3幢5单元1204室，收件人陈默默",
            "浙江省杭州市余杭区五常街道文一西路969号3幢5单元1204室",
        ),
        ("，住云崖省瞿塘市白盐区赤甲街道人民路12号。", "云崖省瞿塘市白盐区赤甲街道人民路12号"),
        ("户籍地址：湖北省孝感市孝昌县王店镇磨山村三组25号；", "湖北省孝感市孝昌县王店镇磨山村三组25号"),
        ("她搬到了幸福小区12栋301", "幸福小区12栋301"),
        ("旧房在人民路88号已经卖了", "人民路88号"),
        ('{"addr":"广东省深圳市南山区科技园科苑路15号"}', "广东省深圳市南山区科技园科苑路15号"),
        ("address=浙江省杭州市西湖区文三路478号&city=hz", "浙江省杭州市西湖区文三路478号"),
        ("浙江　杭州　余杭　五常街道　文一西路９６９号", "浙江　杭州　余杭　五常街道　文一西路９６９号"),
        ("😀寄浙江省义乌市江东街道青口村5组😀", "浙江省义乌市江东街道青口村5组"),
        ("四川成都武侯区人民南路四段27号商鼎国际2栋1单元", "四川成都武侯区人民南路四段27号商鼎国际2栋1单元"),
        ("四川省绵竹县遵道镇双泉村3组", "四川省绵竹县遵道镇双泉村3组"),
        ("翡翠湾小区7幢", "翡翠湾小区7幢"),
        ("徐州市云龙区和平路", "徐州市云龙区和平路"),
    ],
)
def test_an_address_is_found_whole(text: str, expected: str) -> None:
    assert addresses(text) == [expected]


def test_lines_that_are_addresses_are_touched() -> None:
    written = lines("addresses_dev.txt")
    missed = [line for line in written if not addresses(line)]
    assert len(missed) / len(written) <= 0.03, missed


def test_sentences_that_name_places_are_left_alone() -> None:
    told = [*lines("places_dev.txt"), *lines("prose_dev.txt")]
    told += [line.replace("[", "").replace("]", "") for line in lines("names_dev.txt") if "住云崖" not in line]
    found = {line: addresses(line) for line in told if addresses(line)}
    assert len(found) / len(told) <= 0.01, found


def test_evidence_of_an_address_adds_up_and_holds_no_part_of_it() -> None:
    (finding,) = detect("住址：重庆市渝中区人民路1号2栋3单元401室", elements=["address"])
    printed = explain(finding.evidence)
    assert "leads to a door" in printed
    assert "label:address" in printed
    assert likelihood_of(finding.evidence) is finding.likelihood
    assert "渝中" not in printed


@pytest.mark.parametrize(
    "text", ["路" * 500, "浙江省" * 300, "1号" * 400, "a路1号" * 200, "省市区县" * 200, "\ud800路1号\n" * 50]
)
def test_odd_lines_are_read_without_fail(text: str) -> None:
    for one in detect(text, elements=["address"]):
        assert 0 <= one.start < one.end <= len(text)
