"""Certificates of SM2 keys (X.509 with SM2 and SM3, GB/T 20518): read, issue, and follow to a trusted root.

>>> import datetime as dt
>>> from kuimen.kernels.ciphers.sm2 import generate_keypair
>>> day = dt.datetime(2026, 1, 1, tzinfo=dt.timezone.utc)
>>> root_key = generate_keypair()
>>> terms = Terms(subject="Root", not_before=day, not_after=day + dt.timedelta(days=9), authority=True)
>>> root = issue(terms, root_key.public_key, issuer_key=root_key)
>>> verify_chain(root, [], roots=[root], at=day, use=Use.CERTIFY)
"""

import datetime as dt
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Protocol, Self, final

from cryptography import x509
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtensionOID, NameOID
from typing_extensions import override

from kuimen.kernels.ciphers.digests import sm3
from kuimen.kernels.ciphers.errors import (
    CertificateFormError,
    CertificateRefusedError,
    SignatureBrokenError,
    Sm2KeyError,
)
from kuimen.kernels.ciphers.sm2 import Sm2PublicKey, curve

SM2_WITH_SM3 = x509.ObjectIdentifier("1.2.156.10197.1.501")  # GM/T 0006
SERIAL_BITS = 127
LONGEST_CHAIN = 5
GENERALIZED_FROM = 2050  # RFC 5280, 4.1.2.5: UTCTime up to 2049
ADVICE = "ask its owner for the certificate of an SM2 key"


class Use(StrEnum):
    """What a key of a certificate is used for."""

    SIGN = "sign"
    ENCRYPT = "encrypt"
    CERTIFY = "certify"


@asn1.sequence
class _Algorithm:
    algorithm: x509.ObjectIdentifier


@asn1.sequence
class _Validity:
    not_before: asn1.UTCTime | asn1.GeneralizedTime
    not_after: asn1.UTCTime | asn1.GeneralizedTime


@asn1.sequence
class _Body:
    version: Annotated[int, asn1.Explicit(0), asn1.Default(0)]
    serial: int
    signature: asn1.TLV
    issuer: asn1.TLV
    validity: _Validity
    subject: asn1.TLV
    public_key: asn1.TLV
    issuer_unique_id: Annotated[asn1.BitString | None, asn1.Implicit(1)]
    subject_unique_id: Annotated[asn1.BitString | None, asn1.Implicit(2)]
    extensions: Annotated[list[asn1.TLV] | None, asn1.Explicit(3)]


@asn1.sequence
class _Extension:
    name: x509.ObjectIdentifier
    critical: Annotated[bool, asn1.Default(value=False)]
    value: bytes


