"""Probes of the retention room: nothing goes too early or stays too long; what went is gone, and by two persons."""

from collections import Counter
from datetime import date, timedelta
from uuid import UUID

from django.db import connections

from kuimen.foundation import clock
from kuimen.gate.audit.models import Entry
from kuimen.gate.keys import shredding, store
from kuimen.gate.keys.models import PersonKey
from kuimen.gate.keys.rules import KeyState
from kuimen.gate.retention.errors import ShredLedgerAlteredError, ShredLedgerUnavailableError
from kuimen.gate.retention.models import Applied, Erasure, Hold
from kuimen.gate.retention.rules import (
    BLOCKED_BY,
    OPEN_STATES,
    TERMS,
    ErasureState,
    HoldKind,
    RetentionClass,
    Verdict,
)
from kuimen.gate.retention.services import replaying
from kuimen.gate.retention.services.clocks import PAGE_PERSONS, decide_many
from kuimen.gate.vault import erasing as vault
from kuimen.gate.vault.models import Record
from kuimen.gate.vault.rules import RecordState
from kuimen.standard import Fact, Observation, Outcome, ProbeContext, ProbeResult, control

LONGEST_ON_LIST = timedelta(days=31)  # a month from listed to destroyed, which two persons decide
LONGEST_WITHOUT_CHECK = timedelta(days=2)
SAMPLE_TOMBSTONES = 100
_UNORDERED = """
    SELECT count(*) FROM keys_personkey AS held
    WHERE held.state = %s AND NOT EXISTS (
        SELECT 1 FROM keys_shred AS shred
        WHERE shred.person_ref = held.person_ref AND shred.retention_class = held.retention_class)
    AND NOT EXISTS (
        SELECT 1 FROM keys_personkey AS other
        WHERE other.person_ref = held.person_ref AND other.retention_class = held.retention_class
        AND other.generation > held.generation)
"""
_RECORD_FACTS = ("person", "class", "checker", "records")


@control("CQJR-6.5-c", title_zh="身份与交易不得提前销毁", title_en="Identity and transactions are not destroyed early")
def nothing_goes_too_early(_context: ProbeContext) -> ProbeResult:
    """Hold every destruction against its clock and the holds of its moment, and every lost key against the ledger."""
    destroyed = list(Erasure.objects.filter(state=ErasureState.DESTROYED.value))
    early = [row for row in destroyed if row.destroyed_at and row.due_on > _day(row)]
    held = _destroyed_under_hold(destroyed)
    with store.translated(), connections[store.DATABASE].cursor() as cursor:
        cursor.execute(_UNORDERED, [KeyState.DESTROYED.value])
        unordered = int(cursor.fetchone()[0])
    persons = _persons_with_keys()
    term = TERMS[RetentionClass.IDENTITY_TRANSACTION]
    facts: dict[str, Fact] = {
        "persons_with_keys": persons,
        "term_years": term.years,
        "erasures_destroyed": len(destroyed),
        "destroyed_before_due": len(early),
        "destroyed_under_hold": held,
        "keys_gone_without_order": unordered,
        "holds_in_force": Hold.objects.filter(lifted_at__isnull=True).count(),
    }
    seen = (
        Observation(
            title_zh="销毁与期限、保全的逐笔核对", title_en="destructions held against clocks and holds",
            facts=facts, reference="retention_erasure, keys_shred",
        ),
    )  # fmt: skip
    if early or held or unordered:
        return ProbeResult(
            outcome=Outcome.REFUTED,
            observations=seen,
            remedy_zh="查明提前销毁、保全期间销毁或未经台账而灭失的密钥，向监管报告并评估可否从源系统补全",
            remedy_en="find out who destroyed early, under a hold or without the ledger; rebuild from the sources",
        )
    return ProbeResult(outcome=Outcome.HOLDS if persons or destroyed else Outcome.INSUFFICIENT, observations=seen)


@control("CQJR-5.2-e", title_zh="不良信息到期删除", title_en="Adverse items are deleted when due")
def adverse_items_do_not_stay_too_long(_context: ProbeContext) -> ProbeResult:
    """Ask the clocks now about every person whose adverse items can still be opened."""
    return _nothing_overdue(RetentionClass.ADVERSE_ITEM)


