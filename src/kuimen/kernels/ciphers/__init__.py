"""National and international ciphers: digests, sealed values, blind indexes, signatures.

The one kernel with hidden randomness: it draws its own nonces, so that no caller can repeat one.
"""

from kuimen.kernels.ciphers import sm2
from kuimen.kernels.ciphers.columns import Sealer
from kuimen.kernels.ciphers.digests import HmacSM3, hkdf_sm3, hmac_sm3, new_sm3, sm3
from kuimen.kernels.ciphers.errors import (
    ColumnSealBrokenError,
    KeyLengthError,
    LeakyIndexError,
    SealBrokenError,
    SelfTestError,
    SignatureBrokenError,
    Sm2KeyError,
    Sm2UnavailableError,
)
from kuimen.kernels.ciphers.index import TAG_BYTES, blind_index, blind_tag, normalise_for_index
from kuimen.kernels.ciphers.row_seal import RowContent, row_seals
from kuimen.kernels.ciphers.sealed import (
    OVERHEAD_BYTES,
    SealedHeader,
    build_aad,
    header_of,
    open_sealed,
    seal,
)
from kuimen.kernels.ciphers.self_test import self_test
from kuimen.kernels.ciphers.suites import Suite, suite_named

__all__ = [
    "OVERHEAD_BYTES",
    "TAG_BYTES",
    "ColumnSealBrokenError",
    "HmacSM3",
    "KeyLengthError",
    "LeakyIndexError",
    "RowContent",
    "SealBrokenError",
    "SealedHeader",
    "Sealer",
    "SelfTestError",
    "SignatureBrokenError",
    "Sm2KeyError",
    "Sm2UnavailableError",
    "Suite",
    "blind_index",
    "blind_tag",
    "build_aad",
    "header_of",
    "hkdf_sm3",
    "hmac_sm3",
    "new_sm3",
    "normalise_for_index",
    "open_sealed",
    "row_seals",
    "seal",
    "self_test",
    "sm2",
    "sm3",
    "suite_named",
]
