"""Looking at the keys, and confirming their backup, as the policy permits it.

Clause: JRT0171-6.2.4-a
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from kuimen.gate.access.rules import Action, Resource, Subject
from kuimen.gate.access.services import actor_of, require
from kuimen.gate.approvals import services as approvals
from kuimen.gate.approvals.rules import Ticket
from kuimen.gate.audit import services as audit
from kuimen.gate.keys import backup
from kuimen.gate.keys.backup import BackupFinding
from kuimen.gate.keys.deeds import DeedKind
from kuimen.gate.keys.overview import custody_events, overview


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPage:
    """Everything the page of the keys shows.

    Attributes:
        facts: what :func:`~kuimen.gate.keys.overview.overview` returns.
        events: the latest custody events, newest first.
        tickets: applications about keys that are asked for or approved, and not yet carried out.
    """

    facts: dict[str, Any]
    events: Sequence[audit.EntryView]
    tickets: Sequence[Ticket]


def see(reader: Subject) -> KeyPage:
    """Return the state of the keys.

    Raises:
        NotPermittedError: the reader is neither key custodian nor officer.
    """
    require(reader, Action.KEYS_READ, Resource(kind="keys"))
    return KeyPage(
        facts=overview(Path(settings.KUIMEN_ROOT_KEY)),
        events=custody_events(),
        tickets=approvals.open_ones([kind.value for kind in DeedKind]),
    )


def confirm_backup(copy: Path, *, officer: Subject) -> list[BackupFinding]:
    """Hold a copy of the key folder beside the present one and record that it is whole.

    Raises:
        NotPermittedError: the officer is no key custodian.
        BackupInputError: the copy is not whole or not of the present state; recorded.
    """
    require(officer, Action.KEYS_UNLOCK, Resource(kind="keys"))
    return backup.confirm_backup(Path(settings.KUIMEN_ROOT_KEY), copy, actor=actor_of(officer))
