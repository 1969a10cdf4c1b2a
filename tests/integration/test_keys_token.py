"""The root in a PKCS#11 token (SoftHSM2): made there, never out of it, two custodians as ever."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from fixtures.installed import CUSTODIANS, INSTITUTION, System
from kuimen.gate.keys import services as keys
from kuimen.gate.keys.errors import (
    KeyAlteredError,
    KeysLockedError,
    MissingCustodianError,
    RootMismatchError,
    TokenInputError,
    TokenUnavailableError,
)
from kuimen.gate.keys.models import RootInUse, SigningKey
from kuimen.gate.keys.provider import provider_of
from kuimen.gate.keys.root_file import Argon2Cost, TokenPlace, create_root_file, open_root_file
from kuimen.gate.keys.rules import RetentionClass
from kuimen.gate.keys.token_provider import TokenProvider, make_token_key

MODULE = Path("/usr/lib/softhsm/libsofthsm2.so")
if not MODULE.exists() or shutil.which("softhsm2-util") is None:
    message = "SoftHSM2 is missing; install Debian's package softhsm2"
    raise RuntimeError(message)

PIN = "73914682"
PLACE = TokenPlace(module=str(MODULE), token_label="kuimen-test", key_label="kuimen-root")
CHEAP = Argon2Cost(time_cost=1, memory_kib=64, parallelism=1)
IDENTITY = RetentionClass.IDENTITY_TRANSACTION


@pytest.fixture(scope="session")
def token(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TokenPlace]:
    """Make one token for the process; the module reads its settings once."""
    folder = tmp_path_factory.mktemp("softhsm")
    (folder / "tokens").mkdir()
    settings = folder / "softhsm2.conf"
    settings.write_text(f"directories.tokendir = {folder / 'tokens'}\nobjectstore.backend = file\nlog.level = ERROR\n")
    os.environ["SOFTHSM2_CONF"] = str(settings)
    subprocess.run(
        ["softhsm2-util", "--init-token", "--free", "--label", PLACE.token_label, "--pin", PIN, "--so-pin", "5678-so"],
        check=True,
        capture_output=True,
    )
    make_token_key(PLACE, PIN)
    yield PLACE
    os.environ.pop("SOFTHSM2_CONF")


@pytest.fixture
def root(token: TokenPlace, tmp_path: Path) -> Path:
    path = tmp_path / "root.json"
    create_root_file(path, passphrases=CUSTODIANS, institution_id=INSTITUTION, cost=CHEAP, token=token, pin=PIN)
    return path


def opened(root: Path) -> TokenProvider:
    provider = provider_of(open_root_file(root, passphrases=CUSTODIANS))
    assert isinstance(provider, TokenProvider)
    return provider


def test_what_the_token_wraps_opens_in_its_own_place_only(root: Path) -> None:
    provider = opened(root)
    for length in (16, 32):
        key = os.urandom(length)
        wrapped = provider.wrap("domain", key, aad=b"row 1")
        assert key not in wrapped
        assert provider.unwrap("domain", wrapped, aad=b"row 1") == key
        for tree, aad in (("index", b"row 1"), ("domain", b"row 2"), ("domai", b"nrow 1")):
            with pytest.raises(KeyAlteredError):
                provider.unwrap(tree, wrapped, aad=aad)
        for position in (0, 1, 6, len(wrapped) - 1):
            altered = bytearray(wrapped)
            altered[position] ^= 1
            with pytest.raises(KeyAlteredError):
                provider.unwrap("domain", bytes(altered), aad=b"row 1")
        with pytest.raises(KeyAlteredError):
            provider.unwrap("domain", wrapped[:-8], aad=b"row 1")
    provider.close()
    with pytest.raises(KeysLockedError):
        provider.wrap("domain", os.urandom(16), aad=b"row 1")


def test_the_root_key_cannot_be_read_out_of_the_token(root: Path) -> None:
    import pkcs11

    provider = opened(root)
    with pytest.raises(pkcs11.exceptions.AttributeSensitive):
        provider._key[pkcs11.Attribute.VALUE]
    provider.close()


def test_a_second_root_key_of_the_same_label_is_refused(token: TokenPlace) -> None:
    with pytest.raises(TokenInputError):
        make_token_key(token, PIN)


@pytest.mark.parametrize(
    ("place", "pin", "error"),
    [
        (PLACE, "00000000", TokenInputError),
        (TokenPlace(module=str(MODULE), token_label="another", key_label="kuimen-root"), PIN, TokenInputError),
        (TokenPlace(module=str(MODULE), token_label="kuimen-test", key_label="another"), PIN, TokenInputError),
        (TokenPlace(module="/nowhere/module.so", token_label="x", key_label="y"), PIN, TokenUnavailableError),
    ],
    ids=["pin", "token", "key", "module"],
)
def test_a_wrong_token_pin_key_or_module_is_named_and_quoted_nowhere(
    token: TokenPlace, tmp_path: Path, place: TokenPlace, pin: str, error: type[Exception]
) -> None:
    path = tmp_path / "root.json"
    create_root_file(path, passphrases=CUSTODIANS, cost=CHEAP, token=place, pin=pin)
    with pytest.raises(error) as caught:
        provider_of(open_root_file(path, passphrases=CUSTODIANS))
    assert pin not in str(caught.value)


def test_one_custodian_alone_does_not_reach_the_token(root: Path) -> None:
    with pytest.raises(MissingCustodianError):
        open_root_file(root, passphrases={"K0001": CUSTODIANS["K0001"]})


def test_an_installation_lives_on_a_token_and_keeps_its_keys(bare_system: System, root: Path) -> None:
    keys.unlock(root, CUSTODIANS)
    people = [uuid4() for _ in range(5)]
    before = {ref: key.key for ref, key in keys.keyring().person_keys(people, IDENTITY).items()}
    signer = keys.keyring().signer()
    assert bytes(SigningKey.objects.get().wrapped or b"")[:2] == b"\xc1\x03"
    keys.rotate_domain(IDENTITY, actor=keys.audit.SYSTEM)
    keys.lock()
    keys.unlock(root, CUSTODIANS)
    assert {ref: key.key for ref, key in keys.keyring().person_keys(people, IDENTITY).items()} == before
    assert keys.keyring().signer().key_id == signer.key_id
    assert RootInUse.objects.get().provider == "pkcs11"
    keys.lock()


def test_another_root_than_the_one_in_use_is_refused_before_it_does_harm(
    bare_system: System, root: Path, root_key_file: Path
) -> None:
    keys.unlock(root, CUSTODIANS)
    keys.keyring().person_keys([uuid4()], IDENTITY)
    keys.lock()
    with pytest.raises(RootMismatchError):
        keys.unlock(root_key_file, CUSTODIANS)
    assert not keys.is_unlocked()
