"""Lists of texts and acts, by reference, for those who publish, record or audit them."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Max

from kuimen.foundation import clock
from kuimen.gate.access.rules import Action, Resource, Subject
from kuimen.gate.access.services import require
from kuimen.gate.consent.models import ConsentAct, Document
from kuimen.gate.consent.rules import ActState, DocumentVersion, act_state

LONGEST_LIST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ActView:
    """One consent act and how it stands now."""

    act_id: UUID
    customer_ref: UUID
    document: str
    version: int
    purpose: str
    kind: str
    channel: str
    accepted_at: datetime
    valid_until: datetime | None
    withdrawn_at: datetime | None
    state: ActState


def current_documents() -> list[DocumentVersion]:
    """Return the current version of every text, by code. Cost: two queries."""
    newest = dict(Document.objects.values_list("code").annotate(Max("version")))
    rows = Document.objects.filter(code__in=newest).order_by("code", "-version")
    return [
        DocumentVersion(code=row.code, version=row.version, title=row.title, body=row.body, sm3=row.sm3)
        for row in rows
        if row.version == newest[row.code]
    ]


def acts_of(subject: Subject, customer_ref: UUID) -> list[ActView]:
    """Return the acts of one customer, newest first, at most 200.

    Raises:
        NotPermittedError: `subject` may not read consents.
    """
    require(subject, Action.CONSENT_READ, Resource(kind="customer", ref=str(customer_ref)))
    at = clock.now()
    rows = ConsentAct.objects.select_related("document", "withdrawal").filter(customer_ref=customer_ref)
    return [_view(row, at) for row in rows.order_by("-accepted_at")[:LONGEST_LIST]]


def _view(row: ConsentAct, at: datetime) -> ActView:
    withdrawal = getattr(row, "withdrawal", None)
    withdrawn_at = withdrawal.withdrawn_at if withdrawal else None
    return ActView(
        act_id=row.act_id,
        customer_ref=row.customer_ref,
        document=row.document.code,
        version=row.document.version,
        purpose=row.purpose,
        kind=row.kind,
        channel=row.channel,
        accepted_at=row.accepted_at,
        valid_until=row.valid_until,
        withdrawn_at=withdrawn_at,
        state=act_state(valid_until=row.valid_until, withdrawn_at=withdrawn_at, at=at),
    )
