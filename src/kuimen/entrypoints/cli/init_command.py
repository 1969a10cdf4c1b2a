"""`kuimen init`: bring an installation to life, once, with the two first officers."""

import secrets
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kuimen.entrypoints.cli.installed import home_option
from kuimen.entrypoints.installation.home import InstallationHome, write_private
from kuimen.entrypoints.terminal.output import emit_json, stdout
from kuimen.foundation.errors import InvalidInputError
from kuimen.foundation.sensitive import Sensitive

if TYPE_CHECKING:
    from kuimen.entrypoints.installation.install import Officer

OFFICERS = 2


class OfficerShapeError(InvalidInputError):
    """An officer was not named as STAFF_NO:WORK_NAME, or there are not exactly two."""

    code = "init.officer"


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
    """Prepare databases, seal the root key to two officers, appoint them as audit entry 1. It refuses a second time.

    Each officer types an own password and an own passphrase; neither knows the other's.
    """
    from kuimen.entrypoints.installation.config import Configuration
    from kuimen.entrypoints.installation.install import initialise
    from kuimen.entrypoints.installation.servers import EmbeddedServer, server_of

    officers = _officers(named, drawn=secrets_folder is not None)
    if secrets_folder is not None:
        _keep(secrets_folder, officers)
    report = initialise(
        home,
        configuration=Configuration(institution_name=name, overlay=overlay or "", port=port),
        officers=officers,
    )
    server = server_of(home)
    if isinstance(server, EmbeddedServer):
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


def _officers(named: tuple[str, ...], *, drawn: bool) -> "list[Officer]":
    from kuimen.entrypoints.installation.install import Officer

    if len(named) != OFFICERS:
        raise OfficerShapeError("--officer: give exactly two, each as STAFF_NO:WORK_NAME")
    officers = []
    for text in named:
        staff_no, separator, work_name = text.partition(":")
        if not separator or not staff_no or not work_name:
            raise OfficerShapeError("--officer: write STAFF_NO:WORK_NAME, for example A001:林守正")
        password, passphrase = (
            (_draw(), _draw())
            if drawn
            else (_ask(staff_no, "登录口令 password"), _ask(staff_no, "密钥口令 passphrase"))
        )
        officers.append(
            Officer(
                staff_no=staff_no, display_name=work_name,
                password=Sensitive(password, element="password"), passphrase=Sensitive(passphrase, element="password"),
            )
        )  # fmt: skip
    return officers


def _draw() -> str:
    return f"Kuimen-{secrets.token_urlsafe(18)}"


def _ask(staff_no: str, what: str) -> str:
    return str(click.prompt(f"{staff_no} {what}", hide_input=True, confirmation_prompt=True))


def _keep(folder: Path, officers: "list[Officer]") -> None:
    folder.mkdir(mode=0o700, parents=True)
    purpose = "file drawn for unattended use"
    passphrases = "".join(f"{o.staff_no}={o.passphrase.reveal_for(purpose)}\n" for o in officers)
    passwords = "".join(f"{o.staff_no}={o.password.reveal_for(purpose)}\n" for o in officers)
    write_private(folder / "passphrases", passphrases.encode())
    write_private(folder / "passwords", passwords.encode())
