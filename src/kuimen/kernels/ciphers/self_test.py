"""Known answers printed in the standards, tried on the libraries that this process really uses.

Run it before keys are unlocked: a library that was swapped or miscompiled must not touch a value.
"""

from collections.abc import Callable, Mapping

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from kuimen.kernels.ciphers.digests import sm3
from kuimen.kernels.ciphers.errors import SelfTestError, SignatureBrokenError
from kuimen.kernels.ciphers.sm2 import Sm2PublicKey
from kuimen.kernels.ciphers.suites import Suite, cipher_for

_SM4_KEY = bytes.fromhex("0123456789abcdeffedcba9876543210")


def _sm3_answers() -> bool:
    """GB/T 32905-2016, A.1 and A.2."""
    return (
        sm3(b"abc").hex() == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
        and sm3(b"abcd" * 16).hex() == "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"
    )


def _sm4_answers() -> bool:
    """GB/T 32907-2016, A.1: one block, the key as plaintext."""
    block = Cipher(algorithms.SM4(_SM4_KEY), modes.ECB()).encryptor()  # noqa: S305 - one block of a printed example
    return (block.update(_SM4_KEY) + block.finalize()).hex() == "681edf34d206965e86b3e94f536e4246"


def _sm4_gcm_answers() -> bool:
    """RFC 8998, A.1, in both directions and with one bit of the tag turned."""
    nonce = bytes.fromhex("00001234567800000000abcd")
    associated = bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2")
    plaintext = b"".join(bytes([byte]) * 8 for byte in (0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF, 0xEE, 0xAA))
    sealed = bytes.fromhex(
        "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735"
        "d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d"
        "83de3541e4c2b58177e065a9bf7b62ec"
    )
    cipher = cipher_for(Suite.SM4_GCM, _SM4_KEY)
    turned = sealed[:-1] + bytes([sealed[-1] ^ 1])
    return (
        cipher.encrypt(nonce, plaintext, associated) == sealed
        and cipher.decrypt(nonce, sealed, associated) == plaintext
        and cipher.decrypt(nonce, turned, associated) is None
    )


def _aes_gcm_answers() -> bool:
    """The GCM specification (McGrew and Viega), test case 14: 256-bit key and one block, all zero."""
    sealed = bytes.fromhex("cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919")
    cipher = cipher_for(Suite.AES_256_GCM, bytes(32))
    return (
        cipher.encrypt(bytes(12), bytes(16), b"") == sealed
        and cipher.decrypt(bytes(12), sealed, b"") == bytes(16)
        and cipher.decrypt(bytes(12), sealed, b"x") is None
    )


def _sm2_answers() -> bool:
    """GB/T 32918.5-2017, A.2, and the same signature under another message."""
    point = bytes.fromhex(
        "0409f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020"
        "ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13"
    )
    signature = bytes.fromhex(
        "3046022100f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3"
        "022100b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa"
    )
    key = Sm2PublicKey.from_bytes(point)
    key.verify(b"message digest", signature)
    try:
        key.verify(b"message digesT", signature)
    except SignatureBrokenError:
        return True
    return False


KNOWN_ANSWERS: Mapping[str, Callable[[], bool]] = {
    "SM3": _sm3_answers,
    "SM4": _sm4_answers,
    "SM4-GCM": _sm4_gcm_answers,
    "AES-256-GCM": _aes_gcm_answers,
    "SM2": _sm2_answers,
}


def self_test() -> tuple[str, ...]:
    """Try every cipher on the answers of its standard.

    Returns:
        The names of the ciphers tried, for a report.

    Raises:
        SelfTestError: a cipher gives another answer.
        Sm2UnavailableError: no library with SM2 is within reach.
    """
    for name, answers in KNOWN_ANSWERS.items():
        try:
            holds = answers()
        except SignatureBrokenError:
            holds = False
        if not holds:
            raise SelfTestError(f"{name}: the library does not give the answer of its standard; replace it before use")
    return tuple(KNOWN_ANSWERS)
