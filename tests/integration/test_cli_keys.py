"""Custodians and officers at a real terminal: ceremony, unlocking, two persons for every deed, backup, a reset."""

import base64
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fixtures.commands import CommandHome, environment, kuimen
from fixtures.terminals import at_terminal
from kuimen.gate.access.rules import code_of_step

pytestmark = pytest.mark.slow  # the installation of these processes runs on the server of the wheel

WORDS = {"A001": "first long passphrase", "A002": "second long passphrase", "A003": "third long passphrase"}
PIN, LABEL, MODULE = "73914682", "kuimen-cli", "/usr/lib/softhsm/libsofthsm2.so"
NEW, AGAIN, ASKED = "新口令 new passphrase", "Repeat for confirmation", "口令 passphrase "
ENROL = """
import sys
from pathlib import Path
from kuimen.entrypoints.installation.home import InstallationHome
from kuimen.entrypoints.installation.install import opened
from kuimen.entrypoints.installation.unlocking import unlock_installation
home = InstallationHome.locate(sys.argv[1])
with opened(home):
    unlock_installation(home, file=Path(sys.argv[2]))
    from kuimen.gate.access import services
    from kuimen.gate.access.models import Staff
    for who in sys.argv[3:]:
        print(services.enroll_totp(Staff.objects.get(staff_no=who)).reveal_for("test"))
"""


def drawn(*custodians: str) -> list[tuple[str, str]]:
    return [one for who in custodians for one in ((f"{who} {NEW}", WORDS[who]), (AGAIN, WORDS[who]))]


def named(*custodians: str) -> list[str]:
    return [word for who in custodians for word in ("--custodian", who)]


@pytest.fixture
def token(tmp_path: Path) -> dict[str, str]:
    """Make a token of its own and return the environment that shows it."""
    (tmp_path / "tokens").mkdir()
    settings = tmp_path / "softhsm2.conf"
    settings.write_text(
        f"directories.tokendir = {tmp_path / 'tokens'}\nobjectstore.backend = file\nlog.level = ERROR\n",
        encoding="utf-8",
    )
    subprocess.run(
        ["softhsm2-util", "--init-token", "--free", "--label", LABEL, "--pin", PIN, "--so-pin", "5678-so"],
        check=True, capture_output=True, env={**os.environ, "SOFTHSM2_CONF": str(settings)},
    )  # fmt: skip
    return {"SOFTHSM2_CONF": str(settings)}


@pytest.mark.clause("JRT0171-6.2.4-a")
def test_custodians_hold_a_ceremony_at_a_terminal_and_mistakes_are_named(tmp_path: Path) -> None:
    home = tmp_path / "home"
    alone = at_terminal("keys", "ceremony", *named("A001"), "--home", home)
    assert (alone.code, "2 to 16 named custodians" in alone.text) == (2, True)
    weak = [(f"A001 {NEW}", "short"), (AGAIN, "short")]
    made = at_terminal(
        "keys", "ceremony", *named(*WORDS), "--threshold", "2", "--home", home, answers=[*weak, *drawn(*WORDS)]
    )
    assert made.code == 0, made.text
    assert "at least 12 characters" in made.text
    told = kuimen("keys", "custodians", "list", "--home", home, "--json").rows[-1]
    assert (told["custodians"], told["threshold"], told["provider"]) == (list(WORDS), 2, "sealed_file")
    again = at_terminal("keys", "ceremony", *named(*WORDS), "--home", home)
    assert (again.code, "a second root would orphan" in again.text) == (4, True)


