"""Life of a partner's certificate, and how long a nonce is remembered."""

import datetime as dt
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from kuimen.gate.exchange.profile import WINDOW

# A message may be dated a window ahead and is taken until a window after its date; then its date alone refuses it.
NONCE_KEPT: Final = 2 * WINDOW + dt.timedelta(seconds=60)
OVERLAP: Final = dt.timedelta(hours=1)  # messages under way when a certificate was replaced are still taken
REGISTER_ACTION: Final = "exchange.register_certificate"
OWN_SIGNING: Final = "exchange-sign"
OWN_DECRYPTING: Final = "exchange-decrypt"


class KeyUse(StrEnum):
    """What a partner's certificate is registered for."""

    SIGN = "sign"
    ENCRYPT = "encrypt"


class CertificateState(StrEnum):
    """State of a registered certificate."""

    ACTIVE = "active"
    RETIRED = "retired"
    REVOKED = "revoked"


class CertificateEvent(StrEnum):
    """What can happen to a registered certificate."""

    REPLACE = "replace"
    REVOKE = "revoke"


TRANSITIONS: Final[Mapping[tuple[CertificateState, CertificateEvent], CertificateState]] = MappingProxyType(
    {
        (CertificateState.ACTIVE, CertificateEvent.REPLACE): CertificateState.RETIRED,
        (CertificateState.ACTIVE, CertificateEvent.REVOKE): CertificateState.REVOKED,
        (CertificateState.RETIRED, CertificateEvent.REVOKE): CertificateState.REVOKED,
    }
)


def next_state(state: CertificateState, event: CertificateEvent) -> CertificateState | None:
    """Return the state after `event`, or None where the table does not allow it."""
    return TRANSITIONS.get((state, event))
