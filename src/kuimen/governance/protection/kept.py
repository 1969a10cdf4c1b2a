"""Originals that this process has seen, kept in memory until scrub and proof are done. Never written anywhere."""

from collections.abc import Iterable
from uuid import UUID

from kuimen.governance.protection.proof import Original

MOST_SEALED = 500_000

_destroyed: dict[UUID, list[Original]] = {}
_sealed: dict[UUID, set[Original] | None] = {}


def keep_destroyed(job_id: UUID, originals: Iterable[Original]) -> None:
    """Remember originals that a job of this process destroyed."""
    _destroyed.setdefault(job_id, []).extend(originals)


def take_destroyed(job_id: UUID) -> list[Original] | None:
    """Return and forget the destroyed originals of a job; None when another process destroyed them."""
    return _destroyed.pop(job_id, None)


def keep_sealed(source_id: UUID, originals: Iterable[Original]) -> None:
    """Remember originals that verification has just opened; beyond half a million none is kept."""
    held = _sealed.setdefault(source_id, set())
    if held is None:
        return
    held.update(originals)
    if len(held) > MOST_SEALED:
        _sealed[source_id] = None


def sealed_here(source_id: UUID) -> set[Original] | None:
    """Return the originals that this process verified for a source; None when the vault has to be asked."""
    return _sealed.get(source_id)


def forget(job_id: UUID | None, source_id: UUID) -> None:
    """Let everything of a job and its source go: after its proof, and wherever one of its steps failed."""
    if job_id is not None:
        _destroyed.pop(job_id, None)
    _sealed.pop(source_id, None)


def forget_sealed(source_id: UUID) -> None:
    """Let the verified originals of a source go; the proof does."""
    _sealed.pop(source_id, None)
