"""What an audit entry is: its outcome, its actor, its canonical bytes. Values in, bytes out.

The bytes are made once, stored, hashed and exported as they are; nothing ever serialises an entry a second time.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal, Protocol
from uuid import UUID

from kuimen.gate.audit.errors import AuditFactError

FORMAT = 1
LONGEST_TEXT = 500
MOST_ITEMS = 1000

FactValue = str | int | bool | None | Sequence[str] | Sequence[int]
ActorKind = Literal["staff", "system", "partner", "customer"]

_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}\Z")
_ACTION = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+\Z")
# The shapes that must never stand in an entry: a mobile number, a certificate number. Digests and references hold
# them by chance, so a neighbour from those alphabets clears the suspicion.
_PERSONAL = re.compile(r"(?<![0-9A-Za-z_-])(?:1[3-9]\d{9}|[1-9]\d{16}[\dXx])(?![0-9A-Za-z_-])")


class Outcome(StrEnum):
    """How the recorded deed ended."""

    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who did it.

    Attributes:
        kind: staff, system, partner or customer.
        ref: staff number, component name, partner code or customer reference; never a name of a customer.
        label: the work identity of staff for readers of the log; empty for customers.
    """

    kind: ActorKind
    ref: str
    label: str = ""


SYSTEM = Actor(kind="system", ref="kuimen", label="Kuimen")


class AuditSigner(Protocol):
    """Whoever signs checkpoints; the key room provides one."""

    @property
    def key_id(self) -> str:
        """Return the name of the signing key."""
        ...

    def sign(self, message: bytes) -> bytes:
        """Return a DER signature (SM2 with SM3) of `message`."""
        ...

    def public_bytes(self) -> bytes:
        """Return the public key, 65 bytes 04‖x‖y."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryFacts:
    """Everything that one entry says."""

    entry_id: UUID
    occurred_at: datetime
    actor: Actor
    action: str
    outcome: Outcome
    purpose: str
    object_type: str
    object_ref: str
    view_id: UUID | None
    facts: Mapping[str, FactValue]


def canonical_bytes(entry: EntryFacts) -> bytes:
    """Return the bytes that are stored and hashed: UTF-8 JSON, keys sorted, no spaces.

    Raises:
        AuditFactError: a name or a value is none that an entry may hold; nothing is written.
    """
    if not _ACTION.match(entry.action):
        raise AuditFactError("action must be dotted lower-case words, such as disclosure.reveal")
    body = {
        "v": FORMAT,
        "id": str(entry.entry_id),
        "at": entry.occurred_at.isoformat(),
        "actor": {
            "kind": entry.actor.kind,
            "ref": _text("actor.ref", entry.actor.ref),
            "label": _text("actor.label", entry.actor.label),
        },
        "action": entry.action,
        "outcome": entry.outcome.value,
        "purpose": _text("purpose", entry.purpose),
        "object": {"type": _text("object_type", entry.object_type), "ref": _text("object_ref", entry.object_ref)},
        "view": str(entry.view_id) if entry.view_id else None,
        "facts": {_fact_name(name): _fact(name, value) for name, value in entry.facts.items()},
    }
    return json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _fact_name(name: str) -> str:
    if not _NAME.match(name):
        raise AuditFactError("a fact's name must be lower-case words joined by underscores")
    return name


def _fact(name: str, value: object) -> object:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):  # a StrEnum counts as its text
        return _text(name, str(value))
    if isinstance(value, int):
        return value
    if isinstance(value, list | tuple):
        if len(value) > MOST_ITEMS:
            raise AuditFactError(f"fact {name} holds more than {MOST_ITEMS} items; record a count or a digest")
        return [_fact(name, item) for item in value]
    raise AuditFactError(f"fact {name} must be text, a whole number, true, false, null, or a list of these")


def _text(name: str, value: str) -> str:
    if not isinstance(value, str):
        raise AuditFactError(f"{name} must be text")
    if len(value) > LONGEST_TEXT:
        raise AuditFactError(f"{name} is longer than {LONGEST_TEXT} characters; record a reference or a digest")
    if _PERSONAL.search(value):
        raise AuditFactError(f"{name} looks like a personal number; entries hold references, never values")
    return value
