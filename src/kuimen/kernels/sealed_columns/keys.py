"""Keys of columns: from one master key an application, a sealing key and an index key for every column.

No column's key opens another's, and none tells the master. A column seals at most 2^32 values under one generation.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NoReturn, Protocol

from typing_extensions import override

from kuimen.kernels.ciphers import Suite, hkdf_sm3
from kuimen.kernels.ciphers.errors import KeyGenerationRangeError, KeyLengthError
from kuimen.kernels.sealed_columns.places import ColumnPlace

MASTER_BYTES = 32
INDEX_KEY_BYTES = 32
SUITE = Suite.SM4_GCM


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnKeys:
    """The keys of one column.

    Attributes:
        institution: identifier that every value is bound to.
        current: the generation that seals and tags; the others open and are searched.
        sealing, index: a key for each generation.
    """

    institution: bytes
    current: int
    sealing: Mapping[int, bytes] = field(repr=False)
    index: Mapping[int, bytes] = field(repr=False)

    @override
    def __reduce__(self) -> NoReturn:
        """Refuse pickling: keys do not leave the process."""
        msg = "keys are not picklable"
        raise TypeError(msg)


class ColumnKeySource(Protocol):
    """Where the keys of a column come from: the one port that types, fields and migrations ask."""

    def keys_of(self, place: ColumnPlace) -> ColumnKeys:
        """Return the keys of a column.

        Raises:
            KuimenError: they cannot be had now; nothing was sealed.
        """
        ...


class ApplicationKeys:
    """The keys of one application, derived from a master key a generation. Implements :class:`ColumnKeySource`."""

    __slots__ = ("_current", "_derived", "_institution", "_masters")

    def __init__(self, masters: Mapping[int, bytes], *, institution: bytes, current: int | None = None) -> None:
        """Hold the masters of all generations; the highest one is current unless another is named.

        Raises:
            KeyLengthError: a master is not 32 bytes long, or there is none.
            KeyGenerationRangeError: the current generation is not among them.
        """
        if not masters or any(len(master) != MASTER_BYTES for master in masters.values()):
            raise KeyLengthError(f"masters: {MASTER_BYTES} bytes for each generation; give at least one")
        chosen = max(masters) if current is None else current
        if chosen not in masters:
            raise KeyGenerationRangeError("current: name one of the generations that are given")
        self._masters, self._institution, self._current = dict(masters), institution, chosen
        self._derived: dict[ColumnPlace, ColumnKeys] = {}

    @property
    def institution(self) -> bytes:
        """Return the institution that values are bound to."""
        return self._institution

    def keys_of(self, place: ColumnPlace) -> ColumnKeys:
        """Return the keys of a column."""
        held = self._derived.get(place)
        if held is None:
            context = place.context(self._institution)
            held = self._derived[place] = ColumnKeys(
                institution=self._institution,
                current=self._current,
                sealing=self._derive(b"seal", context, length=SUITE.key_bytes),
                index=self._derive(b"index", context, length=INDEX_KEY_BYTES),
            )
        return held

    def _derive(self, use: bytes, context: bytes, *, length: int) -> dict[int, bytes]:
        info = len(use).to_bytes(2, "big") + use + context
        return {number: hkdf_sm3(master, info=info, length=length) for number, master in self._masters.items()}

    def masters(self) -> dict[int, bytes]:
        """Return the masters, for a key file; the caller has asked two persons."""
        return dict(self._masters)

    @override
    def __repr__(self) -> str:
        return f"ApplicationKeys(generations={sorted(self._masters)}, current={self._current})"

    @override
    def __reduce__(self) -> NoReturn:
        """Refuse pickling: keys do not leave the process."""
        msg = "keys are not picklable"
        raise TypeError(msg)
