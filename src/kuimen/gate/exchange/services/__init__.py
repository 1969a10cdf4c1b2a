"""Use cases of exchange: accept a partner's certificate, send, receive, answer, prove."""

from kuimen.gate.exchange.services.certificates import (
    Offer,
    close_certificate,
    own_certificates,
    read_offer,
    register_certificate,
    request_certificate,
)
from kuimen.gate.exchange.services.messages import (
    Received,
    Sent,
    answer,
    forget_nonces,
    prove,
    read_answer,
    receive,
    send,
)

__all__ = [
    "Offer",
    "Received",
    "Sent",
    "answer",
    "close_certificate",
    "forget_nonces",
    "own_certificates",
    "prove",
    "read_answer",
    "read_offer",
    "receive",
    "register_certificate",
    "request_certificate",
    "send",
]
