"""Probe of what two persons decide: nothing was done to the keys that nobody else approved, and no key is overdue."""

import json
from collections import Counter
from pathlib import Path

from django.conf import settings

from kuimen.gate.approvals.models import TicketRecord
from kuimen.gate.approvals.rules import TicketState
from kuimen.gate.audit.models import Entry
from kuimen.gate.keys.backup import BackupState, backup_findings
from kuimen.gate.keys.deeds import Deed, DeedKind, deed_of
from kuimen.gate.keys.overview import domain_keys
from kuimen.gate.keys.rules import Due, RetentionClass
from kuimen.kernels.elements.model import Element
from kuimen.standard import Observation, Outcome, ProbeContext, ProbeResult, control

# What the log calls each deed. A version comes into being by rotating, or by re-encrypting under another suite.
_DONE = {
    "keys.domain_key_created": (DeedKind.ROTATE_DOMAIN, DeedKind.REENCRYPT),
    "keys.rewrap": (DeedKind.REWRAP,),
    "vault.reencrypt": (DeedKind.REENCRYPT,),
    "vault.reindex": (DeedKind.REINDEX,),
    "vault.merge": (DeedKind.MERGE,),
    "keys.domain_key_destroyed": (DeedKind.DESTROY_DOMAIN,),
    "keys.index_key_suspend": (DeedKind.CUT_OVER,),
    "keys.index_key_destroy": (DeedKind.DROP_INDEX,),
}
_ONCE_PER_SUBJECT = frozenset({"keys.index_key_suspend"})  # one cut-over ends every older generation


@control("JRT0171-6.2.4-a", title_zh="密钥轮换与销毁由两人办理", title_en="Keys are rotated in time, by two persons")
def keys_are_rotated_in_time_by_two(_context: ProbeContext) -> ProbeResult:
    """Hold every deed on record against the approvals that were used, and every domain key against its period."""
    approved = _approved()
    done, alone = 0, []
    for action, kinds in _DONE.items():
        for subject, count in sorted(_deeds(action).items()):
            done += count
            if count > sum(approved[(kind, subject)] for kind in kinds):
                alone.append(f"{action} {subject}")
    periods = [one["due"] for one in domain_keys() if one["due"]]
    overdue = sum(one in {Due.OVERDUE.value, Due.UNKNOWN.value} for one in periods)
    backup = [one.state for one in backup_findings(Path(settings.KUIMEN_ROOT_KEY))]
    seen = (
        Observation(
            title_zh="密钥操作与审批、域密钥使用期",
            title_en="deeds about keys against approvals; periods of the domain keys",
            facts={
                "key_deeds": done,
                "key_deeds_without_approval": len(alone),
                "key_deeds_alone": ", ".join(alone[:20]),
                "domain_keys_in_use": len(periods),
                "domain_keys_overdue": overdue,
                "key_files_backup_confirmed": sum(one is BackupState.CONFIRMED for one in backup),
                "key_files": len(backup),
            },
            reference="audit_entry, approvals_ticket, keys_domainkey",
        ),
    )
    if alone or overdue:
        return ProbeResult(
            outcome=Outcome.REFUTED,
            observations=seen,
            remedy_zh="查明未经他人批准的密钥操作；逾期的域密钥提请轮换并重新包裹",
            remedy_en="find out who did to keys what nobody approved; rotate and rewrap what is overdue",
        )
    return ProbeResult(outcome=Outcome.HOLDS if periods else Outcome.INSUFFICIENT, observations=seen)


def _approved() -> Counter[tuple[DeedKind, str]]:
    """Count the approvals that were used, by deed and what it was about."""
    rows = TicketRecord.objects.filter(
        action__in=[kind.value for kind in DeedKind], state=TicketState.REDEEMED.value, checker__isnull=False
    )
    deeds = [deed_of(action, ref) for action, ref in rows.values_list("action", "object_ref")]
    return Counter((deed.kind, _subject(deed)) for deed in deeds)


def _subject(deed: Deed) -> str:
    return deed.ref if deed.kind in {DeedKind.DESTROY_DOMAIN, DeedKind.DROP_INDEX} else deed.subject


def _deeds(action: str) -> Counter[str]:
    """Count what was done, by what it was about."""
    found: Counter[str] = Counter()
    for ref, body in Entry.objects.filter(action=action, outcome="done").values_list("object_ref", "body"):
        subject, _, number = ref.partition("/")
        if subject not in set(RetentionClass) | set(Element) and action != "vault.merge":
            continue  # indexes of other kinds are built and dropped under approvals of their own
        if (action == "keys.domain_key_created" and number == "1") or (
            action == "keys.rewrap" and json.loads(bytes(body))["facts"].get("resumed")
        ):
            continue
        found[ref if action in {"keys.domain_key_destroyed", "keys.index_key_destroy"} else subject] += 1
    if action in _ONCE_PER_SUBJECT | {"keys.domain_key_destroyed", "keys.index_key_destroy"}:
        return Counter(set(found))  # repeating what was cut off ends well and is recorded again
    return found
