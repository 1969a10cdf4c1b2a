"""Probes of the asset directory: it is current, graded, protected by grade, and what must not be kept is not there.

Directory and source are held against each other: each registered source is looked at again, read-only, when the probes
run, so that a column added since the last scan does not hide behind an old entry.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db import connection
from django.db.models import Q, QuerySet

from kuimen.foundation.errors import KuimenError
from kuimen.governance.inventory.correction_rules import CorrectionState
from kuimen.governance.inventory.models import Asset, Correction, DataSource, Drift, ScanRun
from kuimen.governance.inventory.own_rules import own_rules
from kuimen.governance.inventory.rules import NEVER_STORED, TO_BE_PROTECTED, AssetState, SourceKind
from kuimen.governance.inventory.services import as_corrected, drift, reopen
from kuimen.kernels.detection import detect
from kuimen.kernels.elements import ELEMENT_TABLE, TABLE_VERSION, Category, Element
from kuimen.sources.scan import ScanRow, scan_open
from kuimen.standard import Fact, Observation, Outcome, ProbeContext, ProbeResult, control

SCAN_INTERVAL = timedelta(days=31)
_SAMPLE = 200
_NAMED_AT_MOST = 5
_GRAVITY = {Category.C3.value: 3, Category.C2.value: 2, Category.C1.value: 1, Category.NONE.value: 0, "": 0}
# Published specimens, nobody's: GB 11643 prints this certificate number, ISO 7812 tests use this card number.
_SPECIMENS = (("身份证号 11010519491231002X", Element.RESIDENT_ID), ("联系邮箱 a.b@example.com", Element.EMAIL))
# Settings of the server under which its log holds neither statements of work nor values.
_LOG_SETTINGS: Mapping[str, tuple[str, ...]] = {
    "log_error_verbosity": ("terse",),
    "log_min_error_statement": ("panic", "fatal"),
    "log_statement": ("none", "ddl"),
    "log_min_duration_statement": ("-1",),
    "log_parameter_max_length_on_error": ("0",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveSource:
    """One registered source looked at again.

    Attributes:
        source: its register entry.
        rows: what the scan saw; empty when it could not be opened.
        fault: code of the error that kept it shut, empty when it opened.
    """

    source: DataSource
    rows: tuple[ScanRow, ...]
    fault: str


class _LastLook:
    """Keeps one look for the probes of one run: several of them need the same scan of the same moment."""

    def __init__(self) -> None:
        self._context: ProbeContext | None = None
        self._seen: tuple[LiveSource, ...] = ()

    def at(self, context: ProbeContext) -> tuple[LiveSource, ...]:
        # Compared by identity: an equal context of another run must not bring back what an earlier one saw.
        if self._context is not context:
            self._seen = tuple(_look(source) for source in DataSource.objects.filter(active=True))
            self._context = context
        return self._seen


_last_look = _LastLook()


def live_sources(context: ProbeContext) -> tuple[LiveSource, ...]:
    """Return every registered source looked at again; probes of one run share one look."""
    return _last_look.at(context)


def _look(source: DataSource) -> LiveSource:
    try:
        with reopen(source) as opened:
            found = list(scan_open(opened, overlay=source.overlay or None, rules=own_rules(), sample_rows=_SAMPLE))
        rows = tuple(as_corrected(found, source))
    except KuimenError as error:
        return LiveSource(source=source, rows=(), fault=error.code)
    return LiveSource(source=source, rows=rows, fault="")


def _directory() -> QuerySet[Asset]:
    """Return the entries that count: what is there, and what was there and was destroyed."""
    return Asset.objects.filter(source__active=True).filter(Q(present=True) | Q(state=AssetState.DESTROYED.value))


def _unprotected() -> QuerySet[Asset]:
    return _directory().filter(element__in=TO_BE_PROTECTED, state=AssetState.CLEAR.value, masked=False)


def _place(row: ScanRow) -> str:
    return ".".join(part for part in (row.schema, row.table, row.file, row.replaces or row.column) if part)


def _named(places: Sequence[str]) -> str:
    return ", ".join(sorted(set(places))[:_NAMED_AT_MOST])


@control(
    "CQJR-6.2-a",
    title_zh="资产目录与数据源一致且按级保护",
    title_en="Directory current, protected by grade",
)
def directory_matches_the_sources(context: ProbeContext) -> ProbeResult:
    """Hold the directory against every live source, and its entries against the protection that their grade demands."""
    looks = _last_look.at(context)
    known = {
        ".".join(part for part in (asset.schema_name, asset.table_name, asset.file_name, asset.column_name) if part)
        for asset in _directory()
    }
    strangers = [
        _place(row)
        for look in looks
        for row in look.rows
        if row.element and not row.masked and _place(row) not in known
    ]
    newest = max((look.source.last_scanned_at for look in looks if look.source.last_scanned_at), default=None)
    stale = sum(
        look.source.last_scanned_at is None or look.source.last_scanned_at < context.at - SCAN_INTERVAL
        for look in looks
    )
    ungraded = _directory().exclude(element="").filter(Q(category="") | Q(level__isnull=True)).count()
    facts: dict[str, Fact] = {
        "sources": len(looks),
        "sources_not_opened": sum(bool(look.fault) for look in looks),
        "sources_not_scanned_in_time": stale,
        "assets": _directory().count(),
        "personal_assets": _directory().exclude(element="").count(),
        "not_in_the_directory": len(strangers),
        "ungraded": ungraded,
        "drifted": drift().count(),
        "changes_nobody_noted": Drift.objects.filter(noted_at=None, asset__source__active=True).count(),
        "sources_with_a_failed_scan": DataSource.objects.filter(active=True).exclude(fault="").count(),
        "corrections_in_force": Correction.objects.filter(
            state=CorrectionState.IN_FORCE.value, source__active=True
        ).count(),
        "unprotected_for_their_grade": _unprotected().count(),
        "last_scan": newest.isoformat() if newest else "",
        "where": _named(strangers),
    }
    broken = len(strangers) + stale + ungraded + drift().count() + _unprotected().count()
    return _answer(
        "资产目录与现场数据源逐项比对",
        "the directory held against the live sources",
        facts,
        refuted=bool(broken),
        enough=bool(looks) and not any(look.fault for look in looks),
        remedy=(
            "重新扫描数据源，对未按级保护的列运行保护任务，处理新增的明文列",
            "scan again, protect the columns that their grade demands, deal with new clear columns",
        ),
    )


@control(
    "CQJR-6.2-b",
    title_zh="自动识别工具在用且规则为最新",
    title_en="The tool is in use with current rules",
)
def tool_recognises_and_is_used(context: ProbeContext) -> ProbeResult:
    """Ask the live recogniser about published specimens, and look at the scans of the period."""
    recognised = sum(element in {finding.element for finding in detect(text)} for text, element in _SPECIMENS)
    runs = ScanRun.objects.filter(source__active=True)
    recent = runs.filter(finished_at__gte=context.since)
    newest = runs.first()
    outdated = newest is not None and newest.rules_version != TABLE_VERSION
    facts: dict[str, Fact] = {
        "specimens": len(_SPECIMENS),
        "specimens_recognised": recognised,
        "scans_in_the_period": recent.count(),
        "columns_scanned": newest.columns if newest else 0,
        "personal_columns": newest.personal if newest else 0,
        "not_read": newest.not_read if newest else 0,
        "rules_version": newest.rules_version if newest else "",
        "current_rules_version": TABLE_VERSION,
    }
    return _answer(
        "识别工具自检与扫描记录",
        "self-test of the recogniser, and its scans",
        facts,
        refuted=recognised < len(_SPECIMENS) or outdated or (newest is not None and not recent.exists()),
        enough=newest is not None,
        remedy=("恢复识别规则并重新扫描全部数据源", "restore the rules and scan every source again"),
    )


def _graded_as_the_standard_says(category: Category) -> ProbeResult:
    rules = {element.value: rule for element, rule in ELEMENT_TABLE.items()}
    assets = list(_directory().exclude(element=""))
    due = [asset for asset in assets if rules[asset.element].category is category]
    # A combination may raise a category; only masks in place of the values may lower it.
    lowered = [
        asset
        for asset in due
        if not asset.masked
        and (_GRAVITY[asset.category] < _GRAVITY[category.value] or (asset.level or 0) < rules[asset.element].level)
    ]
    facts: dict[str, Fact] = {
        "category": category.value,
        "elements_of_the_category": sum(rule.category is category for rule in ELEMENT_TABLE.values()),
        "assets_of_the_category": len(due),
        "graded_too_low": len(lowered),
        "where": _named([str(asset) for asset in lowered]),
    }
    return _answer(
        f"目录中 {category.value} 类数据的类别与级别",
        f"category and level of {category.value} data in the directory",
        facts,
        refuted=bool(lowered),
        enough=bool(due),
        remedy=("重新扫描并更正被降低的类别与级别", "scan again and correct categories and levels that were lowered"),
    )


@control("JRT0171-4.2-C3", title_zh="C3 类信息的识别与标识", title_en="C3 is recognised and marked")
def c3_is_marked(_context: ProbeContext) -> ProbeResult:
    """Hold every C3 element of the directory against the element table."""
    return _graded_as_the_standard_says(Category.C3)


@control("JRT0171-4.2-C2", title_zh="C2 类信息的识别与标识", title_en="C2 is recognised and marked")
def c2_is_marked(_context: ProbeContext) -> ProbeResult:
    """Hold every C2 element of the directory against the element table."""
    return _graded_as_the_standard_says(Category.C2)


@control("JRT0171-4.2-C1", title_zh="C1 类信息的识别与标识", title_en="C1 is recognised and marked")
def c1_is_marked(_context: ProbeContext) -> ProbeResult:
    """Hold every C1 element of the directory against the element table."""
    return _graded_as_the_standard_says(Category.C1)


@control("JRT0171-6.1.3-a", title_zh="不得留存的 C3 已清除", title_en="C3 that may not be kept is gone")
def never_stored_is_gone(context: ProbeContext) -> ProbeResult:
    """Look for CVN2, track data and one-time codes in the directory and, live, in every source."""
    looks = _last_look.at(context)
    states = Counter(_directory().filter(element__in=NEVER_STORED).values_list("state", flat=True))
    kept = sum(count for state, count in states.items() if state != AssetState.DESTROYED.value)
    live = [
        _place(row)
        for look in looks
        for row in look.rows
        if not row.masked and ({row.element, *row.secondary} & NEVER_STORED)
    ]
    facts: dict[str, Fact] = {
        "sources": len(looks),
        "sources_not_opened": sum(bool(look.fault) for look in looks),
        "destroyed": states[AssetState.DESTROYED.value],
        "kept": kept,
        "found_live": len(live),
        "where": _named(live),
    }
    return _answer(
        "卡片验证码、磁道数据与短信验证码的留存",
        "card verification values, track data and one-time codes at rest",
        facts,
        refuted=bool(kept or live),
        enough=bool(looks) and not any(look.fault for look in looks),
        remedy=(
            "运行保护任务销毁不得留存的数据，并停止其来源",
            "run protection to destroy what may not be kept; stop its source",
        ),
    )


@control("CQJR-6.5-b", title_zh="运维日志不含明文敏感信息", title_en="Operation logs hold nothing sensitive in clear")
@control("JRT0171-6.1.4.5-c", title_zh="日志与调试信息防泄露", title_en="Logs and debug output leak nothing")
@control("JRT0171-7.3-g", title_zh="运维日志不记录个人金融信息", title_en="Operation logs record no personal data")
def logs_hold_no_clear_value(context: ProbeContext) -> ProbeResult:
    """Read the registered log files again line by line, and ask the database server what it writes into its log."""
    looks = [look for look in _last_look.at(context) if look.source.kind == SourceKind.FILES.value]
    logs = [row for look in looks for row in look.rows if row.type == "log"]
    dirty = [row for row in logs if row.element and not row.masked]
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, current_setting(name) FROM unnest(%s::text[]) AS name", [list(_LOG_SETTINGS)])
        settings = {str(name): str(value) for name, value in cursor.fetchall()}
    talkative = any(value not in _LOG_SETTINGS[name] for name, value in settings.items())
    facts: dict[str, Fact] = {
        "log_places": len(looks),
        "log_places_not_opened": sum(bool(look.fault) for look in looks),
        "findings": sum(row.hits for row in dirty),
        "files_with_findings": len({row.file for row in dirty}),
        "where": _named([f"{row.file}:{row.first_lines[0]}" if row.first_lines else str(row.file) for row in dirty]),
        **settings,
    }
    return _answer(
        "登记的日志文件与数据库服务器日志设置",
        "registered log files, and the log settings of the database server",
        facts,
        refuted=bool(dirty) or talkative,
        enough=bool(looks) and not any(look.fault for look in looks),
        remedy=(
            "改写所列日志、在记录处启用过滤；数据库服务器日志设为不含语句与数值",
            "rewrite these logs and filter where they are written; make the server log neither statements nor values",
        ),
    )


def _answer(
    title_zh: str, title_en: str, facts: dict[str, Fact], *, refuted: bool, enough: bool, remedy: tuple[str, str]
) -> ProbeResult:
    seen = (Observation(title_zh=title_zh, title_en=title_en, facts=facts, reference="inventory_asset"),)
    if refuted:
        return ProbeResult(outcome=Outcome.REFUTED, observations=seen, remedy_zh=remedy[0], remedy_en=remedy[1])
    return ProbeResult(outcome=Outcome.HOLDS if enough else Outcome.INSUFFICIENT, observations=seen)
