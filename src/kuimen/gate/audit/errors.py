"""Leaves of the error families that the audit log can raise."""

from typing import ClassVar

from kuimen.foundation.errors import ConflictError, InvalidInputError, NotFoundError, TamperError, UnavailableError


class AuditFactError(InvalidInputError):
    """An entry would hold something that is no reference, count or commitment."""

    code: ClassVar[str] = "audit.fact"


class OutsideTransactionError(ConflictError):
    """An entry must be written in the transaction of the deed it records; open one first."""

    code: ClassVar[str] = "audit.outside_transaction"


class AuditUnavailableError(UnavailableError):
    """The entry cannot be written, therefore nothing is disclosed or changed."""

    code: ClassVar[str] = "audit.unavailable"


class EntryNotFoundError(NotFoundError):
    """No entry has this identifier, or it is not yet under a checkpoint."""

    code: ClassVar[str] = "audit.entry_not_found"


class ExportTargetError(InvalidInputError):
    """The export needs a folder that is empty or does not exist yet."""

    code: ClassVar[str] = "audit.export_target"


class SinkUnavailableError(UnavailableError):
    """Checkpoints cannot be written to their independent place."""

    code: ClassVar[str] = "audit.sink_unavailable"


class LogTamperedError(TamperError):
    """The stored log contradicts a checkpoint that was signed and kept outside the database."""

    code: ClassVar[str] = "audit.tampered"
