"""Bring three places to one state before anything opens: the ledger outside, the key database, the main database.

Whichever of the databases was put back to an old backup, what the ledger orders is carried out again: keys are
destroyed, tags deleted, sealed bytes written over. It runs inside every unlock, so no service opens without it.

Clause: JRT0171-6.1.5-a
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import Error, connection, transaction

from kuimen.foundation import clock
from kuimen.gate.audit import services as audit
from kuimen.gate.audit.models import SigningKey
from kuimen.gate.audit.sink import CheckpointSink
from kuimen.gate.keys import shredding
from kuimen.gate.keys.errors import KeyMissingError
from kuimen.gate.keys.keyring import Keyring
from kuimen.gate.keys.shredding import ShredLine
from kuimen.gate.keys.tree import public_key
from kuimen.gate.retention.errors import ShredLedgerAlteredError, ShredLedgerUnavailableError
from kuimen.gate.retention.ledger import KeyOf, ShredSink, order_of, verify_lines
from kuimen.gate.retention.models import Applied, Erasure
from kuimen.gate.retention.rules import ErasureState
from kuimen.gate.tokens import services as tokens
from kuimen.gate.vault import erasing as vault

_DUE_REASON: Final = ("重放销毁台账", "replayed from the shred ledger")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayReport:
    """What a replay had to do; all zeros on an installation that was not restored.

    Attributes:
        lines: lines of the ledger outside.
        keys_database_lacked: lines that the key database had to take up.
        keys_destroyed_again: key rows that a restore had brought back.
        main_database_lacked: lines that the main database had to carry out.
        records_destroyed_again: vault records that a restore had brought back.
        outside_lacked: lines that had to be carried out of the databases again.
    """

    lines: int
    keys_database_lacked: int
    keys_destroyed_again: int
    main_database_lacked: int
    records_destroyed_again: int
    outside_lacked: int

    @property
    def did_nothing(self) -> bool:
        """Return whether all three places agreed."""
        return not any(
            (
                self.keys_database_lacked,
                self.keys_destroyed_again,
                self.main_database_lacked,
                self.records_destroyed_again,
                self.outside_lacked,
            )
        )


def sink() -> ShredSink:
    """Return the outside copy of this installation."""
    return ShredSink(Path(settings.KUIMEN_SHRED_DIR))


def one_at_a_time() -> None:
    """Wait until no other process destroys or replays; released with the present transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [shredding.LOCK])


def before_opening(ring: Keyring) -> None:
    """Run at every unlock; whatever it raises keeps the keys locked."""
    catch_up(ring)


def catch_up(ring: Keyring, *, actor: audit.Actor = audit.SYSTEM) -> ReplayReport:
    """Carry out what any of the three places lacks. Cost where nothing is lacking: four small queries, one file tail.

    Raises:
        ShredLedgerAlteredError: the ledger outside was altered, or disagrees with the key database; recorded.
        ShredLedgerUnavailableError: a place cannot be read or written.
        KeyStoreError: the key database does not answer.
    """
    place = sink()
    try:
        with transaction.atomic():
            one_at_a_time()
            return _catch_up(place, ring, actor)
    except ShredLedgerAlteredError:
        audit.record_refusal(
            "retention.replay", actor=actor, object_type="shred_ledger", outcome=audit.Outcome.FAILED,
            facts={"reason": ShredLedgerAlteredError.code},
        )  # fmt: skip
        raise
    except Error:
        raise ShredLedgerUnavailableError(
            "the main database does not answer the shred ledger; bring it up and to this release, then unlock again"
        ) from None


def verify_whole(*, institution_keys: KeyOf | None = None) -> int:
    """Verify every line outside, from the first; return how many there are.

    Raises:
        ShredLedgerAlteredError: names the first line that does not fit.
    """
    lines = sink().lines()
    verify_lines(lines, after=None, key_of=institution_keys or _known_key)
    return len(lines)


