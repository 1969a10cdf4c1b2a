"""m of n custodians: any m open the root, fewer tell nothing; shares are drawn anew when people change."""

import itertools
import json
import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kuimen.gate.keys import root_file
from kuimen.gate.keys.errors import (
    MissingCustodianError,
    RootFileAlteredError,
    ShareInputError,
    UnknownCustodianError,
    WeakPassphraseError,
    WrongPassphraseError,
)
from kuimen.gate.keys.root_file import (
    Argon2Cost,
    Pbkdf2Sm3Cost,
    TokenPlace,
    change_passphrase,
    create_root_file,
    open_root_file,
    read_root_info,
    reshare_root_file,
)
from kuimen.gate.keys.sharing import _inverse, _times, join, split

CHEAP = Argon2Cost(time_cost=1, memory_kib=64, parallelism=1)
FIVE = {f"K000{number}": f"the long passphrase of custodian {number}" for number in range(1, 6)}
FIRST_VERSION = Path(__file__).parent.parent / "vectors" / "root_file" / "version_1.json"
FIRST_VERSION_PASSPHRASES = {"K0001": "first custodian of the tests", "K0002": "第二位保管人自己的口令足够长"}
FIRST_VERSION_KEY = "91b4b91fee60ca9ee790f8a03b8843823181a27b7922ee247b2de6029926a420"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Make a root of five custodians, three of whom open it."""
    target = tmp_path / "root.json"
    create_root_file(target, passphrases=FIVE, threshold=3, cost=CHEAP)
    return target


def some(*names: str) -> dict[str, str]:
    return {name: FIVE[name] for name in names}


def test_any_three_of_five_open_the_same_root_and_no_two_do(path: Path) -> None:
    keys = {bytes(open_root_file(path, passphrases=some(*three)).key) for three in itertools.combinations(FIVE, 3)}
    assert len(keys) == 1
    assert bytes(open_root_file(path, passphrases=FIVE).key) in keys
    for two in itertools.combinations(FIVE, 2):
        with pytest.raises(MissingCustodianError, match="3 of them"):
            open_root_file(path, passphrases=some(*two))


def test_a_stranger_and_a_wrong_passphrase_are_named_and_open_nothing(path: Path) -> None:
    with pytest.raises(MissingCustodianError):
        open_root_file(path, passphrases=some("K0001", "K0002", "K0003") | {"K0009": "the passphrase of a stranger"})
    with pytest.raises(WrongPassphraseError) as caught:
        open_root_file(path, passphrases=some("K0001", "K0002", "K0003") | {"K0002": "something that was never set"})
    assert caught.value.custodian == "K0002"


def test_a_file_of_the_first_version_still_opens_with_the_same_key(tmp_path: Path) -> None:
    target = tmp_path / "root.json"
    shutil.copy(FIRST_VERSION, target)
    target.chmod(0o600)
    opened = open_root_file(target, passphrases=FIRST_VERSION_PASSPHRASES)
    assert opened.key.hex() == FIRST_VERSION_KEY
    assert (opened.info.version, opened.info.threshold) == (1, 2)
    with pytest.raises(MissingCustodianError):
        change_passphrase(
            target, custodian="K0001", old=FIRST_VERSION_PASSPHRASES["K0001"], new="another passphrase of mine"
        )
    reshare_root_file(target, present=FIRST_VERSION_PASSPHRASES, passphrases=FIVE, threshold=3)
    info = read_root_info(target)
    assert (info.version, info.threshold, info.fingerprint) == (2, 3, opened.info.fingerprint)
    assert open_root_file(target, passphrases=some("K0005", "K0001", "K0003")).key.hex() == FIRST_VERSION_KEY


def test_one_custodian_changes_the_own_passphrase_alone_and_no_other_share_changes(path: Path) -> None:
    before = json.loads(path.read_text())
    key = bytes(open_root_file(path, passphrases=FIVE).key)
    change_passphrase(path, custodian="K0002", old=FIVE["K0002"], new="quite another passphrase")
    after = json.loads(path.read_text())
    assert [left == right for left, right in zip(before["shares"], after["shares"], strict=True)] == [
        True, False, True, True, True,
    ]  # fmt: skip
    with pytest.raises(WrongPassphraseError):
        open_root_file(path, passphrases=some("K0001", "K0002", "K0003"))
    changed = some("K0001", "K0003") | {"K0002": "quite another passphrase"}
    assert bytes(open_root_file(path, passphrases=changed).key) == key
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("custodian", "old", "new", "error"),
    [
        ("K0009", "whatever it may have been", "another long passphrase", UnknownCustodianError),
        ("K0001", "whatever it may have been", "another long passphrase", WrongPassphraseError),
        ("K0001", FIVE["K0001"], "short", WeakPassphraseError),
        ("K0001", FIVE["K0001"], FIVE["K0001"], WeakPassphraseError),
    ],
)
def test_a_refused_change_leaves_the_file_as_it_was(
    path: Path, custodian: str, old: str, new: str, error: type[Exception]
) -> None:
    before = path.read_bytes()
    with pytest.raises(error) as caught:
        change_passphrase(path, custodian=custodian, old=old, new=new)
    assert new not in str(caught.value)
    assert path.read_bytes() == before
    assert [entry.name for entry in path.parent.iterdir()] == ["root.json"]


def test_a_custodian_who_was_replaced_opens_nothing_any_more_and_old_shares_fit_no_new_ones(path: Path) -> None:
    before = json.loads(path.read_text())
    key = bytes(open_root_file(path, passphrases=FIVE).key)
    remaining = {name: text for name, text in FIVE.items() if name != "K0005"}
    newcomer = {"K0006": "the passphrase of the newcomer"}
    info = reshare_root_file(path, present=some("K0001", "K0002", "K0003"), passphrases=remaining | newcomer)
    assert info.custodians == ("K0001", "K0002", "K0003", "K0004", "K0006")
    assert bytes(open_root_file(path, passphrases=some("K0001", "K0002") | newcomer).key) == key
    with pytest.raises(MissingCustodianError):
        open_root_file(path, passphrases=some("K0001", "K0002", "K0005"))
    document = json.loads(path.read_text())
    _, old_share = root_file._open_share(before, 0, "K0001", FIVE["K0001"])
    _, new_share = root_file._open_share(document, 0, "K0001", FIVE["K0001"])
    assert old_share != new_share
    renewed = [root_file._open_share(document, place, name, FIVE[name]) for place, name in ((1, "K0002"), (2, "K0003"))]
    assert join([(1, old_share), *renewed]) != key


def test_too_few_custodians_share_nothing_anew(path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(MissingCustodianError):
        reshare_root_file(path, present=some("K0001", "K0002"), passphrases=some("K0001", "K0002", "K0003"))
    with pytest.raises(MissingCustodianError):
        reshare_root_file(path, present=some("K0001", "K0002", "K0003"), passphrases=some("K0001", "K0002"))
    assert path.read_bytes() == before


def test_national_algorithms_throughout(tmp_path: Path) -> None:
    target = tmp_path / "root.json"
    create_root_file(target, passphrases=FIVE, threshold=2, cost=Pbkdf2Sm3Cost(iterations=1000))
    header = json.loads(target.read_text())["header"]
    assert (header["suite"], header["kdf"]["name"], header["scheme"]) == ("sm4-gcm", "pbkdf2-sm3", "shamir-gf256")
    assert len(open_root_file(target, passphrases=some("K0001", "K0004")).key) == 32
    with pytest.raises(WrongPassphraseError):
        open_root_file(target, passphrases=some("K0001") | {"K0004": "not the passphrase of four"})


def test_a_cost_beyond_reason_is_refused_before_any_derivation(path: Path) -> None:
    document = json.loads(path.read_text())
    document["header"]["kdf"] = {"name": "pbkdf2-sm3", "iterations": 2**40}
    from kuimen.gate.keys.root_document import with_checksum

    path.write_text(json.dumps(with_checksum(document)))
    with pytest.raises(RootFileAlteredError):
        open_root_file(path, passphrases=FIVE)


def test_the_pin_of_a_token_is_sealed_and_stays_with_the_shares(tmp_path: Path) -> None:
    target = tmp_path / "root.json"
    place = TokenPlace(module="/usr/lib/softhsm/libsofthsm2.so", token_label="kuimen", key_label="root")
    create_root_file(target, passphrases=FIVE, threshold=3, cost=CHEAP, token=place, pin="73914682")
    assert "73914682" not in target.read_text()
    reshare_root_file(target, present=FIVE, passphrases=some("K0001", "K0002"), threshold=2)
    opened = open_root_file(target, passphrases=some("K0001", "K0002"))
    assert opened.pin == bytearray(b"73914682")
    assert opened.info.token == place


@settings(max_examples=20)
@given(secret=st.binary(min_size=1, max_size=8), count=st.integers(2, 6), data=st.data())
def test_any_threshold_of_shares_joins_and_one_fewer_does_not_determine_the_secret(
    secret: bytes, count: int, data: st.DataObject
) -> None:
    threshold = data.draw(st.integers(2, count))
    shares = split(secret, threshold=threshold, count=count)
    chosen = data.draw(st.permutations(shares))[:threshold]
    assert join(chosen) == secret
    # With the missing share free, every first byte is possible: fewer shares exclude nothing.
    *kept, (point, _) = [(x, values[:1]) for x, values in chosen]
    possible = {join([*kept, (point, bytes([byte]))]) for byte in range(256)}
    assert len(possible) == 256


def test_the_field_is_that_of_aes() -> None:
    # FIPS 197, 4.2: {57} x {83} = {c1}; 4.2.1: {57} x {13} = {fe}
    assert (_times(0x57, 0x83), _times(0x57, 0x13)) == (0xC1, 0xFE)
    assert all(_times(value, _inverse(value)) == 1 for value in range(1, 256))
    assert _inverse(0) == 0


@pytest.mark.parametrize("arguments", [(1, 3), (4, 3), (2, 256), (0, 0)])
def test_an_impossible_sharing_is_refused(arguments: tuple[int, int]) -> None:
    with pytest.raises(ShareInputError):
        split(b"secret", threshold=arguments[0], count=arguments[1])


@pytest.mark.parametrize(
    "shares", [[], [(1, b"a"), (1, b"b")], [(1, b"a"), (2, b"bc")], [(0, b"a"), (2, b"b")], [(256, b"a"), (2, b"b")]]
)
def test_shares_that_cannot_belong_together_are_refused(shares: list[tuple[int, bytes]]) -> None:
    with pytest.raises(ShareInputError):
        join(shares)
