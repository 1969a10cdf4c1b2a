"""Errors of the collections scenario."""

from typing import ClassVar

from kuimen.foundation.errors import ConflictError, InvalidInputError, NotFoundError


class CaseNotFoundError(NotFoundError):
    """No such case, or the asker may not know of it."""

    code: ClassVar[str] = "collections.not_found"


class CaseTransitionError(ConflictError):
    """The state of the case does not allow this event; the case is unchanged, read it again."""

    code: ClassVar[str] = "collections.transition"


class LoanNotOverdueError(ConflictError):
    """The ledger does not say that this loan is overdue, so nobody may collect it."""

    code: ClassVar[str] = "collections.loan_not_overdue"


class CaseExistsError(ConflictError):
    """The loan has an open case already."""

    code: ClassVar[str] = "collections.case_exists"


class NoContractBasisError(ConflictError):
    """No legal basis `contract` is recorded for the customer, so nothing may be disclosed for collection."""

    code: ClassVar[str] = "collections.no_contract_basis"


class AssigneeError(InvalidInputError):
    """The chosen collector does not exist, has left, or does not belong to the chosen agency."""

    code: ClassVar[str] = "collections.assignee"


class CaseInputError(InvalidInputError):
    """A field of a case request breaks its rule."""

    code: ClassVar[str] = "collections.invalid_input"
