"""Use cases of legal bases, documents, acts and withdrawals."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection, transaction

from kuimen.foundation import clock
from kuimen.gate.access.rules import Action, Purpose, Resource, Subject
from kuimen.gate.access.services import actor_of, require
from kuimen.gate.audit.services import Actor, record, record_refusal
from kuimen.gate.consent.errors import (
    ActTransitionError,
    ConsentInputError,
    ConsentNotFoundError,
    DocumentVersionError,
    PreselectedConsentError,
    StaleDocumentError,
)
from kuimen.gate.consent.models import BasisRecord, ConsentAct, Document, Withdrawal
from kuimen.gate.consent.rules import (
    CONTRACT_PURPOSES,
    DIGEST_BYTES,
    ActEvent,
    ActKind,
    Basis,
    ContractEvidence,
    CustomerAct,
    DocumentVersion,
    LegalBasis,
    act_state,
    next_act_state,
    strongest,
)
from kuimen.gate.keys.arrays import bytea_array, uuid_array
from kuimen.kernels.ciphers import sm3

__all__ = [
    "ContractEvidence",
    "CustomerAct",
    "DocumentVersion",
    "LegalBasis",
    "bases_for",
    "basis_for",
    "current_document",
    "publish_document",
    "record_act",
    "record_act_as",
    "record_contract_bases",
    "record_legal_duty",
    "withdraw",
    "withdraw_as",
]

_INSERT_CONTRACTS = """
    INSERT INTO consent_basis
        (basis_id, customer_ref, basis, purpose, source_id, source_table, source_key, duty, evidence_digest,
         valid_from, recorded_at)
    SELECT gen_random_uuid(), customer_ref, %s, purpose, source_id, source_table, source_key, '', digest, since, %s
    FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::text[], %s::bytea[], %s::timestamptz[])
        AS given (customer_ref, source_id, source_table, source_key, digest, since)
    CROSS JOIN unnest(%s::text[]) AS purpose
    ON CONFLICT DO NOTHING
