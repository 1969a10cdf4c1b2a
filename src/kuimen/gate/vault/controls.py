"""Probes of the vault: what rests here is sealed, under the right key, in the right place.

They look at the vault only. Clear values outside it are looked for by the inventory room's probes of the same clauses.
"""

from collections.abc import Sequence
from uuid import UUID

from django.db import connection

from kuimen.foundation.identifiers import new_ref
from kuimen.gate.keys import services as keys
from kuimen.gate.vault import store
from kuimen.gate.vault.models import SEALED_CONSTRAINT, Record
from kuimen.gate.vault.opening import try_open
from kuimen.gate.vault.rows.store import rows_of
from kuimen.gate.vault.rows.verifying import revisions_missing
from kuimen.gate.vault.rules import SHOWN
from kuimen.kernels.elements import ELEMENT_TABLE, Category, Element, Storage
from kuimen.standard import Observation, Outcome, ProbeContext, ProbeResult, control

SAMPLE_RECORDS = 200
IDENTITY_ELEMENTS = tuple(element for element, rule in ELEMENT_TABLE.items() if rule.nine_identity)
C3_ELEMENTS = tuple(element for element, rule in ELEMENT_TABLE.items() if rule.category is Category.C3)
FORBIDDEN_ELEMENTS = tuple(element for element, rule in ELEMENT_TABLE.items() if rule.storage is Storage.DESTROY)

_COUNTS = """
    SELECT count(*),
        count(*) FILTER (WHERE NOT (octet_length(sealed) >= 34 AND encode(substring(sealed FOR 1), 'hex') = 'c1'
            AND encode(substring(sealed FROM 2 FOR 1), 'hex') IN ('01', '02', '81', '82'))),
        count(*) FILTER (WHERE encode(substring(sealed FROM 2 FOR 1), 'hex') IN ('01', '81')),
        count(*) FILTER (WHERE encode(substring(sealed FROM 2 FOR 1), 'hex') IN ('02', '82'))
    FROM vault_record WHERE element = ANY(%s) AND state IN ('pending', 'bound')
"""
_GUARD = """
    SELECT count(*) FROM pg_constraint
    WHERE conrelid = 'vault_record'::regclass AND conname = %s AND contype = 'c' AND convalidated
"""
_REMEDY_ZH = "停止展示不符合密封格式或与位置不符的记录，核查写入来源，从数据来源重新密封，恢复数据库约束"
_REMEDY_EN = (
    "stop showing records that are not sealed or do not belong where they stand, find their writer, "
    "seal them anew from their source, and restore the database constraint"
)

_UNSEALED_ZH = "对旧版本写入、尚无行封的记录重新加密（kuimen keys reencrypt），此后单个字段被换回旧值即可发现"
_UNSEALED_EN = "re-encrypt what an earlier release wrote without row seals, so that a field put back is found"


@control("CQJR-5.3-d", title_zh="保险库内身份信息密文存储", title_en="Identity data in the vault is ciphertext")
@control("CQJR-5.4-g", title_zh="保险库内身份信息密文存储", title_en="Identity data in the vault is ciphertext")
@control("CQJR-5.5-c", title_zh="保险库内身份信息密文存储", title_en="Identity data in the vault is ciphertext")
def identity_elements_are_sealed(_context: ProbeContext) -> ProbeResult:
    """Look at every record of the nine identity elements, and open a sample where it stands."""
    return _sealed_records(IDENTITY_ELEMENTS, title_zh="九要素记录的密封格式与抽样解封", title_en="identity elements")


