import hmac
import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from row_seal import decoder, generate

from kuimen.kernels.ciphers import KeyLengthError, RowContent, row_seals
from kuimen.kernels.ciphers.errors import ContextFieldError
from kuimen.kernels.ciphers.paths import READY, forced_path, path_states

HERE = Path(__file__).parent / "row_seal"
PATHS = [name for name, state in path_states().items() if state == READY]


def vectors(folder: str) -> list[Any]:
    files = sorted((HERE / folder).glob("*.json"))
    return [pytest.param(json.loads(file.read_text(encoding="utf-8")), id=file.stem) for file in files]


def fits_here(vector: dict[str, Any]) -> bool:
    content = RowContent(
        row_key=bytes.fromhex(vector["row_key"]),
        revision=vector["revision"],
        fields=[(UUID(hex=one["record"]), bytes.fromhex(one["sealed"])) for one in vector["fields"]],
    )
    (made,) = row_seals([content], bytes.fromhex(vector["key"]), institution=bytes.fromhex(vector["institution"]))
    return hmac.compare_digest(made, bytes.fromhex(vector["seal"]))


def fits_there(vector: dict[str, Any]) -> bool:
    key, institution, row_key, seal = (
        bytes.fromhex(vector[name]) for name in ("key", "institution", "row_key", "seal")
    )
    fields = [(bytes.fromhex(one["record"]), bytes.fromhex(one["sealed"])) for one in vector["fields"]]
    return decoder.holds(key, institution, row_key, vector["revision"], fields, seal)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("vector", vectors("accept"))
def test_a_row_as_it_was_written_fits_here_and_there(vector: dict[str, Any], path: str) -> None:
    with forced_path(path):
        assert fits_here(vector)
    assert fits_there(vector)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("vector", vectors("reject"))
def test_an_altered_row_fits_neither_here_nor_there(vector: dict[str, Any], path: str) -> None:
    with forced_path(path):
        assert not fits_here(vector)
    assert not fits_there(vector)


def test_the_published_rows_are_those_that_the_generator_writes() -> None:
    for folder, built in (("accept", generate.accepted()), ("reject", generate.rejected())):
        published = {file.stem: file.read_text(encoding="utf-8") for file in (HERE / folder).iterdir()}
        assert published == {name: generate.rendered(one) for name, one in built.items()}


def test_rows_of_one_call_are_sealed_as_if_alone() -> None:
    rows = [
        RowContent(
            row_key=bytes([at]) * 32,
            revision=at + 1,
            fields=[(UUID(int=at * 9 + one), bytes(one)) for one in range(at)],
        )
        for at in range(5)
    ]
    together = row_seals(rows, generate.KEY, institution=generate.INSTITUTION)
    assert together == [row_seals([row], generate.KEY, institution=generate.INSTITUTION)[0] for row in rows]
    assert len(set(together)) == 5
    assert row_seals([], generate.KEY, institution=b"") == []


@pytest.mark.parametrize(
    "wrong", [{"row_key": bytes(31)}, {"revision": 0}, {"revision": 2**32}, {"institution": bytes(15)}]
)
def test_a_row_that_cannot_be_named_is_not_sealed(wrong: dict[str, Any]) -> None:
    asked = {"row_key": bytes(32), "revision": 1, "institution": bytes(16)} | wrong
    institution = asked.pop("institution")
    with pytest.raises(ContextFieldError):
        row_seals([RowContent(fields=[], **asked)], generate.KEY, institution=institution)


def test_a_short_key_seals_nothing() -> None:
    with pytest.raises(KeyLengthError):
        row_seals([RowContent(row_key=bytes(32), revision=1, fields=[])], bytes(15), institution=bytes(16))
