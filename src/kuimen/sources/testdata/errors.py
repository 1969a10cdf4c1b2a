"""What can go wrong when test data are made. Texts name places and what to do, never values."""

from typing import ClassVar

from kuimen.foundation.errors import ConflictError, InvalidInputError, TamperError


class TestDataPlanError(InvalidInputError):
    """The plan has blockers, or a treatment that somebody named does not exist."""

    __test__ = False
    code: ClassVar[str] = "testdata.plan"


class TestDataSourceError(InvalidInputError):
    """The source is of a kind that test data are not made from, or a table of it cannot be read as its form says."""

    __test__ = False
    code: ClassVar[str] = "testdata.source"


class TestDataTargetError(ConflictError):
    """The target is the source itself, holds tables or files of these names already, or refuses what is written."""

    __test__ = False
    code: ClassVar[str] = "testdata.target"


class OriginalsLeftError(TamperError):
    """Originals were found in what was made; it was taken back."""

    code: ClassVar[str] = "testdata.originals_left"
