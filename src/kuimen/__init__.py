"""Kuimen 夔门: the data-security platform for internet lending.

The names below are loaded when they are first used, so that `import kuimen` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kuimen.kernels.ciphers import Sealer, blind_index
    from kuimen.kernels.detection.facade import classify_columns, detect, redact, scan_bytes
    from kuimen.kernels.masking import mask

__all__ = ["Sealer", "blind_index", "classify_columns", "detect", "mask", "redact", "scan_bytes"]

_HOMES = {
    "detect": "kuimen.kernels.detection.facade",
    "redact": "kuimen.kernels.detection.facade",
    "scan_bytes": "kuimen.kernels.detection.facade",
    "classify_columns": "kuimen.kernels.detection.facade",
    "Sealer": "kuimen.kernels.ciphers",
    "blind_index": "kuimen.kernels.ciphers",
    "mask": "kuimen.kernels.masking",
}


def __getattr__(name: str) -> object:
    """Load one of the names above from the room that makes it."""
    home = _HOMES.get(name)
    if home is None:
        msg = f"module 'kuimen' has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
