#!/usr/bin/env python3
"""Verify an exported audit log offline. One file, standard library only, nothing of the platform.

    python3 verifier.py EXPORT [--sink FOLDER] [--key HEX]... [--json]

EXPORT is what `kuimen audit export` wrote; FOLDER is the independent copy of the checkpoints, which the database could
not reach. Steps, in this order; the first that fails is named and nothing after it is believed:

1. Independent checkpoints: signature, ascending size.         4. Every entry: place, and leaf = SM3(0x00 || stored bytes).
2. Exported checkpoints: signature, ascending size.            5. Every checkpoint: root of the leaves up to its size.
3. Every independent checkpoint stands in the export as it is. 6. No entry is missing before the last checkpoint.

The stored bytes are hashed as they are and never serialised again. Without --sink an owner of the database who also
holds a signing key, or who cuts log and checkpoints at the same place, is not found out; the result says so.
Exit code: 0 verified, 6 tampered, 2 unreadable.
"""

import argparse
import base64
import binascii
import hashlib
import json
import struct
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

TITLE = b"kuimen audit checkpoint v1"
P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
A = P - 3
B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
G = (
    0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
    0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0,
)
Point = tuple[int, int, int]  # Jacobian; z = 0 is the point at infinity
INFINITY: Point = (1, 1, 0)


class TamperedError(Exception):
    """The log does not verify; the message names where."""


class UnreadableError(Exception):
    """The export is no export of this format."""


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """One signed statement about the log."""

    size: int
    root: bytes
    note: bytes
    signature: bytes
    key_id: str


@dataclass(frozen=True, kw_only=True)
class Result:
    """What was verified."""

    entries: int
    checkpoints: int
    independent_checkpoints: int
    covered: int
    root: str
    compared_with_independent_copy: bool


# --- SM3 (GB/T 32905): the interpreter's, else our own, slower one ---------------------------------------------------


def _sm3_slow(data: bytes) -> bytes:
    mask = 0xFFFFFFFF

    def rotate(x: int, n: int) -> int:
        n %= 32
        return ((x << n) | (x >> (32 - n))) & mask if n else x

    state = [0x7380166F, 0x4914B2B9, 0x172442D7, 0xDA8A0600, 0xA96F30BC, 0x163138AA, 0xE38DEE4D, 0xB0FB0E4E]
    padded = data + b"\x80" + bytes((55 - len(data)) % 64) + struct.pack(">Q", 8 * len(data))
    for start in range(0, len(padded), 64):
        w = list(struct.unpack_from(">16I", padded, start))
        for j in range(16, 68):
            x = w[j - 16] ^ w[j - 9] ^ rotate(w[j - 3], 15)
            w.append(x ^ rotate(x, 15) ^ rotate(x, 23) ^ rotate(w[j - 13], 7) ^ w[j - 6])
        a, b, c, d, e, f, g, h = state
        for j in range(64):
            early = j < 16  # noqa: PLR2004 - the standard's own boundary
            t = rotate(0x79CC4519 if early else 0x7A879D8A, j)
            ss1 = rotate((rotate(a, 12) + e + t) & mask, 7)
            ff = a ^ b ^ c if early else (a & b) | (a & c) | (b & c)
            gg = e ^ f ^ g if early else (e & f) | (~e & g)
            tt1 = (ff + d + (ss1 ^ rotate(a, 12)) + (w[j] ^ w[j + 4])) & mask
            tt2 = (gg + h + ss1 + w[j]) & mask
            a, b, c, d, e, f, g, h = tt1, a, rotate(b, 9), c, tt2 ^ rotate(tt2, 9) ^ rotate(tt2, 17), e, rotate(f, 19), g
        state = [x ^ y for x, y in zip(state, (a, b, c, d, e, f, g, h), strict=True)]
    return struct.pack(">8I", *state)


def _choose_sm3() -> Callable[[bytes], bytes]:
    try:
        hashlib.new("sm3")
    except ValueError:
        return _sm3_slow
    return lambda data: hashlib.new("sm3", data).digest()


sm3 = _choose_sm3()

# --- SM2 signature verification (GB/T 32918.2), ID 1234567812345678 --------------------------------------------------


def _double(point: Point) -> Point:
    x, y, z = point
    if not z or not y:
        return INFINITY
    yy = y * y % P
    s = 4 * x * yy % P
    zz = z * z % P
    m = 3 * (x - zz) * (x + zz) % P  # a = -3
    x3 = (m * m - 2 * s) % P
    return x3, (m * (s - x3) - 8 * yy * yy) % P, 2 * y * z % P


