"""By which way columns are sealed here: the native kernels where they were built and gave the right answers.

All ways write and read the same bytes. `numpy` is the one without a compiler.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

from kuimen.kernels.ciphers.errors import PathUnavailableError
from kuimen.kernels.native import NATIVE

WITHOUT_COMPILER = "numpy"
READY = "ready"
FAILED = "failed its known answers"  # as in paths.c

_forced: ContextVar[str | None] = ContextVar("kuimen_cipher_path", default=None)


def path_states() -> Mapping[str, str]:
    """Return every path, the best first, and ``ready`` or why it is not used.

    Each was tried on the answers of the standards when the kernels were loaded.
    """
    native = NATIVE.cipher_paths() if NATIVE else []
    return {**dict(native), WITHOUT_COMPILER: READY}


def chosen_path() -> str:
    """Return the path that seals and opens: the forced one, or the first that is ready."""
    return _forced.get() or next(name for name, state in path_states().items() if state == READY)


@contextmanager
def forced_path(name: str) -> Iterator[None]:
    """Seal and open by a certain path inside the block; for tests and benchmarks.

    Raises:
        PathUnavailableError: there is no such path, or it is not ready.
    """
    if path_states().get(name) != READY:
        raise PathUnavailableError("path: not ready on this machine; path_states() says why")
    token = _forced.set(name)
    try:
        yield
    finally:
        _forced.reset(token)