@control("JRT0171-6.1.3-b", title_zh="保险库内C3信息密文存储", title_en="C3 in the vault is ciphertext")
def c3_is_sealed(_context: ProbeContext) -> ProbeResult:
    """Look at every C3 record; what may not be stored at all must not be here even sealed."""
    forbidden = Record.objects.filter(element__in=[element.value for element in FORBIDDEN_ELEMENTS]).count()
    seen = Observation(
        title_zh="禁止留存要素的记录数",
        title_en="records of elements that may not be kept",
        facts={"records": forbidden},
        reference="vault_record",
    )
    kept = tuple(element for element in C3_ELEMENTS if element not in FORBIDDEN_ELEMENTS)
    sealed = _sealed_records(kept, title_zh="C3记录的密封格式与抽样解封", title_en="C3 records")
    if forbidden:
        return ProbeResult(
            outcome=Outcome.REFUTED,
            observations=(seen, *sealed.observations),
            remedy_zh="销毁禁止留存的要素（磁道、CVN2、支付密码、短信验证码）并查明来源",
            remedy_en="destroy what may not be kept (track data, CVN2, PIN, SMS codes) and find out where it came from",
        )
    if sealed.outcome is Outcome.INSUFFICIENT and Record.objects.exists():
        # A vault in use that holds no C3 keeps the clause; an empty installation proves nothing.
        total = sealed.observations[0].facts["records"]
        outcome = Outcome.HOLDS if total == 0 else Outcome.INSUFFICIENT
        return ProbeResult(outcome=outcome, observations=(seen, *sealed.observations))
    return ProbeResult(
        outcome=sealed.outcome,
        observations=(seen, *sealed.observations),
        remedy_zh=sealed.remedy_zh,
        remedy_en=sealed.remedy_en,
    )


def _sealed_records(elements: Sequence[Element], *, title_zh: str, title_en: str) -> ProbeResult:
    names = [element.value for element in elements]
    with store.translated(), connection.cursor() as cursor:
        cursor.execute(_COUNTS, [names])
        total, malformed, sm4, aes = (int(count) for count in cursor.fetchone())
        cursor.execute(_GUARD, [SEALED_CONSTRAINT])
        guarded = int(cursor.fetchone()[0]) == 1
    facts: dict[str, str | int | bool] = {
        "records": total,
        "malformed": malformed,
        "sm4_gcm": sm4,
        "aes_256_gcm": aes,
        "constraint_in_force": guarded,
        "sample": 0,
        "sample_does_not_open": 0,
        "rows_altered": 0,
        "rows_unsealed": 0,
        "tables_put_back": 0,
        "keys_unlocked": keys.is_unlocked(),
    }
    if keys.is_unlocked() and total:
        sampled = _sample(names)
        tried = try_open(keys.keyring(), rows_of(sampled), sampled)
        facts |= {
            "sample": len(sampled),
            "sample_does_not_open": len(tried.broken),
            "rows_altered": len(tried.altered),
            "rows_unsealed": tried.unsealed,
            "tables_put_back": len(revisions_missing()),
        }
    seen = (Observation(title_zh=title_zh, title_en=title_en, facts=facts, reference="vault_record"),)
    flaws = ("malformed", "sample_does_not_open", "rows_altered", "tables_put_back")
    if any(facts[flaw] for flaw in flaws) or not guarded:
        return ProbeResult(outcome=Outcome.REFUTED, observations=seen, remedy_zh=_REMEDY_ZH, remedy_en=_REMEDY_EN)
    if facts["rows_unsealed"]:
        return ProbeResult(
            outcome=Outcome.INSUFFICIENT, observations=seen, remedy_zh=_UNSEALED_ZH, remedy_en=_UNSEALED_EN
        )
    return ProbeResult(outcome=Outcome.HOLDS if facts["sample"] else Outcome.INSUFFICIENT, observations=seen)


def _sample(elements: Sequence[str]) -> list[UUID]:
    """Return record ids after a random point of the id space; ids are random, so these are a random sample."""
    rows = Record.objects.filter(element__in=list(elements), state__in=SHOWN).order_by("record_id")
    start = new_ref()
    ids = list(rows.filter(record_id__gte=start).values_list("record_id", flat=True)[:SAMPLE_RECORDS])
    if len(ids) < SAMPLE_RECORDS:
        ids += list(rows.filter(record_id__lt=start).values_list("record_id", flat=True)[: SAMPLE_RECORDS - len(ids)])
    return ids
