"""`kuimen keys ceremony` and `kuimen keys custodians`: who holds the root, how many open it, and their passphrases."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kuimen.entrypoints.cli.installed import home_option, operator
from kuimen.entrypoints.installation.home import InstallationHome
from kuimen.entrypoints.terminal.output import emit_json, stderr, stdout
from kuimen.foundation.errors import InvalidInputError, KuimenError

if TYPE_CHECKING:
    from kuimen.gate.keys.root_document import TokenPlace


TRIES = 3


class CeremonyInputError(InvalidInputError):
    """What a ceremony was asked to do makes no sense, or a passphrase was not given."""

    code = "keys.ceremony"


def _given(path: Path | None, home: InstallationHome) -> dict[str, str]:
    from kuimen.entrypoints.installation.unlocking import from_file

    return {} if path is None else from_file(path, home=home)


def _passphrase(custodian: str, given: dict[str, str], *, new: bool) -> str:
    if custodian in given:
        return given[custodian]
    if not new:
        return str(click.prompt(f"{custodian} 口令 passphrase", hide_input=True))
    return _new_passphrase(custodian)


def _new_passphrase(custodian: str) -> str:
    """Ask for a new passphrase until it is strong enough; who typed a weak one is told so at once."""
    from kuimen.gate.keys.errors import WeakPassphraseError
    from kuimen.gate.keys.rules import weak_passphrases

    for tries_left in reversed(range(TRIES)):
        typed = str(click.prompt(f"{custodian} 新口令 new passphrase", hide_input=True, confirmation_prompt=True))
        reason = weak_passphrases({custodian: typed})
        if reason is None:
            return typed
        if not tries_left:
            raise WeakPassphraseError(reason)
        stderr.print(f"口令太短，请重新输入 {reason}", highlight=False)
    raise AssertionError


def _show(info: object, *, as_json: bool) -> None:
    from kuimen.gate.keys.root_file import RootFileInfo

    if not isinstance(info, RootFileInfo):
        raise TypeError(type(info).__name__)
    facts = {
        "fingerprint": info.fingerprint,
        "custodians": list(info.custodians),
        "threshold": info.threshold,
        "kdf": str(info.cost.described()["name"]),
        "provider": "sealed_file" if info.token is None else "pkcs11",
    }
    if as_json:
        emit_json(facts)
        return
    for name, value in facts.items():
        stdout.print(f"  {name}: {value}", highlight=False)


FILE_HELP = "Passphrases, one STAFF_NO=passphrase a line; mode 0600, outside the data folder. Missing ones are asked."


@click.command()
@click.option("--custodian", "names", multiple=True, required=True, help="Staff number; give it for each custodian.")
@click.option("--threshold", default=2, show_default=True, help="How many open the root together.")
@click.option(
    "--kdf", type=click.Choice(["argon2id", "pbkdf2-sm3"]), default="argon2id", show_default=True,
    help="pbkdf2-sm3 seals the shares with national algorithms throughout.",
)  # fmt: skip
@click.option("--token-module", type=click.Path(path_type=Path, dir_okay=False), help="PKCS#11 module of a token.")
@click.option("--token-label", help="Label of the token.")
@click.option("--token-key", default="kuimen-root", show_default=True, help="Label of the root key in the token.")
@click.option("--credentials-file", type=click.Path(path_type=Path, dir_okay=False), help=FILE_HELP)
@click.option("--json", "as_json", is_flag=True)
@home_option
def ceremony(  # noqa: PLR0913 - one option each
    *, names: tuple[str, ...], threshold: int, kdf: str, token_module: Path | None, token_label: str | None,
    token_key: str, credentials_file: Path | None, as_json: bool, home: InstallationHome,
) -> None:  # fmt: skip
    """Make the root before `kuimen init`: in a sealed file, or in a PKCS#11 token whose PIN the file seals.

    `kuimen init` takes up the root that it finds; its two officers must be among the custodians.
    """
    from kuimen.entrypoints.installation import config
    from kuimen.gate.keys.errors import RootFileExistsError
    from kuimen.gate.keys.passphrases import NATIONAL_COST, PRODUCTION_COST
    from kuimen.gate.keys.root_file import TokenPlace, create_root_file
    from kuimen.gate.keys.rules import custodians_refused

    if len(set(names)) != len(names):
        raise CeremonyInputError("--custodian: each custodian is named once")
    if reason := custodians_refused(names, threshold):
        raise CeremonyInputError(f"--custodian, --threshold: {reason}")
    if home.root_key.exists():
        raise RootFileExistsError("a root file is already there; a second root would orphan every sealed value")
    if (token_module is None) != (token_label is None):
        raise CeremonyInputError("--token-module, --token-label: give both, or neither")
    given = _given(credentials_file, home)
    passphrases = {name: _passphrase(name, given, new=True) for name in names}
    place, pin = None, ""
    if token_module is not None and token_label is not None:
        place = TokenPlace(module=str(token_module), token_label=token_label, key_label=token_key)
        pin = given.get("TOKEN-PIN") or str(click.prompt("PIN", hide_input=True))
    home.create()
    known = config.load(home)
    info = create_root_file(
        home.root_key, passphrases=passphrases, threshold=threshold, token=place, pin=pin,
        institution_id=known.institution_id if known.institution_id.int else None,
        cost=NATIONAL_COST if kdf == "pbkdf2-sm3" else PRODUCTION_COST,
    )  # fmt: skip
    if place is not None:
        _make_token_key(place, pin, home)
    config.save(home, replace(known, institution_id=info.institution_id))
    _show(info, as_json=as_json)


def _make_token_key(place: "TokenPlace", pin: str, home: InstallationHome) -> None:
    """Make the key in the token; a root file whose token holds no key would stand in the way of the next try."""
    from kuimen.gate.keys.token_provider import make_token_key

    try:
        make_token_key(place, pin)
    except KuimenError:
        home.root_key.unlink()
        raise


@click.group()
def custodians() -> None:
    """Those who hold the root: list, change a passphrase, replace, add, remove."""


@custodians.command("list")
@click.option("--json", "as_json", is_flag=True)
@home_option
def list_custodians(*, as_json: bool, home: InstallationHome) -> None:
    """Name the custodians and how many of them open the root."""
    from kuimen.gate.keys.root_file import read_root_info

    _show(read_root_info(home.root_key), as_json=as_json)


@custodians.command("change-passphrase")
@click.argument("custodian")
@click.option("--credentials-file", type=click.Path(path_type=Path, dir_okay=False), help=FILE_HELP)
@click.option("--new-credentials-file", type=click.Path(path_type=Path, dir_okay=False), help=FILE_HELP)
@click.option("--json", "as_json", is_flag=True)
@home_option
def change_passphrase(
    *, custodian: str, credentials_file: Path | None, new_credentials_file: Path | None, as_json: bool,
    home: InstallationHome,
) -> None:  # fmt: skip
    """Change the passphrase of one CUSTODIAN; nobody else is needed."""
    from kuimen.entrypoints.installation.install import opened

    old = _passphrase(custodian, _given(credentials_file, home), new=False)
    new = _passphrase(custodian, _given(new_credentials_file, home), new=True)
    with opened(home):
        from kuimen.gate.keys.custody import change_custodian_passphrase

        info = change_custodian_passphrase(home.root_key, custodian=custodian, old=old, new=new, actor=operator())
    _show(info, as_json=as_json)


@custodians.command("replace")
@click.option("--remove", "removed", multiple=True, help="Staff number of a custodian who leaves.")
@click.option("--add", "added", multiple=True, help="Staff number of a custodian who comes.")
@click.option("--threshold", type=click.IntRange(min=2), help="How many open the root from now on.")
@click.option("--credentials-file", type=click.Path(path_type=Path, dir_okay=False), help=FILE_HELP)
@click.option("--new-credentials-file", type=click.Path(path_type=Path, dir_okay=False), help=FILE_HELP)
@click.option("--json", "as_json", is_flag=True)
@home_option
def replace_custodians(
    *, removed: tuple[str, ...], added: tuple[str, ...], threshold: int | None, credentials_file: Path | None,
    new_credentials_file: Path | None, as_json: bool, home: InstallationHome,
) -> None:  # fmt: skip
    """Replace custodians, or change how many open the root; everybody who stays or comes is present.

    Who leaves is asked as well where those who stay are too few to open the root.

    The shares are drawn anew: that of somebody who left is worth nothing beside them. Destroy old copies of the file.
    """
    from kuimen.entrypoints.installation.install import opened
    from kuimen.gate.keys.root_file import read_root_info

    root = read_root_info(home.root_key)
    known = root.custodians
    if not (removed or added or threshold) or set(removed) - set(known) or set(added) & set(known):
        raise CeremonyInputError("--remove, --add: name custodians of today to remove, others to add, or a threshold")
    given, fresh = _given(credentials_file, home), _given(new_credentials_file, home)
    present = {name: _passphrase(name, given, new=False) for name in known if name not in removed}
    for name in removed[: max(0, root.threshold - len(present))]:  # those who stay are too few to open the root
        present[name] = _passphrase(name, given, new=False)
    passphrases = {name: text for name, text in present.items() if name not in removed} | {
        name: _passphrase(name, fresh, new=True) for name in added
    }
    with opened(home):
        from kuimen.gate.keys.custody import reshare_root

        info = reshare_root(
            home.root_key, present=present, passphrases=passphrases, threshold=threshold, actor=operator()
        )
    _show(info, as_json=as_json)
