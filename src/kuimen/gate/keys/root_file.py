"""The sealed root file: n custodians, any m of whom open it together, none of whom can alone.

The root key is shared with Shamir's scheme. Each share is sealed under a key derived from one custodian's passphrase;
the associated data is the whole header, so a share fits no other file, custodian or cost.

Three kinds of damage are told apart. The unkeyed checksum finds an altered file before anybody's passphrase is blamed;
a share that does not open means a wrong passphrase; after enough of them opened, a MAC under the root key finds a file
whose checksum was recomputed, and the key-check value finds shares that belong to different roots.
"""

import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kuimen.foundation.identifiers import new_ref
from kuimen.gate.keys import root_document as documents
from kuimen.gate.keys.errors import (
    MissingCustodianError,
    RootFileAlteredError,
    RootFileExistsError,
    UnknownCustodianError,
    WeakPassphraseError,
    WrongPassphraseError,
)
from kuimen.gate.keys.passphrases import PRODUCTION_COST, Argon2Cost, PassphraseCost, Pbkdf2Sm3Cost
from kuimen.gate.keys.root_document import RootFileInfo, TokenPlace
from kuimen.gate.keys.rules import MUST_BE_PRESENT, custodians_refused, weak_passphrases
from kuimen.gate.keys.sharing import Share, join, split
from kuimen.kernels.ciphers import SealBrokenError, Suite, open_sealed, seal

__all__ = [
    "PRODUCTION_COST",
    "Argon2Cost",
    "OpenedRoot",
    "Pbkdf2Sm3Cost",
    "RootFileInfo",
    "TokenPlace",
    "change_passphrase",
    "create_root_file",
    "open_root_file",
    "read_root_info",
    "reshare_root_file",
]

ROOT_LENGTH: Final = 32
_NONCE_LENGTH: Final = 12
_PAYLOAD_CONTEXT: Final = b"kuimen root file payload"
_FILE_KEY_GENERATION: Final = 1


@dataclass(slots=True, kw_only=True)
class OpenedRoot:
    """The root key in a buffer that can be wiped, and what the file says about it.

    Attributes:
        key: the root key; with a token, the key that sealed the token's PIN.
        info: what the file tells.
        present: the custodians who gave their passphrase.
        pin: PIN of the token, where the root key lives in one.
    """

    key: bytearray
    info: RootFileInfo
    present: tuple[str, ...]
    pin: bytearray | None = None


def create_root_file(
    path: Path,
    *,
    passphrases: Mapping[str, str],
    institution_id: UUID | None = None,
    cost: PassphraseCost = PRODUCTION_COST,
    threshold: int = MUST_BE_PRESENT,
    token: TokenPlace | None = None,
    pin: str = "",
) -> RootFileInfo:
    """Draw a root key, seal its shares and write the file with mode 0600; never overwrite one.

    Args:
        path: where the file goes; its folder is made with mode 0700 when absent.
        passphrases: custodian (staff number) to passphrase, two to sixteen.
        institution_id: bound into every sealed value; drawn when absent.
        cost: how a passphrase becomes a key; tests pass a lower one.
        threshold: how many custodians open it together, at least two.
        token: where the root key lives instead; the file then seals the PIN of that token.
        pin: that PIN.

    Raises:
        MissingCustodianError: fewer than two custodians, more than sixteen, or fewer than the threshold.
        WeakPassphraseError: a passphrase is short, or two are the same.
        RootFileExistsError: there is a file already.
    """
    _check_custodians(passphrases, threshold)
    if path.exists():
        raise RootFileExistsError("a root file is already there; a second root would orphan every sealed value")
    root = bytearray(secrets.token_bytes(ROOT_LENGTH))
    header = documents.new_header(
        list(passphrases), threshold=threshold, institution_id=institution_id or new_ref(), cost=cost, token=token
    )
    document = _document(header, root, passphrases, cost)
    if token is not None:
        payload = seal(
            bytes(root), pin.encode(), aad=_PAYLOAD_CONTEXT, suite=Suite.AES_256_GCM, key_id=_FILE_KEY_GENERATION
        )
        document["payload"] = documents.encode(payload)
    document = documents.sealed_document(document, root)
    _wipe(root)
    documents.write_new(path, document)
    return documents.info_of(document)


