"""An independent reader of sealed values: nothing of the product, another library underneath.

Written from the description of the format alone, and slow on purpose.
"""

import gmalg
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

REDUCTION = 0xE1 << 120


class DoesNotOpen(Exception):  # noqa: N818 - reads as what it says
    """The bytes are no sealed value, or not one of this key and context."""


def encrypt_block(suite: int, key: bytes, block: bytes) -> bytes:
    if suite == 1:
        return bytes(gmalg.SM4(key).encrypt(block))
    context = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305 - the bare block cipher is what GCM is built of
    return context.update(block) + context.finalize()


def multiply(left: int, right: int) -> int:
    product = 0
    for bit in range(127, -1, -1):
        if left >> bit & 1:
            product ^= right
        right = right >> 1 ^ (REDUCTION if right & 1 else 0)
    return product


def padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 16)


def tag_of(suite: int, key: bytes, nonce: bytes, ciphertext: bytes, associated: bytes) -> bytes:
    subkey = int.from_bytes(encrypt_block(suite, key, bytes(16)), "big")
    lengths = (len(associated) * 8).to_bytes(8, "big") + (len(ciphertext) * 8).to_bytes(8, "big")
    data = padded(associated) + padded(ciphertext) + lengths
    digest = 0
    for start in range(0, len(data), 16):
        digest = multiply(digest ^ int.from_bytes(data[start : start + 16], "big"), subkey)
    mask = encrypt_block(suite, key, nonce + b"\0\0\0\1")
    return bytes(left ^ right for left, right in zip(digest.to_bytes(16, "big"), mask, strict=True))


def crypt(suite: int, key: bytes, nonce: bytes, data: bytes) -> bytes:
    stream = b"".join(
        encrypt_block(suite, key, nonce + (number + 2).to_bytes(4, "big")) for number in range(len(padded(data)) // 16)
    )
    return bytes(left ^ right for left, right in zip(data, stream, strict=False))


def open_value(key: bytes, sealed: bytes, aad: bytes, row_aad: bytes) -> bytes:
    if len(sealed) < 34 or sealed[0] != 0xC1:
        raise DoesNotOpen
    suite = sealed[1] & 0x7F
    if {1: 16, 2: 32}.get(suite) != len(key):
        raise DoesNotOpen
    nonce, ciphertext, tag = sealed[6:18], sealed[18:-16], sealed[-16:]
    associated = sealed[:6] + len(aad).to_bytes(4, "big") + aad + row_aad
    if tag_of(suite, key, nonce, ciphertext, associated) != tag:
        raise DoesNotOpen
    return crypt(suite, key, nonce, ciphertext)
