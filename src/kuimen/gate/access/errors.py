"""Errors of the access room."""

from typing import ClassVar

from kuimen.foundation.errors import ConflictError, DeniedError, InvalidInputError, NotFoundError, UnavailableError


class StaffNotFoundError(NotFoundError):
    """No such member of staff, agency, post or grant, or the asker may not know of it."""

    code: ClassVar[str] = "access.not_found"


class StaffInputError(InvalidInputError):
    """A field of a staff, post or grant request breaks its rule."""

    code: ClassVar[str] = "access.invalid_input"


class StaffExistsError(ConflictError):
    """The staff number, agency code or open application exists already."""

    code: ClassVar[str] = "access.exists"


class AlreadyAppointedError(ConflictError):
    """The first officers were appointed before; from then on rights come by application and approval alone."""

    code: ClassVar[str] = "access.already_appointed"


class GrantTransitionError(ConflictError):
    """The grant's state does not allow this event; read the grant again."""

    code: ClassVar[str] = "access.grant_transition"


class DutySeparationError(DeniedError):
    """One person would decide their own request, or hold two roles that must stay apart."""

    code: ClassVar[str] = "access.duty_separation"


class NotPermittedError(DeniedError):
    """No policy permits this action for the roles that are active now."""

    code: ClassVar[str] = "access.not_permitted"


class SignInRefusedError(DeniedError):
    """Staff number, password or code is wrong, the account is closed, or it is locked for a while.

    One error for all of these: the answer does not tell which part was wrong.
    """

    code: ClassVar[str] = "access.sign_in_refused"


class SecondFactorMissingError(DeniedError):
    """The account has no second factor yet; activate one first."""

    code: ClassVar[str] = "access.second_factor_missing"


class PolicyUnavailableError(UnavailableError):
    """The policy text does not parse or does not fit its schema, so nothing is permitted."""

    code: ClassVar[str] = "access.policy_unavailable"


class LastOfficersError(ConflictError):
    """Fewer than two security officers would remain, and then nobody could approve a grant ever again."""

    code: ClassVar[str] = "access.last_officers"


class ChangeTransitionError(ConflictError):
    """The change's state does not allow this event: decided, withdrawn or expired already; read it again."""

    code: ClassVar[str] = "access.change_transition"


class ActivationRefusedError(DeniedError):
    """Staff number or codes are wrong, or the activation is over; one answer for all of these."""

    code: ClassVar[str] = "access.activation_refused"


class PasswordRefusedError(DeniedError):
    """The present password or code is wrong, or the account is locked for a while."""

    code: ClassVar[str] = "access.password_refused"


class PersonnelFileError(ConflictError):
    """The person's file lacks the background check, the confidentiality agreement or valid training."""

    code: ClassVar[str] = "access.personnel_file"
