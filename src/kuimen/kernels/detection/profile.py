"""What a sample of cells amounts to: counts of proven elements, masks, digests, dates, and data inside sentences."""

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from math import sqrt

from kuimen.kernels.detection.text import detect
from kuimen.kernels.detection.values import (
    birth_year,
    card_shape,
    cell_text,
    is_digest,
    is_masked,
    masked_element,
    proven_elements,
)
from kuimen.kernels.elements.model import Element
from kuimen.kernels.elements.overlay import RecognitionTables

LEAST_SHARE = 0.05
_MOST_CELLS = 1000
_PROSE_LENGTH = 16
_LONGEST_CELL = 4000
_MOST_READ = 100  # distinct sentences in which names and addresses are looked for
# Moments, sums and coordinates: long, and nothing is inside them.
_ONLY_NUMBERS = re.compile(r"[0-9 .,:+\-/TZ年月日时分秒元%]*")
_NUMBER_INSIDE = re.compile(r"[0-9]{5}|@|[0-9]{3}[ -][0-9]{4}")
_READ = frozenset({Element.PERSON_NAME, Element.ADDRESS, Element.COMPANY_NAME})
_UNREAD = frozenset(Element) - _READ
_Z = 1.96


def wilson(hits: int, total: int) -> tuple[float, float]:
    """Return the 95 % Wilson interval of a share."""
    if not total:
        return 0.0, 1.0
    share = hits / total
    scale = 1 + _Z * _Z / total
    centre = (share + _Z * _Z / (2 * total)) / scale
    reach = _Z * sqrt(share * (1 - share) / total + _Z * _Z / (4 * total * total)) / scale
    return max(0.0, centre - reach), min(1.0, centre + reach)


@dataclass(slots=True)
class ColumnProfile:
    """Counts over the cells of a sample that are not null.

    Attributes:
        filled: cells looked at.
        distinct: different cells among them.
        proven: cells that pass the checks of an element as a whole.
        masked: cells masked, by the element that their shape tells, None where it tells none.
        digests: cells that look like hashes or ciphers.
        cards: among digits that open like a card, how many pass and how many fail its check.
        years: years of the cells that are dates.
        is_prose: cells are sentences or records rather than single values.
        secondary: elements found inside cells, most frequent first.
    """

    filled: int = 0
    distinct: int = 0
    proven: Counter[Element] = field(default_factory=Counter)
    masked: Counter[Element | None] = field(default_factory=Counter)
    digests: int = 0
    cards_passed: int = 0
    cards_failed: int = 0
    years: list[int] = field(default_factory=list)
    is_prose: bool = False
    secondary: tuple[Element, ...] = ()
    secondary_cells: int = 0
    cells: tuple[str, ...] = ()

    def share(self, element: Element) -> float:
        """Return the share of cells that an element is proven for."""
        return self.proven[element] / self.filled if self.filled else 0.0

    @property
    def masked_share(self) -> float:
        """Share of cells that are masked."""
        return sum(self.masked.values()) / self.filled if self.filled else 0.0

    @property
    def secondary_share(self) -> float:
        """Share of cells with personal data inside."""
        return self.secondary_cells / self.filled if self.filled else 0.0


def profile_column(values: Sequence[object] | None, tables: RecognitionTables) -> ColumnProfile:
    """Look at the cells of a column once."""
    profile = ColumnProfile()
    if not values:
        return profile
    step = max(1, len(values) // _MOST_CELLS)
    cells = [text[:_LONGEST_CELL] for value in values[::step] if (text := cell_text(value)) is not None]
    if not cells:
        return profile
    profile.cells = tuple(cells)
    profile.filled = len(cells)
    times = Counter(cells)
    profile.distinct = len(times)
    single: set[str] = set()
    for text, count in times.items():
        if _count(profile, text, count, tables):
            single.add(text)
    long = sum(len(text) >= _PROSE_LENGTH for text in cells)
    profile.is_prose = 2 * long >= len(cells) and profile.digests < len(cells) / 2
    if long >= LEAST_SHARE * len(cells):
        _look_inside(profile, times, single, tables)
    return profile


def _count(profile: ColumnProfile, text: str, times: int, tables: RecognitionTables) -> bool:
    """Count one cell; return whether it is one datum and nothing else."""
    if is_masked(text):
        profile.masked[masked_element(text)] += times
        return False
    if is_digest(text):
        profile.digests += times
        return True
    proven = proven_elements(text, tables)
    for element in proven:
        profile.proven[element] += times
    passed = card_shape(text, tables)
    if passed is not None:
        profile.cards_passed += times * passed
        profile.cards_failed += times * (not passed)
    year = birth_year(text)
    if year is not None:
        profile.years.extend([year] * times)
    return bool(proven) and (_READ.isdisjoint(proven) or not _NUMBER_INSIDE.search(text))


def _look_inside(
    profile: ColumnProfile, times: Mapping[str, int], single: Collection[str], tables: RecognitionTables
) -> None:
    """Scan the cells that are no single datum as lines of one text, and count those that hold something, and what.

    Names and addresses are read out of a hundred different sentences at most: the share is known well enough then.
    """
    lines = [text for text in times if text not in single and not _ONLY_NUMBERS.fullmatch(text)]
    held: dict[Element, set[str]] = {}
    if len(lines) <= _MOST_READ:
        _hold(held, lines, None, tables)
    else:
        _hold(held, lines, _UNREAD, tables)
        _hold(held, lines[:: -(-len(lines) // _MOST_READ)], _READ, tables)
    looked = profile.filled * min(1.0, _MOST_READ / max(1, len(lines)))
    frequent = {
        element: sum(times[text] for text in cells)
        for element, cells in held.items()
        if sum(times[text] for text in cells) >= LEAST_SHARE * (looked if element in _READ else profile.filled)
    }
    profile.secondary = tuple(sorted(frequent, key=lambda element: (-frequent[element], element)))
    profile.secondary_cells = sum(times[text] for text in set[str]().union(*(held[element] for element in frequent)))


def _hold(
    held: dict[Element, set[str]], cells: Sequence[str], elements: frozenset[Element] | None, tables: RecognitionTables
) -> None:
    lines = [text.replace("\n", " ") for text in cells]
    starts, position = [], 0
    for line in lines:
        starts.append(position)
        position += len(line) + 1
    for finding in detect("\n".join(lines), elements=elements, tables=tables):
        cell = bisect_right(starts, finding.start) - 1
        if finding.end - finding.start < len(lines[cell]):
            held.setdefault(finding.element, set()).add(cells[cell])
