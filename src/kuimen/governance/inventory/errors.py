"""What can go wrong in the asset directory."""

from typing import ClassVar

from kuimen.foundation.errors import ConflictError, InvalidInputError, NotFoundError, UnavailableError


class UnknownSourceError(NotFoundError):
    """No source of this id or label is registered."""

    code: ClassVar[str] = "inventory.unknown_source"


class UnknownAssetError(NotFoundError):
    """The directory holds no such column or file."""

    code: ClassVar[str] = "inventory.unknown_asset"


class MixedScanError(InvalidInputError):
    """The rows of one scan name several sources."""

    code: ClassVar[str] = "inventory.mixed_scan"


class SourceCredentialsError(UnavailableError):
    """The stored credentials of a source cannot be opened; unlock the keys or register the source again."""

    code: ClassVar[str] = "inventory.source_credentials"


class CorrectionInputError(InvalidInputError):
    """A correction names no element of the table, no reason, or no column."""

    code: ClassVar[str] = "inventory.correction_input"


class UnknownCorrectionError(NotFoundError):
    """There is no such correction."""

    code: ClassVar[str] = "inventory.unknown_correction"


class CorrectionTransitionError(ConflictError):
    """The correction is decided already."""

    code: ClassVar[str] = "inventory.correction_transition"


class UnknownDriftError(NotFoundError):
    """There is no such change, or it is noted already."""

    code: ClassVar[str] = "inventory.unknown_drift"


class ScheduleInputError(InvalidInputError):
    """A scan interval lies outside one hour to thirty-one days."""

    code: ClassVar[str] = "inventory.schedule_input"


class AlertUndeliveredError(UnavailableError):
    """The mail server did not take an alert."""

    code: ClassVar[str] = "inventory.alert_undelivered"
