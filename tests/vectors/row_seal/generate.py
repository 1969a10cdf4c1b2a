"""Writes the vectors beside it, the same every time: `python tests/vectors/row_seal/generate.py`.

Adding a vector means adding it here and running this; changing a published one is a break of the format.
"""

import hmac
import json
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
KEY = bytes(range(64, 96))
INSTITUTION = bytes.fromhex("99000000000040008000000000000001")
ROW = bytes.fromhex("ab" * 32)
NAME, PHONE, OTHER = (bytes.fromhex(digit * 32) for digit in "123")
SEALED_NAME = bytes.fromhex("c10100000007" + "a0" * 28 + "51" * 6)
SEALED_PHONE = bytes.fromhex("c10100000007" + "a1" * 28 + "52" * 11)
OLD_PHONE = bytes.fromhex("c10100000007" + "a2" * 28 + "53" * 11)
Field = tuple[bytes, bytes]


def tag(key: bytes, message: bytes) -> bytes:
    return hmac.new(key, message, "sm3").digest()


def seal(
    fields: list[Field], *, revision: int = 1, row: bytes = ROW, institution: bytes = INSTITUTION, key: bytes = KEY
) -> bytes:
    tags = [tag(key, b"kuimen/field/1" + record + sealed) for record, sealed in sorted(fields)]
    head = b"kuimen/row/1" + institution + row + revision.to_bytes(4, "big") + len(fields).to_bytes(4, "big")
    return tag(key, head + b"".join(tags))[:16]


def vector(fields: list[Field], made: bytes, *, revision: int = 1) -> dict[str, Any]:
    return {
        "key": KEY.hex(),
        "institution": INSTITUTION.hex(),
        "row_key": ROW.hex(),
        "revision": revision,
        "fields": [{"record": record.hex(), "sealed": sealed.hex()} for record, sealed in fields],
        "seal": made.hex(),
    }


def accepted() -> dict[str, dict[str, Any]]:
    both = [(NAME, SEALED_NAME), (PHONE, SEALED_PHONE)]
    return {
        "one_field": vector(both[:1], seal(both[:1])),
        "two_fields": vector(both, seal(both)),
        "order_is_of_no_account": vector(both[::-1], seal(both)),
        "written_often": vector(both, seal(both, revision=2**32 - 1), revision=2**32 - 1),
        "one_field_destroyed": vector(
            [(NAME, SEALED_NAME[:6] + bytes(28)), both[1]],
            seal([(NAME, SEALED_NAME[:6] + bytes(28)), both[1]], revision=2),
            revision=2,
        ),
        "no_field_left": vector([], seal([])),
    }


def rejected() -> dict[str, dict[str, Any]]:
    both = [(NAME, SEALED_NAME), (PHONE, SEALED_PHONE)]
    current = seal(both, revision=2)
    return {
        "field_put_back": vector([both[0], (PHONE, OLD_PHONE)], current, revision=2),
        "field_removed": vector(both[:1], current, revision=2),
        "field_added": vector([*both, (OTHER, OLD_PHONE)], current, revision=2),
        "fields_exchanged": vector([(NAME, SEALED_PHONE), (PHONE, SEALED_NAME)], current, revision=2),
        "record_renamed": vector([both[0], (OTHER, SEALED_PHONE)], current, revision=2),
        "revision_put_back": vector(both, current, revision=1),
        "revision_put_on": vector(both, current, revision=3),
        "seal_of_the_revision_before": vector(both, seal([both[0], (PHONE, OLD_PHONE)]), revision=2),
        "seal_of_another_row": vector(both, seal(both, revision=2, row=bytes(32)), revision=2),
        "seal_of_another_institution": vector(both, seal(both, revision=2, institution=bytes(16)), revision=2),
        "seal_under_another_key": vector(both, seal(both, revision=2, key=bytes(32)), revision=2),
        "seal_turned": vector(both, bytes([current[0] ^ 1]) + current[1:], revision=2),
        "seal_empty": vector(both, b"", revision=2),
    }


def rendered(one: dict[str, Any]) -> str:
    return json.dumps(one, indent=2) + "\n"


if __name__ == "__main__":
    for folder, built in (("accept", accepted()), ("reject", rejected())):
        for name, one in built.items():
            (HERE / folder / f"{name}.json").write_text(rendered(one), encoding="utf-8")
