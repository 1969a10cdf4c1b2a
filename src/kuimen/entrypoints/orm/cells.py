"""What stands in an ORM between the database and the application: sealed bytes, or a value that masks itself."""

from typing import Final, NoReturn

from typing_extensions import override

from kuimen.entrypoints.orm.errors import ClearValueRefusedError, MaskedCopyError
from kuimen.foundation.sensitive import FIXED_MASK, Sensitive

PURPOSE: Final = "sealed_column.write"


class SealedCell:
    """The sealed bytes of one cell, bound to its row; only with that row's key does it open."""

    __slots__ = ("sealed",)

    def __init__(self, sealed: bytes) -> None:
        """Hold what the column holds."""
        self.sealed = sealed

    @override
    def __str__(self) -> str:
        return FIXED_MASK

    @override
    def __repr__(self) -> str:
        return f"SealedCell({len(self.sealed)} bytes)"

    def __iter__(self) -> NoReturn:
        """Refuse iteration; ask for the model, or open the rows."""
        msg = "a sealed cell opens with its row; load the model, or use opened_rows"
        raise TypeError(msg)


def sensitive(value: object, *, element: str) -> Sensitive[str] | SealedCell | None:
    """Return what an attribute holds for a value that the application assigned: masked from the first moment.

    Raises:
        ClearValueRefusedError: it is neither text nor None.
        MaskedCopyError: a text that is nothing but the mask.
    """
    if value is None or isinstance(value, SealedCell):
        return value
    if isinstance(value, Sensitive):
        return value
    if not isinstance(value, str):
        raise ClearValueRefusedError("value: a sealed column takes text, Sensitive text, or None")
    _refuse_mask(value)
    return Sensitive(value, element=element)


def text_of(value: object) -> str | None:
    """Return the clear text that is about to be sealed or tagged.

    Raises:
        ClearValueRefusedError, MaskedCopyError: as in :func:`sensitive`.
    """
    if isinstance(value, Sensitive):
        value = value.reveal_for(PURPOSE)
    if value is None:
        return None
    if not isinstance(value, str):
        raise ClearValueRefusedError("value: a sealed column takes text, Sensitive text, or None")
    _refuse_mask(value)
    return value


def _refuse_mask(text: str) -> None:
    if text == FIXED_MASK:
        raise MaskedCopyError("value: a pickled or copied model holds masks; load it again before it is saved")
