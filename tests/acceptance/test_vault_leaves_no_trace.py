"""A thousand impossible values go through the vault: none is found on any disk, in any spelling; no core is written."""

import base64
import hashlib
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from ahocorasick_rs import BytesAhoCorasick
from django.db import transaction

from fixtures.installed import CUSTODIANS, Installation, System
from fixtures.sealing import item
from kuimen.foundation.sensitive import Sensitive
from kuimen.gate.audit.services import SYSTEM
from kuimen.gate.keys import services as keys
from kuimen.gate.keys.rules import KeyEvent, KeySuite, RetentionClass
from kuimen.gate.vault import erasing
from kuimen.gate.vault import services as vault
from kuimen.gate.vault.errors import ValueRefusedError, VaultBusyError
from kuimen.gate.vault.rotation import services as rotation
from kuimen.kernels.elements.model import Element

SEED = 20261122
VALUES = 1_000
DIGESTS = ("md5", "sha1", "sha256", "sha512", "sm3", "blake2b")
IDENTITY = RetentionClass.IDENTITY_TRANSACTION


def seeded_values() -> list[tuple[Element, str]]:
    """Return impossible values long enough that none occurs by chance."""
    dice = random.Random(SEED)
    made: list[tuple[Element, str]] = []
    for number in range(VALUES // 4):
        tail = "".join(dice.choices("0123456789", k=12))
        made += [
            (Element.RESIDENT_ID, f"99{tail[:8]}{number:04}{tail[8:]}"),
            (Element.BANK_CARD, f"629999{tail}{number:03}"),
            (Element.EMAIL, f"nobody.{tail}.{number}@example.invalid"),
            (Element.FREE_TEXT, f"不存在省虚构市第{number}号院{tail}室，联系人张某{number}"),
        ]
    return made


def base64_spellings(data: bytes) -> Iterator[bytes]:
    """Yield the part of the text that is the same whatever stands before and behind, for each of three alignments."""
    for before in range(3):
        text = base64.b64encode(bytes(before) + data + bytes(2))
        first, last = -(-before * 8 // 6), (before + len(data)) * 8 // 6
        yield text[first:last]
        yield text[first:last].replace(b"+", b"-").replace(b"/", b"_")


def spellings(value: str) -> dict[str, set[bytes]]:
    plain = value.encode()
    digests = [hashlib.new(name, plain).digest() for name in DIGESTS]
    return {
        "plain": {plain},
        "hex": {plain.hex().encode(), plain.hex().upper().encode()},
        "base64": set(base64_spellings(plain)),
        "utf-16": {value.encode("utf-16-le"), value.encode("utf-16-be")},
        "digest": {
            *digests,
            *(one.hex().encode() for one in digests),
            *(base64.b64encode(one)[:20] for one in digests),
        },
    }


class Search:
    """Looks for every spelling of the seeded values."""

    def __init__(self) -> None:
        self.names = [
            (number, kind)
            for number, (_, value) in enumerate(seeded_values())
            for kind, forms in spellings(value).items()
            for _ in forms
        ]
        patterns = [
            form for _, value in seeded_values() for forms in spellings(value).values() for form in sorted(forms)
        ]
        self.automaton = BytesAhoCorasick(patterns)
        self.bytes_read = 0

    def within(self, *folders: Path) -> set[tuple[int, str]]:
        found: set[tuple[int, str]] = set()
        for path in (path for folder in folders for path in sorted(folder.rglob("*"))):
            if path.is_file() and not path.is_symlink():
                data = path.read_bytes()
                self.bytes_read += len(data)
                found |= {self.names[pattern] for pattern, _, _ in self.automaton.find_matches_as_indexes(data)}
        return found


def test_the_search_finds_every_spelling(tmp_path: Path) -> None:
    _, value = seeded_values()[3]
    search = Search()
    for kind, forms in spellings(value).items():
        for number, form in enumerate(sorted(forms)):
            (tmp_path / f"{kind}{number}").write_bytes(os.urandom(50) + form + os.urandom(50))
    for before in range(3):
        (tmp_path / f"inside{before}").write_bytes(base64.b64encode(os.urandom(30 + before) + value.encode() + b"tail"))
    assert search.within(tmp_path) == {(3, kind) for kind in spellings(value)}


@pytest.mark.clause("CQJR-5.5-c")
def test_none_of_a_thousand_values_is_on_disk_after_sealing_rotating_erasing_and_failing(
    system: System, installation: Installation, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    values = seeded_values()
    people = [uuid4() for _ in range(100)]
    items = [
        item(number, value, element=element, person=people[number % 100], retention_class=IDENTITY)
        for number, (element, value) in enumerate(values)
    ]
    vault.seal_many(items[:900])
    vault.seal_many([item(number, value, element=element) for number, (element, value) in enumerate(values[900:], 900)])
    with system.connect("kuimen_owner") as connection:  # errors that quote what they were given reach the server's log
        connection.execute(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE unique_violation; END $$"
        )
        connection.execute("CREATE TRIGGER refuse BEFORE INSERT ON vault_record EXECUTE FUNCTION refuse()")
        with pytest.raises(VaultBusyError):
            vault.seal_many([item(5_000, values[0][1], person=people[0])])
        connection.execute("DROP TRIGGER refuse ON vault_record")
    with pytest.raises(ValueRefusedError):
        vault.seal_many([item(5_001, values[1][1] + "\ud800", person=people[0])])
    assert vault.find_records(values[0][0], Sensitive(values[0][1], element="resident_id"))
    assert rotation.reencrypt(IDENTITY, suite=KeySuite.AES_256_GCM, actor=SYSTEM).finished
    assert rotation.reindex(Element.RESIDENT_ID, actor=SYSTEM).finished
    for person in people[:50]:
        _erase(person)
    with system.connect("kuimen_admin") as connection:
        connection.execute("CHECKPOINT")
    captured = capfd.readouterr()
    (tmp_path / "output").write_text(captured.out + captured.err, encoding="utf-8")
    search = Search()
    postgres = installation.postgres
    assert search.within(postgres.data_dir, postgres.log_dir, system.home.root, tmp_path) == set()
    assert search.bytes_read > 10_000_000  # it did look at the databases and their write-ahead log


def _erase(person: UUID) -> None:
    keys.change_person_key(person, retention_class=IDENTITY, event=KeyEvent.SUSPEND, actor=SYSTEM)
    with transaction.atomic():
        erasing.destroy_records(keys.keyring(), person, IDENTITY)


ABORTING = """
import os, resource, sys
from pathlib import Path
from kuimen.entrypoints.installation import database
from kuimen.entrypoints.installation.home import InstallationHome
home = InstallationHome.locate(Path(os.environ["KUIMEN_HOME"]))
database.setup_django(home)
try:
    resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    print("cores allowed", flush=True)
except ValueError:
    print("cores forbidden", flush=True)
if len(sys.argv) > 1:
    from kuimen.gate.keys import services as keys
    keys.unlock(home.root_key, dict(one.split("=", 1) for one in sys.argv[1:]))
os.abort()
"""


def aborted(system: System, folder: Path, *custodians: str) -> tuple[bool, list[Path]]:
    """Let a process abort in a folder; return whether cores were allowed to it, and what it left there."""
    folder.mkdir()
    child = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", ABORTING, *custodians],
        env=system.environment(),
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert child.returncode == -signal.SIGABRT, child.stderr[-2000:]
    return "cores allowed" in child.stdout, list(folder.iterdir())


def test_a_process_that_holds_keys_writes_no_core_when_it_aborts(system: System, tmp_path: Path) -> None:
    allowed, left = aborted(system, tmp_path / "with_keys", *(f"{name}={word}" for name, word in CUSTODIANS.items()))
    assert left == []
    pattern = Path("/proc/sys/kernel/core_pattern")
    lands_here = pattern.is_file() and pattern.read_text(encoding="ascii")[0] not in "|/"
    if allowed and lands_here:  # then the same process without keys does write one, and the test would have seen it
        _, left = aborted(system, tmp_path / "without_keys")
        assert left
        for core in left:
            core.unlink()
