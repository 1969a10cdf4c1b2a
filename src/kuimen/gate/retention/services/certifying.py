"""The signed certificate of one erasure: what ended, who decided, what stays and why, which copies still hold it.

Clause: JRT0171-6.1.5-a, JRT0171-6.1.6-c
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db import transaction

from kuimen.foundation import clock
from kuimen.gate.access.rules import Action, Resource, Subject
from kuimen.gate.access.services import require
from kuimen.gate.audit import services as audit
from kuimen.gate.audit.models import Entry
from kuimen.gate.keys import services as keys
from kuimen.gate.keys import shredding
from kuimen.gate.keys.models import DomainKey
from kuimen.gate.keys.rules import KeyState
from kuimen.gate.retention.errors import ErasureNotFoundError, ErasureTransitionError
from kuimen.gate.retention.models import Backup, Certificate, Erasure
from kuimen.gate.retention.rules import (
    CLASS_TITLES,
    BackupStanding,
    ErasureState,
    RetentionClass,
    standing,
)
from kuimen.gate.retention.services.clocks import decisions_of
from kuimen.gate.retention.services.registers import exports_of
from kuimen.gate.vault import erasing as vault
from kuimen.kernels.ciphers import sm3

KIND: Final = "kuimen.erasure-certificate/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateView:
    """A certificate as it is handed out.

    Attributes:
        content: the JSON file, byte for byte; the signature covers the bytes of its member `document`.
        document: the same, read.
    """

    certificate_id: UUID
    erasure_id: UUID
    content: bytes
    document: Mapping[str, Any]
    key_id: str


def certify(erasure_id: UUID, *, actor: audit.Actor = audit.SYSTEM, reader: Subject | None = None) -> CertificateView:
    """Make a certificate of the present state; a later one may say that backups have expired since.

    The entry is sequenced first, so that its inclusion can be proven; the signer of the audit log signs.

    Raises:
        NotPermittedError: `reader` may not read erasures.
        ErasureNotFoundError, ErasureTransitionError: no such erasure, or it is not destroyed.
        KeysLockedError: nobody unlocked the keys.
    """
    if reader is not None:
        require(reader, Action.RETENTION_READ, Resource(kind="erasure", ref=str(erasure_id)))
    row = Erasure.objects.filter(erasure_id=erasure_id).first()
    if row is None:
        raise ErasureNotFoundError("erasure_id: no such erasure")
    if row.state != ErasureState.DESTROYED.value or row.entry_id is None:
        raise ErasureTransitionError(f"erasure: in state {row.state} there is nothing to certify yet")
    signer = keys.keyring().signer()
    audit.sequence_pending(signer)
    made = Certificate(erasure=row, made_at=clock.now(), key_id=signer.key_id)
    document = _document(row, made)
    text = json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    made.document, made.signature = text, signer.sign(text.encode())
    with transaction.atomic():
        made.save(force_insert=True)
        audit.record(
            "retention.certificate",
            actor=actor,
            object_type="erasure",
            object_ref=str(erasure_id),
            facts={"certificate": str(made.certificate_id), "document_sm3": sm3(text.encode()).hex()},
        )
    seal = {
        "algorithm": "SM2 with SM3, identity 1234567812345678, over the UTF-8 bytes of the member document",
        "key_id": signer.key_id,
        "public_key": signer.public_bytes().hex(),
        "signature": bytes(made.signature).hex(),
    }
    content = f'{{"document":{text},"seal":{json.dumps(seal, sort_keys=True)}}}\n'.encode()
    return CertificateView(
        certificate_id=made.certificate_id,
        erasure_id=erasure_id,
        content=content,
        document=document,
        key_id=signer.key_id,
    )


def _document(row: Erasure, made: Certificate) -> dict[str, Any]:
    kind = RetentionClass(row.retention_class)
    held = vault.held_of(row.person_ref, kind)
    destroyed_at = row.destroyed_at or made.made_at
    closed_on = shredded_since(row.person_ref, kind)
    return {
        "kind": KIND,
        "certificate_id": str(made.certificate_id),
        "made_at": _moment(made.made_at),
        "institution": {"id": str(settings.KUIMEN_INSTITUTION_ID), "name": settings.KUIMEN_INSTITUTION_NAME},
        "erasure": {
            "id": str(row.erasure_id),
            "person": str(row.person_ref),
            "class": kind.value,
            "class_zh": CLASS_TITLES[kind][0],
            "due_on": row.due_on.isoformat(),
            "reason_zh": row.reason_zh,
            "reason_en": row.reason_en,
            "clause": row.clause,
            "suspended_at": _moment(row.suspended_at),
            "destroyed_at": _moment(destroyed_at),
            "maker": row.destroyed_by,
            "checker": row.checked_by,
            "ticket": str(row.ticket_id),
        },
        "destroyed": {
            "method_zh": "销毁该人该类数据密钥，密文改写为墓碑，删除检索标签，各进程缓存随密钥库纪元失效",
            "keys": row.keys_destroyed,
            "records": held.destroyed,
            "records_left": held.standing,
            "tombstones_with_content": held.tombstones_with_content,
            "index_tags": row.tags_destroyed,
            "index_tags_left": held.tags,
            "elements": list(row.elements),
            "tokens_zh": "本安装未签发该人的支付标记",
        },
        "stays": _stays(row.person_ref),
        "exports": [
            {
                "recipient": export.recipient,
                "reference": export.reference,
                "exported_at": _moment(export.exported_at),
                "demanded_at": _moment(export.demanded_at),
                "confirmed_at": _moment(export.confirmed_at),
            }
            for export in exports_of(row.person_ref, kind)
        ],
        "backups": _backups(destroyed_at, closed_on),
        "ledger": {"seq": row.ledger_seq, "line_sm3": _line_digest(row.person_ref, kind)},
        "audit": _audit(row),
    }


def _stays(person_ref: UUID) -> list[dict[str, str]]:
    return [
        {
            "class": decision.retention_class.value,
            "class_zh": CLASS_TITLES[decision.retention_class][0],
            "verdict": decision.verdict.value,
            "due_on": decision.due_on.isoformat() if decision.due_on else "",
            "reason_zh": decision.reason_zh,
            "clause": decision.clause,
        }
        for decision in decisions_of(person_ref)
    ]


def shredded_since(person_ref: UUID, kind: RetentionClass) -> date | None:
    """Return the day from which no backup of the databases opens this class of this person, or None.

    It is the day on which the last version of the domain key that any of the destroyed keys stood under was destroyed
    with its outside half.
    """
    versions = {version for _, _, version in shredding.keys_of(person_ref).get(kind, [])}
    rows = DomainKey.objects.using("keys").filter(retention_class=kind.value, version__in=versions)
    ended = [row.state_since for row in rows if row.state == KeyState.DESTROYED.value]
    if not versions or len(ended) != len(versions):
        return None
    return max(ended).astimezone(clock.SHANGHAI).date()


def _backups(destroyed_at: datetime, closed_on: date | None) -> dict[str, Any]:
    """Say of every registered backup what it still holds and until when; and what the register does not know."""
    rows = list(Backup.objects.order_by("taken_on", "label"))
    told = []
    for row in rows:
        found = standing(
            taken_on=row.taken_on,
            expires_on=row.expires_on,
            destroyed_on=destroyed_at.astimezone(clock.SHANGHAI).date(),
            today=clock.today(),
        )
        told.append(
            {
                "label": row.label,
                "holds": [
                    name
                    for name, held in (
                        ("main", row.holds_main),
                        ("keys", row.holds_keys),
                        ("key_folder", row.holds_key_folder),
                    )
                    if held
                ],
                "taken_on": row.taken_on.isoformat(),
                "expires_on": row.expires_on.isoformat() if row.expires_on else "unknown",
                "standing": found.value,
                "standing_zh": _standing_zh(found, row, closed_on),
            }
        )
    return {
        "registered": told,
        "register_zh": (
            "以下为已登记的备份；未登记的备份策略未知，本证明不推定其不存在"
            if rows
            else "未登记任何备份；备份策略未知，本证明不推定没有备份"
        ),
        "shredded_since": closed_on.isoformat() if closed_on else "",
        "shredded_zh": (
            f"自{closed_on}起，相应的旧域密钥及其库外半钥已销毁，仅凭数据库备份与根密钥均不能恢复"
            if closed_on
            else "相应的旧域密钥尚未销毁：同时持有两库旧备份及根密钥者仍可恢复，本服务恢复后须先重放销毁台账方可打开"
        ),
    }


def _standing_zh(found: BackupStanding, row: Backup, closed_on: date | None) -> str:
    if found is BackupStanding.TAKEN_AFTER:
        return "销毁之后制作，不含"
    if found is BackupStanding.EXPIRED:
        return f"已于{row.expires_on}到期"
    until = f"保留至{row.expires_on}" if row.expires_on else "保留期限未知"
    if row.holds_key_folder:
        return f"{until}；含密钥目录，到期前可恢复"
    if closed_on:
        return f"{until}；所含密文自{closed_on}起不能解开"
    return f"{until}；恢复后须重放销毁台账"


def _line_digest(person_ref: UUID, kind: RetentionClass) -> str:
    line = shredding.line_of(person_ref, kind)
    return sm3(line.body).hex() if line else ""


def _audit(row: Erasure) -> dict[str, Any]:
    """Return the entry as stored and the proof that it is under a signed checkpoint."""
    entry_id = row.entry_id or row.erasure_id
    body = bytes(Entry.objects.values_list("body", flat=True).get(entry_id=entry_id))
    proof = audit.inclusion(entry_id)
    return {
        "entry": base64.b64encode(body).decode(),
        "seq": proof.seq,
        "size": proof.size,
        "path": [step.hex() for step in proof.path],
        "note": base64.b64encode(proof.note).decode(),
        "note_signature": proof.signature.hex(),
        "note_key_id": proof.key_id,
        "note_public_key": proof.public_key.hex(),
    }


def _moment(at: datetime | None) -> str:
    return at.astimezone(clock.SHANGHAI).isoformat(timespec="seconds") if at else ""
