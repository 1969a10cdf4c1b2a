"""Use cases of exchange: accept a partner's certificate, send, receive, answer, prove."""

from kuimen.gate.exchange.services.certificates import (
    Offer,
    approve_certificate,
    close_certificate,
    own_certificates,
    read_offer,
    register_certificate,
    request_certificate,
)
from kuimen.gate.exchange.services.desk import (
    CertificateView,
    MessageView,
    certificates,
    messages,
    open_message,
    own_to_hand_over,
    receive_message,
    send_message,
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
    "CertificateView",
    "MessageView",
    "Offer",
    "Received",
    "Sent",
    "answer",
    "approve_certificate",
    "certificates",
    "close_certificate",
    "forget_nonces",
    "messages",
    "open_message",
    "own_certificates",
    "own_to_hand_over",
    "prove",
    "read_answer",
    "read_offer",
    "receive",
    "receive_message",
    "register_certificate",
    "request_certificate",
    "send",
    "send_message",
]
