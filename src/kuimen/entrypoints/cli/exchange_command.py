"""`kuimen exchange`: partners' certificates by two officers, messages out and in as files.

A message file is JSON: method, path, headers and the body in base64. Whoever carries it over the wire needs no key.
"""

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import click

from kuimen.entrypoints.cli.installed import home_option, unlock_options, unlocked
from kuimen.entrypoints.cli.signed_in import signed_in, token_option
from kuimen.entrypoints.cli.tokens_command import JSON, OUT, PURPOSES, OutputPlaceError, new_file, refuse_place
from kuimen.entrypoints.installation.home import InstallationHome
from kuimen.entrypoints.terminal.output import emit_json, stdout, table
from kuimen.foundation.errors import InvalidInputError
from kuimen.foundation.sensitive import Sensitive

LARGEST_MESSAGE_FILE = 32 * 2**20
LARGEST_PEM = 256 * 1024
FILE = click.Path(path_type=Path, dir_okay=False)
PURPOSE = click.option("--purpose", type=PURPOSES, required=True, help="处理目的 Purpose.")


class MessageFileError(InvalidInputError):
    """A file is missing, too large, or not of the shape the command takes."""

    code = "cli.message_file"


class OneStepError(InvalidInputError):
    """Neither or both of the two steps were asked for."""

    code = "cli.one_step"


@click.group()
def exchange() -> None:
    """机构往来：证书登记、加密报文收发 Exchange with partners: certificates, messages out and in."""


@exchange.command()
@click.argument("partner")
@click.argument("use", type=click.Choice(("sign", "encrypt")))
@click.option("--certificate", type=FILE, required=True, help="机构证书 PEM of the partner's certificate.")
@click.option("--chain", type=FILE, help="中间证书与根 PEM of those between it and its root, the root last.")
@click.option("--reason", default="", help="提出申请：事由 Apply: why.")
@click.option("--ticket", type=click.UUID, help="办理已批准的申请 Put in force what another officer approved.")
@token_option(required=True)
@JSON
@home_option
def register(  # noqa: PLR0913 - one option each
    *, partner: str, use: str, certificate: Path, chain: Path | None, reason: str, ticket: UUID | None,
    token_file: Path, as_json: bool, home: InstallationHome,
) -> None:  # fmt: skip
    """登记机构证书（双人） Register a certificate of PARTNER: apply with --reason, put in force with --ticket.

    Both officers compare the fingerprint with the partner by telephone before the second one approves.
    """
    from kuimen.entrypoints.installation.install import opened

    if bool(reason) is (ticket is not None):
        raise OneStepError("give --reason to apply, or --ticket to put in force what was approved")
    leaf, above = _read(certificate, LARGEST_PEM), _read(chain, LARGEST_PEM) if chain else b""
    with opened(home):
        from kuimen.gate.exchange import services

        person = signed_in(token_file)
        offer = services.read_offer(
            partner_id=partner, use=use, certificate=leaf.decode("ascii", "replace"),
            chain=above.decode("ascii", "replace"),
        )  # fmt: skip
        told: dict[str, object] = {"fingerprint": offer.certificate.fingerprint()}
        if ticket is None:
            told["ticket"] = str(services.request_certificate(offer, maker=person, reason=reason).ticket_id)
        else:
            told["key_id"] = services.register_certificate(offer, ticket_id=ticket, maker=person)
    _tell(told, as_json=as_json)


@exchange.command()
@click.argument("ticket", type=click.UUID)
@click.option("--fingerprint", required=True, help="与机构电话核对过的指纹 Fingerprint compared with the partner.")
@token_option(required=True)
@JSON
@home_option
def approve(*, ticket: UUID, fingerprint: str, token_file: Path, as_json: bool, home: InstallationHome) -> None:
    """作为第二人批准证书 Approve a certificate as the second officer, naming the fingerprint the partner read out."""
    from kuimen.entrypoints.installation.install import opened

    with opened(home):
        from kuimen.gate.exchange import services

        done = services.approve_certificate(ticket, fingerprint=fingerprint, checker=signed_in(token_file))
    _tell({"ticket": str(ticket), "object": done.object_ref, "state": done.state.value}, as_json=as_json)


