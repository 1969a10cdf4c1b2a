"""The offline verifier on a log of a million entries, as an auditor runs it: a process of its own, one folder."""

import base64
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

from benchmarks.measurement import Measurement, seconds_of
from benchmarks.run import Run
from kuimen.foundation import clock
from kuimen.gate.audit import notes, rules, verifier
from kuimen.kernels.ciphers import sm2, sm3
from kuimen.kernels.merkle import Frontier, leaf_hash

INSTITUTION = UUID("99000000-0000-4000-8000-000000000002")
PER_CHECKPOINT = 1_000
NODE_BYTES = 65


class Signer:
    """An SM2 key that signs checkpoints."""

    def __init__(self) -> None:
        self._key = sm2.generate_keypair()
        self.key_id = "audit-bench-" + self._key.public_bytes()[1:9].hex()

    def note(self, tree: Frontier) -> notes.SignedNote:
        text = notes.checkpoint_note(
            institution=INSTITUTION, size=tree.size, root=tree.root(), at=clock.now(), key_id=self.key_id
        )
        return notes.SignedNote(
            size=tree.size,
            note=text,
            signature=self._key.sign(text),
            key_id=self.key_id,
            public_key=self._key.public_bytes(),
        )


def measure(run: Run) -> list[Measurement]:
    count = run.sized(1_000_000, 50_000)
    folder = Path(tempfile.mkdtemp(prefix="kuimen-bench-log-"))
    try:
        size = write_export(folder, count)
        taken = seconds_of(lambda: verify(folder, count))
    finally:
        shutil.rmtree(folder)
    bodies = [entry_body(number) for number in range(min(count, 100_000))]
    hashing = seconds_of(lambda: hash_bare(bodies)) * count / len(bodies)
    what = f"verify {count:,} entries, {size / 1e9:.2f} GB, {count // PER_CHECKPOINT:,} signed checkpoints"
    limit = "SM3 of the same leaves and nodes alone"
    return [
        Measurement(what=what, value=taken, unit="s", limit=limit, limit_value=hashing),
        Measurement(what="entries verified", value=count / taken, limit=limit, limit_value=count / hashing),
    ]


def write_export(folder: Path, count: int) -> int:
    """Write what `kuimen audit export` writes for a log of `count` entries; return the size of the entries in bytes."""
    signer, tree, signed = Signer(), Frontier(), []
    with (folder / "entries.jsonl").open("wb") as file:
        for first in range(0, count, PER_CHECKPOINT):
            bodies = [entry_body(number) for number in range(first, first + PER_CHECKPOINT)]
            leaves = [leaf_hash(body) for body in bodies]
            file.writelines(map(entry_line, range(first, first + PER_CHECKPOINT), bodies, leaves))
            tree.append_many(leaves)
            signed.append(signer.note(tree))
        size = file.tell()
    (folder / "checkpoints.jsonl").write_bytes(b"".join(map(notes.to_line, signed)))
    key = {"key_id": signer.key_id, "public_key": base64.b64encode(signed[0].public_key).decode()}
    (folder / "keys.jsonl").write_text(json.dumps(key) + "\n", encoding="ascii")
    shutil.copyfile(verifier.__file__, folder / "verifier.py")
    return size


def entry_line(seq: int, body: bytes, leaf: bytes) -> bytes:
    return b'{"seq":%d,"leaf":"%s","body":"%s"}\n' % (seq, base64.b64encode(leaf), base64.b64encode(body))


def _model_entry() -> tuple[bytes, bytes]:
    """The stored bytes of a masked case page, cut at the entry's own reference."""
    own = UUID(int=0)
    view = UUID("99000000-0000-4000-8000-000000000003")
    body = rules.canonical_bytes(
        rules.EntryFacts(
            entry_id=own,
            occurred_at=clock.now(),
            actor=rules.Actor(kind="staff", ref="C0001", label="员工C0001"),
            action="disclosure.view_masked",
            outcome=rules.Outcome.DONE,
            purpose="collection",
            object_type="case",
            object_ref=str(view),
            view_id=view,
            facts={
                "kind": "page",
                "elements": ["address", "bank_card", "email", "mobile", "person_name", "resident_id"],
                "rows": 1,
                "customers": [str(view)],
                "withheld": 0,
            },
        )
    )
    before, _, after = body.partition(str(own).encode())
    return before, after


BEFORE, AFTER = _model_entry()


def entry_body(number: int) -> bytes:
    return b"%s%08x-0000-4000-8000-%012x%s" % (BEFORE, number, number, AFTER)


def verify(folder: Path, count: int) -> None:
    """Run the verifier that lies in the export, isolated from everything installed."""
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-I", folder / "verifier.py", folder, "--json"], stdout=subprocess.PIPE, check=True
    )
    told = json.loads(done.stdout)
    assert told["verified"]
    assert told["covered"] == count


def hash_bare(bodies: Sequence[bytes]) -> None:
    node = bytes(NODE_BYTES)
    for body in bodies:
        sm3(b"\x00" + body)
        sm3(node)
