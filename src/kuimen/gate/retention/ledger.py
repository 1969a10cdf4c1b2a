"""A line of the shred ledger as bytes: canonical JSON, chained by SM3, signed with SM2. And the copy outside.

The outside copy is one file a month in a folder that no database reaches, one line a destruction, on disk before the
key goes. It is the elder of the three places: what it holds and a database lacks is carried out before anything opens.
"""

import base64
import binascii
import fcntl
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from kuimen.foundation import clock
from kuimen.gate.audit.rules import AuditSigner
from kuimen.gate.keys.shredding import ShredLine
from kuimen.gate.retention.errors import ShredLedgerAlteredError, ShredLedgerUnavailableError
from kuimen.gate.retention.rules import RetentionClass
from kuimen.kernels.ciphers import SignatureBrokenError, Sm2KeyError, sm2, sm3

KIND: Final = "kuimen.shred/1"
_START: Final = ""  # what the first line names as its predecessor
_TAIL: Final = 256 * 1024

KeyOf = Callable[[str], bytes | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a line says: whose key of which class two persons had destroyed, under which erasure."""

    institution: UUID
    person_ref: UUID
    retention_class: RetentionClass
    erasure_id: UUID
    ticket_id: UUID
    maker: str
    checker: str
    at: datetime


def next_line(order: Order, last: ShredLine | None, *, signer: AuditSigner) -> ShredLine:
    """Return the signed line that follows `last`."""
    seq = (last.seq if last else 0) + 1
    body = json.dumps(
        {
            "kind": KIND,
            "seq": seq,
            "institution": str(order.institution),
            "person": str(order.person_ref),
            "class": order.retention_class.value,
            "erasure": str(order.erasure_id),
            "ticket": str(order.ticket_id),
            "maker": order.maker,
            "checker": order.checker,
            "at": order.at.isoformat(),
            "previous": sm3(last.body).hex() if last else _START,
        },
        sort_keys=True,
        separators=(",", ":"),
    ).encode()
    return ShredLine(
        seq=seq,
        person_ref=order.person_ref,
        retention_class=order.retention_class,
        body=body,
        signature=signer.sign(body),
        key_id=signer.key_id,
        public_key=signer.public_bytes(),
    )


def order_of(line: ShredLine) -> Order:
    """Read back what a line says.

    Raises:
        ShredLedgerAlteredError: its bytes are no line, or say something else than its columns.
    """
    try:
        said: dict[str, Any] = json.loads(line.body)
        order = Order(
            institution=UUID(said["institution"]),
            person_ref=UUID(said["person"]),
            retention_class=RetentionClass(said["class"]),
            erasure_id=UUID(said["erasure"]),
            ticket_id=UUID(said["ticket"]),
            maker=str(said["maker"]),
            checker=str(said["checker"]),
            at=datetime.fromisoformat(said["at"]),
        )
        agrees = (said["kind"], said["seq"], order.person_ref, order.retention_class) == (
            KIND,
            line.seq,
            line.person_ref,
            line.retention_class,
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        agrees = False
    if not agrees:
        raise ShredLedgerAlteredError(f"line {line.seq} of the shred ledger is not what it was when it was signed")
    return order


def verify_lines(lines: list[ShredLine], *, after: ShredLine | None, key_of: KeyOf) -> None:
    """Check order, chain and signature of every line.

    Args:
        lines: consecutive lines.
        after: the line before the first one; None where the first is the first of all.
        key_of: returns the public key of a key id that this installation knows, or None.

    Raises:
        ShredLedgerAlteredError: names the first line that does not fit.
    """
    previous = after
    for line in lines:
        order_of(line)
        expected = (previous.seq + 1, sm3(previous.body).hex()) if previous else (1, _START)
        if (line.seq, json.loads(line.body)["previous"]) != expected:
            raise ShredLedgerAlteredError(f"line {line.seq} of the shred ledger does not follow the one before it")
        known = key_of(line.key_id)
        if known is None or known != line.public_key or not _is_signed(line, known):
            raise ShredLedgerAlteredError(f"line {line.seq} of the shred ledger is not signed by this installation")
        previous = line


def _is_signed(line: ShredLine, key: bytes) -> bool:
    try:
        sm2.Sm2PublicKey.from_bytes(key).verify(line.body, line.signature)
    except (SignatureBrokenError, Sm2KeyError):
        return False
    return True


class ShredSink:
    """The folder of the outside copy."""

    def __init__(self, folder: Path) -> None:
        """Use `folder`, which must exist and should be writable by Kuimen's user alone."""
        self.folder = folder

    def append(self, lines: list[ShredLine], *, follows: ShredLine | None) -> None:
        """Add lines durably behind `follows`, which must be the newest line outside.

        Raises:
            ShredLedgerUnavailableError: the folder cannot be written.
            ShredLedgerAlteredError: the newest line outside is another one.
        """
        path = self.folder / f"{clock.today():%Y-%m}.jsonl"
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
            with os.fdopen(descriptor, "ab") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                newest = self.last()
                if (newest.body if newest else b"") != (follows.body if follows else b""):
                    raise ShredLedgerAlteredError(
                        "the shred ledger outside the databases goes on from another line; replay it first"
                    )
                size = os.fstat(descriptor).st_size
                start = b"" if size == 0 or os.pread(descriptor, 1, size - 1) == b"\n" else b"\n"
                file.write(start + b"".join(map(_written, lines)))
                file.flush()
                os.fsync(descriptor)
            _sync_folder(self.folder)
        except OSError:
            raise _unavailable(self.folder) from None

    def last(self) -> ShredLine | None:
        """Return the newest whole line, or None where there is none."""
        try:
            for path in sorted(self.folder.glob("*.jsonl"), reverse=True):
                with path.open("rb") as file:
                    file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL))
                    tail = file.read().splitlines()
                for line in reversed(tail):
                    if (found := _read(line)) is not None:
                        return found
        except OSError:
            raise _unavailable(self.folder) from None
        return None

    def lines(self, *, after: int = 0) -> list[ShredLine]:
        """Return the lines behind `after`, in order; reads only the files that hold them.

        Raises:
            ShredLedgerUnavailableError: the folder cannot be read.
        """
        found: list[list[ShredLine]] = []
        try:
            for path in sorted(self.folder.glob("*.jsonl"), reverse=True):
                held = list(_lines_of(path))
                found.append([line for line in held if line.seq > after])
                if held and held[0].seq <= after + 1:
                    break
        except OSError:
            raise _unavailable(self.folder) from None
        return [line for held in reversed(found) for line in held]


