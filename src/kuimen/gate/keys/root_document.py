"""The document of the sealed root file: its shape, its checks, and how it is read and written.

Version 2 shares the root key among n custodians, any m of whom open it (Shamir over GF(256)). Version 1, which earlier
releases wrote, shares it between exactly two by exclusive or, and is still read.
"""

import base64
import binascii
import hmac
import json
import os
import secrets
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from kuimen.foundation import clock
from kuimen.foundation.identifiers import new_ref
from kuimen.gate.keys.errors import (
    RootFileAlteredError,
    RootFileExistsError,
    RootFileMissingError,
    RootFilePermissionError,
    RootFileVersionError,
)
from kuimen.gate.keys.passphrases import PassphraseCost, cost_of
from kuimen.gate.keys.rules import MOST_CUSTODIANS, MUST_BE_PRESENT
from kuimen.kernels.ciphers import hmac_sm3, sm3

FORMAT: Final = "kuimen-sealed-root"
VERSION: Final = 2
FIRST_VERSION: Final = 1
SCHEMES: Final = {FIRST_VERSION: "xor-2-of-2", VERSION: "shamir-gf256"}
SALT_LENGTH: Final = 16
_KEY_CHECK_LENGTH: Final = 8
_LARGEST_FILE: Final = 256 * 1024
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPlace:
    """Where the root key lives when it lives in a PKCS#11 token; the PIN is sealed, the rest is no secret."""

    module: str
    token_label: str
    key_label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RootFileInfo:
    """What the file tells without a passphrase.

    `fingerprint` names the root key (first bytes of a MAC under it); it tells nothing about the key.
    """

    institution_id: UUID
    custodians: tuple[str, ...]
    threshold: int
    created_at: datetime
    cost: PassphraseCost
    fingerprint: str
    version: int = VERSION
    token: TokenPlace | None = None


def new_header(
    custodians: list[str],
    *,
    threshold: int,
    institution_id: UUID,
    cost: PassphraseCost,
    token: TokenPlace | None = None,
) -> dict[str, Any]:
    """Return the header of a new document; every share is bound to it."""
    header: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "file_id": str(new_ref()),
        "institution_id": str(institution_id),
        "created_at": clock.now().isoformat(),
        "scheme": SCHEMES[VERSION],
        "threshold": threshold,
        "suite": cost.suite.label,
        "kdf": cost.described(),
        "custodians": custodians,
    }
    if token is not None:
        header["token"] = {"module": token.module, "label": token.token_label, "key_label": token.key_label}
    return header


def sealed_document(document: Mapping[str, Any], root: bytes | bytearray) -> dict[str, Any]:
    """Return `document` with the MAC under the root key and the unkeyed checksum that everybody can verify."""
    whole = {key: value for key, value in document.items() if key not in ("mac", "checksum")}
    whole["mac"] = encode(hmac_sm3(bytes(root), canonical(_vouched(whole))))
    return with_checksum(whole)


