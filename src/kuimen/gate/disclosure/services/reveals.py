"""One clear field for a short time: the exception, under reason, quota and record.

Clause: CQJR-5.4-d, CQJR-5.2-h, JRT0171-6.1.4.1-b
"""

import hmac
import json
from dataclasses import dataclass
from uuid import UUID

from kuimen.foundation import clock
from kuimen.foundation.identifiers import CustomerRef, ViewId, new_ref
from kuimen.foundation.sensitive import Sensitive
from kuimen.gate.access.rules import Action, Subject
from kuimen.gate.access.services import actor_of
from kuimen.gate.audit import services as audit
from kuimen.gate.consent.services import bases_for
from kuimen.gate.disclosure.errors import (
    DisclosureInputError,
    IdempotencyConflictError,
    NeverShownError,
    ReasonMissingError,
    RevealExpiredError,
    RevealQuotaError,
    ValueNotHeldError,
)
from kuimen.gate.disclosure.models import DailyUse, Disclosure, RevealRequest
from kuimen.gate.disclosure.results import Revealed
from kuimen.gate.disclosure.rules import (
    LONGEST_KEY,
    SHORTEST_KEY,
    Kind,
    Limits,
    Reason,
    ReasonCode,
    counts_as_lookup,
    may_be_shown,
    reason_flaw,
)
from kuimen.gate.disclosure.services.door import (
    Request,
    View,
    basis_or_refuse,
    checked_element,
    checked_purpose,
    checked_reference,
    door,
    permit,
    watermark,
    write,
)
from kuimen.gate.disclosure.services.usage import (
    alert,
    count_people,
    limits_in_force,
    locked_use,
    seconds_until_tomorrow,
)
from kuimen.gate.keys import services as keys
from kuimen.gate.keys.rules import RetentionClass
from kuimen.gate.vault.opening import open_records
from kuimen.gate.vault.services import records_of_many
from kuimen.kernels.ciphers import hmac_sm3, seal, sm3, suite_named
from kuimen.kernels.elements import Element

REASON_SCOPE = "disclosure/reason"
_DIGEST_KEY = "disclosure_request"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """A reveal request whose fields have been checked."""

    request: Request
    customer_ref: CustomerRef
    element: Element
    reason: Reason
    key_sm3: bytes
    digest: bytes


def reveal(
    subject: Subject,
    *,
    purpose: str,
    object_type: str,
    object_ref: str,
    customer_ref: CustomerRef,
    element: Element | str,
    reason: Reason,
    idempotency_key: str,
) -> Revealed:
    """Show one field of one customer in clear until it expires.

    The same request under the same idempotency key is one disclosure, however often it is sent: while the view lasts
    it opens again under the same record, afterwards it does not. Call it outside any transaction.

    Args:
        subject: who looks.
        purpose: what for.
        object_type: kind of the business object.
        object_ref: its reference.
        customer_ref: whose value.
        element: which element.
        reason: a code of the list, and why in words without anybody's number.
        idempotency_key: 8 to 200 characters drawn by the client for this one intention.

    Raises:
        DisclosureInputError, ReasonMissingError, ObjectNotFoundError, PolicyRefusedError, NeverShownError,
        NoLegalBasisError, PeopleQuotaError, ValueNotHeldError, IdempotencyConflictError, RevealExpiredError: refused,
            and the refusal is recorded.
        RevealQuotaError: the day's clear views are used up; recorded, and the supervisor is alerted.
        SealedValueTamperedError: the value does not open where it stands; the alarm is recorded.
        DisclosureFailedError, AuditUnavailableError: it could not be recorded, so nothing is shown.
    """
    facts: dict[str, audit.FactValue] = {"customer": str(customer_ref)}
    try:
        with door(
            Action.REVEAL,
            subject=subject,
            purpose=purpose,
            object_type=object_type,
            object_ref=object_ref,
            facts=facts,
        ):
            name = checked_element(element)
            facts["element"] = name.value
            type_, ref = checked_reference(object_type, object_ref)
            request = Request(
                action=Action.REVEAL,
                subject=subject,
                purpose=checked_purpose(purpose),
                object_type=type_,
                object_ref=ref,
                customer_refs=frozenset({customer_ref}),
            )
            return _reveal(_checked(request, customer_ref, name, reason, idempotency_key))
    except RevealQuotaError:
        alert(subject, what="reveal_quota", object_type=object_type, object_ref=object_ref)
        raise


def _checked(
    request: Request, customer_ref: CustomerRef, element: Element, reason: Reason, idempotency_key: str
) -> _Wanted:
    if reason.code not in ReasonCode.__members__.values():
        raise ReasonMissingError("reason: choose a code of the list of reasons")
    if flaw := reason_flaw(reason.text):
        raise ReasonMissingError(f"reason: {flaw}")
    if not SHORTEST_KEY <= len(idempotency_key) <= LONGEST_KEY:
        raise DisclosureInputError(f"idempotency_key: give {SHORTEST_KEY} to {LONGEST_KEY} characters")
    told = [
        request.purpose.value,
        request.object_type,
        request.object_ref,
        str(customer_ref),
        element.value,
        str(reason.code),
        reason.text,
    ]
    # Keyed, because the words of a reason are few enough to be guessed.
    digest = hmac_sm3(keys.keyring().index_key(_DIGEST_KEY).key, json.dumps(told, ensure_ascii=False).encode())
    return _Wanted(
        request=request,
        customer_ref=customer_ref,
        element=element,
        reason=Reason(code=ReasonCode(reason.code), text=reason.text),
        key_sm3=sm3(idempotency_key.encode()),
        digest=digest,
    )


