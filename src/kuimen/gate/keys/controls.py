"""Probes of the key room: every key is wrapped, apart from the data, in two hands, and came into being under record."""

import stat
from pathlib import Path

from django.conf import settings
from django.db import connections

from kuimen.foundation.errors import KuimenError
from kuimen.gate.audit.models import Entry
from kuimen.gate.keys import services, store
from kuimen.gate.keys.errors import KeyAlteredError
from kuimen.gate.keys.models import DomainKey, IndexKey, PersonKey, SigningKey, TableKey
from kuimen.gate.keys.root_file import read_root_info
from kuimen.gate.keys.rules import MUST_BE_PRESENT, KeyState, RetentionClass
from kuimen.standard import Observation, Outcome, ProbeContext, ProbeResult, control

SAMPLE_KEYS = 200
_MALFORMED = """
    SELECT count(*) FROM (
        SELECT wrapped FROM keys_domainkey UNION ALL SELECT wrapped FROM keys_personkey
        UNION ALL SELECT wrapped FROM keys_tablekey UNION ALL SELECT wrapped FROM keys_indexkey
        UNION ALL SELECT wrapped FROM keys_signingkey
    ) AS keys
    WHERE wrapped IS NOT NULL AND NOT (octet_length(wrapped) >= 50
        AND encode(substring(wrapped FOR 1), 'hex') = 'c1'
        AND encode(substring(wrapped FROM 2 FOR 1), 'hex') IN ('01', '02', '03'))
"""


@control("JRT0171-6.2.4-a", title_zh="密钥全程管理", title_en="Keys are managed from generation on")
@control("JRT0171-6.1.3-b", title_zh="密钥与数据分离", title_en="Keys are kept apart from the data")
def keys_are_wrapped_apart_and_recorded(_context: ProbeContext) -> ProbeResult:
    """Look at every wrapped key, at where the keys live, at the root file, and at the record of each creation."""
    with store.translated(), connections[store.DATABASE].cursor() as cursor:
        cursor.execute(_MALFORMED)
        malformed = int(cursor.fetchone()[0])
    unrecorded = _created_without_record()
    apart = _database("default") != _database(store.DATABASE)
    sample, altered = _unwrapped_sample()
    inventory = Observation(
        title_zh="密钥清单与包裹格式",
        title_en="inventory of keys and how they are wrapped",
        facts={
            "domain_keys": DomainKey.objects.using(store.DATABASE).count(),
            "person_keys": PersonKey.objects.using(store.DATABASE).count(),
            "table_keys": TableKey.objects.using(store.DATABASE).count(),
            "index_keys": IndexKey.objects.using(store.DATABASE).count(),
            "signing_keys": SigningKey.objects.using(store.DATABASE).count(),
            "malformed": malformed,
            "created_without_record": unrecorded,
            "apart_from_data": apart,
            "unlocked": services.is_unlocked(),
            "sample": sample,
            "sample_does_not_open": altered,
        },
        reference="kuimen_keys",
    )
    root, root_is_safe = _root_file()
    seen = (inventory, root)
    if malformed or unrecorded or altered or not apart or not root_is_safe:
        return ProbeResult(
            outcome=Outcome.REFUTED,
            observations=seen,
            remedy_zh="核查被改动、未入库审计或未包裹的密钥并轮换；根密钥文件须由两名保管人分持、权限0600，密钥库须独立",
            remedy_en=(
                "examine and rotate keys that are altered, unrecorded or not wrapped; the root file belongs to two "
                "custodians with mode 0600, and keys to a database of their own"
            ),
        )
    return ProbeResult(outcome=Outcome.HOLDS if sample else Outcome.INSUFFICIENT, observations=seen)


def _created_without_record() -> int:
    """Count domain, table, index and signing keys whose creation is not in the audit log."""
    made = {
        "keys.domain_key_created": {
            f"{kind}/{version}"
            for kind, version in DomainKey.objects.using(store.DATABASE).values_list("retention_class", "version")
        },
        "keys.table_key_created": {
            f"{kind}/{scope}/{generation}"
            for kind, scope, generation in TableKey.objects.using(store.DATABASE).values_list(
                "retention_class", "scope", "generation"
            )
        },
        "keys.index_key_created": {
            f"{element}/{generation}"
            for element, generation in IndexKey.objects.using(store.DATABASE).values_list("element", "generation")
        },
        "keys.signing_key_created": set(SigningKey.objects.using(store.DATABASE).values_list("key_id", flat=True)),
    }
    missing = 0
    for action, refs in made.items():
        recorded = set(Entry.objects.filter(action=action).values_list("object_ref", flat=True))
        missing += len(refs - recorded)
    return missing


def _unwrapped_sample() -> tuple[int, int]:
    """Unwrap a sample of person keys; return how many were tried and how many did not open."""
    if not services.is_unlocked():
        return 0, 0
    ring = services.keyring()
    tried = altered = 0
    rows = PersonKey.objects.using(store.DATABASE).filter(state=KeyState.ACTIVE.value).order_by("person_ref")
    for ref, kind, generation in rows.values_list("person_ref", "retention_class", "generation")[:SAMPLE_KEYS]:
        tried += 1
        ring.forget_person(ref)
        try:
            ring.person_keys_at([(ref, generation)], RetentionClass(kind))
        except KeyAlteredError:
            altered += 1
    return tried, altered


def _root_file() -> tuple[Observation, bool]:
    path = Path(settings.KUIMEN_ROOT_KEY)
    try:
        info = read_root_info(path)
    except KuimenError as flaw:
        facts: dict[str, str | int | bool] = {"state": flaw.code}
        safe = False
    else:
        mode = stat.S_IMODE(path.stat().st_mode)
        facts = {
            "state": "sealed",
            "custodians": len(info.custodians),
            "must_be_present": info.threshold,
            "mode": f"{mode:04o}",
            "kdf": str(info.cost.described()["name"]),
            "provider": "sealed_file" if info.token is None else "pkcs11",
        }
        safe = info.threshold >= MUST_BE_PRESENT
    title_zh, title_en = "根密钥文件", "the sealed root file"
    return Observation(title_zh=title_zh, title_en=title_en, facts=facts, reference=path.name), safe


def _database(alias: str) -> tuple[str, str, str]:
    settings_of = connections[alias].settings_dict
    return (str(settings_of["HOST"]), str(settings_of["PORT"]), str(settings_of["NAME"]))