def _add(left: Point, right: Point) -> Point:
    if not left[2]:
        return right
    if not right[2]:
        return left
    (x1, y1, z1), (x2, y2, z2) = left, right
    zz1, zz2 = z1 * z1 % P, z2 * z2 % P
    u1, u2 = x1 * zz2 % P, x2 * zz1 % P
    s1, s2 = y1 * zz2 * z2 % P, y2 * zz1 * z1 % P
    h, r = (u2 - u1) % P, (s2 - s1) % P
    if not h:
        return INFINITY if r else _double(left)
    hh = h * h % P
    v, hhh = u1 * hh % P, h * hh % P
    x3 = (r * r - hhh - 2 * v) % P
    return x3, (r * (v - x3) - s1 * hhh) % P, h * z1 * z2 % P


class FixedPoint:
    """Multiples of one point by table: eight bits of the scalar at a time, no doubling."""

    def __init__(self, x: int, y: int) -> None:
        self.rows: list[list[Point]] = []
        base: Point = (x, y, 1)
        for _ in range(32):
            row = [INFINITY]
            for _ in range(255):
                row.append(_add(row[-1], base))
            self.rows.append(row)
            base = _add(row[-1], base)

    def times(self, scalar: int) -> Point:
        """Return scalar · point for 0 ≤ scalar < 2^256."""
        total = INFINITY
        for row in self.rows:
            total = _add(total, row[scalar & 0xFF])
            scalar >>= 8
        return total


class PublicKey:
    """An SM2 key that checks signatures."""

    generator: FixedPoint | None = None

    def __init__(self, encoded: bytes) -> None:
        x, y = int.from_bytes(encoded[1:33], "big"), int.from_bytes(encoded[33:], "big")
        if len(encoded) != 65 or encoded[0] != 4 or x >= P or (y * y - x * x * x - A * x - B) % P:  # noqa: PLR2004 - 04‖x‖y
            raise UnreadableError("a public key is not a point of the curve sm2p256v1")
        identity = b"1234567812345678"
        numbers = b"".join(value.to_bytes(32, "big") for value in (A, B, *G, x, y))
        self.prefix = sm3(struct.pack(">H", 8 * len(identity)) + identity + numbers)
        self.point = FixedPoint(x, y)

    def verify(self, message: bytes, signature: bytes) -> bool:
        """Tell whether the DER `signature` over `message` is this key's."""
        r, s = _parse_der(signature)
        t = (r + s) % N
        if not (0 < r < N and 0 < s < N and t):
            return False
        PublicKey.generator = PublicKey.generator or FixedPoint(*G)
        x, _, z = _add(PublicKey.generator.times(s), self.point.times(t))
        if not z:
            return False
        e = int.from_bytes(sm3(self.prefix + message), "big")
        return (e + x * pow(z, -2, P) % P) % N == r


def _parse_der(signature: bytes) -> tuple[int, int]:
    numbers, offset = [], 2
    if signature[:1] != b"\x30" or len(signature) != 2 + signature[1]:
        return 0, 0
    for _ in range(2):
        length = signature[offset + 1] if signature[offset : offset + 1] == b"\x02" else len(signature)
        numbers.append(int.from_bytes(signature[offset + 2 : offset + 2 + length], "big"))
        offset += 2 + length
    return (numbers[0], numbers[1]) if offset == len(signature) else (0, 0)


# --- reading ---------------------------------------------------------------------------------------------------------


def _lines(path: Path) -> Iterator[dict[str, object]]:
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                try:
                    yield json.loads(line)
                except ValueError:
                    raise UnreadableError(f"{path.name}, line {number} is not JSON") from None
    except FileNotFoundError:
        raise UnreadableError(f"{path.name} is missing") from None


def _bytes(record: Mapping[str, object], name: str) -> bytes:
    try:
        return base64.b64decode(str(record[name]), validate=True)
    except (KeyError, binascii.Error):
        raise UnreadableError(f"field {name} is missing or not base64") from None


def _checkpoint(record: Mapping[str, object]) -> Checkpoint:
    note = _bytes(record, "note")
    try:
        title, _institution, size, root, _time, key_id = note.decode("ascii").split("\n")
        if title.encode() != TITLE:
            raise ValueError  # noqa: TRY301 - one way out for every malformed note
        return Checkpoint(
            size=int(size), root=bytes.fromhex(root), note=note, signature=_bytes(record, "signature"), key_id=key_id
        )
    except ValueError:
        raise TamperedError("a checkpoint's note is not of this format") from None


