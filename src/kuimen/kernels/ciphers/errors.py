"""What can go wrong with a cipher, by what the reader must do. No message holds a value, a key or a tag."""

from collections.abc import Sequence
from typing import ClassVar

from kuimen.foundation.errors import InvalidInputError, TamperError, UnavailableError

SHOWN_POSITIONS = 10  # a message stays readable; `positions` holds them all


class KeyLengthError(InvalidInputError):
    """A key does not have the length its suite needs."""

    code: ClassVar[str] = "ciphers.key_length"


class KeyGenerationRangeError(InvalidInputError):
    """A key generation does not fit its four bytes."""

    code: ClassVar[str] = "ciphers.key_generation_range"


class UnknownSuiteError(InvalidInputError):
    """The named cipher suite does not exist."""

    code: ClassVar[str] = "ciphers.unknown_suite"


class ContextFieldError(InvalidInputError):
    """A field of the context a value is bound to is empty or too long."""

    code: ClassVar[str] = "ciphers.context_field"


class ColumnTypeError(InvalidInputError):
    """A column is of a type that the operation does not take."""

    code: ClassVar[str] = "ciphers.column_type"


class ColumnShapeError(InvalidInputError):
    """Keys or contexts given per row do not match the rows."""

    code: ClassVar[str] = "ciphers.column_shape"


class ColumnTextError(InvalidInputError):
    """Values of a text column are not UTF-8."""

    code: ClassVar[str] = "ciphers.column_text"


class ColumnTooLargeError(InvalidInputError):
    """The result does not fit 32-bit offsets."""

    code: ClassVar[str] = "ciphers.column_too_large"


class ValueTooLargeError(InvalidInputError):
    """One value is longer than a sealed value may be."""

    code: ClassVar[str] = "ciphers.value_too_large"


class KeyWornOutError(InvalidInputError):
    """A key has sealed as many values as random nonces allow; use a new generation."""

    code: ClassVar[str] = "ciphers.key_worn_out"


class LeakyIndexError(InvalidInputError):
    """An index over so few different values would tell them all."""

    code: ClassVar[str] = "ciphers.leaky_index"


class IndexWidthError(InvalidInputError):
    """A blind index is asked for in a width that is not offered."""

    code: ClassVar[str] = "ciphers.index_width"


class DerivedLengthError(InvalidInputError):
    """More bytes are asked of a key derivation than it can give."""

    code: ClassVar[str] = "ciphers.derived_length"


class Sm2KeyError(InvalidInputError):
    """Bytes are not an SM2 key."""

    code: ClassVar[str] = "ciphers.sm2_key"


class Sm2CiphertextError(InvalidInputError):
    """Bytes are not an SM2 ciphertext in the form that was named."""

    code: ClassVar[str] = "ciphers.sm2_ciphertext"


class Sm2PlaintextError(InvalidInputError):
    """A text to be encrypted under SM2 is empty or longer than the library takes."""

    code: ClassVar[str] = "ciphers.sm2_plaintext"


class CertificateFormError(InvalidInputError):
    """Bytes are not a certificate of an SM2 key."""

    code: ClassVar[str] = "ciphers.certificate_form"


class SealBrokenError(TamperError):
    """A sealed value does not open: other key, other context, or altered bytes. Which of them is not told."""

    code: ClassVar[str] = "ciphers.seal_broken"


class SealedHeaderError(SealBrokenError):
    """Bytes do not begin like a sealed value, or are too short to be one."""

    code: ClassVar[str] = "ciphers.sealed_header"


class SealedVersionError(SealBrokenError):
    """A sealed value is of a format version or a suite that this release does not know."""

    code: ClassVar[str] = "ciphers.sealed_version"


class ColumnSealBrokenError(SealBrokenError):
    """Rows of a sealed column do not open; the others are not handed out either.

    Attributes:
        positions: indices of the failing rows, ascending.
    """

    code: ClassVar[str] = "ciphers.column_seal_broken"

    def __init__(self, positions: Sequence[int]) -> None:
        """Name the rows that failed."""
        self.positions = tuple(positions)
        shown = ", ".join(str(position) for position in self.positions[:SHOWN_POSITIONS])
        rest = len(self.positions) - SHOWN_POSITIONS
        more = f" and {rest} more" if rest > 0 else ""
        super().__init__(
            f"{len(self.positions)} sealed values do not open, at positions {shown}{more}; raise the alarm"
        )


class SignatureBrokenError(TamperError):
    """A signature does not belong to this message and key."""

    code: ClassVar[str] = "ciphers.signature_broken"


class DecryptionFailedError(TamperError):
    """An SM2 ciphertext does not open with this key. Why is not told."""

    code: ClassVar[str] = "ciphers.decryption_failed"


class CertificateRefusedError(TamperError):
    """A certificate does not lead to a trusted root, or does not hold at that time or for that use."""

    code: ClassVar[str] = "ciphers.certificate_refused"


class SelfTestError(TamperError):
    """A cipher does not give the answers printed in its standard; use none of its results."""

    code: ClassVar[str] = "ciphers.self_test"


class PathUnavailableError(UnavailableError):
    """The named way of sealing is not there on this machine, or failed its known answers."""

    code: ClassVar[str] = "ciphers.path_unavailable"


class SystemRandomError(UnavailableError):
    """The operating system gave neither memory nor random numbers; nothing was sealed."""

    code: ClassVar[str] = "ciphers.system_random"


class Sm2UnavailableError(UnavailableError):
    """No library with SM2 is within reach of this interpreter."""

    code: ClassVar[str] = "ciphers.sm2_unavailable"
