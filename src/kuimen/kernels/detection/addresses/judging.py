"""Judges a chain of parts: does it lead to a door, fill its field, or only name places on the way to an office."""

import re

from kuimen.kernels.detection.addresses.grammar import Chain, Part
from kuimen.kernels.detection.context import label_before
from kuimen.kernels.detection.evidence import Evidence, EvidenceKind
from kuimen.kernels.detection.trie import alternation
from kuimen.kernels.elements.model import Element
from kuimen.kernels.elements.words import words

# What makes a chain of places the name of an office, a firm, or somebody's origin.
_OFFICES = words(
    """
    政府 党 县委 市委 区委 镇委 乡委 省委 县长 市长 区长 镇长 乡长 村长 省长 书记 主任 法院 检察 公安 派出所 分局
    局 厅 处长 科 人大 政协 代表 委员 常委 银行 分行 支行 支公司 分公司 公司 集团 有限 工作 任职 任教 任 籍 户口 讯
    优秀 劳动 先进 特 队 等 以及 召开 举行 举办 办事处 管委 管理 医学 大学 学院 中学 小学 协会 学会 研究 设计 工程
    分校 校长 院长 财政 教育 税务 商务 民政 司法
    """
)
_OFFICE = re.compile(
    rf"(?:{alternation(_OFFICES)}|人民[政法检代]|人[,，。;；]|人$|电[ 讯]|第[一二三四五六七八九十0-9]+[届中])"
)
_AUTHORITY = re.compile(
    r"[省市区县]?(?:(?:高级|中级|第[一二三四五])?人民(?:政府|法院|检察)"
    r"|法院|检察院|公安|派出所|[党省市区县]委(?!会)|政府|税务|工商局|教育局)"
)
# Where somebody comes from is no address.
_ORIGIN = re.compile(r"(?:籍贯|祖籍|原籍|出生地|生于)[:=是为 ]?$")
# A field with one of these tells something; it is no address for being made of places.
_TELLS = re.compile(r"[0-9]{4}年|毕业|就读|改道|开通|公交|号线|通车|建成|曾任|现任|[0-9]月[0-9]{1,2}日")
_TOLD_WITHIN = 40
# Places that people go to, as against offices and employers.
_VENUES = words(
    """
    广场 市场 商城 商场 商贸城 轻纺城 服装城 家具城 建材城 电脑城 国际城 银泰城 商贸城 纺织城 招商城 五金城
    小商品城 世纪城 园 园区 步行街 码头 车站 东站 西站 南站 北站 客运中心 体育中心 会展中心 机场 大桥 桥 小镇
    住院部 校区 酒店 宾馆 饭店
    """
)
_VENUE = re.compile(rf"{alternation(_VENUES)}$")
_FIELD_START = frozenset(" \n\t|\"'“【[(:;=>,")
_FIELD_END = frozenset("\n\t|\"'”】])<;。!,")
_REST_OF_FIELD = re.compile(
    r"(?:(?![的了在是与及已将向从我他她你您为被给说称来去到住请或但就都也而这那其该很不太真人处长员])"
    r"[\u3400-\u9fffA-Za-z0-9*·-]){1,8}(?=[\n\t|\"'”】)<; ]|$)"
)
_SHORT_LINE = 14
_ENOUGH = 2
_LABEL_POINTS, _STRONG, _FAIR, _WEAK = 3, 3, 2, 1


def judged(line: str, chain: Chain, *, labelled: int) -> tuple[Evidence, ...]:
    """Return what speaks for a chain; nothing when it is no address.

    Args:
        line: the line it stands in.
        chain: the parts.
        labelled: points of the label directly before it, 0 without one.
    """
    if not chain.parts or (chain.region_end and _AUTHORITY.match(line, chain.region_end)):
        return ()
    if _ORIGIN.search(line, max(0, chain.start - 4), chain.start):
        return ()
    if not labelled and chain.start and label_before(line, chain.start).element is Element.ADDRESS:
        labelled = _LABEL_POINTS
    structure = _structure(line, chain, labelled=labelled > 0)
    if structure is None and not (labelled and (chain.levels > 1 or chain.details)):
        return ()
    pieces: list[Evidence] = []
    if chain.levels:
        pieces.append(Evidence(EvidenceKind.TABLE, "region", min(chain.levels, 2), f"levels={chain.levels}"))
    if labelled:
        pieces.append(Evidence(EvidenceKind.LABEL, "label:address", labelled))
    if structure:
        pieces.append(structure)
    return tuple(pieces)


def _structure(line: str, chain: Chain, *, labelled: bool) -> Evidence | None:
    """Say what the parts amount to."""
    doors, details, levels = chain.count(Part.DOOR), chain.details, chain.levels
    tells = bool(_TELLS.search(line, max(0, chain.start - _TOLD_WITHIN), chain.end + _TOLD_WITHIN))
    whole = not tells and _is_field(line, chain)
    office = _OFFICE.match(line, chain.end)
    if office and not any(letter.isdigit() for letter in line[chain.start : chain.end]):
        return None
    if doors and details and not (tells and not levels and chain.start == 0):
        return Evidence(EvidenceKind.FORMAT, "leads to a door", _STRONG)
    if office:
        return None
    if doors and levels and chain.full_regions:
        return Evidence(EvidenceKind.FORMAT, "region and number", _FAIR if whole or labelled else _WEAK)
    if details and (whole or labelled):
        return Evidence(EvidenceKind.FORMAT, "a place and nothing else", _whole_points(line, chain))
    weak = ""
    if details > 1 and levels > 1 and not chain.count(Part.SITE):
        weak = "leads to a place"
    elif levels > 1 and whole:
        weak = "regions and nothing else"
    return Evidence(EvidenceKind.FORMAT, weak, _WEAK) if weak else None


def _whole_points(line: str, chain: Chain) -> int:
    """Weigh a field that is nothing but places: two of them, a town or an estate, or one under a region."""
    if chain.details > 1 or chain.levels:
        return _STRONG
    kinds = chain.count(Part.TOWN, Part.ESTATE, Part.ROAD, Part.VILLAGE)
    return _STRONG if kinds or chain.ends_beside or _VENUE.search(line, chain.start, chain.end) else _FAIR


def _opens_field(line: str, chain: Chain) -> bool:
    return chain.start == 0 or line[chain.start - 1] in _FIELD_START


def _is_field(line: str, chain: Chain) -> bool:
    """Tell whether a chain fills its line, or the part of it between separators."""
    if not _opens_field(line, chain):
        return False
    behind = chain.end
    while behind < len(line) and line[behind] == " ":
        behind += 1
    return behind == len(line) or line[behind] in _FIELD_END


def take_in_rest(line: str, chain: Chain) -> None:
    """Take in what is left of a field that begins as an address: 良渚文化村 + 白鹭郡."""
    strength = chain.levels + chain.details + chain.count(Part.DOOR)
    short = len(line) <= _SHORT_LINE and chain.start == 0 and chain.count(Part.SITE) < chain.details
    if (strength < _ENOUGH and not short) or not _opens_field(line, chain):
        return
    rest = _REST_OF_FIELD.match(line, chain.end)
    if rest and not _OFFICE.match(line, chain.end):
        chain.end = rest.end()
        chain.parts.append(Part.SITE)