def _verified(records: Iterator[dict[str, object]], keys: Mapping[str, PublicKey], whose: str) -> list[Checkpoint]:
    checkpoints: list[Checkpoint] = []
    for record in records:
        checkpoint = _checkpoint(record)
        before = checkpoints[-1].size if checkpoints else 0
        if checkpoint.size <= before:
            raise TamperedError(f"{whose} checkpoint of size {checkpoint.size} follows one of size {before}")
        if checkpoint.key_id not in keys:
            raise TamperedError(f"{whose} checkpoint of size {checkpoint.size} is signed by an unknown key")
        if not keys[checkpoint.key_id].verify(checkpoint.note, checkpoint.signature):
            raise TamperedError(f"{whose} checkpoint of size {checkpoint.size} has a wrong signature")
        checkpoints.append(checkpoint)
    return checkpoints


def _keys(export: Path, sink: Path | None, pinned: tuple[bytes, ...]) -> dict[str, PublicKey]:
    """Trust the pinned keys, else those of the independent copy, else those of the export."""
    found: dict[str, bytes] = {}
    for record in _sink_lines(sink) if sink else _lines(export / "keys.jsonl"):
        found.setdefault(str(record.get("key_id")), _bytes(record, "public_key"))
    return {name: PublicKey(key) for name, key in found.items() if not pinned or key in pinned}


def _sink_lines(sink: Path) -> Iterator[dict[str, object]]:
    for path in sorted(sink.glob("*.jsonl")):
        yield from _lines(path)


# --- the procedure ---------------------------------------------------------------------------------------------------


def verify(export: Path, *, sink: Path | None = None, pinned: tuple[bytes, ...] = ()) -> Result:
    """Run the six steps of the module's docstring; raise TamperedError at the first that fails."""
    keys = _keys(export, sink, pinned)
    independent = _verified(_sink_lines(sink), keys, "independent") if sink else []
    stated = _verified(_lines(export / "checkpoints.jsonl"), keys, "exported")
    by_size = {checkpoint.size: checkpoint for checkpoint in stated}
    for checkpoint in independent:
        if checkpoint.size in by_size and by_size[checkpoint.size].root != checkpoint.root:
            raise TamperedError(f"forked: two signed checkpoints of size {checkpoint.size} have different roots")
        by_size.setdefault(checkpoint.size, checkpoint)
    peaks: list[tuple[int, bytes]] = []  # (level, root) of the full subtrees, left to right
    count = covered = 0
    for record in _lines(export / "entries.jsonl"):
        if record.get("seq") != count:
            raise TamperedError(f"entry {count} is missing or out of its place")
        leaf = sm3(b"\x00" + _bytes(record, "body"))
        if leaf != _bytes(record, "leaf"):
            raise TamperedError(f"entry {count} was altered")
        level = 0
        while peaks and peaks[-1][0] == level:
            leaf = sm3(b"\x01" + peaks.pop()[1] + leaf)
            level += 1
        peaks.append((level, leaf))
        count += 1
        if count in by_size:
            if _root(peaks) != by_size[count].root:
                raise TamperedError(f"entries {covered} to {count - 1} are not those that were signed: the tree was rewritten")
            covered = count
    last = max(by_size, default=0)
    if count < last:
        raise TamperedError(f"entries {count} to {last - 1} are missing: a checkpoint of size {last} was signed")
    unexported = [checkpoint.size for checkpoint in independent if checkpoint.size not in {c.size for c in stated}]
    if unexported:
        raise TamperedError(f"the independent checkpoint of size {unexported[0]} was removed from the log")
    return Result(
        entries=count, checkpoints=len(stated), independent_checkpoints=len(independent), covered=covered,
        root=by_size[last].root.hex() if last else "", compared_with_independent_copy=sink is not None,
    )  # fmt: skip


def _root(peaks: list[tuple[int, bytes]]) -> bytes:
    total = peaks[-1][1]
    for _, peak in reversed(peaks[:-1]):
        total = sm3(b"\x01" + peak + total)
    return total


def main(arguments: list[str] | None = None) -> int:
    """Verify and print; the exit code tells the outcome."""
    parser = argparse.ArgumentParser(description="Verify an exported Kuimen audit log offline.")
    parser.add_argument("export", type=Path)
    parser.add_argument("--sink", type=Path, help="independent copy of the checkpoints")
    parser.add_argument("--key", type=bytes.fromhex, action="append", default=[], help="trust only this public key, 04||x||y in hex")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    chosen = parser.parse_args(arguments)
    try:
        outcome: dict[str, object] = {"verified": True, **asdict(verify(chosen.export, sink=chosen.sink, pinned=tuple(chosen.key)))}
        code = 0
    except TamperedError as found:
        outcome, code = {"verified": False, "finding": str(found)}, 6
    except UnreadableError as found:
        outcome, code = {"verified": False, "finding": str(found)}, 2
    text = json.dumps(outcome) if chosen.json else "\n".join(f"{name}: {value}" for name, value in outcome.items())
    sys.stdout.write(text + "\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