def read_root_info(path: Path) -> RootFileInfo:
    """Return what the file tells without a passphrase.

    Raises:
        RootFileMissingError, RootFilePermissionError, RootFileVersionError, RootFileAlteredError: as named.
    """
    return documents.info_of(documents.read(path))


def open_root_file(path: Path, *, passphrases: Mapping[str, str]) -> OpenedRoot:
    """Open the shares of the custodians who are present and return the root key.

    Cost: one derivation for each passphrase given (about a quarter of a second each).

    Raises:
        RootFileMissingError: no file.
        RootFilePermissionError: the file's mode lets others in.
        RootFileVersionError: a later or foreign format.
        RootFileAlteredError: the file was changed or assembled from two files.
        MissingCustodianError: too few custodians gave a passphrase, or somebody who is none.
        WrongPassphraseError: names the custodian whose share stayed closed.
    """
    document = documents.read(path)
    return _open(document, passphrases)


def change_passphrase(path: Path, *, custodian: str, old: str, new: str) -> RootFileInfo:
    """Seal one custodian's share under a new passphrase; nobody else is needed and nobody else's share changes.

    Raises:
        UnknownCustodianError: nobody of this name holds a share.
        WrongPassphraseError: the old passphrase does not open the share.
        WeakPassphraseError: the new one is short, or the old one again.
        RootFileVersionError, RootFileAlteredError, RootFileMissingError, RootFilePermissionError: as named.
    """
    document = documents.read(path)
    info = documents.info_of(document)
    _refuse_first_version(info)
    if custodian not in info.custodians:
        raise UnknownCustodianError(f"{custodian} holds no share of this root; name one of its custodians")
    if old == new:
        raise WeakPassphraseError("the new passphrase is the old one; choose another")
    if reason := weak_passphrases({custodian: new}):
        raise WeakPassphraseError(reason)
    position = info.custodians.index(custodian)
    point, values = _open_share(document, position, custodian, old)
    shares = list(document["shares"])
    shares[position] = _seal_share(document["header"], info.cost, (point, values), new)
    documents.replace(path, documents.with_checksum(document | {"shares": shares}))
    return info


def reshare_root_file(
    path: Path,
    *,
    present: Mapping[str, str],
    passphrases: Mapping[str, str],
    threshold: int | None = None,
    cost: PassphraseCost | None = None,
) -> RootFileInfo:
    """Share the same root key anew among the custodians of `passphrases`, who are all present.

    The polynomials are drawn anew, so that the share of somebody who left is worth nothing beside the new ones. An old
    copy of the file still opens with enough old passphrases: destroy the copies, and move to a new root where one of
    those who left is not trusted. A file of version 1 becomes one of version 2.

    Args:
        path: the root file.
        present: custodians of today with today's passphrases, at least the present threshold.
        passphrases: everybody who shall hold a share from now on, with the passphrase each will use.
        threshold: how many will be needed; as before when absent.
        cost: how a passphrase becomes a key; as before when absent.

    Raises:
        MissingCustodianError, WrongPassphraseError, WeakPassphraseError: as in opening and creating.
    """
    document = documents.read(path)
    opened = _open(document, present)
    chosen = threshold or opened.info.threshold
    _check_custodians(passphrases, chosen)
    settled = cost or opened.info.cost
    header = documents.new_header(
        list(passphrases),
        threshold=chosen,
        institution_id=opened.info.institution_id,
        cost=settled,
        token=opened.info.token,
    )
    renewed = _document(header, opened.key, passphrases, settled)
    if "payload" in document:
        renewed["payload"] = document["payload"]
    renewed = documents.sealed_document(renewed, opened.key)
    _wipe(opened.key)
    documents.replace(path, renewed)
    return documents.info_of(renewed)


