import copy
import pickle
import shutil
import subprocess
from pathlib import Path

import gmalg
import gmssl_pyx
import pytest

from kuimen.kernels.ciphers import SignatureBrokenError, Sm2KeyError, sm2
from kuimen.kernels.ciphers.sm2 import curve
from kuimen.kernels.ciphers.sm2.gmssl import GmsslSm2
from kuimen.kernels.ciphers.sm2.libcrypto import LibcryptoSm2
from kuimen.kernels.ciphers.sm2.provider import Sm2Provider

MESSAGE = b"checkpoint of the audit log"
needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl command")


@pytest.fixture(params=[LibcryptoSm2, GmsslSm2])
def provider(request: pytest.FixtureRequest) -> Sm2Provider:
    made: Sm2Provider = request.param()
    return made


def test_the_interpreters_own_library_is_preferred() -> None:
    assert sm2.provider().name == "libcrypto"


def test_what_one_library_signs_every_other_verifies(provider: Sm2Provider) -> None:
    key = sm2.generate_keypair()
    secret, point = key.private_bytes(), key.public_bytes()
    assert provider.public_point(secret) == point
    signature = provider.sign(secret, point, MESSAGE)
    assert LibcryptoSm2().verify(point, MESSAGE, signature)
    assert GmsslSm2().verify(point, MESSAGE, signature)
    assert gmssl_pyx.sm2_verify(point[1:], MESSAGE, signature)
    oracle = gmalg.SM2(secret, sm2.DISTINGUISHING_ID, point)
    r, s = halves_of(signature)
    assert oracle.verify(MESSAGE, r, s)


def test_a_signature_of_the_oracle_verifies(provider: Sm2Provider) -> None:
    key = sm2.generate_keypair()
    r, s = gmalg.SM2(key.private_bytes(), sm2.DISTINGUISHING_ID, key.public_bytes()).sign(MESSAGE)
    assert provider.verify(key.public_bytes(), MESSAGE, der_of(r, s))


def halves_of(signature: bytes) -> tuple[bytes, bytes]:
    first = 4 + signature[3]
    halves = signature[4:first], signature[first + 2 :]
    return halves[0].lstrip(b"\0").rjust(32, b"\0"), halves[1].lstrip(b"\0").rjust(32, b"\0")


def der_of(r: bytes, s: bytes) -> bytes:
    numbers = b""
    for half in (r, s):
        number = half.lstrip(b"\0")
        number = b"\0" + number if number[0] & 0x80 else number
        numbers += bytes([2, len(number)]) + number
    return bytes([0x30, len(numbers)]) + numbers


def test_a_signature_serves_no_other_message_key_identifier_or_bytes(provider: Sm2Provider) -> None:
    key, other = sm2.generate_keypair(), sm2.generate_keypair()
    point, signature = key.public_bytes(), key.sign(MESSAGE)
    assert provider.verify(point, MESSAGE, signature)
    assert not provider.verify(point, MESSAGE + b".", signature)
    assert not provider.verify(other.public_bytes(), MESSAGE, signature)
    for spoiled in (b"", signature[:-1], signature + b"\0", b"\x31" + signature[1:]):
        assert not provider.verify(point, MESSAGE, spoiled)
    foreign = gmssl_pyx.sm2_sign(key.private_bytes(), point[1:], MESSAGE, b"ALICE123@YAHOO.COM")
    assert not provider.verify(point, MESSAGE, foreign)


def test_verifying_raises_and_returns_nothing() -> None:
    key = sm2.generate_keypair()
    signature = key.sign(MESSAGE)
    key.public_key.verify(MESSAGE, signature)
    with pytest.raises(SignatureBrokenError):
        key.public_key.verify(b"", signature)


def test_keys_survive_export_and_import() -> None:
    key = sm2.generate_keypair()
    for again in (sm2.Sm2PrivateKey.from_bytes(key.private_bytes()), sm2.Sm2PrivateKey.from_pem(key.to_pem())):
        assert again.private_bytes() == key.private_bytes()
        assert again.public_key == key.public_key
        assert hash(again.public_key) == hash(key.public_key)
    assert sm2.Sm2PublicKey.from_pem(key.public_key.to_pem()) == key.public_key
    assert sm2.Sm2PublicKey.from_bytes(key.public_bytes()) == key.public_key
    assert sm2.generate_keypair().public_key != key.public_key


