import json
from pathlib import Path
from typing import Any
from uuid import UUID

import gmalg
import gmssl_pyx
import pytest
from sealed_value import decoder, generate

from kuimen.kernels.ciphers import build_aad, header_of, open_sealed, self_test, sm2, sm3
from kuimen.kernels.ciphers.errors import SealBrokenError
from kuimen.kernels.ciphers.sm2.ciphertext import CiphertextForm, read_form
from kuimen.kernels.ciphers.suites import Suite, cipher_for

HERE = Path(__file__).parent
ANSWERS: dict[str, list[dict[str, str]]] = json.loads(
    (HERE / "national_ciphers" / "answers.json").read_text(encoding="utf-8")
)


def vectors(folder: str) -> list[Any]:
    files = sorted((HERE / "sealed_value" / folder).glob("*.json"))
    return [pytest.param(json.loads(file.read_text(encoding="utf-8")), id=file.stem) for file in files]


def raw(vector: dict[str, str], *names: str) -> list[bytes]:
    return [bytes.fromhex(vector[name]) for name in names]


@pytest.mark.parametrize("answer", ANSWERS["sm3"])
def test_sm3_gives_the_printed_digest(answer: dict[str, str]) -> None:
    message, digest = raw(answer, "message", "digest")
    oracle = gmalg.SM3()
    oracle.update(message)
    assert sm3(message) == digest == oracle.value() == gmssl_pyx.sm3_hash(message)


@pytest.mark.parametrize("answer", ANSWERS["sm4_block"])
def test_the_oracle_of_sm4_gives_the_printed_block(answer: dict[str, str]) -> None:
    key, plaintext, ciphertext = raw(answer, "key", "plaintext", "ciphertext")
    assert gmalg.SM4(key).encrypt(plaintext) == ciphertext


@pytest.mark.parametrize(("name", "suite"), [("sm4_gcm", Suite.SM4_GCM), ("aes_256_gcm", Suite.AES_256_GCM)])
def test_each_suite_gives_the_printed_ciphertext_and_tag(name: str, suite: Suite) -> None:
    for answer in ANSWERS[name]:
        key, nonce, aad, plaintext, ciphertext, tag = raw(
            answer, "key", "nonce", "aad", "plaintext", "ciphertext", "tag"
        )
        assert cipher_for(suite, key).encrypt(nonce, plaintext, aad) == ciphertext + tag
        assert cipher_for(suite, key).decrypt(nonce, ciphertext + tag, aad) == plaintext
        assert decoder.crypt(suite, key, nonce, ciphertext) == plaintext
        assert decoder.tag_of(suite, key, nonce, ciphertext, aad) == tag


@pytest.mark.parametrize("answer", ANSWERS["sm2_ciphertext"])
def test_the_printed_sm2_ciphertext_opens(answer: dict[str, str]) -> None:
    secret, message, c1, c2, c3 = raw(answer, "private_key", "message", "c1", "c2", "c3")
    key = sm2.Sm2PrivateKey.from_bytes(secret)
    assert key.decrypt(read_form(c1 + c3 + c2, CiphertextForm.C1C3C2)) == message
    assert key.decrypt(read_form(c1[1:] + c2 + c3, CiphertextForm.C1C2C3, marked=False)) == message


@pytest.mark.parametrize("answer", ANSWERS["sm2_signature"])
def test_the_printed_sm2_signature_verifies(answer: dict[str, str]) -> None:
    secret, public, message, signature = raw(answer, "private_key", "public_key", "message", "signature")
    sm2.Sm2PublicKey.from_bytes(public).verify(message, signature)
    assert sm2.Sm2PrivateKey.from_bytes(secret).public_bytes() == public


def test_the_self_test_covers_every_cipher() -> None:
    assert self_test() == ("SM3", "SM4", "SM4-GCM", "AES-256-GCM", "SM2")


@pytest.mark.clause("CQJR-5.3-d")
@pytest.mark.parametrize("vector", vectors("accept"))
def test_a_sealed_value_of_another_library_opens_here_and_there(vector: dict[str, Any]) -> None:
    key, sealed, aad, row_aad, plaintext = raw(vector, "key", "sealed", "aad", "row_aad", "plaintext")
    header = header_of(sealed)
    assert {"suite": header.suite, "key_id": header.key_id, "is_text": header.is_text} == vector["header"]
    assert open_sealed(key, sealed, aad=aad, row_aad=row_aad) == plaintext
    assert decoder.open_value(key, sealed, aad, row_aad) == plaintext


@pytest.mark.clause("CQJR-5.3-d")
@pytest.mark.parametrize("vector", vectors("reject"))
def test_a_moved_or_altered_value_is_refused_here_and_there(vector: dict[str, Any]) -> None:
    key, sealed, aad, row_aad = raw(vector, "key", "sealed", "aad", "row_aad")
    with pytest.raises(SealBrokenError) as refusal:
        open_sealed(key, sealed, aad=aad, row_aad=row_aad)
    assert refusal.value.code == vector["error"]
    with pytest.raises(decoder.DoesNotOpen):
        decoder.open_value(key, sealed, aad, row_aad)


def test_the_published_vectors_are_those_that_the_generator_writes() -> None:
    for folder, built in (("accept", generate.accepted()), ("reject", generate.rejected())):
        published = {file.stem: file.read_text(encoding="utf-8") for file in (HERE / "sealed_value" / folder).iterdir()}
        assert published == {name: generate.rendered(vector) for name, vector in built.items()}


def test_the_context_is_written_as_the_generator_writes_it() -> None:
    assert build_aad(**generate.CONTEXT) == generate.aad_of()
    nobody = {**generate.CONTEXT, "person": None, "record": UUID(int=5)}
    assert build_aad(**nobody) == generate.aad_of(person=None, record=UUID(int=5))
