"""The parts of an address below the district, and how they follow one another.

A part is a place that still needs a number (town, village, road, estate) or a numbered thing (door, building, room).
Parts follow one another with at most a space or a comma between; whatever is none of them ends the address.
"""

import re
from dataclasses import dataclass, field
from enum import StrEnum

from kuimen.kernels.detection.addresses.regions import is_full_name, region_at
from kuimen.kernels.detection.trie import alternation
from kuimen.kernels.elements.overlay import RecognitionTables
from kuimen.kernels.elements.words import words

_HAN = r"\u3400-\u9fff"
_NUMBER = r"[0-9一二三四五六七八九十百零〇A-Za-z甲乙丙丁东南西北*]{1,6}"
_WORDS_OF_SENTENCES = "的了在于是与及已将向我从他她你您有为被给说称来去到住请和或但就都也而这那其该"
# Such a character also begins names of places.
_KEPT = (
    "向阳|向荣|为民|和[平谐顺兴睦美义]|来[安广凤宾]|都[江昌匀安]|有[色机恒]|与时|于[都田洪家]|住邦|在水"
    "|[和民安](?=[路街巷苑园里村])|[花名国华首新成京帝商大]都|[协安泰人祥仁永嘉怡中太共三]和|[官维]也"
)
_NAME = rf"(?:(?:{_KEPT})|(?![{_WORDS_OF_SENTENCES}])[{_HAN}0-9A-Za-z·])"


class Part(StrEnum):
    """Kinds of parts."""

    REGION = "region"
    TOWN = "town"
    VILLAGE = "village"
    ROAD = "road"
    ESTATE = "estate"
    SITE = "site"
    DOOR = "door"


