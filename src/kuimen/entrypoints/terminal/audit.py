"""Verify an exported audit log as the offline verifier does."""

from pathlib import Path

from kuimen.foundation.errors import TamperError
from kuimen.gate.audit import verifier


class AuditBrokenError(TamperError):
    """The log does not verify."""

    code = "audit.verify"


def verify_export(folder: Path, checkpoints: Path | None) -> dict[str, object]:
    """Verify an exported log against an independent copy of its checkpoints.

    Raises:
        AuditBrokenError: it does not verify; the message names the first bad entry or interval.
    """
    try:
        return verifier.verify(folder, sink=checkpoints)
    except verifier.Finding as found:
        raise AuditBrokenError(f"the audit log does not verify: {found}; keep everything as it is") from None
