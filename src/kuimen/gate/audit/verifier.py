#!/usr/bin/env python3
"""Verify an exported audit log offline. One file, standard library only, nothing of the platform.

    python3 verifier.py EXPORT [--sink FOLDER] [--key HEX]... [--json]

EXPORT is what `kuimen audit export` wrote; FOLDER is the independent copy of the checkpoints, which the database could
not reach. Steps, in this order; the first that fails is named and nothing after it is believed:

1. Independent checkpoints: signature, ascending size.         4. Every entry: place, and leaf = SM3(0x00 || stored bytes).
2. Exported checkpoints: signature, ascending size.            5. Every checkpoint: root of the leaves up to its size.
3. No size was signed with two different roots.                6. Nothing that was signed is missing.

The stored bytes are hashed as they are and never serialised again. Without --sink an owner of the database who also
holds a signing key, or cuts log and checkpoints at one place, is not found out. Exit: 0 verified, 6 tampered, 2 unreadable.
"""  # noqa: E501 - the two columns of steps

import argparse
import base64
import hashlib
import json
import struct
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

NATIVE_SM3 = hashlib.new("sm3") if "sm3" in hashlib.algorithms_available else None
TITLE = "kuimen audit checkpoint v1"
P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
A = P - 3
B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
GX = 0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7
GY = 0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0
Point = tuple[int, int, int]  # Jacobian; z = 0 is the point at infinity
INFINITY: Point = (1, 1, 0)


class Finding(Exception):  # noqa: N818 - it is what the verifier found, not its own failure
    """What does not verify; the message names where."""

    def __init__(self, message: str, *, code: int = 6) -> None:
        super().__init__(message)
        self.code = code


# --- SM3 (GB/T 32905): the interpreter's, else our own, slower one ---------------------------------------------------


def _rotate(x: int, n: int) -> int:
    return (x << n % 32 | x >> 32 - n % 32) & 0xFFFFFFFF


def slow_sm3(data: bytes) -> bytes:
    """Hash without the help of OpenSSL, about a thousand times slower."""
    state = [0x7380166F, 0x4914B2B9, 0x172442D7, 0xDA8A0600, 0xA96F30BC, 0x163138AA, 0xE38DEE4D, 0xB0FB0E4E]
    padded = data + b"\x80" + bytes((55 - len(data)) % 64) + struct.pack(">Q", 8 * len(data))
    for start in range(0, len(padded), 64):
        w = list(struct.unpack_from(">16I", padded, start))
        for j in range(16, 68):
            x = w[j - 16] ^ w[j - 9] ^ _rotate(w[j - 3], 15)
            w.append(x ^ _rotate(x, 15) ^ _rotate(x, 23) ^ _rotate(w[j - 13], 7) ^ w[j - 6])
        a, b, c, d, e, f, g, h = state
        for j in range(64):
            early = j < 16  # noqa: PLR2004 - the standard's own boundary
            ss1 = _rotate((_rotate(a, 12) + e + _rotate(0x79CC4519 if early else 0x7A879D8A, j)) & 0xFFFFFFFF, 7)
            ff = a ^ b ^ c if early else a & b | a & c | b & c
            gg = e ^ f ^ g if early else e & f | ~e & g
            tt1 = (ff + d + (ss1 ^ _rotate(a, 12)) + (w[j] ^ w[j + 4])) & 0xFFFFFFFF
            tt2 = (gg + h + ss1 + w[j]) & 0xFFFFFFFF
            h, g, f, e = g, _rotate(f, 19), e, tt2 ^ _rotate(tt2, 9) ^ _rotate(tt2, 17)
            d, c, b, a = c, _rotate(b, 9), a, tt1
        state = [x ^ y for x, y in zip(state, (a, b, c, d, e, f, g, h), strict=True)]
    return struct.pack(">8I", *state)


def sm3(data: bytes) -> bytes:
    """Hash with the interpreter's OpenSSL where it can."""
    if NATIVE_SM3 is None:
        return slow_sm3(data)
    state = NATIVE_SM3.copy()  # half the cost of a new one
    state.update(data)
    return state.digest()


# --- SM2 signature verification (GB/T 32918.2), ID 1234567812345678 --------------------------------------------------


