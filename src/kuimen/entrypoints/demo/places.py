"""Where the demonstration lives: a home of its own beside the user's, marked, so that only it is ever cleared."""

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from kuimen.entrypoints.installation.home import HOME_VARIABLE, InstallationHome, write_private
from kuimen.entrypoints.installation.postgres import EmbeddedPostgres
from kuimen.foundation.errors import ConflictError

MARK = ".kuimen-demo"


class NotADemoError(ConflictError):
    """The chosen home holds something that no demonstration made."""

    code = "demo.foreign_home"


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoPlaces:
    """Folders and files of one demonstration."""

    home: InstallationHome

    @property
    def files(self) -> Path:
        """The lender's folder with its operations log and CSV export."""
        return self.home.root.with_name(f"{self.home.root.name}-files")

    @property
    def secrets(self) -> Path:
        """Custodians' passphrases and the printed sign-ins, 0600, outside the home."""
        return self.home.root.with_name(f"{self.home.root.name}-secrets")

    @property
    def credentials_file(self) -> Path:
        """Passphrases of the two custodians."""
        return self.secrets / "custodians"

    @property
    def sign_ins_file(self) -> Path:
        """Sign-ins of the demonstration's staff."""
        return self.secrets / "sign-ins.json"

    @property
    def lender_file(self) -> Path:
        """User and password of the lender's database."""
        return self.secrets / "lender-credentials"


def places(chosen: Path | None) -> DemoPlaces:
    """Find the home of the demonstration: `chosen`, else ``KUIMEN_HOME``, else the default home with `-demo`."""
    if chosen is not None or os.environ.get(HOME_VARIABLE):
        return DemoPlaces(home=InstallationHome.locate(chosen))
    default = InstallationHome.locate().root
    return DemoPlaces(home=InstallationHome.locate(default.with_name(f"{default.name}-demo")))


def start_afresh(spot: DemoPlaces) -> None:
    """Clear what an earlier demonstration left, and nothing else.

    Raises:
        NotADemoError: the home exists and was not made by a demonstration.
    """
    root = spot.home.root
    if root.exists() and any(root.iterdir()) and not (root / MARK).is_file():
        raise NotADemoError(f"{root} is no demonstration's home; choose another with --home, nothing was touched")
    if (root / MARK).is_file():
        EmbeddedPostgres(spot.home).stop()
    for folder in (root, spot.files, spot.secrets):
        shutil.rmtree(folder, ignore_errors=True)
    spot.home.create()
    (root / MARK).touch(mode=0o600)
    spot.secrets.mkdir(mode=0o700, parents=True)
    spot.files.mkdir(mode=0o700, parents=True)


def keep_secret(path: Path, content: object) -> None:
    """Write one 0600 JSON file."""
    write_private(path, json.dumps(content, ensure_ascii=False, indent=1).encode())
