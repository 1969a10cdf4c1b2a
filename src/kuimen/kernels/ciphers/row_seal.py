"""The seal of a row: one keyed tag over every sealed field of it, so that no field can be put back by itself.

Each field gives a tag of its record and its sealed bytes; the row's seal is a tag over these, the row's key and a
revision that grows with every write. Whoever lacks the key can neither mend a seal nor make one for another revision.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import pyarrow as pa

from kuimen.kernels.ciphers.errors import ContextFieldError
from kuimen.kernels.ciphers.index import blind_index

ROW_SEAL_BYTES = 16
FIELD_LABEL = b"kuimen/field/1"
ROW_LABEL = b"kuimen/row/1"
_INSTITUTION_BYTES = 16
_ROW_KEY_BYTES = 32
_MOST = 2**32 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class RowContent:
    """What a row seal covers.

    Attributes:
        row_key: 32 bytes that name the row.
        revision: how often the row was written, 1 to 2^32 - 1.
        fields: vault record and sealed bytes of every field, in any order.
    """

    row_key: bytes
    revision: int
    fields: Sequence[tuple[UUID, bytes]]


def row_seals(rows: Sequence[RowContent], key: bytes, *, institution: bytes) -> list[bytes]:
    """Return the 16-byte seal of each row. Cost: about 1 µs a field and 1 µs a row.

    Args:
        rows: what to seal.
        key: 16 bytes or more, of no other use.
        institution: identifier of the institution, 16 bytes.

    Raises:
        ContextFieldError: an identifier has another length, or a revision or a count does not fit four bytes.
        KeyLengthError: the key is too short.
    """
    if not rows:
        return []
    if len(institution) != _INSTITUTION_BYTES:
        raise ContextFieldError("institution: an identifier of 16 bytes is needed")
    ordered = [sorted(row.fields, key=lambda field: field[0].int) for row in rows]
    tags = iter(_tags([FIELD_LABEL + record.bytes + sealed for fields in ordered for record, sealed in fields], key))
    messages = []
    for row, fields in zip(rows, ordered, strict=True):
        if len(row.row_key) != _ROW_KEY_BYTES or not 0 < row.revision <= _MOST:
            raise ContextFieldError("row: a key of 32 bytes and a revision of 1 to 4294967295 are needed")
        head = ROW_LABEL + institution + row.row_key + row.revision.to_bytes(4, "big")
        messages.append(head + len(fields).to_bytes(4, "big") + b"".join(next(tags) for _ in fields))
    return [tag[:ROW_SEAL_BYTES] for tag in _tags(messages, key)]


def _tags(messages: Sequence[bytes], key: bytes) -> list[bytes]:
    column = pa.array(messages, type=pa.large_binary())
    tags: list[bytes] = blind_index(column, key, bits=256).to_pylist()
    return tags
