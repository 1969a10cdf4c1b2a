"""Recognition tables: division codes, number segments and card issuers, and the overlay of impossible identities.

`PRODUCTION` holds what exists in the world, less the ranges that demonstrations and tests use. `FICTITIOUS` is the
same tables plus those ranges. Tables are values: every recogniser is handed one, nothing is switched behind its back.

>>> PRODUCTION.is_mobile("19990000001"), FICTITIOUS.is_mobile("19990000001")
(False, True)
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum
from types import MappingProxyType
from typing import ClassVar

from kuimen.foundation.errors import InvalidInputError
from kuimen.kernels.elements.bins import BINS_AS_OF, ISSUERS, NETWORK_RANGES
from kuimen.kernels.elements.divisions import ABOLISHED_PREFECTURES, DIVISIONS
from kuimen.kernels.elements.segments import AREA_CODES, MOBILE_SEGMENTS

_MOBILE_LENGTH = 11
_RESERVED_SEGMENT_LENGTH = 7
_RESERVED_BIN_LENGTH = 6
_UNIONPAY = 62
_LONGEST_BIN, _SHORTEST_BIN = 8, 3
_PROVINCE_DIGITS, _PREFECTURE_DIGITS, _COUNTY_DIGITS = 2, 4, 6


class UnknownOverlayError(InvalidInputError):
    """No overlay of this name is shipped; name one of `OVERLAYS` or none."""

    code: ClassVar[str] = "elements.unknown_overlay"


class DivisionRank(IntEnum):
    """How exactly a six-digit area code is known; an issued number keeps its area after the area is abolished."""

    UNKNOWN = 0
    PROVINCE = 1
    PREFECTURE = 2
    COUNTY = 3


class IssuerRank(IntEnum):
    """How exactly the first digits of a card number are known."""

    UNKNOWN = 0
    NETWORK = 1
    UNIONPAY = 2
    ISSUER = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class RecognitionTables:
    """What numbers can exist.

    Attributes:
        name: ``production`` or the name of the overlay that was added.
        counties: six-digit area code to name.
        prefectures: four-digit area codes, abolished ones included.
        provinces: two-digit area codes.
        regions: names of provinces, prefectures and counties, in full.
        mobile_segments: three-digit segments.
        reserved_segments: seven-digit segments inside `mobile_segments` that belong to the overlays.
        bins: leading digits of cards to the lengths their issuers use.
        reserved_bins: six-digit issuer numbers that belong to the overlays.
        plate_provinces: characters that open a vehicle plate.
    """

    name: str
    version: str
    counties: Mapping[str, str]
    prefectures: frozenset[str]
    provinces: frozenset[str]
    regions: frozenset[str]
    mobile_segments: frozenset[str]
    reserved_segments: frozenset[str]
    bins: Mapping[str, frozenset[int]]
    reserved_bins: frozenset[str]
    plate_provinces: str
    area_codes: frozenset[str] = field(default=AREA_CODES)

    def division_rank(self, area: str) -> DivisionRank:
        """Rank a six-digit area code."""
        if area in self.counties:
            return DivisionRank.COUNTY
        if area[:_PREFECTURE_DIGITS] in self.prefectures:
            return DivisionRank.PREFECTURE
        return DivisionRank.PROVINCE if area[:_PROVINCE_DIGITS] in self.provinces else DivisionRank.UNKNOWN

    def is_mobile(self, digits: str) -> bool:
        """Tell whether eleven digits lie in an opened mobile segment."""
        return (
            len(digits) == _MOBILE_LENGTH
            and digits[:3] in self.mobile_segments
            and digits[:_RESERVED_SEGMENT_LENGTH] not in self.reserved_segments
        )

    def is_reserved_mobile(self, digits: str) -> bool:
        """Tell whether digits lie in a segment that these tables refuse."""
        return digits[:_RESERVED_SEGMENT_LENGTH] in self.reserved_segments

    def issuer_rank(self, number: str) -> IssuerRank:
        """Rank the leading digits and the length of a card number of 13 to 19 digits."""
        if number[:_RESERVED_BIN_LENGTH] in self.reserved_bins:
            return IssuerRank.UNKNOWN
        for width in range(_LONGEST_BIN, _SHORTEST_BIN - 1, -1):
            lengths = self.bins.get(number[:width])
            if lengths is not None and len(number) in lengths:
                return IssuerRank.ISSUER
        for _, first, last, allowed in NETWORK_RANGES:
            if first <= int(number[: len(str(first))]) <= last and len(number) in allowed:
                return IssuerRank.UNIONPAY if first == _UNIONPAY else IssuerRank.NETWORK
        return IssuerRank.UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlay:
    """Ranges that no real person holds, named so that demonstrations and tests can use them.

    Attributes:
        name: what a user types.
        counties: invented six-digit areas with their names.
        segments: seven-digit mobile segments; each holds 10,000 numbers.
        bins: invented issuer numbers with their card lengths.
        plate_province: the character that opens an invented plate.
    """

    name: str
    counties: Mapping[str, str]
    segments: frozenset[str]
    bins: Mapping[str, frozenset[int]]
    plate_province: str


FICTITIOUS_OVERLAY = Overlay(
    name="fictitious",
    counties=MappingProxyType(
        {
            "990000": "云崖省",
            "990100": "瞿塘市",
            "990101": "白盐区",
            "990102": "赤甲区",
            "990121": "夔门县",
            "990122": "白帝县",
            "990123": "滟滪县",
            "990200": "巫云市",
            "990201": "朝云区",
            "990202": "神女区",
            "990221": "登龙县",
            "990222": "聚鹤县",
            "990300": "西陵滩市",
            "990301": "灯影区",
            "990302": "黄牛区",
            "990321": "崆岭县",
            "990322": "青滩县",
        },
    ),
    # 1999000 alone holds 10,000 numbers; ten segments serve a demonstration of 100,000 people.
    segments=frozenset(f"199900{last}" for last in range(10)),
    bins=MappingProxyType({"629999": frozenset({16, 19})}),
    plate_province="夔",
)


def _parse_divisions() -> dict[str, str]:
    """Read the compact table of `divisions` into six-digit codes with names."""
    names: dict[str, str] = {}
    province = prefecture = ""
    for token in DIVISIONS.split():
        digits = "".join(letter for letter in token if letter.isdecimal())
        name = token.lstrip("@0123456789")
        if token.startswith("@"):
            province = digits
            names[province + "0000"] = name
        elif len(digits) == _PREFECTURE_DIGITS:
            prefecture = digits
            if name:
                names[prefecture + "00"] = name
        else:
            names[prefecture + digits] = name
    return names


def _expand_ranges(text: str) -> frozenset[str]:
    codes: set[str] = set()
    for token in text.split():
        first, _, last = token.partition("-")
        codes.update(f"{code:04d}" for code in range(int(first), int(last or first) + 1))
    return frozenset(codes)


def _parse_issuers() -> dict[str, frozenset[int]]:
    bins: dict[str, frozenset[int]] = {}
    for line in ISSUERS.split("\n"):
        if not line:
            continue
        _, lengths, *prefixes = line.split()
        allowed = frozenset(int(length) for length in lengths.split(","))
        for prefix in prefixes:
            bins[prefix] = bins.get(prefix, frozenset()) | allowed
    return bins


def _build_production(reserved: Iterable[Overlay]) -> RecognitionTables:
    """Put the world's tables together and keep the overlays' ranges out of them."""
    counties = _parse_divisions()
    current = frozenset(code[:_PREFECTURE_DIGITS] for code in counties if not code.endswith("0000"))
    reserved = tuple(reserved)
    return RecognitionTables(
        name="production",
        version=BINS_AS_OF,
        counties=MappingProxyType({code: name for code, name in counties.items() if not code.endswith("00")}),
        prefectures=current | _expand_ranges(ABOLISHED_PREFECTURES),
        provinces=frozenset(code[:_PROVINCE_DIGITS] for code in counties),
        regions=frozenset(name for name in counties.values() if len(name) > 1 and "直辖" not in name) - {"市辖区"},
        mobile_segments=MOBILE_SEGMENTS,
        reserved_segments=frozenset().union(*(overlay.segments for overlay in reserved)),
        bins=MappingProxyType(_parse_issuers()),
        reserved_bins=frozenset().union(*(frozenset(overlay.bins) for overlay in reserved)),
        plate_provinces="京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼",
    )


def with_overlay(tables: RecognitionTables, overlay: Overlay) -> RecognitionTables:
    """Return tables that also accept the overlay's ranges; `tables` itself stays as it is."""
    codes = tuple(overlay.counties)
    return replace(
        tables,
        name=overlay.name,
        counties=MappingProxyType({**tables.counties, **overlay.counties}),
        prefectures=tables.prefectures | {code[:_PREFECTURE_DIGITS] for code in codes},
        provinces=tables.provinces | {code[:_PROVINCE_DIGITS] for code in codes},
        regions=tables.regions | frozenset(overlay.counties.values()),
        mobile_segments=tables.mobile_segments | {segment[:3] for segment in overlay.segments},
        reserved_segments=tables.reserved_segments - overlay.segments,
        bins=MappingProxyType({**tables.bins, **overlay.bins}),
        reserved_bins=tables.reserved_bins - frozenset(overlay.bins),
        plate_provinces=tables.plate_provinces + overlay.plate_province,
    )


PRODUCTION = _build_production([FICTITIOUS_OVERLAY])
FICTITIOUS = with_overlay(PRODUCTION, FICTITIOUS_OVERLAY)

OVERLAYS: Mapping[str, RecognitionTables] = MappingProxyType(
    {PRODUCTION.name: PRODUCTION, FICTITIOUS.name: FICTITIOUS},
)


def tables_for(overlay: str | None) -> RecognitionTables:
    """Return the tables for an overlay name; None means production.

    Raises:
        UnknownOverlayError: no such overlay is shipped.
    """
    try:
        return OVERLAYS[overlay or PRODUCTION.name]
    except KeyError:
        raise UnknownOverlayError(f"overlay: not one of {', '.join(OVERLAYS)}") from None
