"""Errors of the exchange room."""

from typing import ClassVar

from kuimen.foundation.errors import ConflictError, DeniedError, InvalidInputError, NotFoundError

REFUSAL = "message: it is not accepted; compare keys, clock and signing base with the wire profile, then send a new one"


class ExchangeInputError(InvalidInputError):
    """A field of a message or of a partner's registration breaks its rule."""

    code: ClassVar[str] = "exchange.invalid_input"


class PartnerNotFoundError(NotFoundError):
    """No such partner, or none of its certificates is in force for this use."""

    code: ClassVar[str] = "exchange.partner_not_found"


class CertificateTransitionError(ConflictError):
    """The state of a partner's certificate does not allow this event."""

    code: ClassVar[str] = "exchange.certificate_transition"


class MessageRefusedError(DeniedError):
    """A message is not accepted. Unknown sender, broken signature, replay and wrong key are answered alike.

    Attributes:
        reason: for the audit log; never sent.
    """

    code: ClassVar[str] = "exchange.message_refused"

    def __init__(self, reason: str) -> None:
        """Hold the reason; the message is the same for every one."""
        super().__init__(REFUSAL)
        self.reason = reason
