"""What can go wrong in the asset directory."""

from typing import ClassVar

from kuimen.foundation.errors import InvalidInputError, NotFoundError, UnavailableError


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
