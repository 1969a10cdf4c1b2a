"""Where clear data comes in: databases and folders, read without blocking anyone. No Django.

>>> from kuimen.sources import open_source
"""

from kuimen.sources.opening import open_source
from kuimen.sources.relations import ColumnInfo, ForeignKey, RelationInfo, RelationKind, Sample, Source, UniqueKey

__all__ = [
    "ColumnInfo",
    "ForeignKey",
    "RelationInfo",
    "RelationKind",
    "Sample",
    "Source",
    "UniqueKey",
    "open_source",
]
