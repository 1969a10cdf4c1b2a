"""Spaces of made-up identifiers: numbers from 0 up to a size, each with one value that can belong to nobody.

Area 99xxxx was never issued, mobiles and cards come from configured ranges that the recognition tables of the world
refuse, mail goes to example.com (RFC 2606), addresses of machines to the benchmarking network (RFC 2544), equipment
numbers to the test range of the GSMA, certificates to series that are not issued.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kuimen.kernels.elements import Element
from kuimen.kernels.elements.overlay import FICTITIOUS_OVERLAY, PRODUCTION, IssuerRank
from kuimen.kernels.fabrication import words
from kuimen.kernels.fabrication.draws import (
    Numbers,
    Signs,
    as_texts,
    below,
    chosen,
    digit_signs,
    digits,
    joined,
    literal_signs,
    luhn_signs,
    weighted_signs,
)
from kuimen.kernels.fabrication.errors import FictitiousRangeError

_COUNTIES: Final = tuple(sorted(code for code in FICTITIOUS_OVERLAY.counties if not code.endswith("00")))
_REGIONS: Final = tuple(
    FICTITIOUS_OVERLAY.counties[code[:2] + "0000"]
    + FICTITIOUS_OVERLAY.counties[code[:4] + "00"]
    + FICTITIOUS_OVERLAY.counties[code]
    for code in _COUNTIES
)
_EARLIEST: Final = np.datetime64("1960-01-01")
_BIRTH_DAYS: Final = 15_997  # to October 2003
_ORDERS: Final = 499
_ID_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_USCC_ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC_WEIGHTS: Final = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
_USCC_CHECKS: Final = "".join(_USCC_ALPHABET[(31 - rest) % 31] for rest in range(31))
_MOBILE_DIGITS: Final = 11
_CARD_SHORT, _CARD_LONG = 16, 19
_BIN_DIGITS: Final = 6
_UNUSED_AREA: Final = "0600"  # no place has it
_PLATE_LETTERS: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ"
_STEP: Final = 1_000_003
_HEX: Final = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """Values of one element, by number.

    Attributes:
        size: how many there are.
        render: numbers below `size`, shape (n,), to texts, shape (n,); different numbers give different texts.
        reusable: the same value may stand for several originals where there are more originals than values.
    """

    size: int
    render: Callable[[Numbers], pa.Array]
    reusable: bool = False

    def scattered(self, places: Numbers, *, start: int) -> Numbers:
        """Return the number at each place of an order that looks like none; a bijection below `size`."""
        step = int(self.size * 0.6180339887) if self.size < 1 << 32 else _STEP
        while math.gcd(step, self.size) != 1:
            step += 1
        return (places * np.uint64(step) + np.uint64(start % self.size)) % np.uint64(self.size)


@dataclass(frozen=True, slots=True, kw_only=True)
class FictitiousRanges:
    """Where made-up numbers are taken from.

    Attributes:
        mobiles: prefixes of 3 to 9 digits. Each must be refused by the recognition tables of the world, so that no
            number below it can be called.
        bank_cards: issuer numbers of 6 digits, refused by the same tables.
    """

    mobiles: tuple[str, ...] = tuple(sorted(FICTITIOUS_OVERLAY.segments))
    bank_cards: tuple[str, ...] = tuple(sorted(FICTITIOUS_OVERLAY.bins))

    def __post_init__(self) -> None:
        """Refuse ranges in which somebody could have a number."""
        for prefix in self.mobiles:
            shaped = prefix.isascii() and prefix.isdigit() and 3 <= len(prefix) <= 9 and prefix[0] == "1"  # noqa: PLR2004
            if not shaped or prefix[1] < "3" or PRODUCTION.is_mobile(prefix.ljust(_MOBILE_DIGITS, "0")):
                raise FictitiousRangeError("mobiles: prefixes of 3 to 9 digits, none of an opened segment")
        for issuer in self.bank_cards:
            shaped = issuer.isascii() and issuer.isdigit() and len(issuer) == _BIN_DIGITS
            if not shaped or PRODUCTION.issuer_rank(issuer.ljust(_CARD_SHORT, "0")) is not IssuerRank.UNKNOWN:
                raise FictitiousRangeError("bank_cards: issuer numbers of 6 digits that no network has")
        if not self.mobiles or not self.bank_cards or _overlap(self.mobiles) or _overlap(self.bank_cards):
            raise FictitiousRangeError("mobiles, bank_cards: at least one range each, none inside another")


def _overlap(prefixes: tuple[str, ...]) -> bool:
    ordered = sorted(prefixes)
    return any(later.startswith(earlier) for earlier, later in pairwise(ordered))


def space_of(element: Element, *, ranges: FictitiousRanges, longest: int | None = None) -> Space | None:
    """Return the space of an identifying element, or None where the element identifies nobody.

    Args:
        element: which.
        ranges: where mobiles and cards come from.
        longest: signs that the column takes; decides between forms of an element, None for no limit.
    """
    if element is Element.MOBILE:
        return _mobiles(ranges.mobiles)
    if element in {Element.BANK_CARD, Element.TRACK_DATA}:
        short = longest is not None and longest < _CARD_LONG
        return _cards(ranges.bank_cards, _CARD_SHORT if short else _CARD_LONG, track=element is Element.TRACK_DATA)
    if element is Element.ACCOUNT_NUMBER:
        width = min(longest or _CARD_SHORT, _CARD_SHORT)
        return _numbered("99", max(width - 2, 1))
    return _SPACES.get(element)


def birth_and_sex(places: Numbers) -> tuple[NDArray[np.datetime64], NDArray[np.bool_]]:
    """Return day of birth and whether a man, of resident identity numbers by their place in the space."""
    is_man = places % np.uint64(2) == 0
    day = (places // np.uint64(2 * _ORDERS)) % np.uint64(_BIRTH_DAYS)
    return _EARLIEST + day.astype(np.int64), is_man


def drawn_birth_and_sex(persons: Numbers) -> tuple[NDArray[np.datetime64], NDArray[np.bool_]]:
    """Return the same for persons without such a number."""
    return _EARLIEST + below(persons, "birth", _BIRTH_DAYS), below(persons, "sex", 2) == 0


def _numbered(prefix: str, width: int, suffix: str = "") -> Space:
    def render(places: Numbers) -> pa.Array:
        rows = len(places)
        return as_texts(literal_signs(prefix, rows), digit_signs(places, width), literal_signs(suffix, rows))

    return Space(size=10 ** min(width, 18), render=render)


def _mobiles(prefixes: tuple[str, ...]) -> Space:
    sizes = np.array([10 ** (_MOBILE_DIGITS - len(prefix)) for prefix in prefixes], dtype=np.uint64)
    starts = np.array([int(prefix.ljust(_MOBILE_DIGITS, "0")) for prefix in prefixes], dtype=np.uint64)
    ends = np.cumsum(sizes)

    def render(places: Numbers) -> pa.Array:
        which = np.searchsorted(ends, places, side="right")
        return digits(starts[which] + (places - (ends[which] - sizes[which])), _MOBILE_DIGITS)

    return Space(size=int(ends[-1]), render=render)


def _cards(issuers: tuple[str, ...], length: int, *, track: bool) -> Space:
    width = length - _BIN_DIGITS - 1
    starts = np.array([int(issuer) for issuer in issuers], dtype=np.uint64)

    def render(places: Numbers) -> pa.Array:
        which = (places // np.uint64(10**width)).astype(np.int64)
        body = np.concatenate([digit_signs(starts[which], _BIN_DIGITS), digit_signs(places, width)], axis=1)
        card = (body, luhn_signs(body))
        rows = len(places)
        return (
            as_texts(literal_signs(";", rows), *card, literal_signs("=29121010000000000?", rows))
            if track
            else as_texts(*card)
        )

    return Space(size=len(issuers) * 10**width, render=render)


def _resident_ids(places: Numbers) -> pa.Array:
    born, is_man = birth_and_sex(places)
    order = 2 * ((places // np.uint64(2)) % np.uint64(_ORDERS)).astype(np.int64) + np.where(is_man, 1, 2)
    county = (places // np.uint64(2 * _ORDERS * _BIRTH_DAYS)).astype(np.int64)
    months = born.astype("datetime64[M]")
    year = born.astype("datetime64[Y]").astype(np.int64) + 1970
    body = np.concatenate(
        [
            digit_signs(np.array([int(code) for code in _COUNTIES])[county], 6),
            digit_signs(year, 4),
            digit_signs(months.astype(np.int64) % 12 + 1, 2),
            digit_signs((born - months.astype("datetime64[D]")).astype(np.int64) + 1, 2),
            digit_signs(order, 3),
        ],
        axis=1,
    )
    check = weighted_signs(body, alphabet="0123456789", weights=_ID_WEIGHTS, modulus=11, checks="10X98765432")
    return as_texts(body, check)


def _firm_codes(places: Numbers) -> pa.Array:
    county = np.array([int(code) for code in _COUNTIES])[(places // np.uint64(10**7)).astype(np.int64)]
    rows = len(places)
    body = np.concatenate(
        [literal_signs("91", rows), digit_signs(county, 6), literal_signs("MA", rows), digit_signs(places, 7)], axis=1
    )
    check = weighted_signs(body, alphabet=_USCC_ALPHABET, weights=_USCC_WEIGHTS, modulus=31, checks=_USCC_CHECKS)
    return as_texts(body, check)


def _imeis(places: Numbers) -> pa.Array:
    body = np.concatenate([literal_signs("004402", len(places)), digit_signs(places, 8)], axis=1)
    return as_texts(body, luhn_signs(body))


def _hexadecimal(places: Numbers, width: int) -> Signs:
    signs = np.empty((len(places), width), dtype=np.uint8)
    rest = places.copy()
    for place in range(width - 1, -1, -1):
        signs[:, place] = _HEX[(rest & np.uint64(15)).astype(np.int64)]
        rest >>= np.uint64(4)
    return signs


def _macs(places: Numbers) -> pa.Array:
    rows = len(places)
    pairs = _hexadecimal(places, 6)
    colon = literal_signs(":", rows)
    return as_texts(literal_signs("02:4b:4d:", rows), pairs[:, :2], colon, pairs[:, 2:4], colon, pairs[:, 4:])


def _device_ids(places: Numbers) -> pa.Array:
    return as_texts(literal_signs("fe57", len(places)), _hexadecimal(places, 12))


def _machines(places: Numbers) -> pa.Array:
    low = (places % np.uint64(256)).astype(np.int64)
    middle = ((places // np.uint64(256)) % np.uint64(256)).astype(np.int64)
    numbers = [str(number) for number in range(256)]
    high = (places // np.uint64(65_536)).astype(np.int64)
    return joined(chosen(("198.18.", "198.19."), high), chosen(numbers, middle), ".", chosen(numbers, low))


def _plates(places: Numbers) -> pa.Array:
    letters = (places // np.uint64(100_000)).astype(np.int64)
    return joined(FICTITIOUS_OVERLAY.plate_province, chosen(_PLATE_LETTERS, letters), digits(places, 5))


def _firms(places: Numbers) -> pa.Array:
    parts: list[pa.Array | str] = []
    rest = places
    given = words.RARE_GIVEN  # signs that no name of a person has, so that none is found inside a firm's
    for choices in (words.FIRM_WORDS, given, given, words.TRADES, tuple(region[:2] for region in _REGIONS)):
        rest, place = np.divmod(rest, np.uint64(len(choices)))
        parts.append(chosen(choices, place.astype(np.int64)))
    word, first, second, trade, city = parts
    return joined(city, word, first, second, trade, "有限公司")


def _addresses(places: Numbers) -> pa.Array:
    sizes = (len(_REGIONS), len(words.STREETS), 299, 29, 4, 32, 6)
    numbers: list[NDArray[np.int64]] = []
    rest = places
    for size in sizes:
        rest, place = np.divmod(rest, np.uint64(size))
        numbers.append(place.astype(np.int64))
    region, street, house, building, unit, storey, room = numbers
    counted = [str(number) for number in range(1, 300)]
    return joined(
        chosen(_REGIONS, region), chosen(words.STREETS, street), chosen(counted, house), "号",
        chosen(counted, building), "栋", chosen(counted, unit), "单元", chosen(counted, storey), "0",
        chosen(counted, room), "室",
    )  # fmt: skip


_SPACES: Final[Mapping[Element, Space]] = MappingProxyType(
    {
        Element.RESIDENT_ID: Space(size=len(_COUNTIES) * _BIRTH_DAYS * 2 * _ORDERS, render=_resident_ids),
        Element.PASSPORT: _numbered("EZ", 7),
        Element.OTHER_CERTIFICATE: _numbered("CZ", 7),
        Element.LANDLINE: _numbered(f"{_UNUSED_AREA}-", 8),
        Element.EMAIL: _numbered("t", 9, "@example.com"),
        Element.WECHAT: _numbered("wxid_kt", 9),
        Element.QQ: _numbered("99", 9),
        Element.USER_NAME: _numbered("tester", 9),
        Element.USCC: Space(size=len(_COUNTIES) * 10**7, render=_firm_codes),
        Element.COMPANY_NAME: Space(
            size=len(words.FIRM_WORDS) * len(words.RARE_GIVEN) ** 2 * len(words.TRADES) * len(_REGIONS),
            render=_firms,
        ),
        Element.ADDRESS: Space(size=len(_REGIONS) * len(words.STREETS) * 299 * 29 * 4 * 32 * 6, render=_addresses),
        Element.PLATE: Space(size=len(_PLATE_LETTERS) * 100_000, render=_plates),
        Element.IMEI: Space(size=10**8, render=_imeis),
        Element.MAC: Space(size=1 << 24, render=_macs),
        Element.DEVICE_ID: Space(size=1 << 48, render=_device_ids),
        Element.IP: Space(size=2 * 65_536, render=_machines, reusable=True),
    }
)