@exchange.command()
@click.argument("key_id")
@click.option("--reason", required=True, help="事由 Why.")
@token_option(required=True)
@JSON
@home_option
def close(*, key_id: str, reason: str, token_file: Path, as_json: bool, home: InstallationHome) -> None:
    """吊销机构证书 Revoke the certificate KEY_ID at once; one officer is enough to close a door."""
    from kuimen.entrypoints.installation.install import opened

    with opened(home):
        from kuimen.gate.exchange import services

        services.close_certificate(key_id, officer=signed_in(token_file), reason=reason)
    _tell({"key_id": key_id, "state": "revoked"}, as_json=as_json)


@exchange.command()
@token_option(required=True)
@JSON
@home_option
def partners(*, token_file: Path, as_json: bool, home: InstallationHome) -> None:
    """机构证书清单 List partners' certificates."""
    from kuimen.entrypoints.installation.install import opened

    with opened(home):
        from kuimen.gate.exchange import services

        rows = services.certificates(reader=signed_in(token_file))
    names = ("partner_id", "use", "state", "key_id", "not_after", "registered_by")
    _list("机构证书 Certificates", names, rows, as_json=as_json)


@exchange.command("own-certificates")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="目录 Folder.")
@token_option(required=True)
@JSON
@unlock_options
@home_option
def own_certificates(
    *, out: Path, token_file: Path, as_json: bool, credentials_file: Path | None, passphrase_fd: int | None,
    home: InstallationHome,
) -> None:  # fmt: skip
    """本机构证书 Write our two certificates into a folder, to hand to a partner."""
    if not out.is_dir():
        raise OutputPlaceError("--out: name a folder that exists")
    with unlocked(home, file=credentials_file, descriptor=passphrase_fd):
        from kuimen.gate.exchange import services

        made = services.own_to_hand_over(reader=signed_in(token_file))
    told: dict[str, object] = {}
    for use, certificate in made.items():
        new_file(out / f"kuimen-{use}.pem", certificate.to_pem().encode())
        told[use] = certificate.fingerprint()
    _tell(told, as_json=as_json)


@exchange.command()
@click.argument("partner")
@click.argument("text", type=FILE)
@click.option("--path", "wire_path", required=True, help="报文路径 Path it will be sent to, for example /v1/cases.")
@click.option("--method", default="POST", show_default=True)
@PURPOSE
@OUT
@token_option(required=True)
@JSON
@unlock_options
@home_option
def send(  # noqa: PLR0913 - one option each
    *, partner: str, text: Path, wire_path: str, method: str, purpose: str, out: Path, token_file: Path, as_json: bool,
    credentials_file: Path | None, passphrase_fd: int | None, home: InstallationHome,
) -> None:  # fmt: skip
    """加密签名报文 Close the file TEXT as a message for PARTNER; the message goes into a new file."""
    content = _read(text, LARGEST_MESSAGE_FILE)
    refuse_place(out)
    with unlocked(home, file=credentials_file, descriptor=passphrase_fd):
        from kuimen.gate.exchange import services

        sent = services.send_message(
            Sensitive(content, element="free_text"), partner_id=partner, method=method, path=wire_path,
            purpose=purpose, subject=signed_in(token_file),
        )  # fmt: skip
    document = {
        "method": method, "path": wire_path, "headers": dict(sent.message.headers),
        "body": base64.b64encode(sent.message.body).decode(),
    }  # fmt: skip
    new_file(out, json.dumps(document, indent=1).encode() + b"\n")
    _tell({"exchange_id": str(sent.exchange_id), "file": str(out)}, as_json=as_json)


