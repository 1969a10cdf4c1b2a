"""Addresses from the region down to the door, and names of firms.

The start is anchored on a name of the division table, so that the sentence before an address is not swallowed; the end
is the last part that leads towards a door. A sentence that merely names a place has no such part.
"""

import re
from collections.abc import Iterator
from functools import lru_cache

from kuimen.kernels.detection.context import label_before
from kuimen.kernels.detection.evidence import Candidate, Evidence, EvidenceKind
from kuimen.kernels.elements.model import Element
from kuimen.kernels.elements.overlay import RecognitionTables
from kuimen.kernels.elements.vocabulary import PROVINCE_SHORT_NAMES

_REGION_END = re.compile(r"[省市区县州盟旗]")
_LONGEST_REGION, _SHORTEST_REGION = 12, 2
_HAN = r"\u3400-\u9fff"
_NUMBER = r"[0-9一二三四五六七八九十百零〇A-Z]{1,6}"
# A part that still needs a number: town, village, street, estate. Function words end it.
_PLACE = (
    rf"(?:(?![的了在是与和及已将向从我他她你有为被给说称来去到住请])[{_HAN}0-9A-Za-z·]){{1,11}}?"
    r"(?:街道办事处|街道|大道|公路|社区|小区|花园|家园|新村|新城|新居|公寓|大厦|广场|中心|名苑|佳苑|工业园区|工业园|产业园|开发区|高新区|经开区|农场|林场"
    r"|胡同|[路街巷弄里镇乡村庄屯寨苑园城苏木湾坝沟垭坪塆组社队段道])"
)
_NUMBERED = (
    rf"(?:{_NUMBER}[-—]{_NUMBER}(?:[-—]{_NUMBER})?(?:号楼|号院|号|栋|幢|座|单元|室|房|户)?"
    rf"|(?:附|第|[东南西北]区?|[甲乙丙丁]|负)?{_NUMBER}(?:号楼|号院|号附{_NUMBER}号|号|弄|巷|组|社|队|栋|幢|座|期|区|单元|门|楼|层|室|房|户|#))"
)
_TAIL = re.compile(rf"(?:[ ,]?(?:{_NUMBERED}|{_PLACE})){{1,12}}(?:{_NUMBER}(?![0-9A-Za-z]))?")
_DOOR = re.compile(rf"{_NUMBER}(?:号|栋|幢|座|单元|室|组|弄|楼|#|社|队)|{_NUMBER}[-—]{_NUMBER}")
_QUICK_DOOR = re.compile(
    r"[0-9一二三四五六七八九十](?:号|栋|幢|座|单元|室|组|弄|楼|#|社|队|[-—][0-9])|村|小区|花园|公寓|大厦"
)
_VILLAGE = re.compile(rf"[{_HAN}]{{1,8}}[镇乡][{_HAN}]{{1,8}}村|小区|花园|公寓|大厦|家园|新村|名苑|佳苑")
_LABELLED = re.compile(
    r"(?:家庭住址|家庭地址|居住地址|现住址|户籍地址|通讯地址|通信地址|联系地址|单位地址|公司地址|工作地址|收货地址|收件地址|详细地址|送达地址|住址|地址|家住|住在|现住)"
    r"[\"'”]?( {0,2}(?:[:=]|是|为|于) {0,2}[\"'“]{0,2})?"
)
_FIRM = re.compile(
    rf"[{_HAN}A-Za-z0-9()]{{2,28}}?(?:股份有限公司|有限责任公司|有限公司|集团公司|分公司|专业合作社|合作社|事务所|经营部)(?![{_HAN}]?公司)"
)
_FIRM_LEAD = re.compile(
    r".*(?:就职于|任职于|供职于|工作于|就职|任职|单位名称|工作单位|所在单位|公司名称|企业名称|用人单位|供职|雇主|[为是在于到向由与和给的被:=,，。；;、]|客户|公司(?=[\u3400-\u9fff]{4}))"
)
_FIRM_GATE = ("公司", "合作社", "事务所", "经营部")
_LEAST_FIRM = 6


