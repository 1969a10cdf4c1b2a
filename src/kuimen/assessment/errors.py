"""Errors of the assessment room."""

from typing import ClassVar

from kuimen.foundation.errors import ConflictError, DeniedError, InvalidInputError, NotFoundError, UnavailableError


class AssessmentNotFoundError(NotFoundError):
    """There is no assessment with this id; run one first."""

    code: ClassVar[str] = "assessment.not_found"


class JudgementNotFoundError(NotFoundError):
    """There is no judgement with this id."""

    code: ClassVar[str] = "assessment.judgement_not_found"


class ReasonMissingError(InvalidInputError):
    """A judgement needs a written reason and a reference to evidence."""

    code: ClassVar[str] = "assessment.reason_missing"


class VerdictNotForPeopleError(InvalidInputError):
    """A person judges 符合, 部分符合, 不符合 or 不适用; an open verdict is the absence of a judgement."""

    code: ClassVar[str] = "assessment.verdict_not_for_people"


class SamePersonError(DeniedError):
    """Who judged a clause may not approve the judgement; ask a second person."""

    code: ClassVar[str] = "assessment.same_person"


class JudgementDecidedError(ConflictError):
    """The judgement has been approved or refused already; make a new one."""

    code: ClassVar[str] = "assessment.judgement_decided"


class ReportUnavailableError(UnavailableError):
    """The report cannot be typeset; install the server extra with its fonts."""

    code: ClassVar[str] = "assessment.report_unavailable"
