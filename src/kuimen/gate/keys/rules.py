"""Pure decisions about keys: retention classes, states, transitions, passphrase strength."""

import unicodedata
from enum import StrEnum
from typing import Final

from kuimen.kernels.elements.model import RetentionClass

__all__ = [
    "KEY_LENGTHS",
    "MINIMUM_PASSPHRASE_LENGTH",
    "TRANSITIONS",
    "KeyEvent",
    "KeyState",
    "KeySuite",
    "RetentionClass",
    "next_state",
    "passphrase_bytes",
    "weak_passphrases",
]

MINIMUM_PASSPHRASE_LENGTH: Final = 12


class KeySuite(StrEnum):
    """What a data key is for; the names are those of the sealed header."""

    SM4_GCM = "sm4-gcm"
    AES_256_GCM = "aes-256-gcm"


KEY_LENGTHS: Final = {KeySuite.SM4_GCM: 16, KeySuite.AES_256_GCM: 32}


class KeyState(StrEnum):
    """Life of a key. Only an active one seals; a retired one still opens; a suspended or destroyed one does neither."""

    ACTIVE = "active"
    RETIRED = "retired"
    SUSPENDED = "suspended"
    DESTROYED = "destroyed"


class KeyEvent(StrEnum):
    """What can happen to a key."""

    ROTATE = "rotate"
    SUSPEND = "suspend"
    RESTORE = "restore"
    DESTROY = "destroy"


TRANSITIONS: Final[dict[tuple[KeyState, KeyEvent], KeyState]] = {
    (KeyState.ACTIVE, KeyEvent.ROTATE): KeyState.RETIRED,
    (KeyState.ACTIVE, KeyEvent.SUSPEND): KeyState.SUSPENDED,
    (KeyState.RETIRED, KeyEvent.SUSPEND): KeyState.SUSPENDED,
    (KeyState.SUSPENDED, KeyEvent.RESTORE): KeyState.RETIRED,
    (KeyState.SUSPENDED, KeyEvent.DESTROY): KeyState.DESTROYED,
}


def next_state(state: KeyState, event: KeyEvent) -> KeyState | None:
    """Return the state after `event`, or None where the table has no such transition."""
    return TRANSITIONS.get((state, event))


def passphrase_bytes(passphrase: str) -> bytes:
    """Return the bytes a key is derived from: NFC, so that two keyboards give the same bytes."""
    return unicodedata.normalize("NFC", passphrase).encode("utf-8")


def weak_passphrases(passphrases: dict[str, str]) -> str | None:
    """Return why a new set of passphrases is refused, or None; names the custodian, never the passphrase."""
    for custodian, passphrase in passphrases.items():
        if len(passphrase) < MINIMUM_PASSPHRASE_LENGTH:
            return f"the passphrase of custodian {custodian} needs at least {MINIMUM_PASSPHRASE_LENGTH} characters"
    if len({passphrase_bytes(one) for one in passphrases.values()}) != len(passphrases):
        return "each custodian needs a passphrase of their own"
    return None