@control("CQJR-5.4-g", title_zh="催收记录与录音到期删除", title_en="Collection records are deleted when due")
def collection_records_do_not_stay_too_long(_context: ProbeContext) -> ProbeResult:
    """Ask the clocks now about every person whose collection records can still be opened."""
    return _nothing_overdue(RetentionClass.COLLECTION_RECORD)


@control("JRT0171-6.1.5-a", title_zh="删除后不可检索访问", title_en="What was deleted cannot be found or opened")
def what_went_is_gone(_context: ProbeContext) -> ProbeResult:
    """Look for what is left of the erased: keys, tags, content, and try to open a sample; compare the three ledgers."""
    content, tags, tombstones = vault.left_over()
    alive = shredding.alive_in_spite()
    lines, ledger = _ledger()
    ordered = len(shredding.lines_after(0))
    applied = Applied.objects.count()
    standing = _standing_in_spite()
    tried, opened = vault.try_tombstones(SAMPLE_TOMBSTONES)
    facts: dict[str, Fact] = {
        "ledger_lines": lines,
        "ledger_state": ledger,
        "ledger_lines_in_key_database": ordered,
        "ledger_lines_applied": applied,
        "keys_alive_in_spite": alive,
        "records_standing_in_spite": standing,
        "tombstones": tombstones,
        "tombstones_with_content": content,
        "tags_of_tombstones": tags,
        "sample": tried,
        "sample_opened": opened,
    }
    seen = (
        Observation(
            title_zh="已销毁信息的残留检索与抽样解封", title_en="remains of what was erased",
            facts=facts, reference="vault_record, vault_index, keys_personkey, shreds/",
        ),
    )  # fmt: skip
    agreed = ledger == "verified" and lines == ordered == applied
    if content or tags or alive or standing or opened or not agreed:
        return ProbeResult(
            outcome=Outcome.REFUTED,
            observations=seen,
            remedy_zh="锁定密钥，重放销毁台账（kuimen retention replay），查明残留或台账不一致的来源",
            remedy_en="lock the keys, replay the shred ledger (kuimen retention replay), find the source of remains",
        )
    return ProbeResult(outcome=Outcome.HOLDS if lines else Outcome.INSUFFICIENT, observations=seen)


@control("JRT0171-6.1.6-c", title_zh="销毁记录要素齐全", title_en="Records of destruction are whole")
def every_destruction_has_its_record(_context: ProbeContext) -> ProbeResult:
    """Hold every destruction against its audit entry and its signed line: what, how, when, and which two persons."""
    destroyed = list(Erasure.objects.filter(state=ErasureState.DESTROYED.value))
    entries = {
        entry.entry_id: bytes(entry.body)
        for entry in Entry.objects.filter(entry_id__in=[row.entry_id for row in destroyed])
    }
    lines = {line.seq: line for line in shredding.lines_after(0)}
    gaps: Counter[str] = Counter()
    for row in destroyed:
        line = lines.get(row.ledger_seq or 0)
        gaps["without_entry"] += row.entry_id not in entries
        gaps["without_line"] += line is None or line.person_ref != row.person_ref
        gaps["one_person"] += not row.destroyed_by or not row.checked_by or row.destroyed_by == row.checked_by
        gaps["not_whole"] += row.entry_id in entries and not _is_whole(entries[row.entry_id], row)
    facts: dict[str, Fact] = {
        "erasures_destroyed": len(destroyed),
        "destructions_without_entry": gaps["without_entry"],
        "destructions_without_ledger_line": gaps["without_line"],
        "destructions_by_one_person": gaps["one_person"],
        "records_not_whole": gaps["not_whole"],
    }
    seen = (
        Observation(
            title_zh="销毁记录逐笔核对", title_en="records of destruction, one by one", facts=facts,
            reference="retention_erasure, audit_entry, keys_shred",
        ),
    )  # fmt: skip
    if any(gaps.values()):
        return ProbeResult(
            outcome=Outcome.REFUTED,
            observations=seen,
            remedy_zh="补查缺少审计条目、台账行或双人记录的销毁，查明绕过流程的途径",
            remedy_en="find out how a destruction came about without entry, ledger line or second person",
        )
    return ProbeResult(outcome=Outcome.HOLDS if destroyed else Outcome.INSUFFICIENT, observations=seen)


