"""Personnel files: an officer records what was done about somebody else; without a whole file no right begins.

Clause: CQJR-6.1-c, CQJR-6.6-b-1
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from django.db import transaction

from kuimen.foundation import clock
from kuimen.gate.access.errors import StaffInputError, StaffNotFoundError
from kuimen.gate.access.models import PersonnelRecord, Staff
from kuimen.gate.access.personnel_rules import FileItem, gaps_of, valid_until
from kuimen.gate.access.rules import Action, Resource, Subject
from kuimen.gate.access.services.subjects import actor_of, refuse, require
from kuimen.gate.audit.services import record

LONGEST_EVIDENCE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class FileEntry:
    """One entry of a personnel file; `evidence` says where the paper lies."""

    item: FileItem
    done_on: date
    valid_until: date | None
    evidence: str
    recorded_by: str


def record_personnel(staff_no: str, *, item: FileItem, done_on: date, evidence: str, officer: Subject) -> None:
    """Record that something of the file was done; entries stay, a newer one counts beside the older.

    Args:
        staff_no: whose file.
        item: what was done.
        done_on: when, not in the future.
        evidence: number of the paper or course, never a finding about the person.
        officer: a security officer, never the person.

    Raises:
        NotPermittedError, DutySeparationError: the officer may not, or it is the officer's own file; recorded.
        StaffInputError, StaffNotFoundError: a field breaks its rule; no such open account.
    """
    target = Resource(kind="staff", ref=staff_no, beneficiary=staff_no)
    require(officer, Action.STAFF_REGISTER, target)
    if officer.staff_no == staff_no:
        refuse(officer, Action.STAFF_REGISTER, target, reason="beneficiary-is-checker")
    if done_on > clock.today() or not 0 < len(evidence.strip()) <= LONGEST_EVIDENCE:
        raise StaffInputError("done_on, evidence: a day not in the future, and the number of the paper or course")
    with transaction.atomic():
        staff = Staff.objects.filter(staff_no=staff_no, is_active=True).first()
        if staff is None:
            raise StaffNotFoundError("staff_no: no such member of staff")
        until = valid_until(item, done_on)
        PersonnelRecord.objects.create(
            staff=staff,
            item=item.value,
            done_on=done_on,
            valid_until=until,
            evidence=evidence.strip(),
            recorded_by=Staff.objects.get(staff_no=officer.staff_no),
            recorded_at=clock.now(),
        )
        record(
            "staff.record_file",
            actor=actor_of(officer),
            object_type="staff",
            object_ref=staff_no,
            facts={
                "item": item.value,
                "done_on": done_on.isoformat(),
                "valid_until": until.isoformat() if until else "",
            },
        )


def file_gaps(staff_ids: Collection[int]) -> dict[int, list[FileItem]]:
    """Return what the file of each of these accounts lacks today. Cost: one query for all."""
    held: dict[int, list[tuple[FileItem, date | None]]] = {staff_id: [] for staff_id in staff_ids}
    rows = PersonnelRecord.objects.filter(staff_id__in=staff_ids).values_list("staff_id", "item", "valid_until")
    for staff_id, item, until in rows:
        held[staff_id].append((FileItem(item), until))
    today = clock.today()
    return {staff_id: gaps_of(items, today=today) for staff_id, items in held.items()}


def file_of(staff_no: str, *, reader: Subject) -> list[FileEntry]:
    """Return the entries of a file, newest first.

    Raises:
        NotPermittedError: `reader` may not read the register of staff.
    """
    require(reader, Action.STAFF_READ, Resource(kind="staff", ref=staff_no))
    rows = PersonnelRecord.objects.select_related("recorded_by").filter(staff__staff_no=staff_no)
    return [
        FileEntry(
            item=FileItem(row.item),
            done_on=row.done_on,
            valid_until=row.valid_until,
            evidence=row.evidence,
            recorded_by=row.recorded_by.staff_no,
        )
        for row in rows.order_by("-done_on", "-id")
    ]
