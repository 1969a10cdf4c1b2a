INTERFACE: int
COMPILER: str

def scanner_new(tables: dict[str, object], read_label: object, /) -> object: ...
def scanner_scan(scanner: object, block: bytes, least: int, letters: bool, /) -> bytes: ...  # noqa: FBT001
def scanner_settle(
    scanner: object, block: bytes, rows: bytes, least: int, companions: bytes, checked: bytes, precedence: bytes, /
) -> bytes: ...
