"""What can be wrong with a tree or a proof."""

from typing import ClassVar

from kuimen.foundation.errors import InvalidInputError, TamperError


class TreeRangeError(InvalidInputError):
    """A proof is asked for a leaf or a size that the tree does not have."""

    code: ClassVar[str] = "merkle.tree_range"


class DigestLengthError(InvalidInputError):
    """A leaf hash is not 32 bytes long."""

    code: ClassVar[str] = "merkle.digest_length"


class FrontierBytesError(TamperError):
    """Bytes are no stored frontier."""

    code: ClassVar[str] = "merkle.frontier_bytes"


class InclusionBrokenError(TamperError):
    """A leaf is not in the tree that the root stands for."""

    code: ClassVar[str] = "merkle.inclusion_broken"


class ConsistencyBrokenError(TamperError):
    """The later tree does not begin with the earlier one."""

    code: ClassVar[str] = "merkle.consistency_broken"
