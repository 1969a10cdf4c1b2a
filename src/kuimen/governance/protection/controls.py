"""Probe of protection: no basic identity element lies in clear in any source, seen by looking again now."""

from kuimen.governance.inventory.controls import live_sources
from kuimen.governance.inventory.rules import NINE_IDENTITY
from kuimen.sources.scan import CLEAR, NOT_READ, SEALED, ScanRow
from kuimen.standard import Fact, Observation, Outcome, ProbeContext, ProbeResult, control

_NAMED_AT_MOST = 5


@control("CQJR-5.3-d", title_zh="数据源中无明文身份信息", title_en="No identity element lies in clear in a source")
@control("CQJR-5.4-g", title_zh="数据源中无明文身份信息", title_en="No identity element lies in clear in a source")
@control("CQJR-5.5-c", title_zh="数据源中无明文身份信息", title_en="No identity element lies in clear in a source")
def no_identity_in_clear(context: ProbeContext) -> ProbeResult:
    """Scan every registered source again, a bounded sample of each column, and count identity elements in clear."""
    looks = live_sources(context)
    rows = [row for look in looks for row in look.rows]
    clear = [row for row in rows if row.state == CLEAR and not row.masked and _holds_identity(row)]
    sealed = sum(row.state == SEALED for row in rows)
    unread = sum(row.state == NOT_READ for row in rows)
    closed = sum(bool(look.fault) for look in looks)
    facts: dict[str, Fact] = {
        "sources": len(looks),
        "sources_not_opened": closed,
        "columns_looked_at": sum(row.column is not None and row.state != NOT_READ for row in rows),
        "columns_sealed": sealed,
        "places_not_read": unread,
        "identity_in_clear": len(clear),
        "where": ", ".join(sorted({_place(row) for row in clear})[:_NAMED_AT_MOST]),
    }
    seen = (
        Observation(
            title_zh="重新扫描各数据源，查找明文身份信息",
            title_en="every source scanned again for identity elements in clear",
            facts=facts,
            reference="inventory_datasource",
        ),
    )
    if clear:
        return ProbeResult(
            outcome=Outcome.REFUTED,
            observations=seen,
            remedy_zh="对所列位置运行 kuimen protect，将明文移入保险库",
            remedy_en="run kuimen protect on these places, so that the values move into the vault",
        )
    return ProbeResult(outcome=Outcome.HOLDS if looks and not closed else Outcome.INSUFFICIENT, observations=seen)


def _holds_identity(row: ScanRow) -> bool:
    return bool({row.element, *row.secondary} & NINE_IDENTITY)


def _place(row: ScanRow) -> str:
    return ".".join(part for part in (row.schema, row.table, row.file, row.column) if part)
