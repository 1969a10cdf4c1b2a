"""Passphrases come in by prompt, descriptor or a private file outside the data, and by no other way."""

import os
from pathlib import Path

import pytest

from kuimen.entrypoints.installation import unlocking
from kuimen.entrypoints.installation.errors import UnsafePassphraseFileError
from kuimen.entrypoints.installation.home import InstallationHome

TEXT = "# two custodians\nK1=first = passphrase\n\nK2= second\n"
READ = {"K1": "first = passphrase", "K2": " second"}


@pytest.fixture
def home(tmp_path: Path) -> InstallationHome:
    return InstallationHome.locate(tmp_path / "home")


def private(path: Path, text: str = TEXT, mode: int = 0o600) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


def test_a_private_file_is_read(home: InstallationHome, tmp_path: Path) -> None:
    assert unlocking.from_file(private(tmp_path / "given"), home=home) == READ


def test_a_descriptor_is_read_to_its_end() -> None:
    reader, writer = os.pipe()
    with os.fdopen(writer, "wb") as pipe:
        pipe.write(TEXT.encode())
    assert unlocking.from_descriptor(reader) == READ


def test_each_custodian_is_asked() -> None:
    asked: list[str] = []
    answer = unlocking.from_prompt(["K1", "K2"], ask=lambda text: asked.append(text) or f"answer {len(asked)}")
    assert answer == {"K1": "answer 1", "K2": "answer 2"}
    assert all(name in text for name, text in zip(("K1", "K2"), asked, strict=True))


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
def test_a_file_that_others_may_read_is_refused(home: InstallationHome, tmp_path: Path, mode: int) -> None:
    with pytest.raises(UnsafePassphraseFileError, match="0600"):
        unlocking.from_file(private(tmp_path / "given", mode=mode), home=home)


def test_a_file_inside_the_data_folder_is_refused(home: InstallationHome) -> None:
    with pytest.raises(UnsafePassphraseFileError, match="outside"):
        unlocking.from_file(private(home.root / "keys" / "given"), home=home)


def test_a_link_into_the_data_folder_is_refused(home: InstallationHome, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(private(home.root / "given"))
    with pytest.raises(UnsafePassphraseFileError):
        unlocking.from_file(tmp_path / "link", home=home)


def test_a_missing_file_is_refused(home: InstallationHome, tmp_path: Path) -> None:
    with pytest.raises(UnsafePassphraseFileError, match="missing"):
        unlocking.from_file(tmp_path / "none", home=home)


@pytest.mark.parametrize("text", ["K1 secret-words", "=secret-words", "K1=", b"\xff\xfe".decode("latin-1")])
def test_a_malformed_line_is_named_by_number_and_never_quoted(
    home: InstallationHome, tmp_path: Path, text: str
) -> None:
    path = private(tmp_path / "given")
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(UnsafePassphraseFileError) as refused:
        unlocking.from_file(path, home=home)
    assert "secret-words" not in str(refused.value)


def test_the_environment_names_a_file_never_a_passphrase(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(unlocking.FILE_VARIABLE, raising=False)
    monkeypatch.setenv(unlocking.SYSTEMD_VARIABLE, str(tmp_path))
    assert unlocking.environment_file() is None
    private(tmp_path / unlocking.SYSTEMD_NAME)
    assert unlocking.environment_file() == tmp_path / unlocking.SYSTEMD_NAME
    monkeypatch.setenv(unlocking.FILE_VARIABLE, str(tmp_path / "named"))
    assert unlocking.environment_file() == tmp_path / "named"