def test_a_token_with_a_wrong_pin_leaves_nothing_and_a_pulled_one_is_named(
    command_home: CommandHome, tmp_path: Path, token: dict[str, str]
) -> None:
    home = tmp_path / "home"
    two = ("A001", "A002")
    asked = ("keys", "ceremony", *named(*two), "--token-module", MODULE, "--token-label", LABEL, "--home", home)
    refused = at_terminal(*asked, answers=[*drawn(*two), ("PIN", "00000000")], variables=token)
    assert (refused.code, "does not take this PIN" in refused.text) == (2, True)
    assert not (home / "keys" / "root.json").exists()
    made = at_terminal(*asked, answers=[*drawn(*two), ("PIN", PIN)], variables=token)
    assert (made.code, "pkcs11" in made.text) == (0, True)

    place, empty = command_home.home / "keys" / "root.json", tmp_path / "empty.conf"
    empty.write_text(f"directories.tokendir = {tmp_path / 'none'}\nobjectstore.backend = file\n", encoding="utf-8")
    (tmp_path / "none").mkdir()
    mine = place.read_bytes()
    unlock = [(f"{ASKED}{who}", WORDS[who]) for who in two]
    try:
        shutil.copyfile(home / "keys" / "root.json", place)
        pulled = at_terminal(
            "worker", "--once", "--home", command_home.home, answers=unlock, variables={"SOFTHSM2_CONF": str(empty)}
        )
        foreign = at_terminal("worker", "--once", "--home", command_home.home, answers=unlock, variables=token)
    finally:
        place.write_bytes(mine)
    assert (pulled.code, "none of this label is plugged in" in pulled.text) == (2, True)
    assert (foreign.code, "belong to another root file" in foreign.text) == (4, True)


@pytest.fixture
def secrets(command_home: CommandHome) -> dict[str, dict[str, str]]:
    """Bind an authenticator for both officers; passphrases, passwords and seeds by staff number."""
    unlock = command_home.secrets / "passphrases"
    found = {
        name: dict(line.split("=", 1) for line in (command_home.secrets / name).read_text().splitlines())
        for name in ("passphrases", "passwords")
    }
    done = subprocess.run(
        [sys.executable, "-c", ENROL, str(command_home.home), str(unlock), *found["passwords"]],
        capture_output=True, encoding="utf-8", env=environment(), check=True,
    )  # fmt: skip
    return found | {"seeds": dict(zip(found["passwords"], done.stdout.split(), strict=True))}


def code_of(seed: str) -> str:
    return code_of_step(base64.b32decode(seed), int(time.time()) // 30)


def test_two_officers_sign_in_rotate_back_up_and_one_is_reset_in_person(
    command_home: CommandHome, secrets: dict[str, dict[str, str]], tmp_path: Path
) -> None:
    home = ("--home", command_home.home)
    passphrases, passwords = secrets["passphrases"], secrets["passwords"]
    tokens = {who: tmp_path / who for who in passwords}

    def signed_in(who: str, *, second: str) -> tuple[int, str]:
        done = at_terminal(
            "sign-in", "--as", who, "--token-file", tokens[who], *home,
            answers=[
                (f"{who} 口令 password", passwords[who]), (f"{who} 动态码 code", code_of(secrets["seeds"][who])),
                (f"{ASKED}A001", passphrases["A001"]), (f"{ASKED}A002", second),
            ],
        )  # fmt: skip
        return done.code, done.text

    code, text = signed_in("A001", second="not the passphrase")
    assert (code, "custodian A002 does not open" in text) == (5, True)
    assert not tokens["A001"].exists()
    for who, file in tokens.items():
        code, text = signed_in(who, second=passphrases["A002"])
        assert (code, "已登录" in text) == (0, True), text
        assert file.stat().st_mode & 0o777 == 0o600

    maker, checker = (("--token-file", file, *home, "--json") for file in tokens.values())
    rotate = ("keys", "rotate-domain", "consent_based")
    ticket = kuimen(*rotate, "--reason", "年度轮换", *maker).rows[-1]["ticket"]
    assert kuimen("keys", "approve", ticket, *checker).rows[-1]["state"] == "approved"
    done = kuimen(*rotate, "--ticket", ticket, *maker, *command_home.unlock)
    assert done.rows[-1]["retention_class"] == "consent_based", done.err

    assert kuimen("keys", "backup-check", *home, "--json").code == 7
    copy = shutil.copytree(command_home.home / "keys", tmp_path / "copy")
    confirmed = kuimen("keys", "confirm-backup", copy, *maker)
    assert {row["state"] for row in confirmed.rows} == {"confirmed"}, confirmed.err

    new = "another-password-of-A002"
    typed = [(f"{ASKED}{who}", passphrases[who]) for who in passphrases]
    reset = at_terminal(
        "staff", "reset-in-person", "A002", *home, answers=[*typed, ("A002 新口令 new password", new), (AGAIN, new)]
    )
    assert reset.code == 0, reset.text
    refused = kuimen("keys", "approve", ticket, *checker)
    assert (refused.code, refused.error["error"]) == (5, "access.sign_in_refused"), "a reset ends what was signed in"
