"""De-identification and anonymity of tables: pseudonyms, generalisation, k, l and t, small cells.

JR/T 0171-2020 draws a line that the names here keep. *De-identified* (去标识化) data name nobody by themselves, yet
with other information a person can be found again; they stay personal financial information. *Anonymised* (匿名化)
data lead back to nobody and can't be restored. A table that carries a pseudonym is de-identified, whatever its k.
"""

from kuimen.kernels.anonymity.cells import suppress_small_cells
from kuimen.kernels.anonymity.errors import (
    AnonymityColumnError,
    AnonymityLevelError,
    NotAnonymousEnoughError,
    PseudonymKeyError,
)
from kuimen.kernels.anonymity.measures import Closeness, Measures, Ordering, measure
from kuimen.kernels.anonymity.pseudonyms import pseudonyms
from kuimen.kernels.anonymity.release import Bounds, Release, Standing, generalise
from kuimen.kernels.anonymity.ways import Dates, Prefixes, Ranges

__all__ = [
    "AnonymityColumnError",
    "AnonymityLevelError",
    "Bounds",
    "Closeness",
    "Dates",
    "Measures",
    "NotAnonymousEnoughError",
    "Ordering",
    "Prefixes",
    "PseudonymKeyError",
    "Ranges",
    "Release",
    "Standing",
    "generalise",
    "measure",
    "pseudonyms",
    "suppress_small_cells",
]
