"""Originals that a run has seen, held in memory by its plan until scrub and proof are done. Never written anywhere."""

from collections.abc import Iterable
from dataclasses import dataclass, field

MOST_VERIFIED = 500_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """One value that must not be found any more."""

    element: str
    text: str
    stored_as_text: bool = True


@dataclass(slots=True, kw_only=True)
class Originals:
    """What one run destroyed and verified; the proof empties it, and so does a step that fails.

    Attributes:
        destroyed: originals that this process destroyed; None where another process may have.
        verified: originals that verification has opened; None where the vault has to be asked.
    """

    destroyed: list[Original] | None = field(default=None, repr=False)
    verified: set[Original] | None = field(default=None, repr=False)
    _too_many: bool = False

    def keep_destroyed(self, originals: Iterable[Original]) -> None:
        """Remember what was destroyed."""
        if self.destroyed is None:
            self.destroyed = []
        self.destroyed.extend(originals)

    def keep_verified(self, originals: Iterable[Original]) -> None:
        """Remember what verification opened; beyond half a million none is kept."""
        if self._too_many:
            return
        held = self.verified if self.verified is not None else set()
        held.update(originals)
        self._too_many = len(held) > MOST_VERIFIED
        self.verified = None if self._too_many else held

    def let_go(self) -> None:
        """Forget everything."""
        self.destroyed = self.verified = None
        self._too_many = False
