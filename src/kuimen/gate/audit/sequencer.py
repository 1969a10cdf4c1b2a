"""Number entries, grow the tree, sign a checkpoint, carry it out of the database: one sequencer at a time.

Only entries of transactions below the oldest one still running are taken, in order of (transaction, id). No entry can
appear later before one that was taken, so numbers are final although business transactions commit in any order.
"""

import logging
import threading
from collections.abc import Sequence
from uuid import UUID

from django.conf import settings
from django.db import Error as DatabaseFault
from django.db import connection, transaction
from typing_extensions import override

from kuimen.foundation import clock
from kuimen.foundation.errors import KuimenError
from kuimen.gate.audit.errors import LogTamperedError
from kuimen.gate.audit.models import Checkpoint, SigningKey, TreeNode
from kuimen.gate.audit.notes import SignedNote, checkpoint_note
from kuimen.gate.audit.rules import AuditSigner
from kuimen.gate.audit.sink import CheckpointSink
from kuimen.gate.audit.tiles import stored_nodes
from kuimen.kernels.ciphers import SignatureBrokenError, Sm2KeyError, sm2
from kuimen.kernels.merkle import Frontier, FrontierBytesError, NodeRun, leaf_hash

LOCK = 0x6B75_696D_656E  # "kuimen": the advisory lock of the one sequencer
BATCH = 20_000
LONGEST_PAUSE_SECONDS = 60.0

_PENDING = """
SELECT id, body FROM audit_entry
WHERE xid < pg_snapshot_xmin(pg_current_snapshot()) AND (xid, id) > (%s::xid8, %s)
ORDER BY xid, id LIMIT %s
"""
# After a logical restore old transaction numbers lie in the new cluster's future: then every entry is compared.
_PENDING_AFTER_RESTORE = """
SELECT e.id, e.body FROM audit_entry e
WHERE (e.xid < pg_snapshot_xmin(pg_current_snapshot()) OR e.xid >= pg_snapshot_xmax(pg_current_snapshot()))
AND NOT EXISTS (SELECT 1 FROM audit_sequenced s WHERE s.entry_id = e.id)
ORDER BY e.id LIMIT %s
"""

logger = logging.getLogger(__name__)


def sequence_pending(signer: AuditSigner, *, sink: CheckpointSink | None = None) -> int:
    """Sequence everything that is final now and sign for it; return how many entries were numbered.

    Waits for another sequencer to finish. Cost: one signature and a few bulk inserts per 20,000 entries.

    Raises:
        LogTamperedError: the stored log no longer agrees with the last checkpoint outside the database.
        SinkUnavailableError: checkpoints cannot be carried out; they are signed and follow next time.
    """
    place = sink or CheckpointSink(settings.KUIMEN_CHECKPOINT_DIR)
    total = 0
    while True:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
            tree = _agreed_tree(place, signer)
            count = _sequence_batch(tree, signer)
        carry_out(place)
        total += count
        if count < BATCH:
            return total


def carry_out(sink: CheckpointSink) -> int:
    """Write every committed checkpoint that the independent place does not hold yet; return how many."""
    last = sink.last()
    if last is None and Checkpoint.objects.count() > 1:
        logger.warning("the independent place of checkpoints is empty and is filled from the database; find out why")
    missing = Checkpoint.objects.filter(size__gt=last.size if last else 0).select_related("key").order_by("size")
    notes = [signed_note(checkpoint) for checkpoint in missing]
    sink.append(notes)
    return len(notes)


def signed_note(checkpoint: Checkpoint) -> SignedNote:
    """Return the checkpoint as it stands outside the database."""
    return SignedNote(
        size=checkpoint.size,
        note=bytes(checkpoint.note),
        signature=bytes(checkpoint.signature),
        key_id=checkpoint.key_id,
        public_key=bytes(checkpoint.key.public_key),
    )


def _agreed_tree(sink: CheckpointSink, signer: AuditSigner) -> Frontier:
    """Load the tree from the newest checkpoint, after it was held against the one outside the database."""
    outside = sink.last()
    if outside is not None:
        held = Checkpoint.objects.filter(size=outside.size).values_list("note", flat=True).first()
        if held is None or bytes(held) != outside.note:
            raise LogTamperedError(f"checkpoint {outside.size} was carried out, and the database holds another or none")
    newest = Checkpoint.objects.select_related("key").order_by("-size").first()
    if newest is None:
        return Frontier()
    try:
        tree = Frontier.from_bytes(bytes(newest.frontier))
    except FrontierBytesError:
        tree = Frontier()
    stated = bytes(newest.note).split(b"\n")[2:4]
    if stated != [str(tree.size).encode(), tree.root().hex().encode()] or not _is_signed(newest, signer):
        raise LogTamperedError(f"checkpoint {newest.size} is not signed, or its frontier does not give its root")
    return tree


