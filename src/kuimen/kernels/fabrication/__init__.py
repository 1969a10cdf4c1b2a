"""Made-up people for tests: valid in form, impossible in fact, the same person the same everywhere in a package.

Nothing of an original is in what is made, and without the key of a package nobody tells whom a made-up person stands
for. A treatment that is missing refuses; it never lets an original through.
"""

from kuimen.kernels.fabrication.assignment import Assignment, assign, normal_form, tags_of
from kuimen.kernels.fabrication.errors import (
    ColumnValuesError,
    FabricationKeyError,
    FictitiousRangeError,
    NoGeneratorError,
    RangeExhaustedError,
)
from kuimen.kernels.fabrication.facts import Vocabulary
from kuimen.kernels.fabrication.keys import new_keys
from kuimen.kernels.fabrication.making import Made, Survey, fabricate
from kuimen.kernels.fabrication.people import People
from kuimen.kernels.fabrication.spaces import FictitiousRanges, space_of
from kuimen.kernels.fabrication.treatments import (
    TREATMENT_OF,
    ColumnSpec,
    Kind,
    TableSpec,
    Treatment,
    treatment_for,
)

__all__ = [
    "TREATMENT_OF",
    "Assignment",
    "ColumnSpec",
    "ColumnValuesError",
    "FabricationKeyError",
    "FictitiousRangeError",
    "FictitiousRanges",
    "Kind",
    "Made",
    "NoGeneratorError",
    "People",
    "RangeExhaustedError",
    "Survey",
    "TableSpec",
    "Treatment",
    "Vocabulary",
    "assign",
    "fabricate",
    "new_keys",
    "normal_form",
    "space_of",
    "tags_of",
    "treatment_for",
]
