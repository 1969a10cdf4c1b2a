"""The key file of an application: its masters sealed under a passphrase, for processes outside the installation.

Derivation: PBKDF2 with HMAC-SM3; sealing: SM4-GCM with everything else of the document as associated data.
"""

import base64
import binascii
import hashlib
import json
from typing import Any

from kuimen.foundation.errors import KuimenError
from kuimen.kernels.ciphers import Suite, open_sealed, seal
from kuimen.kernels.ciphers.errors import SealBrokenError
from kuimen.kernels.sealed_columns.errors import KeyDocumentError, WrongPhraseError
from kuimen.kernels.sealed_columns.keys import ApplicationKeys

FORMAT = "kuimen application keys"
VERSION = 1
SALT_BYTES = 16
ITERATIONS = 600_000
MOST_ITERATIONS = 10_000_000
SHORTEST_PHRASE = 12
_LARGEST = 1 << 20


def sealed_key_document(
    keys: ApplicationKeys, *, application: str, passphrase: str, salt: bytes, iterations: int = ITERATIONS
) -> bytes:
    """Return the bytes of a key file.

    Args:
        keys: what goes in.
        application: its name.
        passphrase: at least 12 characters.
        salt: 16 random bytes; kernels draw none.
        iterations: cost of one guess.

    Raises:
        KeyDocumentError: the passphrase is too short, or the salt not of its length.
    """
    if len(passphrase) < SHORTEST_PHRASE or len(salt) != SALT_BYTES:
        raise KeyDocumentError(f"passphrase: at least {SHORTEST_PHRASE} characters, with a salt of {SALT_BYTES} bytes")
    header = {
        "format": FORMAT,
        "version": VERSION,
        "application": application,
        "institution": keys.institution.hex(),
        "kdf": {"name": "pbkdf2-sm3", "iterations": iterations, "salt": _text(salt)},
    }
    masters = json.dumps({str(number): _text(master) for number, master in keys.masters().items()}).encode()
    sealed = seal(_derived(passphrase, salt, iterations), masters, aad=_canonical(header), key_id=VERSION)
    return json.dumps(header | {"sealed": _text(sealed)}, ensure_ascii=False, indent=1).encode()


def open_key_document(content: bytes, *, passphrase: str) -> ApplicationKeys:
    """Open a key file.

    Raises:
        KeyDocumentError: it is none, or of a version that this release does not know.
        WrongPhraseError: the passphrase does not fit, or the file was altered; which of them is not told.
    """
    try:
        document = json.loads(content[:_LARGEST])
        sealed = base64.b64decode(document.pop("sealed"), validate=True)
        if (document["format"], document["version"]) != (FORMAT, VERSION):
            raise KeyDocumentError("key file: of another format or version; use the release that wrote it")
        kdf = document["kdf"]
        salt, iterations = base64.b64decode(kdf["salt"], validate=True), int(kdf["iterations"])
        institution = bytes.fromhex(document["institution"])
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error, RecursionError):
        raise KeyDocumentError("key file: it is none, or damaged; ask for it again") from None
    if kdf.get("name") != "pbkdf2-sm3" or not 1 <= iterations <= MOST_ITERATIONS:
        raise KeyDocumentError("key file: it names a derivation that is not known; ask for it again")
    try:
        masters = open_sealed(_derived(passphrase, salt, iterations), sealed, aad=_canonical(document))
    except SealBrokenError:
        raise WrongPhraseError("passphrase: it does not open the key file, or the file was altered") from None
    found = {int(number): base64.b64decode(master) for number, master in json.loads(masters).items()}
    try:
        return ApplicationKeys(found, institution=institution)
    except KuimenError:
        raise KeyDocumentError("key file: it holds no keys that fit; ask for it again") from None


def _derived(passphrase: str, salt: bytes, iterations: int) -> bytes:
    return hashlib.pbkdf2_hmac("sm3", passphrase.encode(), salt, iterations, dklen=Suite.SM4_GCM.key_bytes)


def _canonical(header: dict[str, Any]) -> bytes:
    return json.dumps(header, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
