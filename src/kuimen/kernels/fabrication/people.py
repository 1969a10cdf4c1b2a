"""What a made-up person is besides numbers: name, sex, day of birth. The same person is the same in every table."""

from dataclasses import dataclass
from functools import reduce
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from kuimen.kernels.fabrication import words
from kuimen.kernels.fabrication.draws import Numbers, below, chosen, joined
from kuimen.kernels.fabrication.spaces import birth_and_sex, drawn_birth_and_sex

_ROUNDS: Final = 12
_MEN: Final = frozenset({"男", "M", "m", "male", "Male", "MALE", "1", "男性"})
_WOMEN: Final = frozenset({"女", "F", "f", "female", "Female", "FEMALE", "2", "0", "女性"})


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """Persons whose made-up identity number fixes their day of birth and sex; the others draw them.

    Attributes:
        numbers: sorted numbers of persons, shape (m,).
        places: place of each one's identity number in its space, shape (m,).
        real_names: names that must not be made, distinct.
    """

    numbers: Numbers
    places: Numbers
    real_names: pa.Array

    def birth_and_sex(self, persons: Numbers) -> tuple[NDArray[np.datetime64], NDArray[np.bool_]]:
        """Return day of birth and whether a man, shape (n,)."""
        born, is_man = drawn_birth_and_sex(persons)
        if not len(self.numbers):
            return born, is_man
        at = np.minimum(np.searchsorted(self.numbers, persons), len(self.numbers) - 1)
        known = self.numbers[at] == persons
        fixed_birth, fixed_sex = birth_and_sex(self.places[at])
        return np.where(known, fixed_birth, born), np.where(known, fixed_sex, is_man)

    def names(self, persons: Numbers) -> pa.Array:
        """Return names, none of which stands among the real ones; two persons may share one."""
        _, is_man = self.birth_and_sex(persons)
        made = _names(persons, is_man, attempt=0)
        for attempt in range(1, _ROUNDS + 1):
            # 马 and a given name stand inside 司马 and the same, 司马 and one given name inside 司马 and two
            parts = (made, pc.utf8_slice_codeunits(made, 1), pc.utf8_slice_codeunits(made, 0, 3))
            real = reduce(pc.or_, (pc.is_in(part, value_set=self.real_names) for part in parts))
            wrong = real.to_numpy(zero_copy_only=False)
            if not wrong.any():
                return made
            again = _names(persons[wrong], is_man[wrong], attempt=attempt)
            made = pc.replace_with_mask(made, pa.array(wrong), again)
        return made


def _names(persons: Numbers, is_man: NDArray[np.bool_], *, attempt: int) -> pa.Array:
    salt = f"name{attempt}"
    compound = below(persons, salt + "compound", 15) == 0
    surname = pc.if_else(
        pa.array(compound),
        chosen(words.COMPOUND_SURNAMES, below(persons, salt + "surname", len(words.COMPOUND_SURNAMES))),
        chosen(words.SURNAMES, below(persons, salt + "surname", len(words.SURNAMES))),
    )
    rare = attempt >= _ROUNDS // 2  # where the real names fill the common ones, signs that hardly anybody bears
    given = [
        chosen(words.RARE_GIVEN, below(persons, salt + place, len(words.RARE_GIVEN)))
        if rare
        else pc.if_else(
            pa.array(is_man),
            chosen(words.MALE_GIVEN, below(persons, salt + place, len(words.MALE_GIVEN))),
            chosen(words.FEMALE_GIVEN, below(persons, salt + place, len(words.FEMALE_GIVEN))),
        )
        for place in ("first", "second")
    ]
    short = pa.array(below(persons, salt + "short", 4) == 0)
    return joined(surname, given[0], pc.if_else(short, "", given[1]))


def sex_codes(is_man: NDArray[np.bool_], *, codes: list[str]) -> pa.Array | None:
    """Return the sexes in a column's own codes, or None where it isn't clear which code is which."""
    men, women = [code for code in codes if code in _MEN], [code for code in codes if code in _WOMEN]
    if not codes:
        men, women = ["男"], ["女"]
    if len(men) != 1 or len(women) != 1:
        return None
    return pc.if_else(pa.array(is_man), men[0], women[0])
