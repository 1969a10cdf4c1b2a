"""What is no identity: amounts and dates moved for the whole person, small vocabularies kept, everything else coded.

All amounts of a person are multiplied by one factor and all days moved by one step, so that what belongs together stays
together: a plan still adds up, a due day still follows the day of issue. The few largest and smallest amounts of a
column are cut to the next ones, since an outlier is somebody.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from kuimen.kernels.fabrication import words
from kuimen.kernels.fabrication.assignment import tags_of
from kuimen.kernels.fabrication.draws import (
    Numbers,
    below,
    between_zero_and_one,
    chosen,
    digit_signs,
    digits,
    joined,
    mixed,
)
from kuimen.kernels.fabrication.errors import ColumnValuesError

FEWEST: Final = 5  # rows that must share a value before it is kept
LONGEST_STEP_DAYS: Final = 365
_LOWEST_FACTOR, _SPREAD = 0.8, 0.45
_MOST_SCALE: Final = 8
_NUMBER = re.compile(r"^-?\d{1,15}(\.\d+)?$")
_CODE_SIGNS: Final = 16
_DAY_SECONDS: Final = 86_400


class DateShape(StrEnum):
    """How a column writes days; what follows the day is a time."""

    DASHED = r"^\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}:\d{2}.*)?$"
    SLASHED = r"^\d{4}/\d{2}/\d{2}( \d{2}:\d{2}:\d{2}.*)?$"
    BARE = r"^(19|20)\d{6}$"


def date_shape(values: pa.Array) -> DateShape | None:
    """Return how every filled value of a column writes a day, or None."""
    for shape in DateShape:
        if pc.all(pc.match_substring_regex(values, shape.value)).as_py():
            return shape
    return None


def are_numbers(values: pa.Array) -> bool:
    """Tell whether every filled value is a decimal number of at most fifteen digits before the point."""
    return bool(pc.all(pc.match_substring_regex(values, _NUMBER.pattern)).as_py())


def moved_numbers(values: pa.Array, persons: Numbers, *, low: float, high: float, scale: int) -> pa.Array:
    """Return numbers cut to `low` and `high` and multiplied by each person's factor, 0.8 to 1.25; zero stays.

    Args:
        values: texts, null stays null.
        persons: whose row it is.
        low: smallest value that enough rows have or go below.
        high: largest one.
        scale: digits behind the point to write.

    Raises:
        ColumnValuesError: a value is no number.
    """
    try:
        found = values.cast(pa.float64()).fill_null(0.0).to_numpy(zero_copy_only=False)
    except pa.ArrowInvalid:
        raise ColumnValuesError("column: it holds something that is no number; name another treatment") from None
    factor = _LOWEST_FACTOR + _SPREAD * between_zero_and_one(persons, "factor")
    scale = min(scale, _MOST_SCALE)
    cents = np.rint(np.clip(found, low, high) * factor * 10**scale).astype(np.int64)
    whole = pa.array(np.abs(cents) // 10**scale).cast(pa.string())
    sign = pc.if_else(pa.array(cents < 0), "-", "")
    text = joined(sign, whole, ".", digits(np.abs(cents) % 10**scale, scale)) if scale else joined(sign, whole)
    return pc.if_else(values.is_valid(), text, pa.scalar(None, pa.string()))


def moved_dates(values: pa.Array, persons: Numbers, *, shape: DateShape) -> pa.Array:
    """Return days moved back by each person's step of 1 to 365 days, times by up to an hour more, fractions cut."""
    filled = values.fill_null("2000-01-01" if shape is DateShape.DASHED else "2000/01/01")
    bare = shape is DateShape.BARE
    if bare:
        filled = values.fill_null("20000101")
        dashed = joined(
            pc.utf8_slice_codeunits(filled, 0, 4), "-", pc.utf8_slice_codeunits(filled, 4, 6), "-",
            pc.utf8_slice_codeunits(filled, 6, 8),
        )  # fmt: skip
    else:
        dashed = pc.replace_substring(pc.utf8_slice_codeunits(filled, 0, 10), "/", "-")
    try:
        days = dashed.cast(pa.date32()).cast(pa.int32()).to_numpy().astype(np.int64)
    except pa.ArrowInvalid:
        raise ColumnValuesError("column: it holds something that is no day; name another treatment") from None
    step = 1 + below(persons, "step", LONGEST_STEP_DAYS)
    seconds = days * _DAY_SECONDS - step * _DAY_SECONDS
    timed = pc.greater(pc.utf8_length(filled), 10).to_numpy(zero_copy_only=False)  # what follows the day
    if timed.any():
        time = pc.if_else(pa.array(timed), pc.utf8_slice_codeunits(filled, 11, 19), "00:00:00")
        parts = [pc.utf8_slice_codeunits(time, at, at + 2).cast(pa.int64()).to_numpy() for at in (0, 3, 6)]
        seconds += np.where(timed, parts[0] * 3600 + parts[1] * 60 + parts[2] - below(persons, "seconds", 3600), 0)
    text = _day_text(seconds // _DAY_SECONDS, shape)
    if timed.any():
        rest = seconds % _DAY_SECONDS
        between = pc.utf8_slice_codeunits(filled, 10, 11)
        tail = pc.replace_substring_regex(pc.utf8_slice_codeunits(filled, 19, 99), r"^\.\d+", "")
        time = joined(digits(rest // 3600, 2), ":", digits(rest // 60 % 60, 2), ":", digits(rest % 60, 2), tail)
        text = pc.if_else(pa.array(timed), joined(text, between, time), text)
    return pc.if_else(values.is_valid(), text, pa.scalar(None, pa.string()))


def day_texts(days: NDArray[np.datetime64], shape: DateShape) -> pa.Array:
    """Return days as a column writes them."""
    return _day_text(days.astype("datetime64[D]").astype(np.int64), shape)


def _day_text(days: NDArray[np.int64], shape: DateShape) -> pa.Array:
    moments = days.astype("datetime64[D]")
    months = moments.astype("datetime64[M]")
    separator = {DateShape.DASHED: "-", DateShape.SLASHED: "/", DateShape.BARE: ""}[shape]
    return joined(
        digits(moments.astype("datetime64[Y]").astype(np.int64) + 1970, 4), separator,
        digits(months.astype(np.int64) % 12 + 1, 2), separator,
        digits((moments - months.astype("datetime64[D]")).astype(np.int64) + 1, 2),
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """The values of a column that enough rows share, with their frequencies."""

    counts: Mapping[str, int]

    @classmethod
    def of(cls, counts: Mapping[str, int], *, at_least: int = FEWEST) -> "Vocabulary":
        """Keep what occurs often enough, in a fixed order."""
        return cls(counts={word: counts[word] for word in sorted(counts) if counts[word] >= at_least})

    def drawn(self, persons: Numbers, salt: str) -> pa.Array:
        """Return a word for each person, as often as the column has it."""
        ends = np.cumsum(np.array(list(self.counts.values()), dtype=np.float64))
        places = np.searchsorted(ends, between_zero_and_one(persons, salt) * ends[-1], side="right")
        return chosen(list(self.counts), np.minimum(places, len(ends) - 1))

    def kept(self, values: pa.Array, persons: Numbers, salt: str) -> pa.Array:
        """Return the column with rare values replaced by drawn ones; null stays null."""
        known = pc.is_in(values, value_set=pa.array(list(self.counts), pa.string()))
        filled = pc.if_else(known, values, self.drawn(persons, salt))
        return pc.if_else(values.is_valid(), filled, pa.scalar(None, pa.string()))


def coded(values: pa.Array, *, key: bytes, domain: str) -> pa.Array:
    """Return a code for each text, no longer than it and at most sixteen signs: digits for digits, else hexadecimal."""
    tags = tags_of(values, key=key, domain=domain)
    lengths = pc.utf8_length(values.fill_null("")).to_numpy(zero_copy_only=False)
    numeric = pc.match_substring_regex(values.fill_null(""), r"^\d+$").to_numpy(zero_copy_only=False)
    decimal = digit_signs(mixed(tags, "digits") % np.uint64(10**15), _CODE_SIGNS)
    decimal[:, 0] = decimal[:, -1]
    hexadecimal = np.frombuffer(tags.astype(">u8").tobytes().hex().encode(), dtype=np.uint8).reshape(-1, _CODE_SIGNS)
    signs = np.where(numeric[:, None], decimal, hexadecimal).astype(np.uint8)
    widths = np.minimum(lengths, _CODE_SIGNS).astype(np.int64)
    shown = np.arange(_CODE_SIGNS) >= _CODE_SIGNS - widths[:, None]
    ends = np.concatenate([[0], np.cumsum(widths)])
    made = pa.Array.from_buffers(
        pa.large_string(), len(values), [None, pa.py_buffer(ends), pa.py_buffer(signs[shown].tobytes())]
    )
    return pc.if_else(values.is_valid(), made.cast(pa.string()), pa.scalar(None, pa.string()))


def sentences(values: pa.Array, persons: Numbers) -> pa.Array:
    """Return a harmless sentence for each filled text."""
    made = chosen(words.SENTENCES, below(persons, "sentence", len(words.SENTENCES)))
    return pc.if_else(values.is_valid(), made, pa.scalar(None, pa.string()))


def answers(values: pa.Array, persons: Numbers) -> pa.Array:
    """Return a made-up answer for each filled one."""
    made = chosen(words.ANSWERS, below(persons, "answer", len(words.ANSWERS)))
    return pc.if_else(values.is_valid(), made, pa.scalar(None, pa.string()))