@asn1.sequence
class _Signed:
    body: asn1.TLV
    algorithm: _Algorithm
    signature: asn1.BitString


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a certificate shall say. Times are aware; `authority` lets its key certify others."""

    subject: str
    not_before: dt.datetime
    not_after: dt.datetime
    authority: bool = False
    uses: frozenset[Use] = frozenset({Use.SIGN, Use.ENCRYPT})


@final
class Sm2Certificate:
    """A certificate of an SM2 key. That it parses says nothing about who signed it: see :func:`verify_chain`."""

    __slots__ = ("_parsed", "public_key")

    def __init__(self, parsed: x509.Certificate, public_key: Sm2PublicKey) -> None:
        """Hold what was read; use :meth:`from_pem` or :meth:`from_der`."""
        self._parsed = parsed
        self.public_key = public_key

    @classmethod
    def from_der(cls, der: bytes) -> Self:
        """Read DER.

        Raises:
            CertificateFormError: no certificate, or not one of an SM2 key signed with SM2 and SM3.
        """
        try:
            parsed = x509.load_der_x509_certificate(der)
            usable = parsed.signature_algorithm_oid == SM2_WITH_SM3
            key = asn1.decode_der(_Body, parsed.tbs_certificate_bytes).public_key
            prefix = curve.public_der(b"")
            spki = asn1.encode_der(key)
            _ = parsed.extensions
            if usable and spki.startswith(prefix):
                return cls(parsed, Sm2PublicKey.from_bytes(spki[len(prefix) :]))
        except (ValueError, x509.DuplicateExtension, Sm2KeyError):
            raise CertificateFormError(f"certificate: it can't be read; {ADVICE}") from None
        raise CertificateFormError(f"certificate: its key or its signature is not SM2 with SM3; {ADVICE}")

    @classmethod
    def from_pem(cls, pem: str) -> Self:
        """Read one PEM block CERTIFICATE.

        Raises:
            CertificateFormError: as for :meth:`from_der`.
        """
        try:
            (parsed,) = x509.load_pem_x509_certificates(pem.encode())
        except ValueError:
            raise CertificateFormError(f"certificate: not one PEM block CERTIFICATE; {ADVICE}") from None
        return cls.from_der(parsed.public_bytes(Encoding.DER))

    @property
    def subject(self) -> str:
        """Return the name of the owner, for example ``CN=示例助贷,C=CN``."""
        return self._parsed.subject.rfc4514_string()

    @property
    def issuer(self) -> str:
        """Return the name of who signed it."""
        return self._parsed.issuer.rfc4514_string()

    @property
    def serial(self) -> str:
        """Return the serial number in hexadecimal digits."""
        return f"{self._parsed.serial_number:x}"

    @property
    def not_before(self) -> dt.datetime:
        """Return the first moment it holds."""
        return self._parsed.not_valid_before_utc

    @property
    def not_after(self) -> dt.datetime:
        """Return the last moment it holds."""
        return self._parsed.not_valid_after_utc

    @property
    def path_length(self) -> int | None:
        """Return how many authorities may stand below; -1 where it is none, None where it sets no limit."""
        try:
            constraints = self._parsed.extensions.get_extension_for_class(x509.BasicConstraints).value
        except x509.ExtensionNotFound:
            return -1
        return constraints.path_length if constraints.ca else -1

    def serves(self, use: Use) -> bool:
        """Tell whether the owner's key may be used so; without a key usage extension it may not certify."""
        if use is Use.CERTIFY and self.path_length == -1:
            return False
        try:
            usage = self._parsed.extensions.get_extension_for_class(x509.KeyUsage).value
        except x509.ExtensionNotFound:
            return use is not Use.CERTIFY
        return {
            Use.SIGN: usage.digital_signature,
            Use.ENCRYPT: usage.key_encipherment or usage.data_encipherment,
            Use.CERTIFY: usage.key_cert_sign,
        }[use]

    def unknown_critical(self) -> list[str]:
        """Return the critical extensions that nobody here reads; a certificate that has one is refused."""
        read = {ExtensionOID.BASIC_CONSTRAINTS, ExtensionOID.KEY_USAGE}
        return [e.oid.dotted_string for e in self._parsed.extensions if e.critical and e.oid not in read]

    def is_signed_by(self, issuer: "Sm2Certificate") -> bool:
        """Tell whether the issuer's key made the signature over this certificate."""
        try:
            issuer.public_key.verify(self._parsed.tbs_certificate_bytes, self._parsed.signature)
        except SignatureBrokenError:
            return False
        return self._parsed.issuer == issuer.name

    @property
    def name(self) -> x509.Name:
        """Return the owner's name in its parts."""
        return self._parsed.subject

    def to_der(self) -> bytes:
        """Return the DER."""
        return self._parsed.public_bytes(Encoding.DER)

    def to_pem(self) -> str:
        """Return one PEM block CERTIFICATE."""
        return self._parsed.public_bytes(Encoding.PEM).decode()

    def fingerprint(self) -> str:
        """Return SM3 over the DER in hexadecimal digits: what two people read to each other."""
        return sm3(self.to_der()).hex()

    @override
    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sm2Certificate) and other.to_der() == self.to_der()

    @override
    def __hash__(self) -> int:
        return self._parsed.serial_number

    @override
    def __repr__(self) -> str:
        return f"Sm2Certificate({self.subject}, serial {self.serial})"


def _time(moment: dt.datetime) -> asn1.UTCTime | asn1.GeneralizedTime:
    whole = moment.astimezone(dt.UTC).replace(microsecond=0)
    return asn1.UTCTime(whole) if whole.year < GENERALIZED_FROM else asn1.GeneralizedTime(whole)


def _tlv(der: bytes) -> asn1.TLV:
    return asn1.decode_der(asn1.TLV, der)


