"""What one call seals or opens under: the same for all ways of doing it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from kuimen.kernels.ciphers.errors import KeyLengthError
from kuimen.kernels.ciphers.flat_columns import FlatColumn
from kuimen.kernels.ciphers.sealed import PREFIX_BYTES
from kuimen.kernels.ciphers.suites import Suite


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Keys and contexts of a column.

    Attributes:
        suite: the cipher suite of all rows.
        key: the key of all rows, without effect where there are keys per row.
        prefix: first six bytes of each sealed value.
        aad: context of all rows.
        row_aad: (n,) context of each row.
        row_keys: (n,) key of each row.
        row_key_ids: (n,) generation of each row's key, for the prefix.
        threads: how many threads may work.
    """

    suite: Suite
    key: bytes
    prefix: bytes
    aad: bytes
    row_aad: FlatColumn | None
    row_keys: FlatColumn | None
    row_key_ids: npt.NDArray[np.uint32] | None = None
    threads: int = 1

    @property
    def head(self) -> bytes:
        """Return how the associated data of each row begins; opening puts the row's own prefix in front."""
        return self.prefix + len(self.aad).to_bytes(4, "big") + self.aad

    def prefix_of(self, row: int) -> bytes:
        """Return the first six bytes of a row to be sealed."""
        if self.row_key_ids is None:
            return self.prefix
        return self.prefix[: PREFIX_BYTES - 4] + int(self.row_key_ids[row]).to_bytes(4, "big")


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """An opened column.

    Attributes:
        array: (n,) text or binary with offsets as wide as those that went in; null where a row did not open.
        failed: positions of the rows that did not open, ascending.
        all_text: every row that opened was sealed as text.
    """

    array: pa.Array
    failed: Sequence[int]
    all_text: bool


def row_key_length(position: int, suite: Suite) -> KeyLengthError:
    """Return the error for a key of another length than the suite takes."""
    return KeyLengthError(
        f"row_keys: {suite.label} takes {suite.key_bytes} bytes; the key at position {position} has another length"
    )