def _nothing_overdue(kind: RetentionClass) -> ProbeResult:
    """Count who is due and on no list, or has been on it for longer than a month.

    The month runs from the listing: what a source hands over expired already is not overdue on its first day.
    """
    persons = without_clock = 0
    due: set[UUID] = set()
    after: UUID | None = None
    while classes := shredding.persons_with_keys(after=after, limit=PAGE_PERSONS):
        after = max(classes)
        chosen = {person: [kind] for person, kinds in classes.items() if kind in kinds}
        persons += len(chosen)
        for person, (decision,) in decide_many(chosen).items():
            without_clock += decision.verdict is Verdict.NO_CLOCK
            if decision.verdict is Verdict.DUE:
                due.add(person)
    listed = dict(
        Erasure.objects.filter(
            person_ref__in=due, retention_class=kind.value, state__in=[state.value for state in OPEN_STATES]
        ).values_list("person_ref", "listed_at")
    )
    overdue = sum(clock.now() - at > LONGEST_ON_LIST for at in listed.values())
    unlisted = len(_known_for_long(due - listed.keys(), kind))
    facts: dict[str, Fact] = {
        "retention_class": kind.value,
        "term_years": TERMS[kind].years,
        "persons_with_keys": persons,
        "classes_due": len(due),
        "classes_overdue": overdue,
        "classes_due_on_no_list": unlisted,
        "classes_without_clock": without_clock,
    }
    seen = (
        Observation(
            title_zh="到期未销毁的逐人核对",
            title_en="persons whose data is overdue",
            facts=facts,
            reference="keys_personkey, retention_erasure",
        ),
    )
    if overdue or unlisted:
        return ProbeResult(
            outcome=Outcome.REFUTED,
            observations=seen,
            remedy_zh="恢复每日到期检查（kuimen worker），按到期清单停用并双人销毁",
            remedy_en="restore the daily check (kuimen worker); suspend and destroy by two persons what is on the list",
        )
    proven = persons > without_clock
    return ProbeResult(outcome=Outcome.HOLDS if proven else Outcome.INSUFFICIENT, observations=seen)


def _known_for_long(persons: set[UUID], kind: RetentionClass) -> set[UUID]:
    """Return those whose key of this class is older than a check may be."""
    rows = PersonKey.objects.using(store.DATABASE).filter(
        person_ref__in=persons, retention_class=kind.value, created_at__lt=clock.now() - LONGEST_WITHOUT_CHECK
    )
    return set(rows.values_list("person_ref", flat=True))


def _persons_with_keys() -> int:
    with store.translated(), connections[store.DATABASE].cursor() as cursor:
        cursor.execute(
            "SELECT count(DISTINCT person_ref) FROM keys_personkey WHERE state <> %s", [KeyState.DESTROYED.value]
        )
        return int(cursor.fetchone()[0])


def _day(row: Erasure) -> date:
    return row.destroyed_at.astimezone(clock.SHANGHAI).date() if row.destroyed_at else row.due_on


def _destroyed_under_hold(destroyed: list[Erasure]) -> int:
    holds: dict[UUID, list[Hold]] = {}
    for hold in Hold.objects.filter(person_ref__in=[row.person_ref for row in destroyed]):
        holds.setdefault(hold.person_ref, []).append(hold)
    return sum(
        any(
            RetentionClass(row.retention_class) in BLOCKED_BY[HoldKind(hold.kind)]
            and row.destroyed_at is not None
            and hold.placed_at <= row.destroyed_at
            and (hold.lifted_at is None or hold.lifted_at > row.destroyed_at)
            for hold in holds.get(row.person_ref, ())
        )
        for row in destroyed
    )


def _ledger() -> tuple[int, str]:
    try:
        return replaying.verify_whole(), "verified"
    except (ShredLedgerAlteredError, ShredLedgerUnavailableError) as flaw:
        return 0, flaw.code


def _standing_in_spite() -> int:
    """Count records that the main database shows although the ledger ordered their destruction."""
    ordered = {(line.person_ref, line.retention_class.value) for line in shredding.lines_after(0)}
    rows = Record.objects.filter(person_ref__in={person for person, _ in ordered}).exclude(
        state=RecordState.DESTROYED.value
    )
    return sum(pair in ordered for pair in rows.values_list("person_ref", "retention_class"))


def _is_whole(body: bytes, row: Erasure) -> bool:
    """Whether the stored entry says what was destroyed, of whom, when and by whom."""
    text = body.decode("utf-8", "replace")
    named = all(f'"{name}"' in text for name in _RECORD_FACTS)
    return named and str(row.person_ref) in text and row.checked_by in text and row.destroyed_by in text
