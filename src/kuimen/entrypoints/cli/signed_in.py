"""Acting at the terminal as a member of staff: a token in a private file, made by `kuimen sign-in`."""

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from kuimen.foundation.errors import InvalidInputError

if TYPE_CHECKING:
    from kuimen.gate.access.rules import Subject

Command = TypeVar("Command", bound=Callable[..., object])
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
LARGEST_TOKEN = 512


class TokenFileError(InvalidInputError):
    """The token file is missing, open to others, or holds no token."""

    code = "cli.token_file"


def token_option(*, required: bool) -> Callable[[Command], Command]:
    """Add `--token-file`: whose rights the command uses."""
    return click.option(
        "--token-file",
        type=click.Path(path_type=Path, dir_okay=False),
        required=required,
        help="登录令牌文件（kuimen sign-in 生成） Token file made by `kuimen sign-in`.",
    )


def signed_in(token_file: Path) -> "Subject":
    """Return who the token in a private file speaks for, with the rights of this moment.

    Raises:
        TokenFileError: the file is missing, a link, or open to others.
        SignInRefusedError: the token has ended.
    """
    from kuimen.gate.access import services as access

    try:
        descriptor = os.open(token_file, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        raise TokenFileError("--token-file: missing, unreadable or a link; run `kuimen sign-in` first") from None
    with os.fdopen(descriptor, "rb") as stream:
        found = os.fstat(stream.fileno())
        if not stat.S_ISREG(found.st_mode) or found.st_mode & _OTHERS or found.st_uid not in (os.geteuid(), 0):
            raise TokenFileError("--token-file: must be a plain file of this user with mode 0600")
        text = stream.read(LARGEST_TOKEN).decode("ascii", errors="replace").strip()
    return access.subject_for_token(text)
