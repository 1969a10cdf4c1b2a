"""`kuimen keys`: status, ceremony, custodians, and what two persons do to keys."""

import click

from kuimen.entrypoints.cli.installed import home_option
from kuimen.entrypoints.cli.keys_backup import backup_check, confirm_backup
from kuimen.entrypoints.cli.keys_ceremony import ceremony, custodians
from kuimen.entrypoints.cli.keys_deeds import DEED_COMMANDS
from kuimen.entrypoints.cli.keys_rows import verify_rows
from kuimen.entrypoints.installation.home import InstallationHome
from kuimen.entrypoints.terminal.output import emit_json


@click.group()
def keys() -> None:
    """密钥：状态、仪式、保管人、轮换、备份 Keys: status, ceremony, custodians, rotation, backup."""


for command in (ceremony, custodians, backup_check, confirm_backup, verify_rows, *DEED_COMMANDS):
    keys.add_command(command)


@keys.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@home_option
def status(*, as_json: bool, home: InstallationHome) -> None:
    """密钥状态，不需口令 Show root, custodians, keys, rotations and backup; needs no passphrase."""
    from kuimen.entrypoints.installation.install import opened

    with opened(home):
        from kuimen.entrypoints.terminal.keys import key_facts, show_keys

        facts = key_facts(home.root_key)
    if as_json:
        emit_json(facts)
    else:
        show_keys(facts)
