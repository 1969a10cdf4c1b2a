"""Why a rule is refused. Texts name the file, the rule and the fault; samples are not repeated."""

from typing import ClassVar

from kuimen.foundation.errors import InvalidInputError


class RuleError(InvalidInputError):
    """A file of rules is not of the documented form, or one of its rules is refused."""

    code: ClassVar[str] = "detection.rule"


class RuleUnsafeError(RuleError):
    """The pattern of a rule can take more time than its text is worth."""

    code: ClassVar[str] = "detection.rule_unsafe"


class RuleSampleError(RuleError):
    """A rule misses one of its good samples, or finds something in a bad one."""

    code: ClassVar[str] = "detection.rule_sample"
