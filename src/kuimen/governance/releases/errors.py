"""Errors of the releases room."""

from typing import ClassVar

from kuimen.foundation.errors import ConflictError, DeniedError, InvalidInputError, NotFoundError, TamperError


class ReleaseInputError(InvalidInputError):
    """A field of an application breaks its rule, or asks for less protection than the policy."""

    code: ClassVar[str] = "releases.invalid_input"


class ReleaseNotFoundError(NotFoundError):
    """No such release."""

    code: ClassVar[str] = "releases.not_found"


class ReleaseTransitionError(ConflictError):
    """The release's state does not allow this event; read it again."""

    code: ClassVar[str] = "releases.transition"


class BoundsMissedError(ConflictError):
    """The data do not reach the bounds that were approved; what was measured is in the text, nothing was released."""

    code: ClassVar[str] = "releases.bounds_missed"


class ReleaseEndedError(DeniedError):
    """The package's time is over; it is not handed out any more."""

    code: ClassVar[str] = "releases.ended"


class PackageAlteredError(TamperError):
    """The stored package does not open where it stands."""

    code: ClassVar[str] = "releases.package_altered"