@exchange.command()
@click.argument("message", type=FILE)
@OUT
@token_option(required=True)
@JSON
@unlock_options
@home_option
def receive(
    *, message: Path, out: Path, token_file: Path, as_json: bool, credentials_file: Path | None,
    passphrase_fd: int | None, home: InstallationHome,
) -> None:  # fmt: skip
    """验签解密报文 Take in a message file of a partner; its text goes into a new private file.

    Whatever is wrong with a message, the answer is the same; the reason stands in the audit log.
    """
    given = _message(_read(message, LARGEST_MESSAGE_FILE))
    refuse_place(out)
    with unlocked(home, file=credentials_file, descriptor=passphrase_fd):
        from kuimen.gate.exchange import services
        from kuimen.gate.exchange.profile import Message

        received = services.receive_message(
            Message(headers=given["headers"], body=base64.b64decode(given["body"])), method=given["method"],
            path=given["path"], subject=signed_in(token_file),
        )  # fmt: skip
    new_file(out, received.text.reveal_for("exchange.receive"))
    _tell(
        {"exchange_id": str(received.exchange_id), "partner_id": received.partner_id, "file": str(out)},
        as_json=as_json,
    )


@exchange.command("open")
@click.argument("exchange_id", type=click.UUID)
@PURPOSE
@OUT
@token_option(required=True)
@JSON
@unlock_options
@home_option
def open_(
    *, exchange_id: UUID, purpose: str, out: Path, token_file: Path, as_json: bool, credentials_file: Path | None,
    passphrase_fd: int | None, home: InstallationHome,
) -> None:  # fmt: skip
    """打开已收报文 Open a message that came in over HTTP and was kept; its signature is checked again."""
    refuse_place(out)
    with unlocked(home, file=credentials_file, descriptor=passphrase_fd):
        from kuimen.gate.exchange import services

        text = services.open_message(exchange_id, subject=signed_in(token_file), purpose=purpose)
    new_file(out, text.reveal_for("exchange.open"))
    _tell({"exchange_id": str(exchange_id), "file": str(out)}, as_json=as_json)


@exchange.command("list")
@click.option("--partner", default="", help="合作机构代码 Code of one partner.")
@token_option(required=True)
@JSON
@home_option
def list_(*, partner: str, token_file: Path, as_json: bool, home: InstallationHome) -> None:
    """往来报文清单 List kept messages, newest first."""
    from kuimen.entrypoints.installation.install import opened

    with opened(home):
        from kuimen.gate.exchange import services

        rows = services.messages(reader=signed_in(token_file), partner_id=partner)
    _list("报文 Messages", ("exchange_id", "inbound", "partner_id", "kept_at", "sealed_bytes"), rows, as_json=as_json)


def _read(path: Path, largest: int) -> bytes:
    try:
        with path.open("rb") as stream:
            content = stream.read(largest + 1)
    except OSError:
        raise MessageFileError(f"{path.name}: missing or unreadable") from None
    if len(content) > largest:
        raise MessageFileError(f"{path.name}: too large")
    return content


def _message(content: bytes) -> dict[str, Any]:
    try:
        given = json.loads(content)
        base64.b64decode(given["body"], validate=True)
        headers = {str(name): str(value) for name, value in given["headers"].items()}
        shaped = {"method": str(given["method"]), "path": str(given["path"]), "headers": headers, "body": given["body"]}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise MessageFileError("message: JSON with method, path, headers and body in base64") from None
    return shaped


def _list(title: str, names: tuple[str, ...], rows: Any, *, as_json: bool) -> None:  # noqa: ANN401 - any view
    if as_json:
        for row in rows:
            emit_json({name: getattr(row, name) for name in names})
        return
    shown = table(title, *names)
    for row in rows:
        shown.add_row(*(str(getattr(row, name)) for name in names))
    stdout.print(shown)


def _tell(facts: Mapping[str, object], *, as_json: bool) -> None:
    if as_json:
        emit_json(facts)
        return
    for name, value in facts.items():
        stdout.print(f"{name}: {value}", highlight=False)
