"""Read the log: pages of entries, one entry, its proof, the entry behind a watermark."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Count

from kuimen.gate.audit.errors import EntryNotFoundError
from kuimen.gate.audit.models import Checkpoint, Entry, SequencedEntry
from kuimen.gate.audit.rules import Outcome
from kuimen.gate.audit.tiles import TileReader
from kuimen.kernels.merkle import inclusion_proof

PAGE = 100
SEARCHED = (
    "entry_id", "occurred_at", "actor_kind", "actor", "action", "outcome", "purpose", "object_type", "object_ref",
    "view_id",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryFilter:
    """What to look for; every field that is set narrows the answer."""

    actor: str = ""
    action: str = ""
    outcome: Outcome | None = None
    purpose: str = ""
    object_type: str = ""
    object_ref: str = ""
    view_id: UUID | None = None
    since: datetime | None = None
    before: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryView:
    """One entry as its stored bytes say it.

    Attributes:
        seq: its number in the log, None until the sequencer took it.
        columns_agree: whether the searchable columns still say what the bytes say.
    """

    entry_id: UUID
    seq: int | None
    occurred_at: datetime
    actor_kind: str
    actor: str
    actor_label: str
    action: str
    outcome: str
    purpose: str
    object_type: str
    object_ref: str
    view_id: UUID | None
    facts: Mapping[str, Any]
    columns_agree: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryPage:
    """One page, newest first; `next_before` is given back to go on, None at the end."""

    entries: Sequence[EntryView]
    next_before: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """Why an entry is in the log: its leaf, the path to the root, and the signed checkpoint of that root."""

    entry_id: UUID
    seq: int
    size: int
    leaf: bytes
    path: Sequence[bytes]
    root: bytes
    note: bytes
    signature: bytes
    key_id: str
    public_key: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointView:
    """The newest signed statement about the log."""

    size: int
    root: bytes
    made_at: datetime
    key_id: str


def latest_checkpoint() -> CheckpointView | None:
    """Return the newest checkpoint, None before the first."""
    found = Checkpoint.objects.order_by("-size").first()
    if found is None:
        return None
    return CheckpointView(size=found.size, root=bytes(found.root), made_at=found.created_at, key_id=found.key_id)


def entries(wanted: EntryFilter | None = None, *, before: int | None = None, limit: int = PAGE) -> EntryPage:
    """Return one page of entries, newest first.

    Args:
        wanted: the filter.
        before: `next_before` of the page before.
        limit: at most 100.
    """
    chosen = wanted or EntryFilter()
    exact = {
        name: value
        for name in ("actor", "outcome", "purpose", "object_type", "object_ref", "view_id")
        if (value := getattr(chosen, name))
    }
    found = Entry.objects.filter(**exact)
    if chosen.action:
        found = found.filter(action__startswith=chosen.action)
    if chosen.since:
        found = found.filter(occurred_at__gte=chosen.since)
    if chosen.before:
        found = found.filter(occurred_at__lt=chosen.before)
    if before is not None:
        found = found.filter(id__lt=before)
    size = max(1, min(limit, PAGE))
    rows = list(found.select_related("sequenced").order_by("-id")[: size + 1])
    more = len(rows) > size
    rows = rows[:size]
    return EntryPage(entries=[_view(row) for row in rows], next_before=rows[-1].id if more else None)


def entry(entry_id: UUID) -> EntryView:
    """Return one entry.

    Raises:
        EntryNotFoundError: there is none.
    """
    row = Entry.objects.select_related("sequenced").filter(entry_id=entry_id).first()
    if row is None:
        raise EntryNotFoundError("no audit entry has this identifier")
    return _view(row)


def views_beginning(start: str) -> list[UUID]:
    """Return the views whose id begins with these 8 or more signs of a watermark, two at most. Cost: one range scan.

    Args:
        start: hexadecimal signs with or without hyphens, as UUIDs are written.
    """
    signs = start.replace("-", "").lower()
    low, high = UUID(signs.ljust(32, "0")), UUID(signs.ljust(32, "f"))
    found = Entry.objects.filter(view_id__gte=low, view_id__lte=high).values_list("view_id", flat=True)
    return [view for view in found.order_by("view_id").distinct()[:2] if view is not None]


def entries_of_view(view_id: UUID) -> Sequence[EntryView]:
    """Return what was recorded for one page view, oldest first: what a watermark's view id resolves to.

    Raises:
        EntryNotFoundError: no page view has this identifier.
    """
    rows = Entry.objects.select_related("sequenced").filter(view_id=view_id).order_by("id")[:PAGE]
    if not rows:
        raise EntryNotFoundError("no recorded page view has this identifier")
    return [_view(row) for row in rows]


def counts_by_action(since: datetime, before: datetime) -> Mapping[tuple[str, str], int]:
    """Return how many entries each (action, outcome) has in a half-open interval."""
    rows = (
        Entry.objects.filter(occurred_at__gte=since, occurred_at__lt=before)
        .values_list("action", "outcome")
        .annotate(count=Count("id"))
    )
    return {(action, outcome): count for action, outcome, count in rows}


def inclusion(entry_id: UUID) -> Proof:
    """Return the proof that an entry is under the newest checkpoint. Cost: about two small queries per 256-fold.

    Raises:
        EntryNotFoundError: there is no such entry, or it still waits for its checkpoint.
    """
    place = SequencedEntry.objects.filter(entry__entry_id=entry_id).first()
    checkpoint = Checkpoint.objects.select_related("key").order_by("-size").first()
    if place is None or checkpoint is None:
        raise EntryNotFoundError("no audit entry with this identifier is under a checkpoint yet")
    return Proof(
        entry_id=entry_id,
        seq=place.seq,
        size=checkpoint.size,
        leaf=bytes(place.leaf),
        path=inclusion_proof(place.seq, checkpoint.size, TileReader(checkpoint.size, _read_tile)),
        root=bytes(checkpoint.root),
        note=bytes(checkpoint.note),
        signature=bytes(checkpoint.signature),
        key_id=checkpoint.key_id,
        public_key=bytes(checkpoint.key.public_key),
    )


def says_the_same(body: Mapping[str, Any], columns: Mapping[str, Any]) -> bool:
    """Tell whether the searchable columns still say what the stored bytes say."""
    said = {
        "entry_id": UUID(body["id"]),
        "occurred_at": datetime.fromisoformat(body["at"]),
        "actor_kind": body["actor"]["kind"],
        "actor": body["actor"]["ref"],
        "action": body["action"],
        "outcome": body["outcome"],
        "purpose": body["purpose"],
        "object_type": body["object"]["type"],
        "object_ref": body["object"]["ref"],
        "view_id": UUID(body["view"]) if body["view"] else None,
    }
    return said == dict(columns)


def _read_tile(level: int, first: int, last: int) -> Sequence[bytes]:
    with connection.cursor() as cursor:
        if level == 0:
            cursor.execute("SELECT leaf FROM audit_sequenced WHERE seq >= %s AND seq < %s ORDER BY seq", (first, last))
        else:
            cursor.execute(
                "SELECT digest FROM audit_node WHERE level = %s AND position >= %s AND position < %s ORDER BY position",
                (level, first, last),
            )
        return [bytes(digest) for (digest,) in cursor.fetchall()]


def _view(row: Entry) -> EntryView:
    body = json.loads(bytes(row.body))
    sequenced: SequencedEntry | None = getattr(row, "sequenced", None)
    view = EntryView(
        entry_id=UUID(body["id"]),
        seq=sequenced.seq if sequenced else None,
        occurred_at=datetime.fromisoformat(body["at"]),
        actor_kind=body["actor"]["kind"],
        actor=body["actor"]["ref"],
        actor_label=body["actor"]["label"],
        action=body["action"],
        outcome=body["outcome"],
        purpose=body["purpose"],
        object_type=body["object"]["type"],
        object_ref=body["object"]["ref"],
        view_id=UUID(body["view"]) if body["view"] else None,
        facts=body["facts"],
        columns_agree=True,
    )
    agree = says_the_same(body, {name: getattr(row, name) for name in SEARCHED})
    return view if agree else replace(view, columns_agree=False)
