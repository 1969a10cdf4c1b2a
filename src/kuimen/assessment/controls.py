"""Probes that need to see several rooms at once, or tables of all of them."""

from collections import Counter

from django.conf import settings
from django.db import connection
from django.db.models import Q

from kuimen.assessment.clear_values import find_clear_values
from kuimen.gate.vault.models import Record
from kuimen.governance.inventory.models import Asset
from kuimen.governance.inventory.rules import NINE_IDENTITY, AssetState
from kuimen.kernels.ciphers.sealed import SUITES
from kuimen.kernels.elements import Category
from kuimen.ledger.loans.models import Loan
from kuimen.standard import Observation, Outcome, ProbeContext, ProbeResult, control

_NAMED_AT_MOST = 5
_SUITES = "SELECT get_byte(sealed, 1) & 127, count(*) FROM vault_record GROUP BY 1"
_WEAK_PASSWORDS = "SELECT count(*) FROM access_staff WHERE password NOT LIKE 'argon2%%' AND password NOT LIKE '!%%'"


@control(
    "CQJR-5.3-d", title_zh="业务表中没有明文身份信息", title_en="No identity information in clear in business tables"
)
@control(
    "CQJR-5.4-g", title_zh="催收数据表中没有明文身份信息", title_en="No identity information in clear around cases"
)
@control("JRT0171-6.1.3-e", title_zh="去标识化数据中没有还原信息", title_en="De-identified tables restore nobody")
def own_tables_hold_no_clear_value(_context: ProbeContext) -> ProbeResult:
    """Read every table of the installation for numbers that are somebody's, as the role it works with."""
    looked = find_clear_values(overlay=settings.KUIMEN_OVERLAY)
    seen = Observation(
        title_zh="逐表查找明文证件号、手机号、卡号与磁道数据",
        title_en="every table read for certificate, mobile and card numbers and track data",
        facts={
            "tables": looked.tables,
            "columns": looked.columns,
            "cells_in_clear": sum(looked.found.values()),
            "where": ", ".join(sorted(looked.found)[:_NAMED_AT_MOST]),
        },
        reference="pg_catalog",
    )
    if looked.found:
        return ProbeResult(
            outcome=Outcome.REFUTED,
            observations=(seen,),
            remedy_zh="将所列列中的明文迁入保险库或清除，并查明写入途径",
            remedy_en="move the values of these columns into the vault or remove them, and find out who wrote them",
        )
    return ProbeResult(outcome=Outcome.HOLDS if Loan.objects.exists() else Outcome.INSUFFICIENT, observations=(seen,))


@control("CQJR-5.3-d", title_zh="身份基本信息加密存储", title_en="Basic identity information is stored sealed")
def identity_of_borrowers_is_sealed(_context: ProbeContext) -> ProbeResult:
    """Hold borrowers against sealed records, the suites of the sealed bytes, and the clear remainder in the sources."""
    borrowers = Loan.objects.values("customer_id").distinct().count()
    identity = Record.objects.filter(element__in=NINE_IDENTITY, person_ref__isnull=False)
    with_identity = Loan.objects.filter(customer_id__in=identity.values("person_ref"))
    covered = with_identity.values("customer_id").distinct().count()
    with connection.cursor() as cursor:
        cursor.execute(_SUITES)
        suites = {int(suite): int(count) for suite, count in cursor.fetchall()}
    unknown = sum(count for suite, count in suites.items() if suite not in SUITES)
    clear = Asset.objects.filter(
        present=True, masked=False, element__in=NINE_IDENTITY, state=AssetState.CLEAR.value
    ).count()
    seen = Observation(
        title_zh="借款客户与其加密的身份信息",
        title_en="borrowers and their sealed identity",
        facts={
            "borrowers": borrowers,
            "borrowers_with_sealed_identity": covered,
            "sealed_identity_values": identity.count(),
            **{SUITES[suite].label: count for suite, count in suites.items() if suite in SUITES},
            "values_without_known_suite": unknown,
            "identity_columns_in_clear": clear,
        },
        reference="vault_record, loans_loan, inventory_asset",
    )
    if unknown or clear or covered < borrowers:
        return ProbeResult(
            outcome=Outcome.REFUTED,
            observations=(seen,),
            remedy_zh="对仍为明文的身份信息列运行保护任务；补齐未加密客户",
            remedy_en="protect the identity columns that are still clear, and the customers without sealed identity",
        )
    return ProbeResult(outcome=Outcome.HOLDS if borrowers else Outcome.INSUFFICIENT, observations=(seen,))


@control("JRT0171-6.1.3-b", title_zh="C3 加密存储", title_en="C3 is stored encrypted")
def c3_is_encrypted(_context: ProbeContext) -> ProbeResult:
    """Count the directory's C3 places by state, and look at how passwords of staff are kept."""
    counted = Asset.objects.filter(category=Category.C3.value, masked=False)
    # What was destroyed is no longer present, and is the best answer of all.
    counted = counted.filter(Q(present=True) | Q(state=AssetState.DESTROYED.value))
    states = Counter(counted.values_list("state", flat=True))
    with connection.cursor() as cursor:
        cursor.execute(_WEAK_PASSWORDS)
        weak = int(cursor.fetchone()[0])
    seen = Observation(
        title_zh="资产目录中的 C3 与员工口令",
        title_en="C3 in the asset directory, and passwords of staff",
        facts={**{state.value: states[state.value] for state in AssetState}, "passwords_without_slow_hash": weak},
        reference="inventory_asset, access_staff",
    )
    if states[AssetState.CLEAR.value] or weak:
        return ProbeResult(
            outcome=Outcome.REFUTED,
            observations=(seen,),
            remedy_zh="对明文 C3 列运行保护任务；重置未用慢散列保存的口令",
            remedy_en="protect the clear C3 columns; reset passwords that are not kept as a slow hash",
        )
    return ProbeResult(outcome=Outcome.HOLDS if states else Outcome.INSUFFICIENT, observations=(seen,))
