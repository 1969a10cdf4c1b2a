"""Reads names of provinces, prefectures and counties at a place of a text, in full or as people shorten them."""

import re
from collections.abc import Mapping
from functools import lru_cache

from kuimen.kernels.elements.overlay import RecognitionTables
from kuimen.kernels.elements.vocabulary import PROVINCE_SHORT_NAMES
from kuimen.kernels.elements.words import words

_ENDINGS = re.compile(
    r"(?:[\u3400-\u9fff]{1,6}族)+自治[区州县旗]$|特别行政区$|(?:[\u3400-\u9fff]+)?自治区$|地区$|新区$|林区$|特区$|[省市区县州盟旗]$"
)
_SHORTEST = 2
_HEAD = 2
# Shortened county names that are words or surnames with a given name; they count in full only.
_WORDS = words(
    """
    和平 南开 河东 河西 河北 长安 新华 桥西 桥东 复兴 开平 海港 朝阳 永安 平安 新兴 兴安 南山 东方 和田 和静 安宁
    安康 城中 城东 城西 城北 中原 南岸 江北 江南 江东 江西 郊区 城区 矿区 铁西 铁东 振兴 太平 向阳 前进 东风 建华
    西安 爱民 友谊 红旗 新城 东山 站前 文峰 文圣 白塔 光明 建设 解放 山阳 天元 大通 青山 天桥 市中 市南 市北 高明
    开发 大同 平和 长寿 永定 安定 定安 新平 永平 大方 通道 城口 新民 吉利 金山 金口 武昌 石峰 天心 云龙 清河 通州
    管城 高新 经济 中山 金平 大安 自流 信丰 上思 同安 连江 广大 金东 丰泽
    """
)


@lru_cache(maxsize=4)
def _by_head(regions: frozenset[str]) -> Mapping[str, tuple[str, ...]]:
    """Return for two beginning characters the names and short names, longest first."""
    names: dict[str, set[str]] = {}
    for region in regions:
        short = _shortened(region)
        prefecture = f"{short}州" if short and region.endswith("自治州") else ""
        for name in (region, short, prefecture):
            if len(name) >= _SHORTEST:
                names.setdefault(name[:_HEAD], set()).add(name)
    for name in PROVINCE_SHORT_NAMES:
        names.setdefault(name[:_HEAD], set()).add(name)
    return {head: tuple(sorted(found, key=len, reverse=True)) for head, found in names.items()}


@lru_cache(maxsize=4)
def _head_pattern(regions: frozenset[str]) -> re.Pattern[str]:
    heads = _by_head(regions)
    first, second = ("".join(sorted({head[index] for head in heads})) for index in range(_HEAD))
    return re.compile(f"[{first}](?=[{second}])")


def region_starts(text: str, tables: RecognitionTables) -> list[int]:
    """Return the places where the name of a region begins."""
    heads = _by_head(tables.regions)
    found = []
    for match in _head_pattern(tables.regions).finditer(text):
        place = match.start()
        if text[place : place + _HEAD] in heads and region_at(text, place, tables):
            found.append(place)
    return found


def _shortened(region: str) -> str:
    short = _ENDINGS.sub("", region)
    return "" if short in _WORDS and short not in PROVINCE_SHORT_NAMES else short


def region_at(text: str, place: int, tables: RecognitionTables) -> int:
    """Return the length of the longest region name at a place, 0 for none."""
    for name in _by_head(tables.regions).get(text[place : place + _HEAD], ()):
        if text.startswith(name, place):
            return len(name)
    return 0


def is_full_name(name: str, tables: RecognitionTables) -> bool:
    """Tell whether a region is written with its rank (`余杭区`)."""
    return name in tables.regions
