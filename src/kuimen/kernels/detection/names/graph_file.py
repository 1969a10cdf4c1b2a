"""Takes the tables of weights out of an ONNX file by their names, without the runtime that reads such files.

An ONNX file is one message in the wire format of protocol buffers; what is needed of it are field 7 (the graph), in it
field 5 (tables), in those 1 (dimensions), 8 (name) and 9 (numbers). The file is the examined one (`weights.DIGESTS`),
so nothing here has to expect another.
"""

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

_GRAPH, _TABLE = 7, 5
_DIMENSIONS, _NAME, _NUMBERS = 1, 8, 9
_VARINT, _WIDE, _BYTES, _NARROW = 0, 1, 2, 5
_MORE = 0x80


def tables_of(content: bytes) -> Mapping[str, NDArray[np.float32]]:
    """Return the tables of 32-bit numbers by name."""
    tables: dict[str, NDArray[np.float32]] = {}
    for field, graph in _fields(memoryview(content)):
        if field != _GRAPH or isinstance(graph, int):
            continue
        for inner, table in _fields(graph):
            if inner == _TABLE and not isinstance(table, int):
                name, shape, numbers = _table(table)
                if len(numbers) == 4 * int(np.prod(shape)):
                    tables[name] = np.frombuffer(numbers, dtype="<f4").reshape(shape)
    return tables


def _table(message: memoryview) -> tuple[str, list[int], memoryview]:
    name, shape, numbers = "", list[int](), memoryview(b"")
    for field, value in _fields(message):
        if field == _DIMENSIONS:
            shape += [value] if isinstance(value, int) else _varints(value)
        elif field == _NAME and not isinstance(value, int):
            name = bytes(value).decode("utf-8")
        elif field == _NUMBERS and not isinstance(value, int):
            numbers = value
    return name, shape, numbers


def _fields(message: memoryview) -> Iterator[tuple[int, memoryview | int]]:
    place = 0
    while place < len(message):
        key, place = _varint(message, place)
        kind = key & 7
        if kind == _VARINT:
            value, place = _varint(message, place)
            yield key >> 3, value
            continue
        width = {_WIDE: 8, _NARROW: 4}.get(kind)
        if width is None:
            width, place = _varint(message, place)
        yield key >> 3, message[place : place + width]
        place += width


def _varint(message: memoryview, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[place]
        place += 1
        value |= (byte & (_MORE - 1)) << shift
        if byte < _MORE:
            return value, place
        shift += 7


def _varints(message: memoryview) -> list[int]:
    values, place = [], 0
    while place < len(message):
        value, place = _varint(message, place)
        values.append(value)
    return values