def _lines_of(path: Path) -> Iterator[ShredLine]:
    """Read one file. What a crash cut is no line; a line that somebody cut is missed by the chain."""
    for raw in path.read_bytes().splitlines():
        if (line := _read(raw)) is not None:
            yield line


def _written(line: ShredLine) -> bytes:
    record = {
        "seq": line.seq,
        "body": line.body.decode("ascii"),
        "signature": base64.b64encode(line.signature).decode(),
        "key_id": line.key_id,
        "public_key": base64.b64encode(line.public_key).decode(),
    }
    return json.dumps(record, separators=(",", ":")).encode() + b"\n"


def _read(raw: bytes) -> ShredLine | None:
    try:
        record: dict[str, Any] = json.loads(raw)
        said: dict[str, Any] = json.loads(record["body"])
        return ShredLine(
            seq=int(record["seq"]),
            person_ref=UUID(said["person"]),
            retention_class=RetentionClass(said["class"]),
            body=str(record["body"]).encode("ascii"),
            signature=base64.b64decode(record["signature"], validate=True),
            key_id=str(record["key_id"]),
            public_key=base64.b64decode(record["public_key"], validate=True),
        )
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error):
        return None


def _unavailable(folder: Path) -> ShredLedgerUnavailableError:
    return ShredLedgerUnavailableError(
        f"the shred ledger in {folder.name} cannot be read or written; free the folder or repair its mode"
    )


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
