"""Write the log to a folder for the offline verifier: stored bytes as they are, checkpoints, public keys."""

import base64
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.db import connection, transaction

from kuimen.gate.audit import verifier
from kuimen.gate.audit.errors import ExportTargetError
from kuimen.gate.audit.models import Checkpoint, SigningKey
from kuimen.gate.audit.notes import to_line
from kuimen.gate.audit.sequencer import signed_note

_ROWS = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportReport:
    """What was written."""

    folder: Path
    entries: int
    checkpoints: int
    unsequenced: int


def export(folder: Path) -> ExportReport:
    """Write entries, checkpoints, public keys and the verifier itself to `folder`, from one snapshot.

    Cost: one pass over the log, constant memory.

    Raises:
        ExportTargetError: the folder exists and is not empty.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise ExportTargetError("the export folder must be empty or new")
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        entries = _write_entries(folder / "entries.jsonl")
        checkpoints = list(Checkpoint.objects.select_related("key").order_by("size"))
        with (folder / "checkpoints.jsonl").open("xb") as file:
            file.writelines(to_line(signed_note(checkpoint)) for checkpoint in checkpoints)
        with (folder / "keys.jsonl").open("xb") as file:
            for key in SigningKey.objects.order_by("key_id"):
                record = {"key_id": key.key_id, "public_key": base64.b64encode(bytes(key.public_key)).decode("ascii")}
                file.write(json.dumps(record).encode() + b"\n")
        unsequenced = _count_unsequenced()
    shutil.copyfile(verifier.__file__, folder / "verifier.py")
    return ExportReport(folder=folder, entries=entries, checkpoints=len(checkpoints), unsequenced=unsequenced)


def _write_entries(path: Path) -> int:
    count = 0
    with path.open("xb") as file:
        for seq, body, leaf in _stored():
            encoded_body = base64.b64encode(body).decode("ascii")
            encoded_leaf = base64.b64encode(leaf).decode("ascii")
            file.write(f'{{"seq":{seq},"leaf":"{encoded_leaf}","body":"{encoded_body}"}}\n'.encode("ascii"))
            count += 1
    return count


def _stored() -> Iterator[tuple[int, bytes, bytes]]:
    """Give (seq, body, leaf) in order; an entry that vanished under its number shows as an empty body."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(
            "SELECT s.seq, coalesce(e.body, ''), s.leaf FROM audit_sequenced s"
            " LEFT JOIN audit_entry e ON e.id = s.entry_id ORDER BY s.seq"
        )
        while rows := cursor.fetchmany(_ROWS):
            for seq, body, leaf in rows:
                yield seq, bytes(body), bytes(leaf)


def _count_unsequenced() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT (SELECT count(*) FROM audit_entry) - (SELECT count(*) FROM audit_sequenced)")
        (count,) = cursor.fetchone()
    return int(count)
