"""The kernels in C, where set-up found a compiler; every room that uses them has a path without.

>>> NATIVE is None or NATIVE.INTERFACE == INTERFACE
True
"""

from importlib import import_module
from types import ModuleType

INTERFACE = 2  # KUIMEN_INTERFACE in native.h


def _load() -> tuple[ModuleType | None, str]:
    """Return the extension, or None and why not."""
    try:
        module = import_module("kuimen.kernels.native._native")
    except ImportError:
        return None, "not built: set-up found no C compiler"
    if getattr(module, "INTERFACE", 0) != INTERFACE:
        return None, "built of other sources: run set-up again"
    return module, f"built by {module.COMPILER}"


NATIVE, HOW_BUILT = _load()