def test_a_private_key_neither_prints_nor_travels() -> None:
    key = sm2.generate_keypair()
    secret = key.private_bytes().hex()
    assert secret not in repr(key)
    assert secret not in f"{key}"
    for attempt in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            attempt(key)


ORDER = curve.N


@pytest.mark.parametrize(
    "secret", [b"", bytes(31), bytes(32), bytes(33), ORDER.to_bytes(32, "big"), (ORDER - 1).to_bytes(32, "big")]
)
def test_bytes_that_are_no_private_key_are_refused(secret: bytes) -> None:
    with pytest.raises(Sm2KeyError):
        sm2.Sm2PrivateKey.from_bytes(secret)


def test_bytes_that_are_no_public_key_are_refused() -> None:
    point = sm2.generate_keypair().public_bytes()
    off_curve = point[:-1] + bytes([point[-1] ^ 1])
    too_large = b"\4" + curve.P.to_bytes(32, "big") + point[33:]
    for wrong in (b"", point[:-1], point[1:], b"\2" + point[1:], off_curve, bytes(65), too_large):
        with pytest.raises(Sm2KeyError):
            sm2.Sm2PublicKey.from_bytes(wrong)


def test_text_that_is_no_key_is_refused() -> None:
    key = sm2.generate_keypair()
    public, private = key.public_key.to_pem(), key.to_pem()
    for wrong in ("", public, private.replace("PRIVATE", "EC PRIVATE"), private.replace("MI", "MJ", 1)):
        with pytest.raises(Sm2KeyError):
            sm2.Sm2PrivateKey.from_pem(wrong)
    for wrong in ("", private, public[:60], public.replace("\n", "\n!", 1), public.replace("MF", "MG", 1)):
        with pytest.raises(Sm2KeyError):
            sm2.Sm2PublicKey.from_pem(wrong)


def test_the_generator_is_multiplied_like_libcrypto_does() -> None:
    for factor in (1, 2, 3, curve.N - 2):
        secret = factor.to_bytes(32, "big")
        assert curve.multiply_generator(factor) == LibcryptoSm2().public_point(secret)


@needs_openssl
def test_the_openssl_command_reads_our_keys_and_agrees_on_signatures(tmp_path: Path) -> None:
    key = sm2.generate_keypair()
    (tmp_path / "private.pem").write_text(key.to_pem())
    (tmp_path / "public.pem").write_text(key.public_key.to_pem())
    (tmp_path / "message").write_bytes(MESSAGE)
    (tmp_path / "signature").write_bytes(key.sign(MESSAGE))
    options = ["-rawin", "-digest", "sm3", "-pkeyopt", "distid:1234567812345678", "-in", "message"]
    verify = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "public.pem", "-sigfile", "signature", *options]
    assert subprocess.run(verify, cwd=tmp_path, capture_output=True, check=False).returncode == 0
    sign = ["openssl", "pkeyutl", "-sign", "-inkey", "private.pem", "-out", "theirs", *options]
    subprocess.run(sign, cwd=tmp_path, capture_output=True, check=True)
    key.public_key.verify(MESSAGE, (tmp_path / "theirs").read_bytes())


@needs_openssl
def test_a_key_of_the_openssl_command_is_read(tmp_path: Path) -> None:
    make = ["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:SM2", "-out", "key.pem"]
    subprocess.run(make, cwd=tmp_path, capture_output=True, check=True)
    subprocess.run(
        ["openssl", "pkey", "-in", "key.pem", "-pubout", "-out", "public.pem"],
        cwd=tmp_path,
        capture_output=True,
        check=True,
    )
    key = sm2.Sm2PrivateKey.from_pem((tmp_path / "key.pem").read_text())
    assert key.public_key == sm2.Sm2PublicKey.from_pem((tmp_path / "public.pem").read_text())
