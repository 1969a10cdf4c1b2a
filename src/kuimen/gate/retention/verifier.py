"""Verify an erasure certificate offline: no installation, no database, no key but the public ones.

Steps, in this order; the first that fails is named and nothing after it is believed:

1. The file is a certificate, and its document is signed by the key that it names.
2. The audit entry inside says the same as the document: destroyed, this erasure, this person, this class, two persons.
3. The entry lies under the signed checkpoint: leaf = SM3(0x00 ‖ stored bytes), inclusion proof, signature of the note.
4. Where independent checkpoints are given: this very checkpoint is among them, and its key signed the certificate too.
   Where a public key is given, it is the one that signed.

Without 4 the certificate proves that it hangs together, not who made it; the answer says so.
"""

import base64
import binascii
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kuimen.gate.audit.notes import from_line
from kuimen.gate.retention.errors import CertificateBrokenError, CertificateUnreadableError
from kuimen.kernels.ciphers import SignatureBrokenError, Sm2KeyError, sm2
from kuimen.kernels.merkle import DigestLengthError, InclusionBrokenError, TreeRangeError, leaf_hash, verify_inclusion

KIND = "kuimen.erasure-certificate/1"
DEEDS = ("retention.destroy", "retention.replay_line")
LARGEST = 4 * 1024 * 1024
_START = '{"document":'


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What a sound certificate says.

    Attributes:
        anchored: whether a checkpoint or key from elsewhere vouches for who made it.
    """

    document: Mapping[str, Any]
    key_id: str
    anchored: bool


def verify(content: bytes, *, checkpoints: Path | None = None, known_keys: Collection[bytes] = ()) -> Verified:
    """Verify the JSON form.

    Args:
        content: the file.
        checkpoints: folder of independent checkpoints, as the installation writes them outside its database.
        known_keys: public keys, 65 bytes 04‖x‖y, that the reader trusts.

    Raises:
        CertificateUnreadableError: this is no certificate.
        CertificateBrokenError: names the step that failed.
    """
    document, signed, seal = _read(content)
    key = _unhex(seal, "public_key")
    _check_signature(key, signed, _unhex(seal, "signature"), "step 1: the document is not signed by the key it names")
    proof = document["audit"]
    body = _unbase64(proof, "entry")
    _check_entry(document, body)
    note = _unbase64(proof, "note")
    _check_signature(
        _unhex(proof, "note_public_key"), note, _unhex(proof, "note_signature"), "step 3: the checkpoint is not signed"
    )
    _check_inclusion(document, proof, body, note)
    anchored = False
    if checkpoints is not None:
        _check_outside(checkpoints, note, key)
        anchored = True
    if known_keys:
        if key not in known_keys:
            raise CertificateBrokenError("step 4: the certificate is signed by another key than the given one")
        anchored = True
    return Verified(document=document, key_id=str(seal.get("key_id", "")), anchored=anchored)


def _read(content: bytes) -> tuple[dict[str, Any], bytes, dict[str, Any]]:
    """Take the file apart; the signed bytes are cut out of it as they are."""
    try:
        text = content[:LARGEST].decode("utf-8")
        document, end = json.JSONDecoder().raw_decode(text, len(_START))
        whole = json.loads(text)
        seal = whole["seal"]
        fits = (
            text.startswith(_START)
            and set(whole) == {"document", "seal"}
            and document["kind"] == KIND
            and all(isinstance(part, dict) for part in (seal, document["audit"], document["erasure"]))
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        fits = False
    if not fits:
        raise CertificateUnreadableError("this file is no erasure certificate of a kind that this release reads")
    return document, text[len(_START) : end].encode(), seal


def _check_entry(document: Mapping[str, Any], body: bytes) -> None:
    erasure = document["erasure"]
    try:
        entry = json.loads(body)
        facts = entry["facts"]
        checker = facts["checker"]
        maker = facts.get("maker", entry["actor"]["ref"])
        same = (
            entry["action"] in DEEDS
            and entry["outcome"] == "done"
            and entry["object"]["ref"] == erasure["id"]
            and (facts["person"], facts["class"]) == (erasure["person"], erasure["class"])
            and (maker, checker) == (erasure["maker"], erasure["checker"])
            and maker != checker
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        same = False
    if not same:
        raise CertificateBrokenError("step 2: the audit entry does not say what the certificate says")


def _check_inclusion(document: Mapping[str, Any], proof: Mapping[str, Any], body: bytes, note: bytes) -> None:
    try:
        lines = note.decode("ascii").split("\n")
        institution, size, root = lines[1], int(lines[2]), bytes.fromhex(lines[3])
        path = [bytes.fromhex(step) for step in proof["path"]]
        same_tree = (size, institution) == (int(proof["size"]), document["institution"]["id"])
        verify_inclusion(leaf_hash(body), index=int(proof["seq"]), size=size, proof=path, root=root)
    except (InclusionBrokenError, DigestLengthError, TreeRangeError):
        same_tree = False
    except (ValueError, KeyError, TypeError, IndexError):
        raise CertificateBrokenError("step 3: the inclusion proof is not whole") from None
    if not same_tree:
        raise CertificateBrokenError("step 3: the audit entry is not under the signed checkpoint")


def _check_outside(folder: Path, note: bytes, key: bytes) -> None:
    found = False
    keys: set[bytes] = set()
    try:
        for path in sorted(folder.glob("*.jsonl")):
            for line in path.read_bytes().splitlines():
                try:
                    outside = from_line(line)
                except ValueError:
                    continue  # cut by a crash
                keys.add(outside.public_key)
                found = found or outside.note == note
    except OSError:
        raise CertificateUnreadableError("the folder of checkpoints cannot be read") from None
    if not found:
        raise CertificateBrokenError("step 4: this checkpoint is not among the independent ones")
    if key not in keys:
        raise CertificateBrokenError("step 4: the key of the certificate signed none of the independent checkpoints")


def _check_signature(key: bytes, message: bytes, signature: bytes, failure: str) -> None:
    try:
        sm2.Sm2PublicKey.from_bytes(key).verify(message, signature)
    except (SignatureBrokenError, Sm2KeyError):
        raise CertificateBrokenError(failure) from None


def _unhex(record: Mapping[str, Any], name: str) -> bytes:
    try:
        return bytes.fromhex(record[name])
    except (KeyError, TypeError, ValueError):
        raise CertificateUnreadableError(f"{name}: the certificate is not whole") from None


def _unbase64(record: Mapping[str, Any], name: str) -> bytes:
    try:
        return base64.b64decode(record[name], validate=True)
    except (KeyError, TypeError, binascii.Error):
        raise CertificateUnreadableError(f"{name}: the certificate is not whole") from None
