import datetime as dt
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from kuimen.kernels.ciphers.errors import CertificateFormError, CertificateRefusedError
from kuimen.kernels.ciphers.sm2 import generate_keypair
from kuimen.kernels.ciphers.sm2.certificates import Sm2Certificate, Terms, Use, issue, verify_chain

NOW = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
YEAR = dt.timedelta(days=365)
AUTHORITY = Terms(subject="示例根", not_before=NOW - YEAR, not_after=NOW + 30 * YEAR, authority=True)
HOLDER = Terms(subject="示例助贷机构", not_before=NOW - YEAR, not_after=NOW + YEAR)


class House:
    """A root, an authority below it, and a holder."""

    def __init__(self) -> None:
        self.root_key, self.middle_key, self.key = (generate_keypair() for _ in range(3))
        self.root = issue(AUTHORITY, self.root_key.public_key, issuer_key=self.root_key)
        self.middle = issue(
            replace(AUTHORITY, subject="示例中级"),
            self.middle_key.public_key,
            issuer=self.root,
            issuer_key=self.root_key,
        )
        self.leaf = self.certify(HOLDER)

    def certify(self, terms: Terms) -> Sm2Certificate:
        return issue(terms, self.key.public_key, issuer=self.middle, issuer_key=self.middle_key)


@pytest.fixture(scope="module")
def house() -> House:
    return House()


def follow(house: House, leaf: Sm2Certificate | None = None, **other: object) -> None:
    asked: dict[str, object] = {"roots": [house.root], "at": NOW, "use": Use.SIGN} | other
    verify_chain(leaf or house.leaf, [house.middle], **asked)  # type: ignore[arg-type] - one dictionary for all cases


def test_a_chain_leads_to_its_root_and_survives_writing(house: House) -> None:
    follow(house)
    for certificate in (house.root, house.middle, house.leaf):
        assert Sm2Certificate.from_pem(certificate.to_pem()) == certificate
    assert house.leaf.subject == "CN=示例助贷机构"
    assert house.leaf.issuer == "CN=示例中级"
    assert house.leaf.public_key == house.key.public_key
    assert house.root.not_after.year > 2049
    assert len(house.leaf.fingerprint()) == 64


def test_the_openssl_command_accepts_the_chain_and_we_accept_its(house: House, tmp_path: Path) -> None:
    command = shutil.which("openssl")
    assert command, "install Debian's package openssl"
    for name, certificate in (("root", house.root), ("middle", house.middle), ("leaf", house.leaf)):
        (tmp_path / f"{name}.pem").write_text(certificate.to_pem(), encoding="ascii")
    identifier = "distid:1234567812345678"

    def run(*arguments: str) -> str:
        return subprocess.run([command, *arguments], capture_output=True, check=True, cwd=tmp_path, text=True).stdout

    at = str(int(NOW.timestamp()))
    for above, below in (("root", "middle"), ("middle", "leaf")):  # it sets the identifier for the last step only
        taken = run(
            "verify", "-vfyopt", identifier, "-attime", at, "-partial_chain", "-CAfile", f"{above}.pem", f"{below}.pem"
        )
        assert taken == f"{below}.pem: OK\n"
    (tmp_path / "key.pem").write_text(house.key.to_pem(), encoding="ascii")
    run(
        "req", "-x509", "-new", "-key", "key.pem", "-sm3", "-sigopt", identifier, "-subj", "/CN=other side",
        "-days", "30", "-out", "theirs.pem",
    )  # fmt: skip
    theirs = Sm2Certificate.from_pem((tmp_path / "theirs.pem").read_text(encoding="ascii"))
    assert theirs.public_key == house.key.public_key
    verify_chain(theirs, [], roots=[theirs], at=theirs.not_before, use=Use.SIGN)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"at": NOW + 2 * YEAR}, "outside its time"),
        ({"at": NOW - 2 * YEAR}, "outside its time"),
        ({"roots": []}, "no way to a trusted root"),
        ({"use": Use.CERTIFY}, "not for this use"),
    ],
)
def test_a_chain_is_refused_with_its_reason(house: House, change: dict[str, object], reason: str) -> None:
    with pytest.raises(CertificateRefusedError, match=reason):
        follow(house, **change)


def test_a_revoked_step_closes_the_chain(house: House) -> None:
    for certificate in (house.leaf, house.middle):
        with pytest.raises(CertificateRefusedError, match=f"{certificate.serial}: revoked"):
            follow(house, revoked={certificate.serial})


def test_a_key_for_encryption_signs_nothing(house: House) -> None:
    only = house.certify(replace(HOLDER, uses=frozenset({Use.ENCRYPT})))
    follow(house, only, use=Use.ENCRYPT)
    with pytest.raises(CertificateRefusedError, match="not for this use"):
        follow(house, only)


def test_a_holder_does_not_become_an_authority(house: House) -> None:
    victim = generate_keypair()
    forged = issue(HOLDER, victim.public_key, issuer=house.leaf, issuer_key=house.key)
    with pytest.raises(CertificateRefusedError, match="not for this use"):
        verify_chain(forged, [house.leaf, house.middle], roots=[house.root], at=NOW, use=Use.SIGN)


def test_a_name_of_an_authority_without_its_key_counts_nothing(house: House) -> None:
    impostor = generate_keypair()
    forged = issue(HOLDER, impostor.public_key, issuer=house.middle, issuer_key=impostor)
    with pytest.raises(CertificateRefusedError, match="no way to a trusted root"):
        follow(house, forged)


def test_every_altered_byte_of_a_certificate_is_noticed(house: House) -> None:
    der = house.leaf.to_der()
    for position in range(0, len(der), 7):
        altered = bytearray(der)
        altered[position] ^= 1
        with pytest.raises((CertificateFormError, CertificateRefusedError)):
            follow(house, Sm2Certificate.from_der(bytes(altered)))


def test_a_certificate_of_another_curve_and_what_is_none_are_named(house: House) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "P-256")])
    foreign = (
        x509.CertificateBuilder(name, name, key.public_key(), 7, NOW, NOW + YEAR)
        .sign(key, SHA256())
        .public_bytes(Encoding.DER)
    )
    with pytest.raises(CertificateFormError, match="not SM2 with SM3"):
        Sm2Certificate.from_der(foreign)
    for wrong in (b"", b"\x30\x00", house.leaf.to_der()[:-1]):
        with pytest.raises(CertificateFormError):
            Sm2Certificate.from_der(wrong)
    for wrong_pem in ("", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", house.leaf.to_pem() * 2):
        with pytest.raises(CertificateFormError):
            Sm2Certificate.from_pem(wrong_pem)


def test_terms_that_contradict_themselves_are_not_signed(house: House) -> None:
    for wrong in (replace(HOLDER, subject=""), replace(HOLDER, not_after=HOLDER.not_before)):
        with pytest.raises(CertificateFormError):
            house.certify(wrong)