def _check_custodians(passphrases: Mapping[str, str], threshold: int) -> None:
    if reason := custodians_refused(passphrases, threshold):
        raise MissingCustodianError(reason)
    if reason := weak_passphrases(dict(passphrases)):
        raise WeakPassphraseError(reason)


def _document(
    header: dict[str, Any], root: bytearray, passphrases: Mapping[str, str], cost: PassphraseCost
) -> dict[str, Any]:
    shares = split(root, threshold=header["threshold"], count=len(passphrases))
    return {
        "header": header,
        "shares": [
            _seal_share(header, cost, share, passphrase)
            for share, passphrase in zip(shares, passphrases.values(), strict=True)
        ],
        "key_check": documents.key_check(root),
    }


def _open(document: Mapping[str, Any], passphrases: Mapping[str, str]) -> OpenedRoot:
    info = documents.info_of(document)
    _check_presence(info, passphrases)
    shares = [
        _open_share(document, position, custodian, passphrases[custodian])
        for position, custodian in enumerate(info.custodians)
        if custodian in passphrases
    ]
    root = bytearray(_joined(info, shares))
    if not documents.belongs_together(document, root):
        _wipe(root)
        raise RootFileAlteredError("the root file was altered: its shares or header do not belong together")
    present = tuple(one for one in info.custodians if one in passphrases)
    return OpenedRoot(key=root, info=info, present=present, pin=_pin(document, root))


def _pin(document: Mapping[str, Any], root: bytearray) -> bytearray | None:
    if "payload" not in document:
        return None
    try:
        return bytearray(open_sealed(bytes(root), documents.decode(document["payload"]), aad=_PAYLOAD_CONTEXT))
    except SealBrokenError:
        raise RootFileAlteredError("the root file was altered: its token's PIN does not open") from None


def _check_presence(info: RootFileInfo, given: Collection[str]) -> None:
    if set(given) <= set(info.custodians) and len(given) >= info.threshold:
        return
    names = ", ".join(info.custodians)
    raise MissingCustodianError(
        f"the root file is held by custodians {names}; {info.threshold} of them must give their passphrase, "
        "and nobody else"
    )


def _joined(info: RootFileInfo, shares: list[Share]) -> bytes:
    if info.version != documents.FIRST_VERSION:
        return join(shares)
    root = bytes(ROOT_LENGTH)
    for _, values in shares:
        root = bytes(a ^ b for a, b in zip(root, values, strict=True))
    return root


def _seal_share(header: dict[str, Any], cost: PassphraseCost, share: Share, passphrase: str) -> dict[str, Any]:
    point, values = share
    salt = secrets.token_bytes(documents.SALT_LENGTH)
    sealed = seal(
        cost.derive(passphrase, salt),
        values,
        aad=documents.share_binding(header, point),
        suite=cost.suite,
        key_id=_FILE_KEY_GENERATION,
    )
    return {"x": point, "salt": documents.encode(salt), "sealed": documents.encode(sealed)}


def _open_share(document: Mapping[str, Any], position: int, custodian: str, passphrase: str) -> Share:
    entry, header = document["shares"][position], document["header"]
    sealed = documents.decode(entry["sealed"])
    key = documents.info_of(document).cost.derive(passphrase, documents.decode(entry["salt"]))
    try:
        if header["version"] == documents.FIRST_VERSION:
            binding = documents.share_binding(header, position)
            return position, AESGCM(key).decrypt(sealed[:_NONCE_LENGTH], sealed[_NONCE_LENGTH:], binding)
        point = int(entry["x"])
        return point, open_sealed(key, sealed, aad=documents.share_binding(header, point))
    except (InvalidTag, SealBrokenError):
        raise WrongPassphraseError(custodian) from None


def _refuse_first_version(info: RootFileInfo) -> None:
    if info.version == documents.FIRST_VERSION:
        raise MissingCustodianError(
            "a root file of version 1 changes only as a whole; both custodians share it anew first "
            "(kuimen keys custodians replace)"
        )


def _wipe(buffer: bytearray) -> None:
    buffer[:] = bytes(len(buffer))