def _catch_up(place: ShredSink, ring: Keyring, actor: audit.Actor) -> ReplayReport:
    outside, inside = place.last(), shredding.last_line()
    outside_seq, inside_seq = (outside.seq if outside else 0), (inside.seq if inside else 0)
    missing: list[ShredLine] = []
    if outside_seq > inside_seq:
        missing = place.lines(after=inside_seq)
        verify_lines(missing, after=inside, key_of=_known_key)
        if len(missing) != outside_seq - inside_seq:
            raise ShredLedgerAlteredError("lines of the shred ledger outside the databases are missing")
    elif outside_seq == inside_seq and outside is not None and inside is not None and outside.body != inside.body:
        raise ShredLedgerAlteredError("the shred ledger outside and the key database hold different last lines")
    again = shredding.take_up(missing) if missing or shredding.alive_in_spite() else 0
    carried = shredding.lines_after(outside_seq)
    if carried:
        verify_lines(carried, after=outside, key_of=_known_key)
        place.append(carried, follows=outside)
    done = Applied.objects.order_by("-seq").values_list("seq", flat=True).first() or 0
    lacking = shredding.lines_after(done)
    records = sum(_apply(ring, line, actor) for line in lacking)
    report = ReplayReport(
        lines=max(outside_seq, inside_seq),
        keys_database_lacked=len(missing),
        keys_destroyed_again=again,
        main_database_lacked=len(lacking),
        records_destroyed_again=records,
        outside_lacked=len(carried),
    )
    if not report.did_nothing:
        audit.record(
            "retention.replay",
            actor=actor,
            object_type="shred_ledger",
            object_ref=str(report.lines),
            facts={
                "keys_database_lacked": report.keys_database_lacked,
                "keys_destroyed_again": report.keys_destroyed_again,
                "main_database_lacked": report.main_database_lacked,
                "records_destroyed_again": report.records_destroyed_again,
                "outside_lacked": report.outside_lacked,
                "root": ring.root_fingerprint,
            },
        )
    return report


def _apply(ring: Keyring, line: ShredLine, actor: audit.Actor) -> int:
    """Carry one line out in the main database; return how many records it destroyed there."""
    order = order_of(line)
    erased = vault.destroy_records(ring, order.person_ref, order.retention_class, actor=actor)
    tokens.delete_of_class(order.person_ref, order.retention_class)
    at = clock.now()
    entry_id = audit.record(
        "retention.replay_line",
        actor=actor,
        object_type="erasure",
        object_ref=str(order.erasure_id),
        facts={
            "seq": line.seq,
            "person": str(order.person_ref),
            "class": order.retention_class.value,
            "maker": order.maker,
            "checker": order.checker,
            "ordered_at": order.at.isoformat(),
            "records": erased.records,
            "tags": erased.tags,
        },
    )
    row = Erasure.objects.select_for_update().filter(erasure_id=order.erasure_id).first()
    if row is None:
        # An older line of the same person may stand open under another erasure; this one supersedes it.
        Erasure.objects.filter(
            person_ref=order.person_ref,
            retention_class=order.retention_class.value,
            state__in=[ErasureState.DUE.value, ErasureState.SUSPENDED.value],
        ).update(state=ErasureState.LAPSED.value, closed_at=at)
        row = Erasure(
            erasure_id=order.erasure_id,
            person_ref=order.person_ref,
            retention_class=order.retention_class.value,
            due_on=order.at.astimezone(clock.SHANGHAI).date(),
            reason_zh=_DUE_REASON[0],
            reason_en=_DUE_REASON[1],
            clause="JRT0171-6.1.5-a",
            listed_at=order.at,
        )
    row.state = ErasureState.DESTROYED.value
    row.suspended_at = row.suspended_at or order.at
    row.destroyed_at = row.closed_at = order.at
    row.ticket_id, row.destroyed_by, row.checked_by = order.ticket_id, order.maker, order.checker
    row.records_destroyed += erased.records
    row.tags_destroyed += erased.tags
    row.elements = sorted({*row.elements, *erased.elements})
    row.entry_id, row.ledger_seq = entry_id, line.seq
    row.save()
    Applied.objects.create(
        seq=line.seq,
        person_ref=order.person_ref,
        retention_class=order.retention_class.value,
        applied_at=at,
        replayed=True,
    )
    return erased.records


def _known_key(key_id: str) -> bytes | None:
    """Return the public key of this id, from the key database, the audit log, or the checkpoints outside both."""
    try:
        return public_key(key_id)
    except KeyMissingError:
        pass
    logged = SigningKey.objects.filter(key_id=key_id).values_list("public_key", flat=True).first()
    if logged is not None:
        return bytes(logged)
    for note in CheckpointSink(Path(settings.KUIMEN_CHECKPOINT_DIR)).notes():
        if note.key_id == key_id:
            return note.public_key
    return None
