"""An independent checker of row seals: nothing of the product, HMAC in plain Python over the SM3 of another library.

Written from the description of the format alone.
"""

import gmalg

BLOCK = 64


def sm3(data: bytes) -> bytes:
    state = gmalg.SM3()
    state.update(data)
    return bytes(state.value())


def hmac_sm3(key: bytes, message: bytes) -> bytes:
    block = (sm3(key) if len(key) > BLOCK else key) + bytes(max(0, BLOCK - len(key)))
    inner = sm3(bytes(byte ^ 0x36 for byte in block) + message)
    return sm3(bytes(byte ^ 0x5C for byte in block) + inner)


def holds(
    key: bytes, institution: bytes, row_key: bytes, revision: int, fields: list[tuple[bytes, bytes]], seal: bytes
) -> bool:
    message = b"kuimen/row/1" + institution + row_key
    message += revision.to_bytes(4, "big") + len(fields).to_bytes(4, "big")
    for record, sealed in sorted(fields):
        message += hmac_sm3(key, b"kuimen/field/1" + record + sealed)
    return hmac_sm3(key, message)[:16] == seal
