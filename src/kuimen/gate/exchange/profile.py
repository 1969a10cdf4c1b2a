"""The wire profile between institutions, free of tables: either side of it can be run with keys alone.

The body is an SM4-GCM envelope whose key is under the receiver's SM2 key; its associated data are the fields of the
head. Then everything that goes over the wire is signed with SM2: method, path, sorted query, both parties' keys, time,
nonce, the request that is answered, and SM3 of the body as sent. Answers and errors take the same way back.

>>> import datetime as dt
>>> from kuimen.kernels.ciphers import sm2
>>> lender, partner = sm2.generate_keypair(), sm2.generate_keypair()
>>> head = Head(partner_id="P1", key_id="k1", receiver_key_id="k2", at=dt.datetime(2026, 1, 1, tzinfo=dt.timezone.utc),
...             nonce="0123456789abcdef", method="POST", path="/v1/cases")
>>> message = close_message(b'{"case": 7}', head, signer=partner, receiver=lender.public_key)
>>> read = read_head(message, method="POST", path="/v1/cases")
>>> check_signature(message, read, sender=partner.public_key)
>>> open_body(message.body, read, receiver=lender)
b'{"case": 7}'
"""

import base64
import binascii
import datetime as dt
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol
from urllib.parse import urlencode

from kuimen.gate.exchange.errors import ExchangeInputError, MessageRefusedError
from kuimen.kernels.ciphers import sm2, sm3
from kuimen.kernels.ciphers.envelope import Envelope, Opener, open_envelope, seal_envelope
from kuimen.kernels.ciphers.errors import DecryptionFailedError, SignatureBrokenError

VERSION: Final = "KUIMEN-EXCHANGE-1"
WINDOW: Final = dt.timedelta(seconds=300)
MAX_BODY_BYTES: Final = 10 * 2**20
_PARTS: Final = ("ek", "iv", "ct", "tag")
_TOKEN = re.compile(r"[A-Za-z0-9._:-]{1,128}", re.ASCII)
_NONCE = re.compile(r"[A-Za-z0-9_-]{16,64}", re.ASCII)
_PATH = re.compile(r"/[A-Za-z0-9._~/%-]{0,500}", re.ASCII)
_MILLISECONDS = re.compile(r"\d{13}", re.ASCII)
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class Signer(Protocol):
    """Holds a private SM2 key and signs with it."""

    def sign(self, message: bytes) -> bytes:
        """Return a DER signature."""
        ...


def is_token(text: str) -> bool:
    """Tell whether a text can be the name of a partner or of a key on the wire."""
    return _TOKEN.fullmatch(text) is not None


