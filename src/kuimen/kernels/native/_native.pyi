from typing import TypeAlias

from typing_extensions import Buffer

INTERFACE: int
COMPILER: str

# Validity, offsets, data, first row, rows, whether offsets have 64 bits.
_Column: TypeAlias = tuple[Buffer | None, Buffer, Buffer | None, int, int, bool]

def measure(column: _Column, less: int, /) -> tuple[int, int, int]: ...
def cipher_paths() -> list[tuple[str, str]]: ...
def seal(
    path: str,
    suite: int,
    key: bytes,
    head: bytes,
    values: _Column,
    row_aad: _Column | None,
    row_keys: _Column | None,
    key_ids: Buffer | None,
    out_offsets: Buffer,
    out: Buffer,
    validity: Buffer | None,
    threads: int,
    /,
) -> tuple[int, int]: ...
def open(  # noqa: A001
    path: str,
    suite: int,
    key: bytes,
    head: bytes,
    values: _Column,
    row_aad: _Column | None,
    row_keys: _Column | None,
    key_ids: None,
    out_offsets: Buffer,
    out: Buffer,
    validity: Buffer,
    threads: int,
    /,
) -> tuple[bytes, bool]: ...
def mask(element: str, values: _Column, out_offsets: Buffer, out: Buffer, left: Buffer, /) -> tuple[int, int]: ...
def mask_elements() -> list[str]: ...
def hmac_sm3(key_block: bytes, values: _Column, out: Buffer, width: int, /) -> None: ...
def hmac_sm3_ready() -> bool: ...
def scanner_new(tables: dict[str, object], read_label: object, /) -> object: ...
def scanner_scan(scanner: object, block: bytes, least: int, letters: bool, /) -> bytes: ...
def scanner_settle(
    scanner: object, block: bytes, rows: bytes, least: int, companions: bytes, checked: bytes, precedence: bytes, /
) -> bytes: ...
def folder_new(fold_letter: object, /) -> object: ...
def folder_fold(folder: object, block: bytes, /) -> tuple[bytes, bytes | None]: ...
def folder_unfold(block: bytes, folded: bytes, rows: bytes, shifts: bytes, /) -> bytes: ...
def literals_new(literals: list[bytes], /) -> object: ...
def literals_lines(literals: object, block: bytes, /) -> list[int]: ...
def tagger_new(
    projected: Buffer,
    recurrent: Buffer,
    recurrent_bias: Buffer,
    second: Buffer,
    second_bias: Buffer,
    last: Buffer,
    last_bias: Buffer,
    transitions: Buffer,
    portable: bool,
    /,
) -> object: ...
def tagger_tag(tagger: object, numbers: Buffer, lengths: Buffer, hopeless: float, /) -> tuple[bytes, bytes]: ...
