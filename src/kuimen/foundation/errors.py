"""The six error families, by what the reader must do.

A leaf lives with the room that raises it, carries a stable `code`, and belongs to exactly one family.
A message never contains a personal value: it names the field, the rule that failed, and what to do.
`ERROR_TABLE` is the only place where a family meets HTTP, exit codes and log levels.
"""

import traceback
from dataclasses import dataclass
from typing import ClassVar


class KuimenError(Exception):
    """Root of everything Kuimen raises on purpose; raise a leaf of a family, never this."""

    code: ClassVar[str] = "kuimen"


class InvalidInputError(KuimenError):
    """The caller broke a documented precondition; change the input."""

    code: ClassVar[str] = "invalid_input"


class NotFoundError(KuimenError):
    """Absent, or the caller may not know that it exists."""

    code: ClassVar[str] = "not_found"


class ConflictError(KuimenError):
    """Stale version, duplicate, or a transition the state does not allow; read again."""

    code: ClassVar[str] = "conflict"


class DeniedError(KuimenError):
    """Policy said no; the refusal is already recorded."""

    code: ClassVar[str] = "denied"

    def __init__(self, message: str, *, retry_after_seconds: int | None = None) -> None:
        """Hold the reason; `retry_after_seconds` is set when a quota, not a right, is missing."""
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class TamperError(KuimenError):
    """Evidence or a sealed value does not verify; never retry, raise the alarm."""

    code: ClassVar[str] = "tamper"


class UnavailableError(KuimenError):
    """Something we depend on is down, locked or busy; try again later."""

    code: ClassVar[str] = "unavailable"


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilyRule:
    """What one family means at each edge."""

    http_status: int
    exit_code: int
    log_level: str


ERROR_TABLE: dict[type[KuimenError], FamilyRule] = {
    InvalidInputError: FamilyRule(http_status=422, exit_code=2, log_level="INFO"),
    NotFoundError: FamilyRule(http_status=404, exit_code=3, log_level="INFO"),
    ConflictError: FamilyRule(http_status=409, exit_code=4, log_level="INFO"),
    DeniedError: FamilyRule(http_status=403, exit_code=5, log_level="WARNING"),
    TamperError: FamilyRule(http_status=500, exit_code=6, log_level="CRITICAL"),
    UnavailableError: FamilyRule(http_status=503, exit_code=7, log_level="WARNING"),
}
EXIT_CODE_PARTIAL = 8  # the work was done as far as it went; what was left out is named in the output
EXIT_CODE_BUG = 70  # sysexits.h EX_SOFTWARE: anything outside the families is our defect


def place_of(defect: BaseException) -> str:
    """Return where a defect arose as ``file:line function``, innermost first, never its text, which may hold values."""
    frames = traceback.extract_tb(defect.__traceback__)
    return " < ".join(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in reversed(frames[-6:]))


def family_of(error: KuimenError | type[KuimenError]) -> type[KuimenError]:
    """Return the one family an error belongs to.

    Raises:
        LookupError: the class belongs to none of the six families, a defect of the house.
    """
    kind = error if isinstance(error, type) else type(error)
    families = [family for family in ERROR_TABLE if issubclass(kind, family)]
    if len(families) != 1:
        msg = f"{kind.__name__} belongs to {len(families)} error families instead of one"
        raise LookupError(msg)
    return families[0]


def rule_for(error: KuimenError) -> FamilyRule:
    """Return the edge rule of an error; a quota refusal answers 429 instead of 403."""
    rule = ERROR_TABLE[family_of(error)]
    if isinstance(error, DeniedError) and error.retry_after_seconds is not None:
        return FamilyRule(http_status=429, exit_code=rule.exit_code, log_level=rule.log_level)
    return rule
