import shutil
import subprocess
from pathlib import Path

import gmalg
import gmssl_pyx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kuimen.kernels.ciphers.envelope import Envelope, open_envelope, seal_envelope
from kuimen.kernels.ciphers.errors import DecryptionFailedError, Sm2CiphertextError, Sm2PlaintextError
from kuimen.kernels.ciphers.sm2 import Sm2PrivateKey, generate_keypair
from kuimen.kernels.ciphers.sm2.ciphertext import CiphertextForm, read_form, write_form
from kuimen.kernels.ciphers.sm2.gmssl import GmsslSm2
from kuimen.kernels.ciphers.sm2.libcrypto import LibcryptoSm2

SECRET = b"a key of an envelope"
FORMS = [(form, marked) for form in (CiphertextForm.C1C3C2, CiphertextForm.C1C2C3) for marked in (True, False)]


@pytest.fixture(scope="module")
def key() -> Sm2PrivateKey:
    return generate_keypair()


def test_every_library_opens_what_every_other_encrypted(key: Sm2PrivateKey) -> None:
    libcrypto, gmssl = LibcryptoSm2(), GmsslSm2()
    secret, point = key.private_bytes(), key.public_bytes()
    oracle = gmalg.SM2(secret, b"1234567812345678", point)
    written = [library.encrypt(point, SECRET) for library in (libcrypto, gmssl)]
    written.append(read_form(oracle.encrypt(SECRET), CiphertextForm.C1C3C2))
    written.append(gmssl_pyx.sm2_encrypt(point[1:], SECRET))
    for ciphertext in written:
        assert libcrypto.decrypt(secret, point, ciphertext) == SECRET
        assert gmssl.decrypt(secret, point, ciphertext) == SECRET
        assert oracle.decrypt(write_form(ciphertext, CiphertextForm.C1C3C2)) == SECRET
        assert key.decrypt(ciphertext) == SECRET


def test_the_openssl_command_opens_ours_and_we_open_its(key: Sm2PrivateKey, tmp_path: Path) -> None:
    command = shutil.which("openssl")
    assert command, "install Debian's package openssl"
    (tmp_path / "key.pem").write_text(key.to_pem(), encoding="ascii")
    (tmp_path / "public.pem").write_text(key.public_key.to_pem(), encoding="ascii")

    def run(*arguments: str, given: bytes) -> bytes:
        return subprocess.run(
            [command, "pkeyutl", *arguments], input=given, capture_output=True, check=True, cwd=tmp_path
        ).stdout

    assert run("-decrypt", "-inkey", "key.pem", given=key.public_key.encrypt(SECRET)) == SECRET
    assert key.decrypt(run("-encrypt", "-pubin", "-inkey", "public.pem", given=SECRET)) == SECRET


@pytest.mark.parametrize(("form", "marked"), FORMS)
def test_a_ciphertext_goes_through_every_form_unchanged(key: Sm2PrivateKey, form: CiphertextForm, marked: bool) -> None:  # noqa: FBT001 - a case
    der = key.public_key.encrypt(SECRET)
    raw = write_form(der, form, marked=marked)
    assert len(raw) == 64 + marked + 32 + len(SECRET)
    assert key.decrypt(read_form(raw, form, marked=marked)) == SECRET


@pytest.mark.parametrize(("form", "marked"), FORMS)
def test_a_ciphertext_read_in_the_wrong_form_is_refused(key: Sm2PrivateKey, form: CiphertextForm, marked: bool) -> None:  # noqa: FBT001 - a case
    raw = write_form(key.public_key.encrypt(SECRET), form, marked=marked)
    for other, mark in FORMS:
        if (other, mark) != (form, marked):
            with pytest.raises((Sm2CiphertextError, DecryptionFailedError)):
                key.decrypt(read_form(raw, other, marked=mark))


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_no_altered_ciphertext_opens(position: int, change: int) -> None:
    owner = Sm2PrivateKey.from_bytes(bytes(31) + b"\x07")
    altered = bytearray(owner.public_key.encrypt(SECRET))
    altered[position % len(altered)] ^= change
    with pytest.raises(DecryptionFailedError, match="does not open"):
        owner.decrypt(bytes(altered))


def test_malformed_ciphertexts_and_foreign_keys_get_one_answer(key: Sm2PrivateKey) -> None:
    foreign = generate_keypair().public_key.encrypt(SECRET)
    own = key.public_key.encrypt(SECRET)
    for wrong in (foreign, b"", b"\x30", own[:-1], own + b"\0", bytes(120)):
        with pytest.raises(DecryptionFailedError) as refusal:
            key.decrypt(wrong)
        assert str(refusal.value) == "ciphertext: it does not open with this key; ask the sender to send it again"


def test_an_empty_text_is_not_encrypted_and_a_long_one_not_by_gmssl(key: Sm2PrivateKey) -> None:
    with pytest.raises(Sm2PlaintextError):
        key.public_key.encrypt(b"")
    with pytest.raises(Sm2PlaintextError, match="255 bytes"):
        GmsslSm2().encrypt(key.public_bytes(), bytes(256))
    assert key.decrypt(key.public_key.encrypt(bytes(256))) == bytes(256)


def test_an_envelope_opens_for_its_receiver_and_context_only(key: Sm2PrivateKey) -> None:
    envelope = seal_envelope(b"text", key.public_key, aad=b"order 7")
    assert open_envelope(envelope, key, aad=b"order 7") == b"text"
    again = seal_envelope(b"text", key.public_key, aad=b"order 7")
    assert {again.nonce, again.encrypted_key, again.ciphertext}.isdisjoint(
        {envelope.nonce, envelope.encrypted_key, envelope.ciphertext}
    )
    mixed = Envelope(
        encrypted_key=again.encrypted_key, nonce=envelope.nonce, ciphertext=envelope.ciphertext, tag=envelope.tag
    )
    attempts = [(envelope, key, b"order 8"), (envelope, generate_keypair(), b"order 7"), (mixed, key, b"order 7")]
    for part in ("nonce", "ciphertext", "tag", "encrypted_key"):
        parts = {name: getattr(envelope, name) for name in Envelope.__slots__}
        attempts += [
            (Envelope(**parts | {part: parts[part][:-1]}), key, b"order 7"),
            (Envelope(**parts | {part: parts[part][:-1] + bytes([parts[part][-1] ^ 1])}), key, b"order 7"),
        ]
    for closed, receiver, aad in attempts:
        with pytest.raises(DecryptionFailedError, match="envelope: it does not open here"):
            open_envelope(closed, receiver, aad=aad)