"""
_DOCUMENT_CODE = re.compile(r"[a-z][a-z0-9-]{0,63}\Z")


def basis_for(customer_ref: UUID, purpose: Purpose | str) -> LegalBasis | None:
    """Return the basis that carries this purpose for this customer at this moment, or None. Cost: one query."""
    return bases_for([customer_ref], purpose).get(customer_ref)


def bases_for(customer_refs: Collection[UUID], purpose: Purpose | str) -> dict[UUID, LegalBasis]:
    """Return the basis that carries this purpose now, by customer; customers without one are missing.

    Legal duty goes before contract before consent. Cost: one query for all.
    """
    at = clock.now()
    found: defaultdict[UUID, list[LegalBasis]] = defaultdict(list)
    rows = BasisRecord.objects.filter(customer_ref__in=customer_refs, purpose=_purpose(purpose).value)
    for row in rows:
        found[row.customer_ref].append(_as_basis(row))
    chosen = {ref: strongest(bases, at=at) for ref, bases in found.items()}
    return {ref: basis for ref, basis in chosen.items() if basis is not None}


def record_contract_bases(
    evidence: Iterable[ContractEvidence], *, actor: Actor, purposes: Sequence[Purpose] = CONTRACT_PURPOSES
) -> int:
    """Record basis `contract` for each source row and purpose; a row recorded before is left as it is.

    The purposes are those a loan contract itself carries; nobody's consent is invented. One audit entry for all.
    Cost: one statement for all.

    Returns:
        How many bases exist for this evidence that were not there before.

    Raises:
        ConsentInputError: a digest is not 32 bytes, or coordinates are missing.
    """
    given = list(evidence)
    if any(len(one.digest) != DIGEST_BYTES or not one.source_id or not one.source_key for one in given):
        raise ConsentInputError("evidence: give source, key and the SM3 digest of the row, 32 bytes")
    carried = [purpose.value for purpose in purposes]
    columns: list[Any] = [
        uuid_array(one.customer_ref for one in given),
        [one.source_id for one in given],
        [one.source_table for one in given],
        [one.source_key for one in given],
        bytea_array(one.digest for one in given),
        [clock.day_bounds(one.since)[0] for one in given],
    ]
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_INSERT_CONTRACTS, [Basis.CONTRACT.value, clock.now(), *columns, carried])
            added = int(cursor.rowcount)
        record(
            "consent.record_contracts",
            actor=actor,
            object_type="source",
            object_ref=given[0].source_id if given else "",
            facts={"given": len(given) * len(carried), "added": added, "purposes": carried},
        )
    return added


def record_legal_duty(
    customer_ref: UUID, *, purpose: Purpose | str, duty: str, actor: Actor, valid_until: datetime | None = None
) -> UUID:
    """Record that a law itself demands a purpose; `duty` names the law and article.

    Raises:
        ConsentInputError: no duty is named, or it is recorded already.
    """
    if not duty.strip():
        raise ConsentInputError("duty: name the law and the article")
    at = clock.now()
    try:
        with transaction.atomic():
            row = BasisRecord.objects.create(
                customer_ref=customer_ref,
                basis=Basis.LEGAL_DUTY.value,
                purpose=_purpose(purpose).value,
                duty=duty,
                evidence_digest=sm3(duty.encode()),
                valid_from=at,
                valid_until=valid_until,
                recorded_at=at,
            )
            record(
                "consent.record_duty",
                actor=actor,
                object_type="customer",
                object_ref=str(customer_ref),
                purpose=row.purpose,
                facts={"duty": duty},
            )
    except IntegrityError:
        raise ConsentInputError("duty: recorded for this customer and purpose already") from None
    return row.basis_id


def publish_document(code: str, *, title: str, body: str, officer: Subject, drafted_by: str) -> DocumentVersion:
    """Publish the next version of a text that another person drafted; from now on acts must show this one.

    Args:
        code: lower-case code of the text.
        title: its title.
        body: what customers are shown.
        officer: who releases it.
        drafted_by: staff number of whoever wrote it; never the officer's own.

    Raises:
        NotPermittedError, DutySeparationError: `officer` may not, or drafted it.
        ConsentInputError: code, title or text is missing or misshapen.
        DocumentVersionError: another version came at the same moment.
    """
    require(officer, Action.CONSENT_PUBLISH, Resource(kind="document", ref=code, maker=drafted_by))
    if not _DOCUMENT_CODE.match(code) or not title.strip() or not body.strip():
        raise ConsentInputError("code, title, body: give a lower-case code with hyphens, a title and the text")
    try:
        with transaction.atomic():
            latest = Document.objects.filter(code=code).order_by("-version").first()
            row = Document.objects.create(
                code=code,
                version=latest.version + 1 if latest else 1,
                title=title,
                body=body,
                sm3=sm3(body.encode()).hex(),
                published_at=clock.now(),
                published_by=officer.staff_no,
            )
            record(
                "consent.publish",
                actor=actor_of(officer),
                object_type="document",
                object_ref=str(row),
                facts={"sm3": row.sm3, "drafted_by": drafted_by},
            )
    except IntegrityError:
        raise DocumentVersionError("document: another version was published at the same moment") from None
    return _as_version(row)


def current_document(code: str) -> DocumentVersion:
    """Return the current version of a text.

    Raises:
        ConsentNotFoundError: there is none.
    """
    return _as_version(_current(code))


def record_act(customer_ref: UUID, act: CustomerAct, *, actor: Actor) -> UUID:
    """Record a customer's own act of consent to the current version of a text, and the basis that follows.

    Args:
        customer_ref: who consents.
        act: what was shown and what the person did.
        actor: who records it.

    Returns:
        Identifier of the act.

    Raises:
        PreselectedConsentError: the box was ticked beforehand.
        StaleDocumentError: another version than the current one was shown.
        ConsentInputError, ConsentNotFoundError: a field breaks its rule; no such document.

    Clause: CQJR-5.2-c
    """
    at = clock.now()
    if act.shown_at.tzinfo is None or act.shown_at > at:
        raise ConsentInputError("shown_at: give an aware moment that is not in the future")
    _purpose(act.purpose)
    _kind(act.kind)
    current = _current(act.document)
    if act.initially_selected:
        _record_refused_act(customer_ref, act, actor, reason="preselected")
        raise PreselectedConsentError("initially_selected: a box ticked beforehand is no act of the customer")
    if act.shown_sm3.lower() != current.sm3:
        _record_refused_act(customer_ref, act, actor, reason="stale_document")
        raise StaleDocumentError("shown_sm3: not the current version; show the current one and ask again")
    return _keep_act(customer_ref, act, current, at=at, actor=actor)


def record_act_as(subject: Subject, customer_ref: UUID, act: CustomerAct) -> UUID:
    """Record an act for a member of staff or a lender's system that may; errors as in :func:`record_act`.

    Raises:
        NotPermittedError: `subject` may not record acts.
    """
    require(subject, Action.CONSENT_RECORD, Resource(kind="customer", ref=str(customer_ref)))
    return record_act(customer_ref, act, actor=actor_of(subject))


def withdraw_as(subject: Subject, act_id: UUID, *, channel: str) -> None:
    """Record a withdrawal for a member of staff who may; errors as in :func:`withdraw`.

    Raises:
        NotPermittedError: `subject` may not record withdrawals.
    """
    require(subject, Action.CONSENT_RECORD, Resource(kind="consent", ref=str(act_id)))
    withdraw(act_id, channel=channel, actor=actor_of(subject))


def withdraw(act_id: UUID, *, channel: str, actor: Actor) -> None:
    """Withdraw a consent; the basis ends at this moment. What was done before stays lawful.

    Raises:
        ConsentNotFoundError: no such act.
        ActTransitionError: withdrawn or expired already.
    """
    at = clock.now()
    with transaction.atomic():
        act = ConsentAct.objects.filter(act_id=act_id).first()
        if act is None:
            raise ConsentNotFoundError("act_id: no such consent act")
        BasisRecord.objects.select_for_update().filter(act=act).first()  # orders two withdrawals at once
        earlier = Withdrawal.objects.filter(act=act).first()
        state = act_state(valid_until=act.valid_until, withdrawn_at=earlier.withdrawn_at if earlier else None, at=at)
        if next_act_state(state, ActEvent.WITHDRAW) is not None:
            Withdrawal.objects.create(act=act, channel=channel, withdrawn_at=at)
            BasisRecord.objects.filter(act=act).update(valid_until=at)
            record(
                "consent.withdraw",
                actor=actor,
                object_type="consent",
                object_ref=str(act_id),
                purpose=act.purpose,
                facts={"customer_ref": str(act.customer_ref), "channel": channel},
            )
            return
    record_refusal(
        "consent.withdraw",
        actor=actor,
        object_type="consent",
        object_ref=str(act_id),
        facts={"reason": "transition_not_allowed", "state": state.value},
    )
    raise ActTransitionError("act_id: the consent is withdrawn or has expired already")


def _keep_act(customer_ref: UUID, act: CustomerAct, current: Document, *, at: datetime, actor: Actor) -> UUID:
    with transaction.atomic():
        row = ConsentAct.objects.create(
            customer_ref=customer_ref,
            document=current,
            purpose=act.purpose,
            kind=act.kind,
            initially_selected=False,
            shown_sm3=current.sm3,
            channel=act.channel,
            shown_at=act.shown_at,
            accepted_at=at,
            valid_until=act.valid_until,
        )
        BasisRecord.objects.create(
            customer_ref=customer_ref,
            basis=Basis.CONSENT.value,
            purpose=act.purpose,
            act=row,
            evidence_digest=sm3(row.act_id.bytes + bytes.fromhex(current.sm3)),
            valid_from=at,
            valid_until=act.valid_until,
            recorded_at=at,
        )
        record(
            "consent.accept",
            actor=actor,
            object_type="consent",
            object_ref=str(row.act_id),
            purpose=act.purpose,
            facts={
                "customer_ref": str(customer_ref),
                "document": str(current),
                "sm3": current.sm3,
                "kind": act.kind,
                "channel": act.channel,
                "shown_at": act.shown_at.isoformat(),
            },
        )
    return row.act_id


def _record_refused_act(customer_ref: UUID, act: CustomerAct, actor: Actor, *, reason: str) -> None:
    record_refusal(
        "consent.accept",
        actor=actor,
        object_type="customer",
        object_ref=str(customer_ref),
        purpose=act.purpose,
        facts={"reason": reason, "document": act.document},
    )


def _current(code: str) -> Document:
    row = Document.objects.filter(code=code).order_by("-version").first()
    if row is None:
        raise ConsentNotFoundError("document: no such document")
    return row


def _as_version(row: Document) -> DocumentVersion:
    return DocumentVersion(code=row.code, version=row.version, title=row.title, body=row.body, sm3=row.sm3)


def _as_basis(row: BasisRecord) -> LegalBasis:
    evidence = {
        Basis.CONTRACT: f"{row.source_id}:{row.source_table}:{row.source_key}",
        Basis.LEGAL_DUTY: row.duty,
        Basis.CONSENT: f"act:{row.act_id}",
    }[Basis(row.basis)]
    return LegalBasis(
        basis_id=row.basis_id,
        customer_ref=row.customer_ref,
        basis=Basis(row.basis),
        purpose=Purpose(row.purpose),
        evidence=evidence,
        evidence_digest=bytes(row.evidence_digest),
        valid_from=row.valid_from,
        valid_until=row.valid_until,
    )


def _purpose(purpose: Purpose | str) -> Purpose:
    if purpose not in Purpose.__members__.values():
        raise ConsentInputError("purpose: no such purpose; see the list of purposes")
    return Purpose(purpose)


def _kind(kind: ActKind | str) -> ActKind:
    if kind not in ActKind.__members__.values():
        raise ConsentInputError("kind: click or tick")
    return ActKind(kind)