def _double(point: Point) -> Point:
    x, y, z = point
    yy, zz = y * y % P, z * z % P
    s, m = 4 * x * yy % P, 3 * (x - zz) * (x + zz) % P  # a = -3
    x3 = (m * m - 2 * s) % P
    return x3, (m * (s - x3) - 8 * yy * yy) % P, 2 * y * z % P


def _add(left: Point, right: Point) -> Point:
    if not left[2] or not right[2]:
        return right if not left[2] else left
    (x1, y1, z1), (x2, y2, z2) = left, right
    zz1, zz2 = z1 * z1 % P, z2 * z2 % P
    u1, s1 = x1 * zz2 % P, y1 * zz2 * z2 % P
    h, r = (x2 * zz1 - u1) % P, (y2 * zz1 * z1 - s1) % P
    if not h:
        return INFINITY if r else _double(left)
    v, hhh = u1 * h * h % P, h * h * h % P
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
        for row, digit in zip(self.rows, scalar.to_bytes(32, "little"), strict=True):
            total = _add(total, row[digit])
        return total


class PublicKey:
    """An SM2 key that checks signatures."""

    generator: FixedPoint | None = None

    def __init__(self, encoded: bytes) -> None:
        x, y = int.from_bytes(encoded[1:33], "big"), int.from_bytes(encoded[33:], "big")
        if len(encoded) != 65 or encoded[0] != 4 or max(x, y) >= P or (y * y - x * x * x - A * x - B) % P:  # noqa: PLR2004
            raise Finding("a public key is not a point 04||x||y of the curve sm2p256v1", code=2)
        identity = b"1234567812345678"
        numbers = b"".join(value.to_bytes(32, "big") for value in (A, B, GX, GY, x, y))
        self.prefix = sm3(struct.pack(">H", 8 * len(identity)) + identity + numbers)
        self.point = FixedPoint(x, y)

    def verify(self, message: bytes, signature: bytes) -> bool:
        """Tell whether the DER `signature` over `message` is this key's."""
        r, s = parse_der(signature)
        t = (r + s) % N
        if not (0 < r < N and 0 < s < N and t):
            return False
        PublicKey.generator = PublicKey.generator or FixedPoint(GX, GY)
        x, _, z = _add(PublicKey.generator.times(s), self.point.times(t))
        e = int.from_bytes(sm3(self.prefix + message), "big")
        return bool(z) and (e + x * pow(z, -2, P) % P) % N == r


def parse_der(signature: bytes) -> tuple[int, int]:
    """Return r and s of a DER sequence of two integers; zeros where it is none."""
    body, numbers = signature[2:], []
    while body[:1] == b"\x02" and len(body) > 1:
        numbers.append(int.from_bytes(body[2 : 2 + body[1]], "big"))
        body = body[2 + body[1] :]
    whole = signature[:2] == bytes([0x30, len(signature) - 2 & 0x7F]) and not body and len(numbers) == 2  # noqa: PLR2004
    return (numbers[0], numbers[1]) if whole else (0, 0)


def read(paths: Iterable[Path]) -> Iterator[dict[str, object]]:
    """Give the records of JSON-lines files; a line that a crash cut is skipped where others follow it."""
    for path in paths:
        cut = 0
        try:
            with path.open("rb") as file:
                for number, line in enumerate(file, 1):
                    try:
                        record, cut = json.loads(line), 0
                    except ValueError:
                        record = None
                    if isinstance(record, dict):
                        yield record
                    else:
                        cut = number
        except OSError:
            raise Finding(f"{path.name} cannot be read", code=2) from None
        if cut:
            raise Finding(f"{path.name} ends with a line that is cut, line {cut}")


def decode(record: Mapping[str, object], name: str) -> bytes:
    """Return a base64 field."""
    try:
        return base64.b64decode(str(record[name]), validate=True)
    except (KeyError, ValueError):
        raise Finding(f"field {name} is missing or not base64", code=2) from None


def checkpoints(records: Iterable[dict[str, object]], keys: Mapping[str, PublicKey], whose: str) -> dict[int, bytes]:
    """Verify checkpoints in ascending order of size and return the root of each size."""
    roots: dict[int, bytes] = {}
    for record in records:
        note, last = decode(record, "note"), next(reversed(roots), 0)
        try:
            title, _institution, size_text, root, _time, key_id = note.decode("ascii").split("\n")
            size, digest = int(size_text), bytes.fromhex(root)
        except ValueError:
            raise Finding(f"a note among the {whose} checkpoints is not of this format") from None
        if title != TITLE or size <= last:
            raise Finding(f"the {whose} checkpoint of size {size} is out of its place")
        if key_id not in keys or not keys[key_id].verify(note, decode(record, "signature")):
            raise Finding(f"the {whose} checkpoint of size {size} is not signed by a key that is trusted")
        roots[size] = digest
    return roots


