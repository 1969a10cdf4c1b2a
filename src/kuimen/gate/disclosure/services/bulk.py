"""Records opened by the system itself, for verification and proof: one audit entry before the first value."""

from collections.abc import Collection, Iterator
from uuid import UUID

from django.db import Error, transaction

from kuimen.foundation import clock
from kuimen.foundation.identifiers import RecordId, new_ref
from kuimen.foundation.sensitive import Sensitive
from kuimen.gate.audit import services as audit
from kuimen.gate.disclosure.errors import DisclosureFailedError, DisclosureInputError, ProcedureRefusedError
from kuimen.gate.disclosure.models import Disclosure
from kuimen.gate.disclosure.rules import SYSTEM_PROCEDURES, Kind, is_reference
from kuimen.gate.vault.opening import open_records

BATCH_RECORDS = 2_000


def bulk_for_system(
    purpose: str, record_ids: Collection[UUID], *, procedure: str
) -> Iterator[tuple[RecordId, Sensitive[str]]]:
    """Open records for a registered procedure, lazily, in the given order.

    The record with the count is committed before this function returns; then the iterator opens in batches of 2,000.

    Raises:
        ProcedureRefusedError: the procedure is not registered; recorded.
        DisclosureInputError: the purpose is no plain reference.
        DisclosureFailedError, AuditUnavailableError: it could not be recorded, so nothing is opened.
        RecordNotFoundError, SealedValueTamperedError: from the iterator, for the batch that holds them.
    """
    if not is_reference(purpose):
        raise DisclosureInputError("purpose: name it in one dotted word")
    if procedure not in SYSTEM_PROCEDURES:
        audit.record_refusal(
            "disclosure.bulk",
            actor=audit.SYSTEM,
            object_type="procedure",
            purpose=purpose,
            facts={"reason": ProcedureRefusedError.code, "records": len(record_ids)},
        )
        raise ProcedureRefusedError("procedure: only registered procedures of the system open records in bulk")
    view_id = new_ref()
    try:
        with transaction.atomic():
            entry_id = audit.record(
                "disclosure.bulk",
                actor=audit.SYSTEM,
                object_type="procedure",
                object_ref=procedure,
                purpose=purpose,
                view_id=view_id,
                facts={"records": len(record_ids)},
            )
            Disclosure.objects.create(
                view_id=view_id,
                kind=Kind.BULK.value,
                occurred_at=clock.now(),
                day=clock.today(),
                staff_no=audit.SYSTEM.ref,
                purpose=purpose,
                object_type="procedure",
                object_ref=procedure,
                rows=len(record_ids),
                elements=[],
                entry_id=entry_id,
            )
    except Error:
        raise DisclosureFailedError("the disclosure could not be recorded; nothing was opened, try again") from None
    return _opened(list(record_ids), purpose)


def _opened(record_ids: list[UUID], purpose: str) -> Iterator[tuple[RecordId, Sensitive[str]]]:
    for start in range(0, len(record_ids), BATCH_RECORDS):
        batch = record_ids[start : start + BATCH_RECORDS]
        values = open_records(batch, purpose=purpose)
        for record_id in batch:
            yield RecordId(record_id), values[RecordId(record_id)]
