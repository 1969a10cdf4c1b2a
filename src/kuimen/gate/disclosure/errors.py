"""Why the door stayed shut. No message holds a value, an answer or a reason text."""

from typing import ClassVar

from kuimen.foundation.errors import (
    ConflictError,
    DeniedError,
    InvalidInputError,
    NotFoundError,
    UnavailableError,
)


class DisclosureInputError(InvalidInputError):
    """A field of the request breaks its rule; the message names the field."""

    code: ClassVar[str] = "disclosure.input"


class PageTooLargeError(InvalidInputError):
    """More rows were asked for than one view may show."""

    code: ClassVar[str] = "disclosure.page_too_large"


class ReasonMissingError(InvalidInputError):
    """A clear value needs a reason code of the list and a reason in words."""

    code: ClassVar[str] = "disclosure.reason_missing"


class ObjectNotFoundError(NotFoundError):
    """The business object does not exist, is out of the subject's scope, or has nothing to do with this customer."""

    code: ClassVar[str] = "disclosure.object_not_found"


class ValueNotHeldError(NotFoundError):
    """The vault holds no value of this element for this customer."""

    code: ClassVar[str] = "disclosure.value_not_held"


class ViewNotFoundError(NotFoundError):
    """No view has this id."""

    code: ClassVar[str] = "disclosure.view_not_found"


class PolicyRefusedError(DeniedError):
    """No policy permits this to the subject for this purpose."""

    code: ClassVar[str] = "disclosure.policy_refused"


class NeverShownError(DeniedError):
    """This element is never shown in clear to staff, whatever the reason."""

    code: ClassVar[str] = "disclosure.never_shown"


class NoLegalBasisError(DeniedError):
    """No live legal basis carries this purpose for this customer."""

    code: ClassVar[str] = "disclosure.no_legal_basis"


class RevealQuotaError(DeniedError):
    """The day's clear views of this member of staff are used up; the supervisor is alerted."""

    code: ClassVar[str] = "disclosure.reveal_quota"


class PeopleQuotaError(DeniedError):
    """The day's number of different persons looked up by this member of staff is used up."""

    code: ClassVar[str] = "disclosure.people_quota"


class SearchQuotaError(DeniedError):
    """The day's searches of this member of staff are used up; the supervisor is alerted."""

    code: ClassVar[str] = "disclosure.search_quota"


class ChallengeLockedError(DeniedError):
    """Too many wrong answers were given about this customer today."""

    code: ClassVar[str] = "disclosure.challenge_locked"


class ProcedureRefusedError(DeniedError):
    """Only registered procedures of the system may open records in bulk."""

    code: ClassVar[str] = "disclosure.procedure_refused"


class IdempotencyConflictError(ConflictError):
    """The idempotency key was used for another request; use a new key."""

    code: ClassVar[str] = "disclosure.idempotency_conflict"


class RevealExpiredError(ConflictError):
    """The clear view of this idempotency key is over; ask again with a new key and reason."""

    code: ClassVar[str] = "disclosure.reveal_expired"


class DisclosureFailedError(UnavailableError):
    """The disclosure could not be recorded, so nothing was disclosed."""

    code: ClassVar[str] = "disclosure.failed"