def _extensions(terms: Terms) -> list[asn1.TLV]:
    usage = x509.KeyUsage(
        digital_signature=Use.SIGN in terms.uses,
        key_encipherment=Use.ENCRYPT in terms.uses,
        data_encipherment=Use.ENCRYPT in terms.uses,
        key_cert_sign=terms.authority,
        crl_sign=terms.authority,
        content_commitment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
    wanted = (x509.BasicConstraints(ca=terms.authority, path_length=None), usage)
    return [
        _tlv(asn1.encode_der(_Extension(name=extension.oid, critical=True, value=extension.public_bytes())))
        for extension in wanted
    ]


class Issuer(Protocol):
    """Holds the private key of an authority and signs with it."""

    def sign(self, message: bytes) -> bytes:
        """Return a DER signature."""
        ...


def issue(
    terms: Terms,
    public_key: Sm2PublicKey,
    *,
    issuer_key: Issuer,
    issuer: Sm2Certificate | None = None,
) -> Sm2Certificate:
    """Sign a certificate; without `issuer` it is its own root.

    Raises:
        CertificateFormError: the terms contradict themselves: no subject, or it ends before it begins.
    """
    if not terms.subject or terms.not_after <= terms.not_before:
        raise CertificateFormError("certificate: give a subject and an end after the beginning")
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, terms.subject)])
    algorithm = _Algorithm(algorithm=SM2_WITH_SM3)
    body = asn1.encode_der(
        _Body(
            version=2,
            serial=secrets.randbits(SERIAL_BITS) | 1,
            signature=_tlv(asn1.encode_der(algorithm)),
            issuer=_tlv((issuer.name if issuer else name).public_bytes()),
            validity=_Validity(not_before=_time(terms.not_before), not_after=_time(terms.not_after)),
            subject=_tlv(name.public_bytes()),
            public_key=_tlv(curve.public_der(public_key.to_bytes())),
            issuer_unique_id=None,
            subject_unique_id=None,
            extensions=_extensions(terms),
        )
    )
    signature = asn1.BitString(issuer_key.sign(body), 0)
    return Sm2Certificate.from_der(asn1.encode_der(_Signed(body=_tlv(body), algorithm=algorithm, signature=signature)))


def split_pem(text: str) -> list[str]:
    """Return the PEM blocks CERTIFICATE of a text one by one, in order; other text is left out."""
    end = "-----END CERTIFICATE-----"
    return [
        "-----BEGIN CERTIFICATE-----" + block.rpartition("-----BEGIN CERTIFICATE-----")[2] + end + "\n"
        for block in text.split(end)[:-1]
    ]


def verify_chain(
    leaf: Sm2Certificate,
    intermediates: Sequence[Sm2Certificate],
    *,
    roots: Collection[Sm2Certificate],
    at: dt.datetime,
    use: Use,
    revoked: Collection[str] = (),
) -> None:
    """Follow `leaf` to one of `roots`; `revoked` holds serial numbers, `at` is aware.

    Cost: one SM2 verification a step, at most five steps.

    Raises:
        CertificateRefusedError: naming the step and the reason.
    """
    _check(leaf, at=at, use=use, revoked=revoked)
    current, below = leaf, 0
    for _ in range(LONGEST_CHAIN):
        if current in roots:
            return
        issuer = next((one for one in (*roots, *intermediates) if one != current and current.is_signed_by(one)), None)
        if issuer is None:
            break
        _check(issuer, at=at, use=Use.CERTIFY, revoked=revoked)
        if issuer.path_length is not None and issuer.path_length < below:
            raise CertificateRefusedError(f"certificate {issuer.serial}: it may not stand that far above another")
        current, below = issuer, below + 1
    raise CertificateRefusedError(
        f"certificate {leaf.serial}: no way to a trusted root; ask its owner for the certificates between"
    )


def _check(certificate: Sm2Certificate, *, at: dt.datetime, use: Use, revoked: Collection[str]) -> None:
    if not certificate.not_before <= at <= certificate.not_after:
        reason = "outside its time; ask its owner for a new one"
    elif certificate.serial in revoked:
        reason = "revoked; ask its owner for a new one"
    elif not certificate.serves(use):
        reason = f"its key is not for this use ({use}); ask its owner for the right one"
    elif certificate.unknown_critical():
        reason = "it has a critical extension that is not known here; ask its owner for one without"
    else:
        return
    raise CertificateRefusedError(f"certificate {certificate.serial}: {reason}")
