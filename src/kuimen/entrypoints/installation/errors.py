"""Leaves of the error families that installing and starting can raise."""

from typing import ClassVar

from kuimen.foundation.errors import ConflictError, InvalidInputError, UnavailableError


class ServerBinariesMissingError(UnavailableError):
    """No PostgreSQL server programs were found."""

    code: ClassVar[str] = "installation.server_binaries_missing"


class ServerStartError(UnavailableError):
    """The embedded PostgreSQL did not come up."""

    code: ClassVar[str] = "installation.server_start"


class ServiceUserMissingError(UnavailableError):
    """PostgreSQL may not run as root and no service user exists to run it."""

    code: ClassVar[str] = "installation.service_user_missing"


class UnsafeFolderError(InvalidInputError):
    """A folder that must be private belongs to somebody else or is a link."""

    code: ClassVar[str] = "installation.unsafe_folder"


class ConfigurationError(InvalidInputError):
    """The configuration file or an environment variable cannot be used as it is."""

    code: ClassVar[str] = "installation.configuration"


class NotInitialisedError(ConflictError):
    """The home folder holds no installation yet; run `kuimen init`."""

    code: ClassVar[str] = "installation.not_initialised"


class AlreadyInitialisedError(ConflictError):
    """The first officers are appointed once; a second initialisation is refused for ever."""

    code: ClassVar[str] = "installation.already_initialised"


class UnsafePassphraseFileError(InvalidInputError):
    """A credentials file is readable by others or lies inside the data directory."""

    code: ClassVar[str] = "installation.unsafe_passphrase_file"
