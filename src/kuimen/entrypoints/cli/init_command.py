"""`kuimen init`: bring an installation to life, once, with the two first officers."""

import secrets
from collections.abc import Iterable
from pathlib import Path

import click

from kuimen.entrypoints.cli.installed import home_option
from kuimen.entrypoints.installation.home import InstallationHome, write_private
from kuimen.entrypoints.terminal.output import emit_json, stdout
from kuimen.foundation.errors import InvalidInputError, KuimenError
from kuimen.foundation.sensitive import Sensitive

OFFICERS = 2
NAMES = ("passwords", "passphrases")
Secrets = tuple[str, str]
"""Sign-in password and passphrase of one officer."""


class OfficerShapeError(InvalidInputError):
    """An officer was not named as STAFF_NO:WORK_NAME, or there are not exactly two."""

    code = "init.officer"


class SecretsFolderError(InvalidInputError):
    """The folder for drawn secrets exists already, cannot be made, or lies inside the home."""

    code = "init.secrets_folder"


@click.command()
@click.option("--name", required=True, help="Name of the institution.")
@click.option("--officer", "named", multiple=True, required=True, help="STAFF_NO:WORK_NAME; give it twice.")
@click.option(
    "--overlay",
    type=click.Choice(["fictitious"]),
    help="Only for demonstrations and tests: impossible identities count.",
)
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option(
    "--draw-secrets-into", "secrets_folder", type=click.Path(path_type=Path, file_okay=False),
    help="Unattended: draw passwords and passphrases and write them into this new folder, 0600, outside the home.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True)
@home_option
def init(
    *, name: str, named: tuple[str, ...], overlay: str | None, port: int, secrets_folder: Path | None, as_json: bool,
    home: InstallationHome,
) -> None:  # fmt: skip
    """初始化：建库、密封根密钥、任命两名主管 Prepare databases, seal the root key, appoint two officers.

    The appointment is audit entry 1. It refuses a second time.

    Each officer types an own password and an own passphrase; neither knows the other's.
    """
    from kuimen.entrypoints.installation.config import Configuration
    from kuimen.entrypoints.installation.install import Officer, initialise
    from kuimen.entrypoints.installation.servers import EmbeddedServer, server_of

    people = _people(named)
    sealed_before = home.root_key.exists()
    secrets_of = _asked(people) if secrets_folder is None else _drawn(people, secrets_folder, home)
    officers = [
        Officer(
            staff_no=staff_no, display_name=people[staff_no],
            password=Sensitive(password, element="password"), passphrase=Sensitive(passphrase, element="password"),
        )
        for staff_no, (password, passphrase) in secrets_of.items()
    ]  # fmt: skip
    server = server_of(home)
    try:
        report = initialise(
            home,
            configuration=Configuration(institution_name=name, overlay=overlay or "", port=port),
            officers=officers,
            server=server,
        )
    except KuimenError:
        if secrets_folder is not None and (sealed_before or not home.root_key.exists()):
            _discard(secrets_folder)  # what was drawn opens nothing
        raise
    finally:
        if isinstance(server, EmbeddedServer) and server.postgres.is_running():
            server.postgres.release()
    shown = {
        "home": str(report.home), "institution_id": str(report.institution_id), "officers": list(report.officers),
        "root_fingerprint": report.root_fingerprint, "signing_key_id": report.signing_key_id,
        "signing_public_key": report.signing_public_key.hex(), "first_entry": str(report.first_entry),
    }  # fmt: skip
    if as_json:
        emit_json(shown)
        return
    stdout.print(f"已初始化 Initialised: {report.home}")
    stdout.print(f"签名公钥指纹（请另行保管） Signing key, keep it apart: {report.signing_key_id}", highlight=False)
    stdout.print(
        "下一步 Next: kuimen serve，两位主管首次登录时绑定验证器 (both officers bind an authenticator at first sign-in)"
    )


def _people(named: tuple[str, ...]) -> dict[str, str]:
    """Return staff number to work name of exactly two different people."""
    people = {}
    for text in named:
        staff_no, separator, work_name = text.partition(":")
        if not separator or not staff_no or not work_name:
            raise OfficerShapeError("--officer: write STAFF_NO:WORK_NAME, for example A001:林守正")
        people[staff_no] = work_name
    if len(named) != OFFICERS or len(people) != OFFICERS:
        raise OfficerShapeError("--officer: give exactly two different people, each as STAFF_NO:WORK_NAME")
    return people


def _asked(people: Iterable[str]) -> dict[str, Secrets]:
    return {who: (_ask(who, "登录口令 password"), _ask(who, "密钥口令 passphrase")) for who in people}


def _ask(staff_no: str, what: str) -> str:
    return str(click.prompt(f"{staff_no} {what}", hide_input=True, confirmation_prompt=True))


def _drawn(people: Iterable[str], folder: Path, home: InstallationHome) -> dict[str, Secrets]:
    """Draw secrets and keep them before anything is sealed with them: a cut run must not leave a home nobody opens."""
    if folder.resolve().is_relative_to(home.root.resolve()):
        raise SecretsFolderError("--draw-secrets-into: choose a folder outside the home, or a copy of it holds its key")
    try:
        folder.mkdir(mode=0o700, parents=True)
    except OSError:
        raise SecretsFolderError("--draw-secrets-into: the folder must be new and in a place you can write") from None
    drawn = {who: (_draw(), _draw()) for who in people}
    for place, name in enumerate(NAMES):
        lines = "".join(f"{who}={both[place]}\n" for who, both in drawn.items())
        write_private(folder / name, lines.encode())
    return drawn


def _discard(folder: Path) -> None:
    for name in NAMES:
        (folder / name).unlink(missing_ok=True)
    folder.rmdir()


def _draw() -> str:
    return f"Kuimen-{secrets.token_urlsafe(18)}"
