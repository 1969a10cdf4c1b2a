"""A process that holds keys writes no core and lets no other process of the same user read its memory."""

import ctypes
import resource
import sys

_PR_SET_DUMPABLE = 4  # linux/prctl.h


def forbid_core_dumps() -> bool:
    """Set the core limit to 0 for good and, on Linux, mark the process non-dumpable.

    Returns:
        Whether both were done; elsewhere than on Linux only the limit is set.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if not sys.platform.startswith("linux"):
        return False
    library = ctypes.CDLL(None, use_errno=True)
    return bool(library.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) == 0)
