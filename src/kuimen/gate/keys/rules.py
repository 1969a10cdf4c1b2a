"""Pure decisions about keys: retention classes, states, transitions, passphrase strength."""

import unicodedata
from collections.abc import Collection
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from kuimen.kernels.elements.model import RetentionClass

__all__ = [
    "BACKUP_PERIOD",
    "CRYPTO_PERIOD",
    "INDEX_PERIOD",
    "KEY_LENGTHS",
    "LEASE_BLOCKS",
    "MINIMUM_PASSPHRASE_LENGTH",
    "MOST_CUSTODIANS",
    "MOST_USES",
    "MUST_BE_PRESENT",
    "NOTICE",
    "ORDER_TRANSITIONS",
    "ROOT_PERIOD",
    "TRANSITIONS",
    "Due",
    "KeyEvent",
    "KeyState",
    "KeySuite",
    "LeasedKind",
    "OrderEvent",
    "OrderState",
    "RetentionClass",
    "custodians_refused",
    "due",
    "lease_size",
    "next_order_state",
    "next_state",
    "passphrase_bytes",
    "weak_passphrases",
]

MINIMUM_PASSPHRASE_LENGTH: Final = 12
MUST_BE_PRESENT: Final = 2  # nobody opens the root alone
MOST_CUSTODIANS: Final = 16
MOST_USES: Final = 2**32  # NIST SP 800-38D, 8.3, for random 96-bit nonces


class LeasedKind(StrEnum):
    """Keys whose uses are counted: each seals with random nonces."""

    DOMAIN = "domain"
    PERSON = "person"
    TABLE = "table"


# A process takes the right to so many uses at once and in advance. What it has not used when it dies stays counted.
LEASE_BLOCKS: Final = {LeasedKind.DOMAIN: 2**16, LeasedKind.PERSON: 2**10, LeasedKind.TABLE: 2**16}


def lease_size(kind: LeasedKind, wanted: int) -> int:
    """Return how many uses to lease for `wanted` ones: whole blocks, at least one."""
    block = LEASE_BLOCKS[kind]
    return max(1, -(-wanted // block)) * block


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


class OrderState(StrEnum):
    """Life of the order of a rotation job."""

    OPEN = "open"
    PAUSED = "paused"
    FINISHED = "finished"


class OrderEvent(StrEnum):
    """What can happen to an order."""

    PAUSE = "pause"
    RESUME = "resume"
    FINISH = "finish"


ORDER_TRANSITIONS: Final[dict[tuple[OrderState, OrderEvent], OrderState]] = {
    (OrderState.OPEN, OrderEvent.PAUSE): OrderState.PAUSED,
    (OrderState.PAUSED, OrderEvent.RESUME): OrderState.OPEN,
    (OrderState.OPEN, OrderEvent.FINISH): OrderState.FINISHED,
    (OrderState.PAUSED, OrderEvent.FINISH): OrderState.FINISHED,  # the last batch was on its way
}


def next_order_state(state: OrderState, event: OrderEvent) -> OrderState | None:
    """Return the state after `event`, or None where the table has no such transition."""
    return ORDER_TRANSITIONS.get((state, event))


# How long a key seals before the next version is due, and how long before that the page says so. NIST SP 800-57 part 1,
# 5.3.6, gives an originator at most two years for data and wrapping keys, and key-derivation keys about one.
CRYPTO_PERIOD: Final = timedelta(days=365)
INDEX_PERIOD: Final = timedelta(days=730)
ROOT_PERIOD: Final = timedelta(days=1095)
BACKUP_PERIOD: Final = timedelta(days=90)
NOTICE: Final = timedelta(days=30)


class Due(StrEnum):
    """Where something stands against its period. What nobody knows is never well."""

    WELL = "well"
    SOON = "soon"
    OVERDUE = "overdue"
    UNKNOWN = "unknown"


def due(since: datetime | None, period: timedelta, *, at: datetime) -> Due:
    """Return where a thing of this age stands; a beginning that is unknown or yet to come makes it unknown."""
    if since is None or since > at:
        return Due.UNKNOWN
    left = since + period - at
    return Due.OVERDUE if left <= timedelta(0) else Due.SOON if left <= NOTICE else Due.WELL


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


def custodians_refused(custodians: Collection[str], threshold: int) -> str | None:
    """Return why a set of custodians is refused, or None."""
    if not all(custodians) or not MUST_BE_PRESENT <= len(custodians) <= MOST_CUSTODIANS:
        return f"a root file needs {MUST_BE_PRESENT} to {MOST_CUSTODIANS} named custodians, each with a passphrase"
    if not MUST_BE_PRESENT <= threshold <= len(custodians):
        return f"threshold: at least {MUST_BE_PRESENT} custodians open the root together, and no more than there are"
    return None
