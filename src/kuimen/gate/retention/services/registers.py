"""The registers of copies: backups, and exports to others. An unknown policy is said, never taken for none.

Clause: JRT0171-6.1.5-a
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Value
from django.db.models.functions import Coalesce

from kuimen.foundation import clock
from kuimen.gate.access.rules import Action, Resource, Subject
from kuimen.gate.access.services import require
from kuimen.gate.audit import services as audit
from kuimen.gate.retention.errors import RetentionInputError
from kuimen.gate.retention.models import Backup, Erasure, Export
from kuimen.gate.retention.rules import ErasureState, RetentionClass

LONGEST_LABEL = 160


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupView:
    """A backup of the register; `expires_on` None is an unknown policy."""

    label: str
    holds_main: bool
    holds_keys: bool
    holds_key_folder: bool
    taken_on: date
    expires_on: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportView:
    """Data of a person that went to somebody else."""

    export_id: UUID
    recipient: str
    reference: str
    exported_at: datetime
    demanded_at: datetime | None
    confirmed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DemandView:
    """A recipient that was told to delete what it has of a person, and has not said that it did."""

    export_id: UUID
    person_ref: UUID
    retention_class: RetentionClass
    recipient: str
    reference: str
    demanded_at: datetime


def register_backup(backup: BackupView, *, actor: audit.Actor) -> None:
    """Enter a backup that exists; it is never taken out, so that certificates stay true.

    Raises:
        RetentionInputError: no label, a known one, nothing in it, or dates that cannot be.
    """
    if not backup.label.strip() or len(backup.label) > LONGEST_LABEL:
        raise RetentionInputError(f"label: name the backup, at most {LONGEST_LABEL} characters")
    if backup.taken_on > clock.today():
        raise RetentionInputError("taken_on: a day that has come")
    try:
        with transaction.atomic():
            Backup.objects.create(
                label=backup.label,
                holds_main=backup.holds_main,
                holds_keys=backup.holds_keys,
                holds_key_folder=backup.holds_key_folder,
                taken_on=backup.taken_on,
                expires_on=backup.expires_on,
                registered_by=actor.ref,
                registered_at=clock.now(),
            )
            audit.record(
                "retention.backup",
                actor=actor,
                object_type="backup",
                object_ref=backup.label,
                facts={
                    "main": backup.holds_main,
                    "keys": backup.holds_keys,
                    "key_folder": backup.holds_key_folder,
                    "taken_on": backup.taken_on.isoformat(),
                    "expires_on": backup.expires_on.isoformat() if backup.expires_on else "unknown",
                },
            )
    except IntegrityError:
        raise RetentionInputError(
            "backup: a new label, something that it holds, and an end that is not before its beginning"
        ) from None


def backups() -> list[BackupView]:
    """Return the register, the newest first."""
    return [
        BackupView(
            label=row.label,
            holds_main=row.holds_main,
            holds_keys=row.holds_keys,
            holds_key_folder=row.holds_key_folder,
            taken_on=row.taken_on,
            expires_on=row.expires_on,
        )
        for row in Backup.objects.order_by("-taken_on", "label")
    ]


def register_export(
    person_ref: UUID, *, retention_class: RetentionClass, recipient: str, reference: str, actor: audit.Actor
) -> UUID:
    """Enter that data of one person and class went to a recipient; runs in the transaction of the export.

    On destruction its deletion is demanded, and the certificate names it.
    """
    row = Export.objects.create(
        person_ref=person_ref,
        retention_class=retention_class.value,
        recipient=recipient,
        reference=reference,
        exported_at=clock.now(),
    )
    audit.record(
        "retention.export",
        actor=actor,
        object_type="person",
        object_ref=str(person_ref),
        facts={"class": retention_class.value, "recipient": recipient, "reference": reference},
    )
    return row.export_id


def register_exports(
    person_refs: Collection[UUID],
    *,
    retention_classes: Collection[RetentionClass],
    recipient: str,
    reference: str,
    actor: audit.Actor,
) -> int:
    """Enter that data of many persons went to a recipient; runs in the transaction of the export. One audit entry.

    Returns:
        Lines entered: persons times classes, less those that stood there already.
    """
    at = clock.now()
    rows = [
        Export(
            person_ref=person,
            retention_class=kind.value,
            recipient=recipient,
            reference=reference,
            exported_at=at,
        )
        for person in set(person_refs)
        for kind in set(retention_classes)
    ]
    before = Export.objects.filter(recipient=recipient, reference=reference).count()
    Export.objects.bulk_create(rows, batch_size=5_000, ignore_conflicts=True)
    added = Export.objects.filter(recipient=recipient, reference=reference).count() - before
    audit.record(
        "retention.exports",
        actor=actor,
        object_type="export",
        object_ref=reference,
        facts={
            "persons": len(set(person_refs)),
            "classes": sorted(kind.value for kind in set(retention_classes)),
            "recipient": recipient,
        },
    )
    return added


def open_demands(*, reader: Subject | None = None, limit: int = 500) -> list[DemandView]:
    """Return the demands for deletion that no recipient has confirmed, the oldest first.

    Raises:
        NotPermittedError: `reader` may not.
    """
    if reader is not None:
        require(reader, Action.RETENTION_READ, Resource(kind="export"))
    rows = Export.objects.filter(demanded_at__isnull=False, confirmed_at__isnull=True).order_by("demanded_at", "pk")
    return [
        DemandView(
            export_id=row.export_id,
            person_ref=row.person_ref,
            retention_class=RetentionClass(row.retention_class),
            recipient=row.recipient,
            reference=row.reference,
            demanded_at=row.demanded_at,
        )
        for row in rows[:limit]
        if row.demanded_at is not None
    ]


def confirm_exports(reference: str, *, recipient: str, confirmation: str, actor: audit.Actor) -> int:
    """Enter that a recipient deleted everything it got under a reference; returns the lines closed."""
    at = clock.now()
    rows = Export.objects.filter(recipient=recipient, reference=reference, confirmed_at__isnull=True)
    closed = rows.update(demanded_at=Coalesce("demanded_at", Value(at)), confirmed_at=at, confirmation=confirmation)
    audit.record(
        "retention.exports_deleted",
        actor=actor,
        object_type="export",
        object_ref=reference,
        facts={"closed": closed, "recipient": recipient, "confirmation": confirmation},
    )
    return closed


def demand_exports(reference: str, *, recipient: str, actor: audit.Actor) -> int:
    """Demand back everything that a recipient got under a reference; returns the lines demanded."""
    rows = Export.objects.filter(recipient=recipient, reference=reference, demanded_at__isnull=True)
    demanded = rows.update(demanded_at=clock.now())
    audit.record(
        "retention.exports_demanded",
        actor=actor,
        object_type="export",
        object_ref=reference,
        facts={"demanded": demanded, "recipient": recipient},
    )
    return demanded


def hidden_persons() -> set[UUID]:
    """Return the persons of whom a class is suspended or destroyed: nothing of them leaves any more."""
    states = (ErasureState.SUSPENDED.value, ErasureState.DESTROYED.value)
    return set(Erasure.objects.filter(state__in=states).values_list("person_ref", flat=True))


def exports_of(person_ref: UUID, retention_class: RetentionClass) -> list[ExportView]:
    """Return where data of one person and class went, oldest first."""
    rows = Export.objects.filter(person_ref=person_ref, retention_class=retention_class.value)
    return [
        ExportView(
            export_id=row.export_id,
            recipient=row.recipient,
            reference=row.reference,
            exported_at=row.exported_at,
            demanded_at=row.demanded_at,
            confirmed_at=row.confirmed_at,
        )
        for row in rows.order_by("exported_at")
    ]


def confirm_deletion(export_id: UUID, *, confirmation: str, actor: audit.Actor) -> None:
    """Enter a recipient's confirmation that it deleted what it had; `confirmation` names the document.

    Raises:
        RetentionInputError: no such export with an open demand, or no document named.
    """
    with transaction.atomic():
        row = (
            Export.objects.select_for_update()
            .filter(export_id=export_id, demanded_at__isnull=False, confirmed_at__isnull=True)
            .first()
        )
        if row is None or not confirmation.strip():
            raise RetentionInputError("export, confirmation: name an export with an open demand, and the document")
        row.confirmed_at, row.confirmation = clock.now(), confirmation
        row.save(update_fields=["confirmed_at", "confirmation"])
        audit.record(
            "retention.export_deleted",
            actor=actor,
            object_type="export",
            object_ref=str(export_id),
            facts={"confirmation": confirmation},
        )
