"""What can go wrong in the retention room. No message holds a personal value."""

from typing import ClassVar

from kuimen.foundation.errors import ConflictError, InvalidInputError, NotFoundError, TamperError, UnavailableError


class NothingDueError(ConflictError):
    """This class of this person is not due: a clock still runs, or a hold stands in the way."""

    code: ClassVar[str] = "retention.not_due"


class ErasureTransitionError(ConflictError):
    """The erasure's state does not allow this step."""

    code: ClassVar[str] = "retention.transition"


class ErasureNotFoundError(NotFoundError):
    """No such erasure."""

    code: ClassVar[str] = "retention.not_found"


class HoldNotFoundError(NotFoundError):
    """No such hold, or it was lifted already."""

    code: ClassVar[str] = "retention.hold_not_found"


class RetentionInputError(InvalidInputError):
    """A field of the request breaks its rule."""

    code: ClassVar[str] = "retention.invalid_input"


class ShredLedgerAlteredError(TamperError):
    """A line of the shred ledger was changed, cut out, or is not signed by a key of this installation."""

    code: ClassVar[str] = "retention.ledger_altered"


class ShredLedgerUnavailableError(UnavailableError):
    """The folder of the shred ledger cannot be read or written; nothing is destroyed or opened without it."""

    code: ClassVar[str] = "retention.ledger_unavailable"


class CertificateBrokenError(TamperError):
    """An erasure certificate does not verify."""

    code: ClassVar[str] = "retention.certificate_broken"


class CertificateUnreadableError(InvalidInputError):
    """A file is no erasure certificate."""

    code: ClassVar[str] = "retention.certificate_unreadable"


class TypesetterMissingError(UnavailableError):
    """The typesetter or its fonts are not installed; the JSON form of the certificate needs neither."""

    code: ClassVar[str] = "retention.typesetter_missing"
