"""The sealed root file: two custodians, four kinds of damage, never a half-written file."""

import base64
import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from kuimen.gate.keys import root_file
from kuimen.gate.keys.errors import (
    MissingCustodianError,
    RootFileAlteredError,
    RootFileExistsError,
    RootFileMissingError,
    RootFilePermissionError,
    RootFileVersionError,
    WeakPassphraseError,
    WrongPassphraseError,
)
from kuimen.gate.keys.root_file import Argon2Cost, create_root_file, open_root_file, read_root_info
from kuimen.kernels.ciphers import sm3

CHEAP = Argon2Cost(time_cost=1, memory_kib=64, parallelism=1)
PASSPHRASES = {"K0001": "first custodian of the tests", "K0002": "第二位保管人自己的口令足够长"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    target = tmp_path / "keys" / "root.json"
    create_root_file(target, passphrases=PASSPHRASES, cost=CHEAP)
    return target


def rewrite(path: Path, *, checksum: bool = True, **changes: object) -> None:
    """Alter the file as an attacker would, with the checksum made right again unless told otherwise."""
    document = json.loads(path.read_text())
    for dotted, value in changes.items():
        target: Any = document
        *steps, last = dotted.split("__")
        for step in steps:
            target = target[int(step)] if step.isdigit() else target[step]
        target[last] = value
    if checksum:
        body = {key: value for key, value in document.items() if key != "checksum"}
        canonical = json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
        document["checksum"] = base64.b64encode(sm3(canonical)).decode()
    path.write_text(json.dumps(document, ensure_ascii=False))


def test_both_passphrases_together_open_the_root_and_give_the_same_key_every_time(path: Path) -> None:
    first = open_root_file(path, passphrases=PASSPHRASES)
    again = open_root_file(path, passphrases=dict(reversed(PASSPHRASES.items())))
    assert first.key == again.key
    assert len(first.key) == 32
    assert first.info.custodians == ("K0001", "K0002")
    assert first.info == read_root_info(path)


def test_a_passphrase_typed_with_composed_or_decomposed_signs_is_the_same(tmp_path: Path) -> None:
    composed = {"K0001": "caf\u00e9 au lait, deux fois", "K0002": PASSPHRASES["K0002"]}
    create_root_file(tmp_path / "r", passphrases=composed, cost=CHEAP)
    decomposed = composed | {"K0001": "cafe\u0301 au lait, deux fois"}
    assert open_root_file(tmp_path / "r", passphrases=decomposed).key


@pytest.mark.parametrize("custodian", ["K0001", "K0002"])
def test_a_wrong_passphrase_names_the_custodian_and_nothing_else(path: Path, custodian: str) -> None:
    wrong = "a passphrase nobody ever chose"
    with pytest.raises(WrongPassphraseError) as caught:
        open_root_file(path, passphrases=PASSPHRASES | {custodian: wrong})
    assert caught.value.custodian == custodian
    assert custodian in str(caught.value)
    assert wrong not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    "given",
    [{}, {"K0001": PASSPHRASES["K0001"]}, {**PASSPHRASES, "K0003": "a third custodian's passphrase"}],
    ids=["nobody", "one", "three"],
)
def test_one_custodian_alone_or_a_stranger_beside_both_opens_nothing(path: Path, given: dict[str, str]) -> None:
    with pytest.raises(MissingCustodianError):
        open_root_file(path, passphrases=given)


def test_neither_share_alone_tells_anything_of_the_root(path: Path) -> None:
    opened = open_root_file(path, passphrases=PASSPHRASES)
    document = json.loads(path.read_text())
    for index, custodian in enumerate(PASSPHRASES):
        _, share = root_file._open_share(document, index, custodian, PASSPHRASES[custodian])
        assert share != bytes(opened.key)
        assert share[:8] not in bytes(opened.key)


