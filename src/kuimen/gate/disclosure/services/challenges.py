"""Identity challenges: the customer says it, staff types it, the door tells whether it is right and nothing else.

Clause: CQJR-5.4-d
"""

from uuid import UUID

from kuimen.foundation import clock
from kuimen.foundation.identifiers import CustomerRef, ViewId, new_ref
from kuimen.foundation.sensitive import Sensitive
from kuimen.gate.access.rules import Action, Subject
from kuimen.gate.audit import services as audit
from kuimen.gate.consent.services import bases_for
from kuimen.gate.disclosure.errors import ChallengeLockedError, DisclosureInputError, ValueNotHeldError
from kuimen.gate.disclosure.results import ChallengeResult
from kuimen.gate.disclosure.rules import CHALLENGES, Kind, answer_flaw, counts_as_lookup, matches
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
    locked_challenges,
    locked_use,
    seconds_until_tomorrow,
)
from kuimen.gate.vault.opening import open_records
from kuimen.gate.vault.services import records_of_many
from kuimen.kernels.elements import Element


def challenge(
    subject: Subject,
    *,
    purpose: str,
    object_ref: str,
    customer_ref: CustomerRef,
    element: Element | str,
    answer: Sensitive[str],
    object_type: str = "case",
) -> ChallengeResult:
    """Compare what the customer said with what the vault holds; neither is shown, logged or stored.

    A wrong answer counts against the customer's day, whoever asked. Call it outside any transaction.

    Raises:
        DisclosureInputError: no challenge exists for the element, or the answer is none at all (it does not count).
        ChallengeLockedError: too many wrong answers today; recorded, and the supervisor is alerted.
        ObjectNotFoundError, PolicyRefusedError, NoLegalBasisError, PeopleQuotaError, ValueNotHeldError: refused, and
            the refusal is recorded.
        DisclosureFailedError, AuditUnavailableError: it could not be recorded, so nothing is told.
    """
    facts: dict[str, audit.FactValue] = {"customer": str(customer_ref)}
    try:
        with door(
            Action.CHALLENGE,
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
                action=Action.CHALLENGE,
                subject=subject,
                purpose=checked_purpose(purpose),
                object_type=type_,
                object_ref=ref,
                customer_refs=frozenset({customer_ref}),
            )
            return _challenge(request, customer_ref, name, answer)
    except ChallengeLockedError:
        alert(subject, what="challenge_locked", object_type=object_type, object_ref=object_ref)
        raise


def _challenge(
    request: Request, customer_ref: CustomerRef, element: Element, answer: Sensitive[str]
) -> ChallengeResult:
    form = CHALLENGES.get(element)
    if form is None:
        raise DisclosureInputError(f"element: customers are not asked for {element}")
    said = answer.reveal_for("disclosure.challenge")
    if flaw := answer_flaw(form, said):
        raise DisclosureInputError(f"answer: {flaw}")
    permit(request)
    bases = {ref: basis.basis_id for ref, basis in bases_for([customer_ref], request.purpose).items()}
    basis_id = basis_or_refuse(bases, customer_ref)
    limits = limits_in_force()
    locked_use(request.subject)
    day = locked_challenges(customer_ref)
    if day.wrong >= limits.wrong_answers_per_day:
        raise ChallengeLockedError(
            f"{limits.wrong_answers_per_day} wrong answers about this customer today; identify them otherwise",
            retry_after_seconds=seconds_until_tomorrow(),
        )
    if counts_as_lookup(element):
        count_people(request.subject, [customer_ref], limits)
    value = _value(customer_ref, element, purpose=request.purpose.value)
    matched = matches(form, value.reveal_for(request.purpose.value), said)
    if not matched:
        day.wrong += 1
        day.save(update_fields=["wrong"])
    return _told(
        request, customer_ref, element, basis_id, matched=matched, remaining=limits.wrong_answers_per_day - day.wrong
    )


def _told(
    request: Request, customer_ref: UUID, element: Element, basis_id: UUID, *, matched: bool, remaining: int
) -> ChallengeResult:
    at = clock.now()
    view_id = ViewId(new_ref())
    view = View(
        view_id=view_id,
        kind=Kind.CHALLENGE,
        at=at,
        rows=1,
        elements=[element],
        customer_ref=customer_ref,
        basis_id=basis_id,
    )
    write(
        request,
        view,
        facts={"customer": str(customer_ref), "basis": str(basis_id), "matched": matched, "remaining": remaining},
    )
    return ChallengeResult(
        matched=matched,
        remaining_attempts=remaining,
        view_id=view_id,
        watermark=watermark(request.subject, view_id, at),
    )


def _value(customer_ref: CustomerRef, element: Element, *, purpose: str) -> Sensitive[str]:
    summaries = records_of_many([customer_ref], [element]).get(customer_ref, {}).get(element)
    if not summaries:
        raise ValueNotHeldError(f"element: the vault holds no {element} of this customer")
    record_id = summaries[0].record_id
    return open_records([record_id], purpose=purpose)[record_id]
