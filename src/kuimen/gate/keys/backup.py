"""Whether the key folder is backed up: what is there, in what state, and when somebody last held a copy beside it.

The copies themselves are out of this installation's reach, so only a person can confirm them, by showing one. What was
confirmed is the digest of a state: any later change of a file, above all a destroyed half, makes its copy an old one.

Clause: JRT0171-6.2.4-a
"""

import os
import stat
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Final

from kuimen.foundation import clock
from kuimen.gate.audit import services as audit
from kuimen.gate.keys import halves, store
from kuimen.gate.keys.errors import BackupInputError
from kuimen.gate.keys.models import DomainKey
from kuimen.gate.keys.rules import BACKUP_PERIOD, Due, due
from kuimen.gate.keys.uses import record_at_once
from kuimen.kernels.ciphers import sm3

CONFIRMED: Final = "keys.backup_confirmed"
LARGEST: Final = 4 * 2**20
_CONFIRMATIONS_READ: Final = 100


class BackupState(StrEnum):
    """How one file of the key folder stands."""

    CONFIRMED = "confirmed"
    AGEING = "ageing"  # confirmed, and soon too long ago
    OVERDUE = "overdue"  # confirmed too long ago
    CHANGED = "changed"  # what was confirmed is not the present state any more
    NEVER = "never"
    EXPOSED = "exposed"  # others than its owner can read or change it
    UNREADABLE = "unreadable"
    MISSING = "missing"
    NOT_YET = "not_yet"  # there is no domain key, and so no half of one


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupFinding:
    """One file of the key folder. `sm3` names its present state; it tells nothing of the content."""

    name: str
    state: BackupState
    changed_at: datetime | None
    sm3: str
    confirmed_at: datetime | None
    confirmed_by: str


def files_of(root_file: Path) -> tuple[Path, Path]:
    """Return the files without which nothing opens: the root file and the halves of the domain keys."""
    return root_file, root_file.with_name(halves.FILE_NAME)


def backup_findings(root_file: Path) -> list[BackupFinding]:
    """Look at the files and at the confirmations on record. Opens nothing."""
    entries = audit.entries(audit.EntryFilter(action=CONFIRMED), limit=_CONFIRMATIONS_READ).entries
    latest: dict[str, audit.EntryView] = {}
    for entry in entries:
        if entry.outcome == audit.Outcome.DONE.value:
            latest.setdefault(entry.object_ref.partition("/")[0], entry)
    found = []
    for path in files_of(root_file):
        known = latest.get(path.name)
        state, changed_at, digest = _look(path)
        if state is BackupState.MISSING and path != root_file and not _domain_keys_exist():
            state = BackupState.NOT_YET
        if state is None:
            if known is None:
                state = BackupState.NEVER
            elif known.object_ref != f"{path.name}/{digest}":
                state = BackupState.CHANGED
            else:
                state = _BY_AGE[due(known.occurred_at, BACKUP_PERIOD, at=clock.now())]
        found.append(
            BackupFinding(
                name=path.name,
                state=state,
                changed_at=changed_at,
                sm3=digest,
                confirmed_at=known.occurred_at if known else None,
                confirmed_by=known.actor if known else "",
            )
        )
    return found


def confirm_backup(root_file: Path, copy: Path, *, actor: audit.Actor) -> list[BackupFinding]:
    """Hold a copy of the key folder beside the present one, byte by byte, and record that it is whole.

    Args:
        root_file: the root file in use.
        copy: a folder that holds the copies under the same names.
        actor: who shows the copy.

    Raises:
        BackupInputError: a file is missing or of another state, or the copy is the folder in use; recorded.
    """
    digests = {}
    for path in files_of(root_file):
        if path != root_file and not path.exists() and not _domain_keys_exist():
            continue
        here, there = _read(path), _read(copy / path.name)
        if here is None or there is None:
            raise _refused(path.name, f"{path.name}: missing or unreadable here or in the copy", actor)
        if (copy / path.name).resolve() == path.resolve() or (copy / path.name).samefile(path):
            raise _refused(path.name, f"{path.name}: this is the file in use; show the copy itself", actor)
        if here != there:
            raise _refused(path.name, f"{path.name}: the copy is of another state; copy the file anew", actor)
        digests[path.name] = sm3(here).hex()
    for name, digest in digests.items():
        record_at_once(CONFIRMED, object_type="root_key", object_ref=f"{name}/{digest}", actor=actor)
    return backup_findings(root_file)


_BY_AGE: Final = {
    Due.WELL: BackupState.CONFIRMED,
    Due.SOON: BackupState.AGEING,
    Due.OVERDUE: BackupState.OVERDUE,
    Due.UNKNOWN: BackupState.NEVER,
}


def _domain_keys_exist() -> bool:
    with store.translated():
        return DomainKey.objects.using(store.DATABASE).exists()


def _look(path: Path) -> tuple[BackupState | None, datetime | None, str]:
    """Return what is wrong with a file, when it last changed, and the digest of its content."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return BackupState.MISSING, None, ""
    except OSError:
        return BackupState.UNREADABLE, None, ""
    changed_at = datetime.fromtimestamp(found.st_mtime, UTC)
    content = _read(path)
    if content is None:
        return BackupState.UNREADABLE, changed_at, ""
    exposed = found.st_mode & (stat.S_IRWXG | stat.S_IRWXO) or found.st_uid not in (os.geteuid(), 0)
    return BackupState.EXPOSED if exposed else None, changed_at, sm3(content).hex()


def _read(path: Path) -> bytes | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return None
            content = file.read(LARGEST + 1)
    except OSError:
        return None
    return content if 0 < len(content) <= LARGEST else None


def _refused(name: str, message: str, actor: audit.Actor) -> BackupInputError:
    audit.record_refusal(
        CONFIRMED, actor=actor, object_type="root_key", object_ref=name, facts={"reason": BackupInputError.code}
    )
    return BackupInputError(message)
