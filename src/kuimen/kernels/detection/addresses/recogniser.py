"""Finds addresses: a chain of parts counts when it leads to a door, stands behind a label, or is all there is.

A sentence that merely names places has no such chain: its places are followed by an office, a firm, a verb.
"""

import re
from collections.abc import Iterator

from kuimen.kernels.detection.addresses.grammar import chain_at
from kuimen.kernels.detection.addresses.judging import judged, take_in_rest
from kuimen.kernels.detection.addresses.regions import region_starts
from kuimen.kernels.detection.evidence import Candidate
from kuimen.kernels.detection.trie import alternation
from kuimen.kernels.elements.model import Element
from kuimen.kernels.elements.overlay import RecognitionTables
from kuimen.kernels.elements.words import words

_HINT = re.compile(
    r"[0-9一二三四五六七八九十A-Z](?:[号栋幢座室组弄楼#社队区]|单元)|SOHO|中心"
    r"|[\u3400-\u9fff][路街镇乡村巷弄园苑区市县城厦场庄桥寨屯旗盟站厂港湾校院址住塔沟州墅店]|[^通频渠街]道(?![0-9返])"
)
# One class of characters, to pass most lines over at once.
_MARK = re.compile("[路街镇乡村道巷弄园苑区市县城厦场庄桥寨屯旗盟站厂港湾校院址住塔沟州墅店号栋幢座室组楼#社队元心S]")
_LABELS = words(
    """
    家庭住址 家庭地址 居住地址 现住址 户籍地址 户籍所在地 通讯地址 通信地址 联系地址 单位地址 公司地址 工作地址
    收货地址 收件地址 详细地址 送达地址 经常居住地 住所地 住址 地址 家住 住在 现住 居住于 居住在 暂住 租住 寄往
    寄到 送到
    """
)
_LABEL = re.compile(
    rf"(?:{alternation(_LABELS)}|[,，。; ]住(?=[\u3400-\u9fff]{{2}}))"
    r"[\"'”]?( {0,2}(?:[:=]|是|为|于) {0,2}[\"'“]{0,2})?"
)
_BARE_NUMBERED = re.compile(
    r"[\u3400-\u9fffA-Za-z0-9]{1,10}?(?:路|街|大道|巷|胡同|弄|小区|花园|公寓|家园|苑|村|镇|街道|社区)"
    r"[0-9一二三四五六七八九十百零甲乙附-]{1,7}(?:[号弄幢栋组社座]|-[0-9])"
)
_LEAD_WORDS = re.compile(
    r".*(?:[的了在是与及已将向我从他她你您有为被给说称来去到住请和或但就都也而这那其该于至:,，。;；、 ]|位于|地处)"
)
_HINT_REACH = 3  # no hint is longer beside its mark
_LABEL_POINTS = 3
_BEFORE_A_LABEL = 4  # what may stand before the word of a label and belong to it: 外访地址
_LONGEST_BARE = 60  # characters of a line that may be an address and nothing else


def recognise_addresses(text: str, tables: RecognitionTables) -> Iterator[Candidate]:
    """Yield addresses in folded text.

    Cost: a line without a mark of an address costs one search.
    """
    for offset, line in _hinted_lines(text):
        if not line.isascii():
            for one in _in_line(line, tables):
                yield Candidate(Element.ADDRESS, offset + one.start, offset + one.end, one.evidence)


def _hinted_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield place and text of the lines that hold a hint; only the neighbours of a mark are looked at."""
    place = 0
    while mark := _MARK.search(text, place):
        nearest = max(0, mark.start() - _HINT_REACH)
        begin = max(nearest, text.rfind("\n", nearest, mark.start()) + 1)
        place = mark.end()
        if _HINT.search(text, begin, place + _HINT_REACH):
            begin = text.rfind("\n", 0, mark.start()) + 1
            place = text.find("\n", place)
            place = len(text) if place < 0 else place
            yield begin, text[begin:place]


def _in_line(line: str, tables: RecognitionTables) -> Iterator[Candidate]:
    covered = 0
    for start, labelled in _beginnings(line, tables):
        if start < covered:
            continue
        chain = chain_at(line, start, tables)
        take_in_rest(line, chain)
        evidence = judged(line, chain, labelled=labelled)
        if evidence:
            covered = chain.end
            yield Candidate(Element.ADDRESS, chain.start, chain.end, evidence)


def _beginnings(line: str, tables: RecognitionTables) -> list[tuple[int, int]]:
    """Return places where an address may begin with the strength of a label before it, in order."""
    found: dict[int, int] = {}
    first = len(line) - len(line.lstrip())
    if len(line) - first <= _LONGEST_BARE:
        found[first] = 0
    for place in region_starts(line, tables):
        found.setdefault(place, 0)
    for match in _BARE_NUMBERED.finditer(line):
        lead = _LEAD_WORDS.match(line, match.start(), match.end() - 3)
        found.setdefault(lead.end() if lead else match.start(), 0)
    for match in _LABEL.finditer(line):
        found[match.end()] = _LABEL_POINTS if match[1] else _LABEL_POINTS - 1
        if match.start() - first <= _BEFORE_A_LABEL:
            found.pop(first, None)
    return sorted(found.items())
