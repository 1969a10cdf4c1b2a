"""One sealed column: seal, open and tag many rows in one call of the batch kernel.

>>> keys = ApplicationKeys({1: bytes(32)}, institution=b"demo")
>>> column = SealedColumn(ColumnPlace(table="customer", column="mobile", element="mobile"), keys=keys)
>>> rows = [row_context((1,)), row_context((2,))]
>>> column.open(column.seal(["19990000001", None], rows=rows), rows=rows)
['19990000001', None]
"""

from collections.abc import Sequence

import pyarrow as pa

from kuimen.kernels.ciphers import Sealer, blind_index, header_of
from kuimen.kernels.ciphers.errors import SealBrokenError
from kuimen.kernels.ciphers.index import NORMAL_FORMS
from kuimen.kernels.sealed_columns.keys import SUITE, ApplicationKeys, ColumnKeySource
from kuimen.kernels.sealed_columns.places import ColumnPlace, row_context

__all__ = ["ApplicationKeys", "ColumnPlace", "SealedColumn", "row_context"]


class SealedColumn:
    """Seals and opens the values of one column under its keys of this moment. Cheap to make; nothing is cached."""

    __slots__ = ("_context", "_keys", "_sealer", "place")

    def __init__(self, place: ColumnPlace, *, keys: ColumnKeySource) -> None:
        """Ask for the keys of the column; what the source raises comes through."""
        self.place = place
        self._keys = keys.keys_of(place)
        self._context = place.context(self._keys.institution)
        self._sealer = Sealer.for_key(self._keys.sealing[self._keys.current], SUITE, key_id=self._keys.current)

    @property
    def searchable(self) -> bool:
        """Tell whether values of this element get a blind index; small sets and secrets get none."""
        return self.place.element in NORMAL_FORMS

    def seal(self, values: Sequence[str | None], *, rows: Sequence[bytes]) -> list[bytes | None]:
        """Seal each value for its row.

        Args:
            values: (n,) clear texts; None stays None.
            rows: (n,) contexts, see :func:`row_context`.

        Returns:
            (n,) sealed values, 34 bytes longer than their texts.
        """
        sealed: list[bytes | None] = self._sealer.seal_column(
            pa.array(values, pa.large_string()), self._context, row_aad=list(rows)
        ).to_pylist()
        return sealed

    def open(self, sealed: Sequence[bytes | None], *, rows: Sequence[bytes]) -> list[str | None]:
        """Open each value in its row.

        Raises:
            ColumnSealBrokenError: rows do not open: other key, column or row, or altered bytes; no text is returned.
        """
        generations = {self._generation(one) for one in sealed if one is not None}
        keyed = None
        if generations - {self._keys.current}:
            keyed = [None if one is None else self._keys.sealing.get(self._generation(one)) for one in sealed]
        opened: list[str | None] = self._sealer.open_column(
            pa.array(sealed, pa.large_binary()), self._context, row_aad=list(rows), row_keys=keyed, as_text=True
        ).to_pylist()
        return opened

    @staticmethod
    def _generation(sealed: bytes) -> int:
        try:
            return header_of(sealed).key_id
        except SealBrokenError:
            return -1  # opening names its position

    def tags(self, values: Sequence[str | None]) -> list[bytes | None]:
        """Return the blind index of each value under the current key.

        Raises:
            LeakyIndexError: no index is kept of this element.
        """
        return self._tagged(values, self._keys.current)

    def search_tags(self, value: str) -> list[bytes]:
        """Return the tags under which a value may stand, one a generation."""
        found = [self._tagged([value], generation)[0] for generation in sorted(self._keys.index)]
        return [tag for tag in found if tag is not None]

    def _tagged(self, values: Sequence[str | None], generation: int) -> list[bytes | None]:
        tagged: list[bytes | None] = blind_index(
            pa.array(values, pa.large_string()), self._keys.index[generation], element=self.place.element
        ).to_pylist()
        return tagged