# --- the procedure ---------------------------------------------------------------------------------------------------


def verify(export: Path, *, sink: Path | None = None, pinned: Iterable[bytes] = ()) -> dict[str, object]:
    """Run the six steps of the module's docstring; raise Finding at the first that fails.

    Trusted are the pinned keys, else those of the independent copy, else those of the export.
    """
    outside = sorted(sink.glob("*.jsonl")) if sink else []
    named = {str(line.get("key_id")): decode(line, "public_key") for line in read(outside or [export / "keys.jsonl"])}
    trusted = set(pinned) or set(named.values())
    keys = {name: PublicKey(key) for name, key in named.items() if key in trusted}
    independent = checkpoints(read(outside), keys, "independent")
    exported = checkpoints(read([export / "checkpoints.jsonl"]), keys, "exported")
    forked = [size for size in independent if exported.get(size, independent[size]) != independent[size]]
    if forked:
        raise Finding(f"forked: size {forked[0]} was signed with two different roots")
    signed = independent | exported
    count, covered = verify_entries(read([export / "entries.jsonl"]), signed)
    last = max(signed, default=0)
    if count < last:
        raise Finding(f"entries {count} to {last - 1} are missing: a checkpoint of size {last} was signed")
    if removed := independent.keys() - exported.keys():
        raise Finding(f"the checkpoint of size {min(removed)} was removed from the log")
    return {
        "entries": count,
        "covered": covered,  # the rest waits for a checkpoint
        "checkpoints": len(exported),
        "independent_checkpoints": len(independent),
        "compared_with_independent_copy": sink is not None,
        "root": signed[last].hex() if last else "",
    }


def verify_entries(records: Iterable[dict[str, object]], signed: Mapping[int, bytes]) -> tuple[int, int]:
    """Hash every entry, compare every signed root, and return how many there are and how many are signed."""
    peaks: list[tuple[int, bytes]] = []  # level and root of the full subtrees, left to right
    count = covered = 0
    for record in records:
        if record.get("seq") != count:
            raise Finding(f"entry {count} is missing or out of its place")
        node, level = sm3(b"\x00" + decode(record, "body")), 0
        if node != decode(record, "leaf"):
            raise Finding(f"entry {count} was altered")
        while peaks and peaks[-1][0] == level:
            node, level = sm3(b"\x01" + peaks.pop()[1] + node), level + 1
        peaks.append((level, node))
        count += 1
        if count in signed:
            if tree_root(peaks) != signed[count]:
                raise Finding(
                    f"entries {covered} to {count - 1} are not those that were signed: the tree was rewritten"
                )
            covered = count
    return count, covered


def tree_root(peaks: list[tuple[int, bytes]]) -> bytes:
    """Join the full subtrees, the smallest first."""
    total = peaks[-1][1]
    for _, peak in reversed(peaks[:-1]):
        total = sm3(b"\x01" + peak + total)
    return total


def main(arguments: list[str] | None = None) -> int:
    """Verify and print; the exit code tells the outcome."""
    parser = argparse.ArgumentParser(description="Verify an exported Kuimen audit log offline.")
    parser.add_argument("export", type=Path)
    parser.add_argument("--sink", type=Path, help="independent copy of the checkpoints")
    parser.add_argument("--key", type=bytes.fromhex, action="append", default=[], help="trust only this key, 04||x||y")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    chosen, code = parser.parse_args(arguments), 0
    try:
        outcome = {"verified": True, **verify(chosen.export, sink=chosen.sink, pinned=chosen.key)}
    except Finding as found:
        outcome, code = {"verified": False, "finding": str(found)}, found.code
    sys.stdout.write(
        (json.dumps(outcome) if chosen.json else "\n".join(f"{k}: {v}" for k, v in outcome.items())) + "\n"
    )
    return code


if __name__ == "__main__":
    sys.exit(main())
