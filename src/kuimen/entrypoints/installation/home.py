"""The home folder of one installation: where its configuration, keys, checkpoints and embedded server live."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kuimen.entrypoints.installation.errors import UnsafeFolderError

HOME_VARIABLE = "KUIMEN_HOME"
ROOT_HOME = Path("/var/lib/kuimen")
PRIVATE = 0o700
TRAVERSABLE = 0o711  # the server's user passes through, and lists nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallationHome:
    """Paths of one installation; creating the value touches no disk."""

    root: Path

    @classmethod
    def locate(
        cls, path: Path | str | None = None, *, environment: Mapping[str, str] | None = None
    ) -> "InstallationHome":
        """Find the home: an explicit `path`, else ``KUIMEN_HOME``, else the default of the present user.

        The default is ``/var/lib/kuimen`` for root and ``~/.local/share/kuimen`` for everybody else.
        """
        variables = os.environ if environment is None else environment
        chosen = path or variables.get(HOME_VARIABLE)
        if chosen:
            return cls(root=Path(chosen).expanduser().absolute())
        if os.geteuid() == 0:
            return cls(root=ROOT_HOME)
        return cls(root=Path.home() / ".local" / "share" / "kuimen")

    @property
    def config(self) -> Path:
        """Institution, overlay, port and language; no secret."""
        return self.root / "config.yaml"

    @property
    def rules(self) -> Path:
        """The institution's own rules for text, a folder of YAML files; it may be missing."""
        return self.root / "rules"

    @property
    def postgres(self) -> Path:
        """Everything of the embedded server, owned by the user it runs as."""
        return self.root / "postgres"

    @property
    def keys(self) -> Path:
        """The folder of the sealed root key."""
        return self.root / "keys"

    @property
    def root_key(self) -> Path:
        """The root key, sealed to two custodians."""
        return self.keys / "root.json"

    @property
    def checkpoints(self) -> Path:
        """Signed checkpoints of the audit log, outside the reach of the database."""
        return self.root / "checkpoints"

    @property
    def shreds(self) -> Path:
        """The shred ledger, outside the reach of both databases; back it up apart from them, and never put it back."""
        return self.root / "shreds"

    @property
    def credentials(self) -> Path:
        """Passwords of database roles and the session secret, 0600 each, never a key of personal data."""
        return self.root / "credentials"

    @property
    def reports(self) -> Path:
        """Reports that assessments and procedures leave behind."""
        return self.root / "reports"

    @property
    def run(self) -> Path:
        """Locks and records of what is running."""
        return self.root / "run"

    @property
    def initialised(self) -> bool:
        """Whether a configuration stands here."""
        return self.config.is_file()

    def create(self) -> None:
        """Make the folders that are missing; a parent folder's mode is never changed.

        Raises:
            UnsafeFolderError: a folder exists, but as a link or under another owner.
        """
        self.root.parent.mkdir(parents=True, exist_ok=True)
        private_folder(self.root, mode=TRAVERSABLE if os.geteuid() == 0 else PRIVATE)
        for folder in (self.keys, self.checkpoints, self.shreds, self.credentials, self.reports, self.run):
            private_folder(folder)


def private_folder(path: Path, *, mode: int = PRIVATE) -> Path:
    """Make `path` with `mode`, or confirm that it is a real folder of the present user.

    Raises:
        UnsafeFolderError: it is a link, no folder, or belongs to somebody else.
    """
    try:
        path.mkdir(mode=mode)
    except FileExistsError:
        pass
    else:
        path.chmod(mode)  # a umask narrows mkdir's mode
    found = path.lstat()
    if not path.is_dir() or path.is_symlink() or found.st_uid != os.geteuid():
        raise UnsafeFolderError(f"{path} must be a folder of the user that runs Kuimen, and no link")
    return path


def write_private(path: Path, content: bytes) -> None:
    """Write a 0600 file at once and durably: a reader sees the old content or the new one, never a part."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
