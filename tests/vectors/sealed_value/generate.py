"""Writes the vectors beside it, the same every time: `python tests/vectors/sealed_value/generate.py`.

Adding a vector means adding it here and running this; changing a published one is a break of the format.
"""

import json
from pathlib import Path
from uuid import UUID

import gmssl_pyx
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

HERE = Path(__file__).parent
SM4_KEY = bytes.fromhex("000102030405060708090a0b0c0d0e0f")
AES_KEY = bytes(range(32, 64))
NONCE = bytes.fromhex("a0a1a2a3a4a5a6a7a8a9aaab")
CONTEXT = {
    "institution": b"institution-one",
    "record": UUID("11111111-1111-4111-8111-111111111111"),
    "element": "mobile",
    "person": UUID("22222222-2222-4222-8222-222222222222"),
    "retention_class": "identity_transaction",
    "generation": 7,
}
VALUE = b"19990000001"


def aad_of(**changes: object) -> bytes:
    context = {**CONTEXT, **changes}
    person = context["person"]
    fields = [
        context["institution"],
        context["record"].bytes,
        context["element"].encode(),
        person.bytes if person else b"",
        context["retention_class"].encode(),
        context["generation"].to_bytes(4, "big"),
    ]
    return b"kuimen/vault/1" + b"".join(len(field).to_bytes(2, "big") + field for field in fields)


def sealed_bytes(
    *, value: bytes = VALUE, aad: bytes, row_aad: bytes = b"", suite: int = 1, generation: int = 7, text: bool = False
) -> bytes:
    prefix = bytes([0xC1, suite | (0x80 if text else 0)]) + generation.to_bytes(4, "big")
    associated = prefix + len(aad).to_bytes(4, "big") + aad + row_aad
    if suite == 1 and value:
        ciphertext, tag = gmssl_pyx.sm4_gcm_encrypt(key=SM4_KEY, iv=NONCE, aad=associated, plaintext=value)
    else:  # GmSSL takes no empty value
        algorithm = algorithms.SM4(SM4_KEY) if suite == 1 else algorithms.AES(AES_KEY)
        context = Cipher(algorithm, modes.GCM(NONCE)).encryptor()
        context.authenticate_additional_data(associated)
        ciphertext = context.update(value) + context.finalize()
        tag = context.tag
    return prefix + NONCE + ciphertext + tag


def accepted() -> dict[str, dict[str, object]]:
    aad = aad_of()
    rows = {
        "sm4_gcm_person_key": (SM4_KEY, sealed_bytes(aad=aad), aad, b"", VALUE, 1, False),
        "sm4_gcm_table_key": (
            SM4_KEY,
            sealed_bytes(aad=aad_of(person=None)),
            aad_of(person=None),
            b"",
            VALUE,
            1,
            False,
        ),
        "sm4_gcm_batch_and_row": (
            SM4_KEY,
            sealed_bytes(aad=b"batch", row_aad=aad, text=True),
            b"batch",
            aad,
            VALUE,
            1,
            True,
        ),
        "sm4_gcm_empty_value": (SM4_KEY, sealed_bytes(value=b"", aad=aad), aad, b"", b"", 1, False),
        "sm4_gcm_long_value": (SM4_KEY, sealed_bytes(value=VALUE * 30, aad=aad), aad, b"", VALUE * 30, 1, False),
        "aes_256_gcm_person_key": (AES_KEY, sealed_bytes(aad=aad, suite=2), aad, b"", VALUE, 2, False),
    }
    return {
        name: {
            "key": key.hex(),
            "sealed": sealed.hex(),
            "aad": context.hex(),
            "row_aad": row.hex(),
            "plaintext": value.hex(),
            "header": {"suite": suite, "key_id": 7, "is_text": text},
        }
        for name, (key, sealed, context, row, value, suite, text) in rows.items()
    }


def turned(sealed: bytes, place: int, bit: int = 1) -> bytes:
    changed = bytearray(sealed)
    changed[place] ^= bit
    return bytes(changed)


def rejected() -> dict[str, dict[str, object]]:
    aad = aad_of()
    good = sealed_bytes(aad=aad)
    aes = sealed_bytes(aad=aad, suite=2)
    other = UUID("33333333-3333-4333-8333-333333333333")
    broken, header, version = "ciphers.seal_broken", "ciphers.sealed_header", "ciphers.sealed_version"
    rows = {
        "moved_to_other_institution": (SM4_KEY, good, aad_of(institution=b"institution-two"), b"", broken),
        "moved_to_other_record": (SM4_KEY, good, aad_of(record=other), b"", broken),
        "moved_to_other_element": (SM4_KEY, good, aad_of(element="landline"), b"", broken),
        "moved_to_other_person": (SM4_KEY, good, aad_of(person=other), b"", broken),
        "moved_to_table_key": (SM4_KEY, good, aad_of(person=None), b"", broken),
        "moved_to_other_class": (SM4_KEY, good, aad_of(retention_class="adverse_item"), b"", broken),
        "moved_to_other_generation": (SM4_KEY, good, aad_of(generation=8), b"", broken),
        "context_moved_from_batch_to_row": (SM4_KEY, good, b"", aad, broken),
        "context_missing": (SM4_KEY, good, b"", b"", broken),
        "other_key": (bytes(16), good, aad, b"", broken),
        "header_names_other_generation": (SM4_KEY, turned(good, 5), aad, b"", broken),
        "header_says_text": (SM4_KEY, turned(good, 1, 0x80), aad, b"", broken),
        "suite_downgraded_under_aes_key": (AES_KEY, turned(aes, 1, 3), aad, b"", broken),
        "suite_downgraded_under_half_the_key": (AES_KEY[:16], turned(aes, 1, 3), aad, b"", broken),
        "suite_upgraded": (SM4_KEY, turned(good, 1, 3), aad, b"", broken),
        "suite_unknown": (SM4_KEY, turned(good, 1, 8), aad, b"", version),
        "version_of_the_future": (SM4_KEY, turned(good, 0, 3), aad, b"", version),
        "header_foreign": (SM4_KEY, b"\x01" + good[1:], aad, b"", header),
        "nonce_turned": (SM4_KEY, turned(good, 6), aad, b"", broken),
        "ciphertext_turned": (SM4_KEY, turned(good, 20), aad, b"", broken),
        "tag_turned": (SM4_KEY, turned(good, -1), aad, b"", broken),
        "truncated_by_one": (SM4_KEY, good[:-1], aad, b"", broken),
        "truncated_below_the_shortest": (SM4_KEY, good[:33], aad, b"", header),
        "truncated_at_the_front": (SM4_KEY, good[1:], aad, b"", header),
        "extended_by_one": (SM4_KEY, good + b"\0", aad, b"", broken),
        "empty": (SM4_KEY, b"", aad, b"", header),
        "clear_value": (SM4_KEY, VALUE * 4, aad, b"", header),
    }
    return {
        name: {"key": key.hex(), "sealed": sealed.hex(), "aad": context.hex(), "row_aad": row.hex(), "error": error}
        for name, (key, sealed, context, row, error) in rows.items()
    }


def rendered(vector: dict[str, object]) -> str:
    return json.dumps(vector, indent=2) + "\n"


def main() -> None:
    for folder, vectors in (("accept", accepted()), ("reject", rejected())):
        (HERE / folder).mkdir(exist_ok=True)
        for name, vector in vectors.items():
            (HERE / folder / f"{name}.json").write_text(rendered(vector), encoding="utf-8")


if __name__ == "__main__":
    main()