def _is_signed(checkpoint: Checkpoint, signer: AuditSigner) -> bool:
    """Whether the stored signature verifies, under the signer's own key where the checkpoint names that key."""
    key = signer.public_bytes() if checkpoint.key_id == signer.key_id else bytes(checkpoint.key.public_key)
    try:
        sm2.Sm2PublicKey.from_bytes(key).verify(bytes(checkpoint.note), bytes(checkpoint.signature))
    except (SignatureBrokenError, Sm2KeyError):
        return False
    return True


def _sequence_batch(tree: Frontier, signer: AuditSigner) -> int:
    rows = _pending(tree.size)
    if not rows:
        return 0
    first = tree.size
    leaves = [leaf_hash(bytes(body)) for _, body in rows]
    runs = tree.append_many(leaves)
    _insert_sequenced(first, [entry for entry, _ in rows], leaves)
    _insert_nodes(runs)
    _insert_checkpoint(tree, signer)
    return len(rows)


def _pending(size: int) -> Sequence[tuple[int, bytes]]:
    with connection.cursor() as cursor:
        xid, entry, restored = "0", 0, False
        if size:
            cursor.execute(
                "SELECT e.xid::text, e.id,"
                " (SELECT max(xid) >= pg_snapshot_xmax(pg_current_snapshot()) FROM audit_entry)"
                " FROM audit_sequenced s JOIN audit_entry e ON e.id = s.entry_id WHERE s.seq = %s",
                (size - 1,),
            )
            found = cursor.fetchone()
            if found is None:
                raise LogTamperedError(f"entry {size - 1} is under a checkpoint and no longer in the log")
            xid, entry, restored = found
        if restored:
            cursor.execute(_PENDING_AFTER_RESTORE, (BATCH,))
        else:
            cursor.execute(_PENDING, (xid, entry, BATCH))
        return [(entry_id, body) for entry_id, body in cursor.fetchall()]


def _insert_sequenced(first: int, entries: Sequence[int], leaves: Sequence[bytes]) -> None:
    with connection.cursor() as cursor, cursor.copy("COPY audit_sequenced (seq, entry_id, leaf) FROM STDIN") as copy:
        for offset, (entry, leaf) in enumerate(zip(entries, leaves, strict=True)):
            copy.write_row((first + offset, entry, leaf))


def _insert_nodes(runs: Sequence[NodeRun]) -> None:
    TreeNode.objects.bulk_create(
        [TreeNode(level=level, position=index, digest=digest) for level, index, digest in stored_nodes(runs)]
    )


def _insert_checkpoint(tree: Frontier, signer: AuditSigner) -> None:
    at = clock.now()
    institution: UUID = settings.KUIMEN_INSTITUTION_ID
    note = checkpoint_note(institution=institution, size=tree.size, root=tree.root(), at=at, key_id=signer.key_id)
    SigningKey.objects.bulk_create(
        [SigningKey(key_id=signer.key_id, public_key=signer.public_bytes(), first_used_at=at)], ignore_conflicts=True
    )
    Checkpoint.objects.create(
        size=tree.size,
        root=tree.root(),
        note=note,
        signature=signer.sign(note),
        key_id=signer.key_id,
        frontier=tree.to_bytes(),
        created_at=at,
    )


class SequencerThread(threading.Thread):
    """Sequence every half second for as long as the process lives; start it after forking.

    Several processes may run one each: the advisory lock lets one work at a time. A database that is away makes it wait
    longer and longer, up to a minute. A tampered log stops it: nothing may be signed on top of it.
    """

    def __init__(self, signer: AuditSigner, *, pause_seconds: float = 0.5) -> None:
        """Sign with `signer`; look for new entries every `pause_seconds`."""
        super().__init__(name="audit-sequencer", daemon=True)
        self._signer = signer
        self._pause = pause_seconds
        self._ending = threading.Event()
        self.tampered = False

    @override
    def run(self) -> None:
        """Work until :meth:`end` is called."""
        pause = self._pause
        try:
            while not self._ending.wait(pause):
                pause = self._once(pause)
        finally:
            connection.close()

    def end(self) -> None:
        """Ask the thread to finish what it does and stop; wait for it."""
        self._ending.set()
        self.join()

    def _once(self, pause: float) -> float:
        try:
            sequence_pending(self._signer)
        except LogTamperedError as found:
            self.tampered = True
            self._ending.set()
            logger.critical("the audit log contradicts its checkpoint; sequencing stops: %s", found)
        except (DatabaseFault, KuimenError) as failure:
            connection.close()
            logger.warning("audit entries wait for their checkpoint: %s", failure)
            return min(pause * 2, LONGEST_PAUSE_SECONDS)
        return self._pause
