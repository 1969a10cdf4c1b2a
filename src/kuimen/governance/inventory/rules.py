"""What the asset directory may say about one place where data lies, and when a scan is news."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from kuimen.kernels.elements import ELEMENT_TABLE, Storage

TO_BE_PROTECTED = frozenset(
    str(element) for element, rule in ELEMENT_TABLE.items() if rule.storage in (Storage.SEAL, Storage.DESTROY)
)
NINE_IDENTITY = frozenset(str(element) for element, rule in ELEMENT_TABLE.items() if rule.nine_identity)
NEVER_STORED = frozenset(str(element) for element, rule in ELEMENT_TABLE.items() if rule.storage is Storage.DESTROY)


class SourceKind(StrEnum):
    """What a registered source is."""

    POSTGRESQL = "postgresql"
    MYSQL = "mysql"
    FILES = "files"


class AssetState(StrEnum):
    """How the values of an asset stand at rest."""

    CLEAR = "clear"
    SEALED = "sealed"
    DISSOCIATED = "dissociated"
    DESTROYED = "destroyed"
    NOT_READ = "not_read"


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """What the directory says after a scan saw an asset.

    Attributes:
        drifted: clear personal data where there was none before: an alarm.
    """

    state: AssetState
    drifted: bool


# (what the directory said, what the scan saw) -> what it says now. A pair that is missing keeps the scan's word.
_KEPT: Mapping[tuple[AssetState, AssetState], AssetState] = MappingProxyType(
    {
        # a table that could not be read this time has not become less protected
        (AssetState.SEALED, AssetState.NOT_READ): AssetState.SEALED,
        (AssetState.DISSOCIATED, AssetState.NOT_READ): AssetState.DISSOCIATED,
        (AssetState.CLEAR, AssetState.NOT_READ): AssetState.CLEAR,
    }
)


def merge(
    previous: AssetState | None,
    seen: AssetState,
    *,
    personal: bool,
    first_scan: bool,
    was_personal: bool = False,
    masked: bool = False,
) -> Merged:
    """Return the directory's new word on an asset.

    Args:
        previous: what it said before; None for a new asset.
        seen: what the scan says.
        personal: the scan found a personal element.
        first_scan: the source has never been scanned before, so that everything is new and nothing has drifted.
        was_personal: the directory held it as personal before.
        masked: the scan saw masks in place of values; what was destroyed stays so, and nothing new lies open.
    """
    state = seen if previous is None else _KEPT.get((previous, seen), seen)
    if masked and previous is AssetState.DESTROYED:
        state = AssetState.DESTROYED
    if not personal or masked or state is not AssetState.CLEAR:
        return Merged(state=state, drifted=False)
    if previous is None:
        return Merged(state=state, drifted=not first_scan)
    return Merged(state=state, drifted=previous is not AssetState.CLEAR or not was_personal)
