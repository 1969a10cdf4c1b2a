"""What an index would tell whoever steals the database, measured from counts alone; and the planner's verdict.

A thief of tags sees which records share one, and nothing else. The strongest such thief knows besides exactly how often
each part occurs (an older copy, a census). Parts that occur equally often cannot be told apart by that, so of each
group of equally frequent parts a thief names one in the mean, whatever the group's size; that is the stated bound.
Cutting tags short only takes away from it: a short tag is made of the long one.
"""

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kuimen.gate.vault.part_rules import LONGEST_TAG, Part

WHOLE_BITS: Final = 64
PEOPLE_PER_TAG: Final = 8  # so many people share a tag at least, in the mean
FEWEST_PEOPLE: Final = 1_000
FEWEST_VALUES: Final = 256
LARGEST_SHARE: Final = 0.01
MOST_NAMED: Final = 0.05
MOST_PER_SEARCH: Final = 2_000
MOST_ALONE: Final = 0.01
_DEVIATIONS: Final = 3


class Flaw(StrEnum):
    """Why an index is refused."""

    UNDECLARED = "undeclared"
    TOO_FEW_PEOPLE = "too_few_people"
    TOO_FEW_VALUES = "too_few_values"
    SKEWED = "skewed"
    NAMEABLE = "nameable"
    TOO_WIDE = "too_wide"
    ALONE = "alone"
    SECOND = "second"


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How often parts occur, without the parts.

    Attributes:
        records: (values,) records that have each part, in no order that tells which.
        people: (values,) different people among them, in the same order.
    """

    records: NDArray[np.int64]
    people: NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """What the planner measured and forecasts. Shares are of 1.

    Attributes:
        records: records that have the part.
        people: people in the sense of: one person with one part counts once.
        values: different parts.
        top_share: of the most frequent part, among people.
        min_entropy_bits: -log2 of that.
        entropy_bits: Shannon entropy of the parts.
        smallest: people behind the rarest part.
        median: people behind the median part.
        bits: length of the tags; shorter than the parts would need where few people share each.
        per_search: records that a search opens in the mean; the wrong ones are thrown away inside the vault.
        wrong_per_search: those wrong ones.
        named: share of the records whose part a thief of the tags names who knows exactly how often each part occurs;
            more than this happens once in about a thousand.
        alone: share of people who share their tag with nobody.
    """

    records: int
    people: int
    values: int
    top_share: float
    min_entropy_bits: float
    entropy_bits: float
    smallest: int
    median: int
    bits: int
    per_search: float
    wrong_per_search: float
    named: float
    alone: float


def tag_bits(records: int) -> int:
    """Return the length of a tag: as long as eight records share one in the mean even where parts were unique."""
    return max(1, min(LONGEST_TAG, int(math.log2(max(2, records) / PEOPLE_PER_TAG)) if records > PEOPLE_PER_TAG else 1))


def measures_of(counts: Counts, *, part: Part) -> Measures:
    """Measure a distribution and forecast what searches and thieves get of it."""
    records, people = int(counts.records.sum()), int(counts.people.sum())
    bits = WHOLE_BITS if part is Part.WHOLE else tag_bits(records)
    if not records:
        return Measures(
            records=0, people=0, values=0, top_share=0.0, min_entropy_bits=0.0, entropy_bits=0.0, smallest=0,
            median=0, bits=bits, per_search=0.0, wrong_per_search=0.0, named=0.0, alone=0.0,
        )  # fmt: skip
    shares = counts.people / people
    right = float((counts.records.astype(float) ** 2).sum()) / records
    wrong = (records - right) / 2.0**bits
    lonely = int((counts.people == 1).sum()) / people * (1 - 2.0**-bits) ** (len(counts.people) - 1)
    return Measures(
        records=records,
        people=people,
        values=len(counts.people),
        top_share=float(shares.max()),
        min_entropy_bits=0.0 - math.log2(float(shares.max())),
        entropy_bits=float(-(shares * np.log2(shares)).sum()) + 0.0,
        smallest=int(counts.people.min()),
        median=int(np.median(counts.people)),
        bits=bits,
        per_search=right + wrong,
        wrong_per_search=wrong,
        named=named_by_frequency(counts.records),
        alone=lonely,
    )


def named_by_frequency(records: NDArray[np.int64]) -> float:
    """Return the bound of what exact knowledge of the frequencies names, as a share of the records.

    Within a group of equally frequent parts every assignment is as likely as any other, and a random one is right about
    one part in the mean, with variance 1. The bound is the mean and three deviations.
    """
    sizes = np.unique(records).astype(float)
    bound = float(sizes.sum()) + _DEVIATIONS * math.sqrt(float((sizes**2).sum()))
    return min(1.0, bound / float(records.sum()))


def flaws_of(measures: Measures, *, part: Part, declared: bool, second: bool = False) -> tuple[Flaw, ...]:
    """Return every reason against the index; none means that it is admitted.

    Args:
        measures: of the part.
        part: which.
        declared: whether it may be indexed at all.
        second: whether another part of the element is indexed already. Two parts of one value tell more together than
            the frequencies of each: how one part's records spread over the other's tags is a fingerprint.
    """
    found = [] if declared else [Flaw.UNDECLARED]
    if second and part is not Part.WHOLE:
        found.append(Flaw.SECOND)
    if measures.values < FEWEST_VALUES:
        found.append(Flaw.TOO_FEW_VALUES)
    if measures.top_share > LARGEST_SHARE:
        found.append(Flaw.SKEWED)
    if measures.named > MOST_NAMED:
        found.append(Flaw.NAMEABLE)
    if part is not Part.WHOLE:
        if measures.people < FEWEST_PEOPLE:
            found.append(Flaw.TOO_FEW_PEOPLE)
        if measures.per_search > MOST_PER_SEARCH:
            found.append(Flaw.TOO_WIDE)
        if measures.alone > MOST_ALONE:
            found.append(Flaw.ALONE)
    return tuple(found)


def told(flaw: Flaw, measures: Measures) -> tuple[str, str]:
    """Say why, in Chinese and in English, with the measure and its limit."""
    one = measures
    words: dict[Flaw, tuple[str, str]] = {
        Flaw.UNDECLARED: (
            "该要素的这一部分未列入可索引清单：取值天然太少或可随意填写",
            "this part of this element is not declared: its values are few by nature, or free text",
        ),
        Flaw.SECOND: (
            "该要素已有另一部分的索引：两者合在一起泄漏更多，请先删除那一个",
            "another part of this element is indexed: together they tell more than each, drop that one first",
        ),
        Flaw.TOO_FEW_PEOPLE: (
            f"只有 {one.people} 人，少于 {FEWEST_PEOPLE} 人：片段几乎等于人",
            f"{one.people} people, fewer than {FEWEST_PEOPLE}: a part would almost be a person",
        ),
        Flaw.TOO_FEW_VALUES: (
            f"只有 {one.values} 种取值，少于 {FEWEST_VALUES} 种：数一数标签即可猜出",
            f"{one.values} different values, fewer than {FEWEST_VALUES}: counting tags tells them",
        ),
        Flaw.SKEWED: (
            f"最常见的取值占 {one.top_share:.2%}，超过 {LARGEST_SHARE:.0%}：最大的标签就是它",
            f"the most frequent value holds {one.top_share:.2%}, more than {LARGEST_SHARE:.0%}: the largest tag is it",
        ),
        Flaw.NAMEABLE: (
            f"知道各取值频次的人可凭标签认出 {one.named:.1%} 的记录，超过 {MOST_NAMED:.0%}",
            f"who knows the frequencies names {one.named:.1%} of the records from tags, more than {MOST_NAMED:.0%}",
        ),
        Flaw.TOO_WIDE: (
            f"平均每次检索要解封 {one.per_search:,.0f} 条，超过 {MOST_PER_SEARCH:,} 条",
            f"a search opens {one.per_search:,.0f} records in the mean, more than {MOST_PER_SEARCH:,}",
        ),
        Flaw.ALONE: (
            f"{one.alone:.1%} 的人独占一个标签，超过 {MOST_ALONE:.0%}",
            f"{one.alone:.1%} of the people share their tag with nobody, more than {MOST_ALONE:.0%}",
        ),
    }
    return words[flaw]