def _reveal(wanted: _Wanted) -> Revealed:
    request = wanted.request
    permit(request, situation={"reason": wanted.reason.code.value})
    if not may_be_shown(wanted.element):
        raise NeverShownError(f"element: {wanted.element} is never shown in clear")
    bases = {ref: basis.basis_id for ref, basis in bases_for([wanted.customer_ref], request.purpose).items()}
    basis_id = basis_or_refuse(bases, wanted.customer_ref)
    limits = limits_in_force()
    use = locked_use(request.subject)
    earlier = (
        RevealRequest.objects.select_related("view")
        .filter(staff_no=request.subject.staff_no, key_sm3=wanted.key_sm3)
        .first()
    )
    if earlier is not None:
        return _again(wanted, earlier, remaining=max(0, limits.reveals_per_day - use.reveals))
    return _first(wanted, basis_id, use, limits)


def _first(wanted: _Wanted, basis_id: UUID, use: DailyUse, limits: Limits) -> Revealed:
    request = wanted.request
    if use.reveals >= limits.reveals_per_day:
        raise RevealQuotaError(
            f"the {limits.reveals_per_day} clear views of today are used up; your supervisor has been alerted",
            retry_after_seconds=seconds_until_tomorrow(),
        )
    if counts_as_lookup(wanted.element):
        count_people(request.subject, [wanted.customer_ref], limits)
    value = _value(wanted)
    use.reveals += 1
    use.save(update_fields=["reveals"])
    at = clock.now()
    view_id = ViewId(new_ref())
    view = View(
        view_id=view_id,
        kind=Kind.REVEAL,
        at=at,
        rows=1,
        elements=[wanted.element],
        customer_ref=wanted.customer_ref,
        basis_id=basis_id,
        reason_code=wanted.reason.code,
        sealed=_sealed_reason(view_id, wanted.reason.text),
        expires_at=at + limits.reveal_lifetime,
    )
    row = write(
        request,
        view,
        facts={
            "customer": str(wanted.customer_ref),
            "basis": str(basis_id),
            "reason_code": wanted.reason.code.value,
            "seconds": limits.reveal_seconds,
            "used_today": use.reveals,
        },
    )
    RevealRequest.objects.create(
        staff_no=request.subject.staff_no, key_sm3=wanted.key_sm3, digest=wanted.digest, view=row, created_at=at
    )
    return _revealed(wanted, row, value, remaining=limits.reveals_per_day - use.reveals, repeated=False)


def _again(wanted: _Wanted, earlier: RevealRequest, *, remaining: int) -> Revealed:
    """Answer the same request a second time: same view, same end, not counted, but recorded."""
    if not hmac.compare_digest(bytes(earlier.digest), wanted.digest):
        raise IdempotencyConflictError("idempotency_key: it was used for another request; draw a new one")
    row = earlier.view
    if row.expires_at is None or clock.now() >= row.expires_at:
        raise RevealExpiredError("this clear view is over; ask again with a new key and reason")
    value = _value(wanted)
    audit.record(
        "disclosure.reveal_repeated",
        actor=actor_of(wanted.request.subject),
        object_type=row.object_type,
        object_ref=row.object_ref,
        purpose=row.purpose,
        view_id=row.view_id,
        facts={"customer": str(wanted.customer_ref), "elements": [wanted.element.value]},
    )
    return _revealed(wanted, row, value, remaining=remaining, repeated=True)


def _revealed(wanted: _Wanted, row: Disclosure, value: Sensitive[str], *, remaining: int, repeated: bool) -> Revealed:
    if row.expires_at is None:
        msg = "a reveal without an end cannot exist; the table forbids it"
        raise AssertionError(msg)
    return Revealed(
        value=value,
        expires_at=row.expires_at,
        view_id=ViewId(row.view_id),
        watermark=watermark(wanted.request.subject, row.view_id, row.occurred_at),
        remaining_today=remaining,
        repeated=repeated,
    )


def _value(wanted: _Wanted) -> Sensitive[str]:
    found = records_of_many([wanted.customer_ref], [wanted.element]).get(wanted.customer_ref, {})
    summaries = found.get(wanted.element)
    if not summaries:
        raise ValueNotHeldError(f"element: the vault holds no {wanted.element} of this customer")
    record_id = summaries[0].record_id
    return open_records([record_id], purpose=wanted.request.purpose.value)[record_id]


def _sealed_reason(view_id: UUID, text: str) -> bytes:
    key = keys.keyring().sealing_table_key(REASON_SCOPE, RetentionClass.IDENTITY_TRANSACTION)
    return seal(
        key.key,
        text.encode(),
        aad=REASON_SCOPE.encode(),
        row_aad=view_id.bytes,
        suite=suite_named(key.suite.value),
        key_id=key.generation,
    )
