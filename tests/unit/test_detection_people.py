"""Names and addresses on the generated sets: floors on both halves, and what the sets taught."""

from collections.abc import Sequence

import pytest

from benchmarks.detection_lines import lines
from benchmarks.detection_people import people
from kuimen.kernels.detection import detect, detect_many
from kuimen.kernels.elements.overlay import FICTITIOUS


def names(text: str) -> list[str]:
    return [text[one.start : one.end] for one in detect(text, elements=["person_name"])]


def addresses(text: str) -> list[str]:
    return [text[one.start : one.end] for one in detect(text, elements=["address"])]


def found_in(texts: Sequence[str], element: str) -> list[set[tuple[int, int]]]:
    found = detect_many(texts, elements=[element], tables=FICTITIOUS)
    return [{(one.start, one.end) for one in findings} for findings in found]


@pytest.mark.parametrize(("half", "least"), [("dev", 0.97), ("held", 0.945)])
def test_names_in_generated_sentences_reach_their_floor(half: str, least: float) -> None:
    sentences = people(half)
    hits = wrong = missed = 0
    for one, found in zip(sentences, found_in([one.text for one in sentences], "person_name"), strict=True):
        hits, wrong, missed = (
            hits + len(found & one.names),
            wrong + len(found - one.names),
            missed + len(one.names - found),
        )
    assert 2 * hits / (2 * hits + wrong + missed) >= least


@pytest.mark.parametrize("half", ["dev", "held"])
def test_addresses_are_touched_and_sentences_that_name_places_are_not(half: str) -> None:
    made = lines(half)
    found = found_in([one.text for one in made], "address")
    touched = [
        all(any(a < end and start < b for start, end in spans) for a, b in one.addresses)
        for one, spans in zip(made, found, strict=True)
        if one.addresses
    ]
    wrong = [bool(spans) for one, spans in zip(made, found, strict=True) if not one.addresses]
    assert sum(touched) / len(touched) >= 0.97
    assert sum(wrong) / len(wrong) <= 0.03


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("本公司实际控制人揭奕辰与其配偶阿依古丽·买买提合计持有54%的股份。", ["揭奕辰", "阿依古丽·买买提"]),
        ("索菲亚·罗西和哈桑·阿里分获冠亚军", ["索菲亚·罗西", "哈桑·阿里"]),
        ("把热依汗·阿不都的件退回", ["热依汗·阿不都"]),
        ("出租方夏侯奕辰将房屋出租", ["夏侯奕辰"]),
        ("省长孙佳琪作说明", ["孙佳琪"]),
        ("乌云其其格在济南出席签约仪式", ["乌云其其格"]),
        ("请扎西次仁到柜台办理", ["扎西次仁"]),
        ("贷款人赖小民已结清", ["赖小民"]),
        ("张建伟银行卡已注销", ["张建伟"]),
        ("打张建伟公司电话无人接", ["张建伟"]),
    ],
)
def test_names_end_where_they_end(text: str, expected: list[str]) -> None:
    assert names(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "沈先生您好，您的账单已出",
        "张经理说没有再跟进",
        "老刘和小王都不在，沈总出差了",
        "李宁、安踏、特步三大品牌公布了业绩",
        "曹操出行、花小猪接入网约车监管系统",
        "曾在李宁公司和马钢集团担任管理职务",
    ],
)
def test_who_is_only_addressed_or_is_a_firm_is_no_name(text: str) -> None:
    assert names(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "重庆市渝北区和平里中街地铁站C出口旁兰州拉面馆",
        "广东省东莞市长江南大街251号(万达广场对面)",
        "恒大名都25栋1单元2725",
        "和平区长江南大街464号市第一人民医院住院部1楼",
        "沈阳市和平区文三路与青年路路口向北49米路西",
        "保利香槟国际二十一期17号楼",
    ],
)
def test_lines_that_are_addresses_are_taken_whole(text: str) -> None:
    assert addresses(text) == [text]


@pytest.mark.parametrize("text", ["泉州银行城东区支行信贷部经理", "申请人籍贯山东济南，汉族，已婚。", "分二十一期还款"])
def test_branches_origins_and_instalments_are_no_addresses(text: str) -> None:
    assert addresses(text) == []