def with_checksum(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return `document` with its checksum made anew."""
    whole = {key: value for key, value in document.items() if key != "checksum"}
    whole["checksum"] = encode(sm3(canonical(whole)))
    return whole


def belongs_together(document: Mapping[str, Any], root: bytes | bytearray) -> bool:
    """Return whether the document's MAC and key check are those of this root key."""
    mac = hmac_sm3(bytes(root), canonical(_vouched(document)))
    return bool(document["key_check"] == key_check(root)) and hmac.compare_digest(decode(document["mac"]), mac)


def _vouched(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the MAC vouches for.

    From version 2 on the shares are not among it: each is authenticated by its own custodian's key against the whole
    header, so that one custodian can change the own passphrase alone.
    """
    names = ["header", "key_check"]
    if document["header"]["version"] == FIRST_VERSION:
        names.append("shares")
    if "payload" in document:
        names.append("payload")
    return {name: document[name] for name in names}


def key_check(root: bytes | bytearray) -> str:
    """Return the public name of a root key."""
    return hmac_sm3(bytes(root), b"kuimen root key check")[:_KEY_CHECK_LENGTH].hex()


def share_binding(header: Mapping[str, Any], point: int) -> bytes:
    """Return what a share is bound to: the whole header and its own place."""
    return canonical({"header": header, "share": point})


def canonical(document: Mapping[str, Any]) -> bytes:
    """Return the one spelling of a document."""
    return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def encode(data: bytes) -> str:
    """Return bytes as text."""
    return base64.b64encode(data).decode()


def decode(text: str) -> bytes:
    """Return the bytes of a text."""
    return base64.b64decode(text, validate=True)


def read(path: Path) -> dict[str, Any]:
    """Read a document and check everything that needs no passphrase.

    Raises:
        RootFileMissingError, RootFilePermissionError, RootFileVersionError, RootFileAlteredError: as named.
    """
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_mode & _OTHERS:
                raise RootFilePermissionError("the root file may be open to its owner only; set its mode to 0600")
            raw = file.read(_LARGEST_FILE + 1)
    except (FileNotFoundError, NotADirectoryError):
        raise RootFileMissingError(
            "there is no root file at the configured place; restore it from its backup"
        ) from None
    except (IsADirectoryError, PermissionError):
        raise RootFilePermissionError("the root file cannot be read by this user; check its owner and mode") from None
    try:
        document = json.loads(raw)
        _check_shape(document)
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error, RecursionError):
        raise RootFileAlteredError("the root file is damaged: it is not a complete root document") from None
    return dict(document)


def _check_shape(document: dict[str, Any]) -> None:
    """Raise unless the document is whole: first what it is, then its checksum, then every field."""
    header = document["header"]
    if header["format"] != FORMAT or header["version"] not in SCHEMES:
        raise RootFileVersionError(
            f"the root file is not of format {FORMAT} version 1 or 2; use the release that wrote it"
        )
    body = {key: value for key, value in document.items() if key != "checksum"}
    if not hmac.compare_digest(decode(document["checksum"]), sm3(canonical(body))):
        raise RootFileAlteredError("the root file was altered: its checksum does not hold; restore it from its backup")
    custodians, shares = header["custodians"], document["shares"]
    if header["scheme"] != SCHEMES[header["version"]] or not len(set(custodians)) == len(custodians) == len(shares):
        raise ValueError("shares")
    if not MUST_BE_PRESENT <= _threshold(header) <= len(custodians) <= MOST_CUSTODIANS:
        raise ValueError("threshold")
    for share in shares:
        if len(decode(share["salt"])) != SALT_LENGTH or not decode(share["sealed"]):
            raise ValueError("share")
    decode(document["mac"])
    info_of(document)


def info_of(document: Mapping[str, Any]) -> RootFileInfo:
    """Return what a document tells without a passphrase."""
    header = document["header"]
    token = header.get("token")
    return RootFileInfo(
        institution_id=UUID(header["institution_id"]),
        custodians=tuple(header["custodians"]),
        threshold=_threshold(header),
        created_at=datetime.fromisoformat(header["created_at"]),
        cost=cost_of(header["kdf"]),
        fingerprint=str(document["key_check"]),
        version=int(header["version"]),
        token=None
        if token is None
        else TokenPlace(module=token["module"], token_label=token["label"], key_label=token["key_label"]),
    )


def _threshold(header: Mapping[str, Any]) -> int:
    return MUST_BE_PRESENT if header["version"] == FIRST_VERSION else int(header["threshold"])


def write_new(path: Path, document: Mapping[str, Any]) -> None:
    """Write, sync and only then give the name, so that a cut never leaves half a root file; never overwrite one."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = _draft(path, document)
    try:
        os.link(draft, path)
        _sync_folder(path.parent)
    except FileExistsError:
        raise RootFileExistsError(
            "a root file is already there; a second root would orphan every sealed value"
        ) from None
    finally:
        draft.unlink(missing_ok=True)


def replace(path: Path, document: Mapping[str, Any]) -> None:
    """Put a whole new document in the place of the old one at once: a reader sees the one or the other."""
    draft = _draft(path, document)
    try:
        draft.replace(path)
        _sync_folder(path.parent)
    finally:
        draft.unlink(missing_ok=True)


def _draft(path: Path, document: Mapping[str, Any]) -> Path:
    content = json.dumps(document, ensure_ascii=False, indent=1).encode()
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        draft.unlink(missing_ok=True)
        raise RootFilePermissionError(
            "the root file cannot be written; check owner, mode and free space, the old one is untouched"
        ) from None
    return draft


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