def _base(bound: bytes, body: bytes) -> bytes:
    return bound + b"\n" + sm3(body).hex().encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What a message says of itself. `at` is aware; `reply_to` is the nonce of the request an answer belongs to.

    Raises:
        ExchangeInputError: naming the field that breaks its rule.
    """

    partner_id: str
    key_id: str
    receiver_key_id: str
    at: dt.datetime
    nonce: str
    method: str
    path: str
    query: Sequence[tuple[str, str]] = field(default=())
    reply_to: str = ""

    def __post_init__(self) -> None:
        """Refuse what would make two heads share one signing base."""
        rules = (
            ("partner_id", _TOKEN, self.partner_id),
            ("key_id", _TOKEN, self.key_id),
            ("receiver_key_id", _TOKEN, self.receiver_key_id),
            ("nonce", _NONCE, self.nonce),
            ("method", re.compile("[A-Z]{3,7}"), self.method),
            ("path", _PATH, self.path),
            ("reply_to", re.compile(f"(?:{_NONCE.pattern})?"), self.reply_to),
        )
        wrong = [name for name, rule, text in rules if not rule.fullmatch(text)]
        if wrong:
            raise ExchangeInputError(f"{', '.join(wrong)}: not in the form of the wire profile; see its description")

    @property
    def timestamp(self) -> str:
        """Return the time in milliseconds since 1970, 13 digits."""
        return str((self.at - _EPOCH) // dt.timedelta(milliseconds=1))

    def bound(self) -> bytes:
        """Return the fields a line each: what the body is sealed to."""
        lines = (
            VERSION, self.method, self.path, urlencode(sorted(self.query)), self.partner_id, self.key_id,
            self.receiver_key_id, self.timestamp, self.nonce, self.reply_to,
        )  # fmt: skip
        return "\n".join(lines).encode()

    def signing_base(self, body: bytes) -> bytes:
        """Return what is signed: the fields and SM3 of the body as sent."""
        return _base(self.bound(), body)

    def is_fresh(self, now: dt.datetime) -> bool:
        """Tell whether the time is within the window around `now`."""
        return abs(now - self.at) <= WINDOW


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """Headers and body as they go over the wire."""

    headers: Mapping[str, str]
    body: bytes

    @property
    def headers_folded(self) -> dict[str, str]:
        """Return the headers by their names in small letters, as HTTP compares them."""
        return {name.lower(): value for name, value in self.headers.items()}


_HEADERS: Final = {
    "partner_id": "Partner-Id",
    "key_id": "Key-Id",
    "receiver_key_id": "Receiver-Key-Id",
    "timestamp": "Timestamp",
    "nonce": "Nonce",
    "reply_to": "Reply-To-Nonce",
}
CONTENT_HEADER: Final = "Content-SM3"
SIGNATURE_HEADER: Final = "Signature"


def close_message(text: bytes, head: Head, *, signer: Signer, receiver: sm2.Sm2PublicKey) -> Message:
    """Encrypt for the receiver, then sign what is sent.

    Raises:
        ExchangeInputError: the text is longer than the profile carries.
    """
    if len(text) > MAX_BODY_BYTES // 2:
        raise ExchangeInputError(f"text: at most {MAX_BODY_BYTES // 2} bytes; send it in parts")
    envelope = seal_envelope(text, receiver, aad=head.bound())
    parts = (envelope.encrypted_key, envelope.nonce, envelope.ciphertext, envelope.tag)
    encoded = {name: base64.b64encode(part).decode() for name, part in zip(_PARTS, parts, strict=True)}
    body = json.dumps({"v": 1} | encoded, separators=(",", ":")).encode()
    headers = {header: getattr(head, name) for name, header in _HEADERS.items() if getattr(head, name)}
    headers[CONTENT_HEADER] = sm3(body).hex()
    headers[SIGNATURE_HEADER] = base64.b64encode(signer.sign(head.signing_base(body))).decode()
    return Message(headers=headers, body=body)


def read_head(message: Message, *, method: str, path: str, query: Sequence[tuple[str, str]] = ()) -> Head:
    """Read the head of a message that arrived by this method on this path.

    Raises:
        MessageRefusedError: a field is missing or malformed.
    """
    folded = message.headers_folded
    found = {name: folded.get(header.lower(), "") for name, header in _HEADERS.items()}
    timestamp = found.pop("timestamp")
    if not _MILLISECONDS.fullmatch(timestamp):
        raise MessageRefusedError("timestamp")
    at = _EPOCH + dt.timedelta(milliseconds=int(timestamp))
    try:
        return Head(**found, at=at, method=method, path=path, query=tuple(query))
    except ExchangeInputError:
        raise MessageRefusedError("head") from None


def check_signature(message: Message, head: Head, *, sender: sm2.Sm2PublicKey) -> None:
    """Check that the sender signed this head with this body.

    Raises:
        MessageRefusedError: it did not, or the digest in the headers is of another body.
    """
    folded = message.headers_folded
    if folded.get(CONTENT_HEADER.lower()) != sm3(message.body).hex():
        raise MessageRefusedError("content_sm3")
    try:
        signature = base64.b64decode(folded.get(SIGNATURE_HEADER.lower(), ""), validate=True)
    except binascii.Error:
        raise MessageRefusedError("signature") from None
    check_kept(head.bound(), message.body, signature, sender=sender)


def check_kept(bound: bytes, body: bytes, signature: bytes, *, sender: sm2.Sm2PublicKey) -> None:
    """Check a signature over the bound fields of a head and a body, as they are kept for evidence.

    Raises:
        MessageRefusedError: the sender did not sign these.
    """
    try:
        sender.verify(_base(bound, body), signature)
    except SignatureBrokenError:
        raise MessageRefusedError("signature") from None


def open_body(body: bytes, head: Head, *, receiver: Opener) -> bytes:
    """Open the body of a message whose signature was checked.

    Raises:
        MessageRefusedError: malformed, for another key, or of another head.
    """
    return open_kept(body, head.bound(), receiver=receiver)


def open_kept(body: bytes, bound: bytes, *, receiver: Opener) -> bytes:
    """Open a body under the bound fields of its head; errors as in :func:`open_body`."""
    if len(body) > MAX_BODY_BYTES:
        raise MessageRefusedError("body_length")
    try:
        document = json.loads(body)
        if not isinstance(document, dict) or document.get("v") != 1 or set(document) != {"v", *_PARTS}:
            raise MessageRefusedError("body")
        key, nonce, ciphertext, tag = (base64.b64decode(document[name], validate=True) for name in _PARTS)
        envelope = Envelope(encrypted_key=key, nonce=nonce, ciphertext=ciphertext, tag=tag)
        return open_envelope(envelope, receiver, aad=bound)
    except (ValueError, TypeError, RecursionError):
        raise MessageRefusedError("body") from None
    except DecryptionFailedError:
        raise MessageRefusedError("decryption") from None
