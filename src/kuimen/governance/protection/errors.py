"""What can go wrong while a source is being protected."""

from typing import ClassVar

from kuimen.foundation.errors import ConflictError, InvalidInputError, NotFoundError, TamperError, UnavailableError


class ProtectionBusyError(ConflictError):
    """Another process protects this source right now."""

    code: ClassVar[str] = "protection.busy"


class ProtectionTransitionError(ConflictError):
    """The job or step is not in a state that allows this."""

    code: ClassVar[str] = "protection.transition"


class SourceChangedError(ConflictError):
    """The source no longer looks as planned; plan again."""

    code: ClassVar[str] = "protection.source_changed"


class StragglersRemainError(ConflictError):
    """Rows kept changing until the cut-over, which was rolled back; nothing is lost, run again."""

    code: ClassVar[str] = "protection.stragglers"


class CutOverRefusedError(ConflictError):
    """The source refuses to drop a column, because something depends on it; the cut-over was rolled back."""

    code: ClassVar[str] = "protection.cut_over_refused"


class UnknownJobError(NotFoundError):
    """No such job exists."""

    code: ClassVar[str] = "protection.unknown_job"


class VerificationError(TamperError):
    """A sealed value does not open to what was sealed; nothing was dropped."""

    code: ClassVar[str] = "protection.verification"


class SourceLostError(UnavailableError):
    """The source's connection broke; run the same command again, it resumes where it stopped."""

    code: ClassVar[str] = "protection.source_lost"


class JobStoreError(UnavailableError):
    """Kuimen's own database failed while a job was running; run the same command again, it resumes."""

    code: ClassVar[str] = "protection.job_store"


class WrongDatabaseError(InvalidInputError):
    """The maintenance address leads to another database than the one that was protected."""

    code: ClassVar[str] = "protection.wrong_database"


class UnknownEncodingError(InvalidInputError):
    """The source does not declare an encoding (SQL_ASCII), so its bytes cannot be sealed as text."""

    code: ClassVar[str] = "protection.unknown_encoding"