_TOWN = rf"{_NAME}{{1,6}}?(?:街道办事处|街道办|街道|苏木|镇|乡)"
_VILLAGE_ENDINGS = words(
    """
    村民委员会 居民委员会 村委会 居委会 行政村 自然村 文化村 新村 社区 村 庄 屯 寨 沟 垭 坪 塆 湾 坝 岭 堡 洼 店子
    """
)
_ROAD_ENDINGS = words("大道 大街 公路 胡同 环路 支路 路 巷 弄 里弄")
_ESTATE_ENDINGS = words(
    """
    小区 花园 公寓 大厦 家园 家苑 花苑 新苑 雅苑 名苑 佳苑 嘉园 新城 新居 新园 公馆 豪庭 华庭 名邸 别墅 山庄 大院
    名都 花都 国都 华都 天街 名门 世家 首府 官邸 庄园 半岛 城邦 名居 华城 尚城 福第 府第 学府 逸居 雅居 雅轩 名轩 阁
    宿舍 安置房 花城 景园 佳园 景苑 人家 华府 翠谷 府邸 庭院 苑 墅 里
    """
)
_SITE_ENDINGS = words(
    """
    广场 中心 市场 商城 商场 超市 工业园区 工业园 产业园 科技园区 科技园 科学园 软件园 创业园 物流园 园区 开发区
    工业区 高新区 经开区 保税区 轻纺城 服装城 家具城 建材城 电脑城 国际城 银泰城 商贸城 纺织城 招商城 五金城
    小商品城 城 校区 学校 大学 学院 中学 小学 幼儿园 医院 酒店 宾馆 饭店 银行 码头 机场 车站 东站 西站 南站 北站
    百货 大楼 写字楼 商务楼 综合楼 办公楼 门诊楼 住院楼 家属院 家属楼 宿舍楼 驿站 服务站 卫生院 诊所 药店
    客运站 加油站 收费站 地铁站 火车站 农场 林场 渔场 工厂 工地 大桥 桥 园 厂 SOHO 小镇 步行街 住院部 门诊部
    """
)
_DOOR_ENDINGS = words(
    "号楼 号院 号门 号大街 号 弄 巷 村民小组 村民组 小组 组 社 队 栋 幢 座 期 区 单元 门 楼 层 室 房 户 铺 档 塔 # 米"
)
_VILLAGE = rf"{_NAME}{{1,7}}?{alternation(_VILLAGE_ENDINGS)}"
_ROAD = (
    rf"{_NAME}{{1,8}}?(?:{alternation(_ROAD_ENDINGS)}|[东南西北中]路|[东南西北中]?街(?!道)|(?<!街)道)"
    r"(?:[东南西北中]?段|[一二三四五六七八九十]段|延长线|交叉路?口|交汇处|路?口)?"
)
_ESTATE = rf"{_NAME}{{1,10}}?{alternation(_ESTATE_ENDINGS)}"
_SITE = (
    rf"(?:{_NAME}{{1,12}}?(?:{alternation(_SITE_ENDINGS)}|[一二三四五六七八九十]区)|地铁站|公交站|火车站|汽车站"
    r"|中心(?:小学|学校|中学|卫生院)|初级中学|卫生院|敬老院|供销社)"
    r"(?:[东南西北]侧)?"
)
_DOOR = (
    rf"(?:{_NUMBER}[-—]{_NUMBER}(?:[-—]{_NUMBER}){{0,2}}(?:号楼|号院|号|栋|幢|座|单元|室|房|户)?"
    rf"|[A-Z][0-9]?(?:出入口|出口|口)|[0-9](?:号)?(?:出入口|出口)|(?:住院部|门诊部|住院楼|门诊楼|家属院|家属楼|宿舍楼)"
    rf"|(?:附|第|负|地下|[东南西北]区?)?{_NUMBER}(?:号附{_NUMBER}号|{alternation(_DOOR_ENDINGS)})|塔{_NUMBER})"
)
_PARTS: tuple[tuple[Part, re.Pattern[str]], ...] = (
    (Part.DOOR, re.compile(_DOOR)),
    (Part.TOWN, re.compile(_TOWN)),
    (Part.ESTATE, re.compile(_ESTATE)),
    (Part.ROAD, re.compile(_ROAD)),
    (Part.VILLAGE, re.compile(_VILLAGE)),
    (Part.SITE, re.compile(_SITE)),
)
# A part that ended too early: 翡翠湾 + 小区, 花园 + 路.
_ENDINGS: tuple[tuple[Part, re.Pattern[str]], ...] = (
    (Part.TOWN, re.compile(r"街道办事处|街道办|街道|镇|乡")),
    (Part.ESTATE, re.compile(r"小区|花园|公寓|大厦|家园|新城|山庄|国际|苑|湾")),
    (Part.SITE, re.compile(r"广场|市场|中心(?!小学|学校|中学|卫生院)|学校|小学|中学|医院|工业区|工业园|开发区|园区")),
    (Part.ROAD, re.compile(r"(?:[东南西北中]路|[东南西北中]街|大道|路|街|巷)(?:[东南西北中]?段|路?口)?")),
    (Part.VILLAGE, re.compile(r"社区|村民委员会|村委会|新村|村")),
)
# 分二十一期 are instalments; of an estate only when a building follows.
_PHASE = r"[0-9一二三四五六七八九十]{1,3}期(?=[0-9]{1,3}(?:号楼|栋|幢|座))"
# A name of no known kind directly before a number of a building: 商鼎国际2栋.
_NAMED_BUILDING = re.compile(
    rf"{_NAME}{{2,8}}?(?=[0-9A-Z]{{1,4}}(?:号楼|号|栋|幢|座|单元|室|房|铺|层|楼)| ?[0-9]{{1,3}}-[0-9]{{1,4}}|{_PHASE})"
)
_BARE_BUILDING = re.compile(rf"{_NAME}{{2,8}}?(?=[0-9A-Z]{{1,4}}(?:号楼|栋|幢|单元)|{_PHASE})")
_COUNTRY = "中国"
_JOINT = re.compile(r"[ ,、/·()\-—与]?[ ]?(?!现[居住址在]|居住|户籍|联系|电话|邮编|[离距]|收件|寄件|单位)")
_REST = re.compile(
    rf"(?:{_NUMBER}(?![0-9A-Za-z{_HAN}])|\([^()\n]{{1,20}}\)"
    rf"|(?:斜?对面|附近|隔壁|旁边?|楼上|楼下)(?:[{_HAN}]{{2,8}}(?=[ ,;。]|$))?"
    r"|内|[东南西北]侧|西北角|东北角|[往向][东南西北][0-9]+米(?:路[东南西北])?)"
)
_MOST_PARTS = 14


