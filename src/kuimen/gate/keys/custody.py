"""Changes among the custodians, on record: the entry is committed before the root file changes.

Clause: JRT0171-6.2.4-a
"""

from collections.abc import Mapping
from pathlib import Path

from kuimen.foundation.errors import KuimenError
from kuimen.gate.audit import services as audit
from kuimen.gate.keys.root_file import (
    RootFileInfo,
    change_passphrase,
    read_root_info,
    reshare_root_file,
)
from kuimen.gate.keys.uses import record_at_once


def change_custodian_passphrase(
    root_file: Path, *, custodian: str, old: str, new: str, actor: audit.Actor
) -> RootFileInfo:
    """Change one custodian's passphrase; errors as in :func:`~kuimen.gate.keys.root_file.change_passphrase`."""
    fingerprint = read_root_info(root_file).fingerprint
    facts = {"custodian": custodian}
    record_at_once(
        "keys.custodian_passphrase", object_type="root_key", object_ref=fingerprint, facts=facts, actor=actor
    )
    try:
        return change_passphrase(root_file, custodian=custodian, old=old, new=new)
    except KuimenError as refusal:
        _refused("keys.custodian_passphrase", fingerprint, refusal, actor)
        raise


def reshare_root(
    root_file: Path,
    *,
    present: Mapping[str, str],
    passphrases: Mapping[str, str],
    threshold: int | None,
    actor: audit.Actor,
) -> RootFileInfo:
    """Share the root anew; errors as in :func:`~kuimen.gate.keys.root_file.reshare_root_file`."""
    before = read_root_info(root_file)
    record_at_once(
        "keys.root_reshared",
        object_type="root_key",
        object_ref=before.fingerprint,
        facts={
            "before": list(before.custodians),
            "custodians": list(passphrases),
            "threshold": threshold or before.threshold,
        },
        actor=actor,
    )
    try:
        return reshare_root_file(root_file, present=present, passphrases=passphrases, threshold=threshold)
    except KuimenError as refusal:
        _refused("keys.root_reshared", before.fingerprint, refusal, actor)
        raise


def _refused(action: str, fingerprint: str, refusal: KuimenError, actor: audit.Actor) -> None:
    audit.record_refusal(
        action, actor=actor, object_type="root_key", object_ref=fingerprint, facts={"reason": refusal.code}
    )
