"""The text that a checkpoint signs, and the line by which it leaves the database."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

TITLE = "kuimen audit checkpoint v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedNote:
    """A checkpoint outside the database: what was signed, by which key, and the signature."""

    size: int
    note: bytes
    signature: bytes
    key_id: str
    public_key: bytes


def checkpoint_note(*, institution: UUID, size: int, root: bytes, at: datetime, key_id: str) -> bytes:
    """Return the six lines that are signed; they are stored and exported as they are."""
    return "\n".join([TITLE, str(institution), str(size), root.hex(), at.isoformat(), key_id]).encode("ascii")


def to_line(signed: SignedNote) -> bytes:
    """Return one JSON line, newline included."""
    record = {
        "size": signed.size,
        "key_id": signed.key_id,
        "note": _encoded(signed.note),
        "signature": _encoded(signed.signature),
        "public_key": _encoded(signed.public_key),
    }
    return json.dumps(record, separators=(",", ":")).encode() + b"\n"


def from_line(line: bytes) -> SignedNote:
    """Read one line back.

    Raises:
        ValueError: the line is cut or altered; a KeyError or a decoding error is one too.
    """
    try:
        record: Mapping[str, object] = json.loads(line)
        return SignedNote(
            size=int(str(record["size"])),
            key_id=str(record["key_id"]),
            note=base64.b64decode(str(record["note"]), validate=True),
            signature=base64.b64decode(str(record["signature"]), validate=True),
            public_key=base64.b64decode(str(record["public_key"]), validate=True),
        )
    except (KeyError, TypeError) as defect:
        raise ValueError("the line is no checkpoint") from defect


def _encoded(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")
