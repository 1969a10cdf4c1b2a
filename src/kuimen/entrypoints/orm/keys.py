"""The keys of this process: declared models name columns, never keys."""

from kuimen.entrypoints.orm.errors import ColumnKeysMissingError
from kuimen.kernels.sealed_columns import ColumnKeySource, ColumnPlace, SealedColumn

_held: list[ColumnKeySource] = []


def use_keys(source: ColumnKeySource | None) -> None:
    """Give the process its keys, before the first sealed value is read or written; None takes them away.

    Args:
        source: :class:`~kuimen.entrypoints.orm.ApplicationKeys` of explicit masters in tests, of
            :func:`~kuimen.entrypoints.orm.keys_from_file` in production, or a key service of one's own.
    """
    _held[:] = [] if source is None else [source]


def sealed_column(place: ColumnPlace) -> SealedColumn:
    """Return a column ready to seal and open.

    Raises:
        ColumnKeysMissingError: nobody has called :func:`use_keys`.
    """
    if not _held:
        raise ColumnKeysMissingError("keys: call kuimen.entrypoints.orm.use_keys when the process starts")
    return SealedColumn(place, keys=_held[0])