@dataclass(slots=True)
class Chain:
    """Parts that follow one another.

    Attributes:
        start: where the first begins.
        end: where the last ends.
        parts: their kinds in order.
        full_regions: how many regions are written with their rank.
        region_end: where the regions at the beginning end, 0 without any.
        ends_beside: the chain ends in a word such as `对面` or `附近`.
    """

    start: int
    end: int
    parts: list[Part] = field(default_factory=list)
    full_regions: int = 0
    region_end: int = 0
    ends_beside: bool = False

    def count(self, *kinds: Part) -> int:
        """Return how many parts are of these kinds."""
        return sum(map(self.parts.count, kinds))

    @property
    def levels(self) -> int:
        """Regions at the beginning."""
        return self.parts.count(Part.REGION)

    @property
    def details(self) -> int:
        """Named parts below the district."""
        return len(self.parts) - self.levels - self.parts.count(Part.DOOR)


def chain_at(text: str, start: int, tables: RecognitionTables) -> Chain:
    """Follow the parts from a place as far as they go."""
    chain = Chain(start, start)
    place = start + len(_COUNTRY) * (
        text.startswith(_COUNTRY, start) and region_at(text, start + len(_COUNTRY), tables) > 0
    )
    while len(chain.parts) < _MOST_PARTS:
        step = _next_part(text, place, chain, tables)
        if step is None and chain.parts and (joint := _JOINT.match(text, place)) and joint.end() > place:
            step = _next_part(text, joint.end(), chain, tables)
        if step is None:
            break
        part, place = step
        chain.parts.append(part)
        chain.end = place
        if part is Part.REGION:
            chain.region_end = place
    if chain.parts and (rest := _REST.match(text, chain.end)):
        chain.end = rest.end()
        chain.ends_beside = not rest[0][0].isascii()
    if text.startswith(")", chain.end) and text.count("(", start, chain.end) > text.count(")", start, chain.end):
        chain.end += 1
    return chain


def _next_part(text: str, place: int, chain: Chain, tables: RecognitionTables) -> tuple[Part, int] | None:
    if not chain.details:
        width = region_at(text, place, tables)
        if width and not _continues(text, place, width, tables):
            chain.full_regions += is_full_name(text[place : place + width], tables)
            return Part.REGION, place + width
    best: tuple[Part, int] | None = None
    for part, pattern in _PARTS:
        match = pattern.match(text, place)
        if match and (best is None or match.end() < best[1]):
            best = part, match.end()
            if part is Part.DOOR:
                return best
    if best is None:
        building = (_NAMED_BUILDING if chain.parts else _BARE_BUILDING).match(text, place)
        return (Part.ESTATE, building.end()) if building else None
    for part, pattern in _ENDINGS:
        ending = pattern.match(text, best[1])
        if ending:
            return part, ending.end()
    return best


def _continues(text: str, place: int, width: int, tables: RecognitionTables) -> bool:
    """Tell whether a shortened region is the beginning of a road or an estate: 广东路, 北京大厦."""
    if is_full_name(text[place : place + width], tables):
        return False
    behind = text[place + width : place + width + 2]
    return behind[:1] in {"路", "街", "巷", "镇", "乡", "村", "桥"} or behind in {
        "大道",
        "大街",
        "东路",
        "西路",
        "南路",
        "北路",
        "中路",
        "大厦",
        "新村",
        "广场",
        "公寓",
        "花园",
    }
