"""The sealed root file: two custodians, neither of whom can open it alone.

Root key = share 1 XOR share 2. Each share is sealed with AES-256-GCM under a key that Argon2id derives from one
custodian's passphrase; the associated data is the whole header, so a share fits no other file, custodian or cost.

Three kinds of damage are told apart. The unkeyed checksum finds an altered file before anybody's passphrase is blamed;
a share that does not open means a wrong passphrase; after both opened, a MAC under the root key finds a file whose
checksum was recomputed, and the key-check value finds shares that belong to different roots.
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

from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kuimen.foundation import clock
from kuimen.foundation.identifiers import new_ref
from kuimen.gate.keys.errors import (
    MissingCustodianError,
    RootFileAlteredError,
    RootFileExistsError,
    RootFileMissingError,
    RootFilePermissionError,
    RootFileVersionError,
    WeakPassphraseError,
    WrongPassphraseError,
)
from kuimen.gate.keys.rules import passphrase_bytes, weak_passphrases
from kuimen.kernels.ciphers import hmac_sm3, sm3

FORMAT: Final = "kuimen-sealed-root"
VERSION: Final = 1
CUSTODIANS: Final = 2
ROOT_LENGTH: Final = 32
_NONCE_LENGTH: Final = 12
_SALT_LENGTH: Final = 16
_KEY_CHECK_LENGTH: Final = 8
_LARGEST_FILE: Final = 64 * 1024
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True, kw_only=True)
class Argon2Cost:
    """Cost of one passphrase guess. The default follows RFC 9106's second choice with more memory."""

    time_cost: int = 3
    memory_kib: int = 128 * 1024
    parallelism: int = 2


PRODUCTION_COST: Final = Argon2Cost()
_HIGHEST_COST: Final = Argon2Cost(time_cost=32, memory_kib=4 * 1024 * 1024, parallelism=64)


@dataclass(frozen=True, slots=True, kw_only=True)
class RootFileInfo:
    """What the file tells without a passphrase.

    `fingerprint` names the root key (first bytes of a MAC under it); it tells nothing about the key.
    """

    institution_id: UUID
    custodians: tuple[str, ...]
    created_at: datetime
    cost: Argon2Cost
    fingerprint: str


@dataclass(slots=True, kw_only=True)
class OpenedRoot:
    """The root key in a buffer that can be wiped, and what the file says about it."""

    key: bytearray
    info: RootFileInfo


def create_root_file(
    path: Path,
    *,
    passphrases: Mapping[str, str],
    institution_id: UUID | None = None,
    cost: Argon2Cost = PRODUCTION_COST,
) -> RootFileInfo:
    """Draw a root key, seal its two shares and write the file with mode 0600; never overwrite one.

    Args:
        path: where the file goes; its folder is made with mode 0700 when absent.
        passphrases: custodian (staff number) to passphrase, exactly two.
        institution_id: bound into every sealed value; drawn when absent.
        cost: Argon2id parameters; tests pass lower ones.

    Raises:
        MissingCustodianError: not exactly two custodians.
        WeakPassphraseError: a passphrase is short, or both are the same.
        RootFileExistsError: there is a file already.
    """
    if len(passphrases) != CUSTODIANS or not all(passphrases):
        raise MissingCustodianError("a root file needs exactly two named custodians, each with a passphrase")
    if reason := weak_passphrases(dict(passphrases)):
        raise WeakPassphraseError(reason)
    if path.exists():
        raise RootFileExistsError("a root file is already there; a second root would orphan every sealed value")
    root = bytearray(secrets.token_bytes(ROOT_LENGTH))
    first = secrets.token_bytes(ROOT_LENGTH)
    second = bytes(a ^ b for a, b in zip(root, first, strict=True))
    header = _header(list(passphrases), institution_id or new_ref(), cost)
    shares = [
        _seal_share(header, index, share, passphrase)
        for index, (share, passphrase) in enumerate(zip((first, second), passphrases.values(), strict=True))
    ]
    document: dict[str, Any] = {"header": header, "shares": shares, "key_check": _key_check(root)}
    document["mac"] = _encode(hmac_sm3(bytes(root), _canonical(document)))
    document["checksum"] = _encode(sm3(_canonical(document)))
    _write_once(path, json.dumps(document, ensure_ascii=False, indent=1).encode())
    _wipe(root)
    return _info(document)


def read_root_info(path: Path) -> RootFileInfo:
    """Return what the file tells without a passphrase.

    Raises:
        RootFileMissingError, RootFilePermissionError, RootFileVersionError, RootFileAlteredError: as named.
    """
    return _info(_read(path))