def recognise_addresses(text: str, tables: RecognitionTables) -> Iterator[Candidate]:
    """Yield addresses in folded text."""
    if not _QUICK_DOOR.search(text) and "址" not in text and "住" not in text:
        return
    covered = 0
    for match in _REGION_END.finditer(text):
        if match.end() <= covered:
            continue
        start = _region_start(text, match.end(), tables)
        if start is None:
            continue
        start = _extend_left(text, start, covered, tables)
        end, levels = _regions_from(text, match.end(), tables)
        found = _address(text, start, end, levels)
        if found is not None:
            covered = found.end
            yield found
    yield from _behind_labels(text)


def _region_start(text: str, end: int, tables: RecognitionTables) -> int | None:
    """Return where the longest region that ends at `end` begins."""
    for width in range(min(_LONGEST_REGION, end), _SHORTEST_REGION - 1, -1):
        if text[end - width : end] in tables.regions:
            return end - width
    return None


def _extend_left(text: str, start: int, floor: int, tables: RecognitionTables) -> int:
    """Take in short names written before: 四川成都武侯区."""
    for _ in range(2):
        for width in (3, 2):
            begin = start - width
            if begin >= floor and text[begin:start] in _short_names(tables):
                start = begin
                break
        else:
            return start
    return start


@lru_cache(maxsize=8)
def _short_names_of(regions: frozenset[str]) -> frozenset[str]:
    cities = {name[:-1] for name in regions if name.endswith(("市", "省")) and len(name) in (3, 4)}
    return PROVINCE_SHORT_NAMES | cities


def _short_names(tables: RecognitionTables) -> frozenset[str]:
    return _short_names_of(tables.regions)


def _regions_from(text: str, end: int, tables: RecognitionTables) -> tuple[int, int]:
    """Follow regions written one after the other; return where they end and how many there are."""
    levels = 1
    while True:
        for width in range(_LONGEST_REGION, _SHORTEST_REGION - 1, -1):
            if text[end : end + width] in tables.regions and len(text) >= end + width:
                end += width
                levels += 1
                break
        else:
            return end, levels


def _address(text: str, start: int, end: int, levels: int) -> Candidate | None:
    """Follow the parts behind the region; without a door, a village or a label there is no address."""
    tail = _TAIL.match(text, end)
    detail = tail[0] if tail else ""
    label = label_before(text, start)
    labelled = label.element is Element.ADDRESS
    door = bool(_DOOR.search(detail))
    village = bool(_VILLAGE.search(detail))
    if not (door or village or (labelled and (levels > 1 or detail))):
        return None
    pieces = [
        Evidence(EvidenceKind.TABLE, "region", 2 if levels > 1 else 1, f"levels={levels}"),
        Evidence(EvidenceKind.FORMAT, "leads to a door" if door else "leads to a place", 3 if door else 2),
    ]
    if labelled:
        pieces.append(Evidence(EvidenceKind.LABEL, "label:address", 3))
    return Candidate(Element.ADDRESS, start, tail.end() if tail else end, tuple(pieces))


def _behind_labels(text: str) -> Iterator[Candidate]:
    """Yield addresses that begin below the region: 住址：人民路12号."""
    for match in _LABELLED.finditer(text):
        tail = _TAIL.match(text, match.end())
        if tail is None or not (_DOOR.search(tail[0]) or _VILLAGE.search(tail[0])):
            continue
        pieces = (
            Evidence(EvidenceKind.LABEL, "label:address", 3 if match[1] else 2),
            Evidence(EvidenceKind.FORMAT, "leads to a door", 2),
        )
        yield Candidate(Element.ADDRESS, match.end(), tail.end(), pieces)


def recognise_firms(text: str) -> Iterator[Candidate]:
    """Yield names of firms by their legal form."""
    if not any(word in text for word in _FIRM_GATE):
        return
    for match in _FIRM.finditer(text):
        lead = _FIRM_LEAD.match(text, match.start(), match.end() - 4)
        start = lead.end() if lead else match.start()
        if match.end() - start < _LEAST_FIRM:
            continue
        label = label_before(text, start)
        pieces = [Evidence(EvidenceKind.FORMAT, "legal form", 3)]
        if label.element is Element.COMPANY_NAME:
            pieces.append(Evidence(EvidenceKind.LABEL, "label:company_name", 3))
        yield Candidate(Element.COMPANY_NAME, start, match.end(), tuple(pieces))
