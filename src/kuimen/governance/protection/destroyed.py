"""Destroyed originals of this process, kept in memory until the proof has looked for them. Never written anywhere."""

from uuid import UUID

from kuimen.governance.protection.proof import Original

_kept: dict[UUID, list[Original]] = {}


def keep(job_id: UUID, originals: list[Original]) -> None:
    """Remember originals that were destroyed by this process."""
    _kept.setdefault(job_id, []).extend(originals)


def take(job_id: UUID) -> list[Original] | None:
    """Return and forget the originals of a job; None when another process destroyed them."""
    return _kept.pop(job_id, None)