def open_root_file(path: Path, *, passphrases: Mapping[str, str]) -> OpenedRoot:
    """Open both shares and return the root key. Cost: two Argon2id derivations (about half a second).

    Raises:
        RootFileMissingError: no file.
        RootFilePermissionError: the file's mode lets others in.
        RootFileVersionError: a later or foreign format.
        RootFileAlteredError: the file was changed or assembled from two files.
        MissingCustodianError: the passphrases are not those of exactly the file's custodians.
        WrongPassphraseError: names the custodian whose share stayed closed.
    """
    document = _read(path)
    info = _info(document)
    if set(passphrases) != set(info.custodians):
        names = ", ".join(info.custodians)
        raise MissingCustodianError(f"the root file is held by custodians {names}; both must give their passphrase")
    root = bytearray(ROOT_LENGTH)
    for index, custodian in enumerate(info.custodians):
        share = _open_share(document, index, custodian, passphrases[custodian])
        for position, byte in enumerate(share):
            root[position] ^= byte
    signed = {key: document[key] for key in ("header", "shares", "key_check")}
    mac = _decode(document["mac"])
    if document["key_check"] != _key_check(root) or not hmac.compare_digest(
        mac, hmac_sm3(bytes(root), _canonical(signed))
    ):
        _wipe(root)
        raise RootFileAlteredError("the root file was altered: its shares or header do not belong together")
    return OpenedRoot(key=root, info=info)


def _header(custodians: list[str], institution_id: UUID, cost: Argon2Cost) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "version": VERSION,
        "file_id": str(new_ref()),
        "institution_id": str(institution_id),
        "created_at": clock.now().isoformat(),
        "scheme": "xor-2-of-2",
        "suite": "aes-256-gcm",
        "kdf": {
            "name": "argon2id",
            "time_cost": cost.time_cost,
            "memory_kib": cost.memory_kib,
            "parallelism": cost.parallelism,
        },
        "custodians": custodians,
    }


def _seal_share(header: dict[str, Any], index: int, share: bytes, passphrase: str) -> dict[str, Any]:
    salt = secrets.token_bytes(_SALT_LENGTH)
    nonce = secrets.token_bytes(_NONCE_LENGTH)
    sealed = AESGCM(_derive(header, passphrase, salt)).encrypt(nonce, share, _share_aad(header, index))
    return {"salt": _encode(salt), "sealed": _encode(nonce + sealed)}


def _open_share(document: dict[str, Any], index: int, custodian: str, passphrase: str) -> bytes:
    entry = document["shares"][index]
    sealed = _decode(entry["sealed"])
    key = _derive(document["header"], passphrase, _decode(entry["salt"]))
    aad = _share_aad(document["header"], index)
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE_LENGTH], sealed[_NONCE_LENGTH:], aad)
    except InvalidTag:
        raise WrongPassphraseError(custodian) from None


def _derive(header: dict[str, Any], passphrase: str, salt: bytes) -> bytes:
    kdf = header["kdf"]
    return hash_secret_raw(
        passphrase_bytes(passphrase),
        salt,
        time_cost=kdf["time_cost"],
        memory_cost=kdf["memory_kib"],
        parallelism=kdf["parallelism"],
        hash_len=32,
        type=Type.ID,
    )


def _share_aad(header: dict[str, Any], index: int) -> bytes:
    return _canonical({"header": header, "share": index})


def _key_check(root: bytes | bytearray) -> str:
    return hmac_sm3(bytes(root), b"kuimen root key check")[:_KEY_CHECK_LENGTH].hex()


def _canonical(document: dict[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _decode(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _read(path: Path) -> dict[str, Any]:
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
    if header["format"] != FORMAT or header["version"] != VERSION:
        raise RootFileVersionError(
            f"the root file is not of format {FORMAT} version {VERSION}; use the release that wrote it"
        )
    body = {key: value for key, value in document.items() if key != "checksum"}
    if not hmac.compare_digest(_decode(document["checksum"]), sm3(_canonical(body))):
        raise RootFileAlteredError("the root file was altered: its checksum does not hold; restore it from its backup")
    kdf, custodians, shares = header["kdf"], header["custodians"], document["shares"]
    costs = (kdf["time_cost"], kdf["memory_kib"], kdf["parallelism"])
    limits = (_HIGHEST_COST.time_cost, _HIGHEST_COST.memory_kib, _HIGHEST_COST.parallelism)
    # A cost beyond every limit is an attack on the machine's memory, not a careful custodian.
    if not all(isinstance(cost, int) and 1 <= cost <= limit for cost, limit in zip(costs, limits, strict=True)):
        raise ValueError("kdf")
    if len(set(custodians)) != CUSTODIANS or len(shares) != CUSTODIANS or kdf["name"] != "argon2id":
        raise ValueError("shares")
    for share in shares:
        if len(_decode(share["salt"])) != _SALT_LENGTH or len(_decode(share["sealed"])) <= _NONCE_LENGTH:
            raise ValueError("share")
    _decode(document["mac"])
    _info(document)


def _info(document: dict[str, Any]) -> RootFileInfo:
    header = document["header"]
    kdf = header["kdf"]
    return RootFileInfo(
        institution_id=UUID(header["institution_id"]),
        custodians=tuple(header["custodians"]),
        created_at=datetime.fromisoformat(header["created_at"]),
        cost=Argon2Cost(time_cost=kdf["time_cost"], memory_kib=kdf["memory_kib"], parallelism=kdf["parallelism"]),
        fingerprint=str(document["key_check"]),
    )


def _write_once(path: Path, content: bytes) -> None:
    """Write, sync and only then give the name, so that a cut never leaves half a root file."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except FileExistsError:
        raise RootFileExistsError(
            "a root file is already there; a second root would orphan every sealed value"
        ) from None
    finally:
        draft.unlink(missing_ok=True)


def _wipe(buffer: bytearray) -> None:
    buffer[:] = bytes(len(buffer))