def test_a_missing_file_is_its_own_error(tmp_path: Path) -> None:
    with pytest.raises(RootFileMissingError):
        open_root_file(tmp_path / "nowhere" / "root.json", passphrases=PASSPHRASES)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"header": {}}', b"[" * 10_000],
    ids=["empty", "cut", "list", "null", "binary", "no fields", "deep"],
)
def test_a_damaged_file_is_named_as_altered(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(RootFileAlteredError):
        open_root_file(path, passphrases=PASSPHRASES)


def test_every_single_altered_byte_is_refused(path: Path) -> None:
    """Whatever one byte becomes, the file opens with the same key or not at all; most often the checksum says so."""
    original = path.read_bytes()
    key = open_root_file(path, passphrases=PASSPHRASES).key
    refused = 0
    for position in range(0, len(original), 7):
        altered = bytearray(original)
        altered[position] ^= 0x01
        path.write_bytes(bytes(altered))
        try:
            assert open_root_file(path, passphrases=PASSPHRASES).key == key
        except (RootFileAlteredError, RootFileVersionError):
            refused += 1
    assert refused > 0.9 * len(range(0, len(original), 7))


@pytest.mark.parametrize(
    "changes",
    [
        {"header__institution_id": "99000000-0000-4000-8000-00000000beef"},
        {"header__created_at": "2020-01-01T00:00:00+08:00"},
        {"header__file_id": "x"},
        {"key_check": "0000000000000000"},
        {"mac": base64.b64encode(bytes(32)).decode()},
    ],
)
def test_a_change_with_a_recomputed_checksum_still_does_not_open(path: Path, changes: dict[str, Any]) -> None:
    rewrite(path, **changes)
    with pytest.raises((RootFileAlteredError, WrongPassphraseError)):
        open_root_file(path, passphrases=PASSPHRASES)


def test_a_lower_cost_written_into_the_file_does_not_open_it(path: Path) -> None:
    rewrite(path, header__kdf__memory_kib=32)
    with pytest.raises(WrongPassphraseError):
        open_root_file(path, passphrases=PASSPHRASES)


def test_a_cost_that_would_exhaust_the_machine_is_refused_before_any_derivation(path: Path) -> None:
    rewrite(path, header__kdf__memory_kib=2**40)
    with pytest.raises(RootFileAlteredError):
        open_root_file(path, passphrases=PASSPHRASES)


def test_a_share_of_another_root_does_not_open_here(path: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    create_root_file(other, passphrases=PASSPHRASES, cost=CHEAP)
    foreign = json.loads(other.read_text())["shares"][1]
    rewrite(path, shares__1__salt=foreign["salt"], shares__1__sealed=foreign["sealed"])
    with pytest.raises(WrongPassphraseError):
        open_root_file(path, passphrases=PASSPHRASES)


@pytest.mark.parametrize("changes", [{"header__version": 3}, {"header__format": "something-else"}])
def test_another_format_or_a_later_version_is_its_own_error(path: Path, changes: dict[str, Any]) -> None:
    rewrite(path, **changes)
    with pytest.raises(RootFileVersionError):
        open_root_file(path, passphrases=PASSPHRASES)


def test_the_file_is_the_owners_alone_and_a_looser_mode_is_refused(path: Path) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o640)
    with pytest.raises(RootFilePermissionError):
        open_root_file(path, passphrases=PASSPHRASES)


def test_a_loose_umask_does_not_loosen_the_file(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        create_root_file(tmp_path / "new" / "root.json", passphrases=PASSPHRASES, cost=CHEAP)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "new" / "root.json").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700


def test_a_second_root_file_never_replaces_the_first(path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(RootFileExistsError):
        create_root_file(path, passphrases=PASSPHRASES, cost=CHEAP)
    assert path.read_bytes() == before
    assert [entry.name for entry in path.parent.iterdir()] == ["root.json"]


@pytest.mark.parametrize(
    ("passphrases", "error"),
    [
        ({"K0001": PASSPHRASES["K0001"]}, MissingCustodianError),
        ({**PASSPHRASES, "": "a passphrase of nobody"}, MissingCustodianError),
        ({f"K{number:04}": f"the passphrase of number {number}" for number in range(17)}, MissingCustodianError),
        ({"K0001": "short", "K0002": PASSPHRASES["K0002"]}, WeakPassphraseError),
        ({"K0001": PASSPHRASES["K0001"], "K0002": PASSPHRASES["K0001"]}, WeakPassphraseError),
    ],
)
def test_a_root_needs_two_custodians_with_strong_passphrases_of_their_own(
    tmp_path: Path, passphrases: dict[str, str], error: type[Exception]
) -> None:
    with pytest.raises(error) as caught:
        create_root_file(tmp_path / "root.json", passphrases=passphrases, cost=CHEAP)
    assert not any(passphrase in str(caught.value) for passphrase in passphrases.values())
    assert not (tmp_path / "root.json").exists()


def test_no_passphrase_and_no_key_is_in_the_file(path: Path) -> None:
    content = path.read_text()
    key = bytes(open_root_file(path, passphrases=PASSPHRASES).key)
    for secret in (*PASSPHRASES.values(), key.hex(), base64.b64encode(key).decode()):
        assert secret not in content
