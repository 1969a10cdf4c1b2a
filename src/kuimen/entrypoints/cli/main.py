"""The `kuimen` command: groups the commands, turns errors into exit codes.

Exit codes come from the one error table: 2 input, 3 not found, 4 conflict, 5 denied, 6 tamper, 7 unavailable;
8 says that a scan left data unread, which its output names; 70 is a defect of ours. No trace and no value is ever
printed; `KUIMEN_DEBUG=1` adds the place of a defect.
"""

import gc
import json
import os
import sys
from importlib import import_module

import click
from typing_extensions import override

from kuimen.foundation.errors import EXIT_CODE_BUG, KuimenError, place_of, rule_for

# Bulk work makes millions of small tuples that die young; the default of 700 looks at them again and again.
GC_THRESHOLDS = (100_000, 25, 25)

COMMANDS = {
    "init": "kuimen.entrypoints.cli.init_command",
    "demo": "kuimen.entrypoints.cli.demo_command",
    "serve": "kuimen.entrypoints.cli.serve_command",
    "worker": "kuimen.entrypoints.cli.serve_command",
    "scan": "kuimen.entrypoints.cli.scan_command",
    "inventory": "kuimen.entrypoints.cli.inventory_command",
    "protect": "kuimen.entrypoints.cli.protect_command",
    "migrate-table": "kuimen.entrypoints.cli.migrate_command",
    "sign-in": "kuimen.entrypoints.cli.staff_command",
    "staff": "kuimen.entrypoints.cli.staff_command",
    "import": "kuimen.entrypoints.cli.import_command",
    "cases": "kuimen.entrypoints.cli.cases_command",
    "assess": "kuimen.entrypoints.cli.assess_command",
    "audit": "kuimen.entrypoints.cli.audit_command",
    "retention": "kuimen.entrypoints.cli.erase_command",
    "keys": "kuimen.entrypoints.cli.keys_command",
    "index": "kuimen.entrypoints.cli.index_command",
    "tokens": "kuimen.entrypoints.cli.tokens_command",
    "exchange": "kuimen.entrypoints.cli.exchange_command",
    "check": "kuimen.entrypoints.cli.check_command",
    "detect": "kuimen.entrypoints.cli.detect_command",
    "classify": "kuimen.entrypoints.cli.detect_command",
    "testdata": "kuimen.entrypoints.cli.testdata_command",
    "release": "kuimen.entrypoints.cli.release_command",
    "redact": "kuimen.entrypoints.cli.redact_command",
    "analyze-server": "kuimen.entrypoints.cli.analyze_command",
    "rules": "kuimen.entrypoints.cli.rules_command",
}


# names of commands that Python does not allow for a function
FUNCTIONS = {
    "release": "release_group",
    "analyze-server": "analyze_server",
    "import": "import_",
    "migrate-table": "migrate_table",
    "sign-in": "sign_in",
}


class LazyGroup(click.Group):
    """Loads a command's module when it is asked for, so that `kuimen scan` starts without Django."""

    @override
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    @override
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        module = COMMANDS.get(cmd_name)
        if module is None:
            return None
        command = getattr(import_module(module), FUNCTIONS.get(cmd_name, cmd_name))
        return command if isinstance(command, click.Command) else None


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="kuimen")
def kuimen() -> None:
    """夔门 Kuimen: the data-security platform for internet lending."""


def report_error(code: str, message: str, *, as_json: bool) -> None:
    """Print one error on standard error, as a sentence or as one JSON object."""
    text = json.dumps({"error": code, "message": message}, ensure_ascii=False) if as_json else f"kuimen: {message}"
    click.echo(text, err=True)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with the code of the error table."""
    given = sys.argv[1:] if arguments is None else arguments
    as_json = "--json" in given
    gc.set_threshold(*GC_THRESHOLDS)
    try:
        code = kuimen.main(args=given, prog_name="kuimen", standalone_mode=False)
        if isinstance(code, int) and code:  # what a command asked for by `click.exceptions.Exit`
            sys.exit(code)
    except click.exceptions.Abort:
        report_error("aborted", "stopped; start the command again to resume", as_json=as_json)
        sys.exit(130)
    except click.ClickException as error:
        if not as_json:
            error.show()
        else:
            report_error("usage", error.format_message(), as_json=True)
        sys.exit(error.exit_code)
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except KuimenError as error:
        report_error(error.code, str(error), as_json=as_json)
        sys.exit(rule_for(error).exit_code)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as defect:  # noqa: BLE001  # house-lint: broad-except, outermost handler of the command line
        report_error(
            "internal",
            f"a defect of Kuimen ({type(defect).__name__}); nothing was shown of its text, "
            "set KUIMEN_DEBUG=1 to see the place",
            as_json=as_json,
        )
        if os.environ.get("KUIMEN_DEBUG") == "1":
            click.echo(place_of(defect), err=True)
        sys.exit(EXIT_CODE_BUG)
