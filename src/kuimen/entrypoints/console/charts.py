"""Numbers behind the charts: aggregates only, no reference to a person."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, JsonResponse
from django.views.decorators.http import require_GET

from kuimen.assessment import services as assessment
from kuimen.assessment.rules import Verdict
from kuimen.entrypoints.console.context import reader_of
from kuimen.entrypoints.console.language import say
from kuimen.entrypoints.console.words import ASSET_STATES, PURPOSES, words_of
from kuimen.gate.access import services as access
from kuimen.gate.access.rules import Action, Resource
from kuimen.gate.disclosure import services as disclosure
from kuimen.gate.keys.overview import domain_keys
from kuimen.gate.keys.rules import MOST_USES, KeyState, RetentionClass
from kuimen.gate.retention.rules import CLASS_TITLES
from kuimen.governance.inventory import services as inventory
from kuimen.governance.releases import services as releases
from kuimen.standard import load_catalogue
from kuimen.standard.clauses import Chapter

Chart = dict[str, object]
RELEASES_SHOWN = 8

VERDICT_COLOURS = {
    Verdict.CONFORM: "#12806a",
    Verdict.PARTIAL: "#a9b84b",
    Verdict.NONCONFORM: "#c0392b",
    Verdict.INSUFFICIENT: "#f2b84b",
    Verdict.NOT_ASSESSED: "#d5d9df",
    Verdict.NOT_APPLICABLE: "#8b95a5",
}
STATE_COLOURS = {
    "clear": "#c0392b",
    "sealed": "#12806a",
    "dissociated": "#3f6fb5",
    "destroyed": "#5f6673",
    "not_read": "#d5d9df",
}
LISTS = {
    "cqjr009": ("T/CQJR 009", "T/CQJR 009"),
    "jrt0171": ("JR/T 0171", "JR/T 0171"),
    "references": ("引用标准", "Referenced standards"),
    "later_rules": ("后续规定", "Later rules"),
}


def _bars(
    labels: Sequence[str], series: Mapping[str, Sequence[int]], colours: Sequence[str] = (), *, across: bool
) -> Chart:
    return {
        "shape": "bars" if across else "stacked",
        "labels": list(labels),
        "series": [{"name": name, "values": list(values)} for name, values in series.items()],
        "colours": list(colours) or None,
        "show_values": True,
    }


def categories() -> Chart:
    """Assets by category and state."""
    found = inventory.summary()
    if not found.counts:
        return {"empty": say("尚未扫描任何数据源", "Nothing has been scanned yet")}
    table = {(count.category, count.state): count.assets for count in found.counts}
    labels = ["C3", "C2", "C1"]
    shown = [state for state in STATE_COLOURS if any((label, state) in table for label in labels)]
    series = {say(*ASSET_STATES[state]): [table.get((label, state), 0) for label in labels] for state in shown}
    return _bars(labels, series, [STATE_COLOURS[state] for state in shown], across=True)


def disclosures() -> Chart:
    """Disclosures per day and purpose."""
    rows = disclosure.statistics()
    if not rows:
        return {"empty": say("还没有披露记录", "No disclosure yet")}
    days = sorted({row.day for row in rows})
    totals: defaultdict[str, Counter[object]] = defaultdict(Counter)
    for row in rows:
        totals[row.purpose][row.day] += row.disclosures
    series = {
        say(*words_of(PURPOSES, purpose)): [by_day[day] for day in days] for purpose, by_day in sorted(totals.items())
    }
    return _bars([day.isoformat() for day in days], series, across=False)


def _no_assessment() -> Chart:
    return {"empty": say("还没有评估", "No assessment yet")}


def _verdict_bars(counts: Mapping[str, Mapping[Verdict, int]]) -> Chart:
    labels = list(counts)
    shown = [verdict for verdict in VERDICT_COLOURS if any(counts[label].get(verdict, 0) for label in labels)]
    series = {
        say(verdict.title_zh, verdict.title_en.capitalize()): [counts[label].get(verdict, 0) for label in labels]
        for verdict in shown
    }
    return _bars(labels, series, [VERDICT_COLOURS[verdict] for verdict in shown], across=True)


def verdicts() -> Chart:
    """Verdicts by list of the catalogue."""
    found = assessment.latest()
    return (
        _no_assessment()
        if found is None
        else _verdict_bars({say(*LISTS.get(name, (name, name))): counts for name, counts in found.by_list().items()})
    )


def _chapters(name: str) -> Chart:
    """Verdicts by chapter of one standard, each chapter as shares of its clauses."""
    found = assessment.latest()
    if found is None:
        return _no_assessment()
    counted = found.by_chapter(name)
    rows = {
        _chapter_title(chapter): counted[chapter.number]
        for chapter in load_catalogue().lists[name].chapters
        if chapter.number in counted
    }
    return {**_verdict_bars(rows), "shape": "shares"}


def _chapter_title(chapter: Chapter) -> str:
    title = say(chapter.title_zh, chapter.title_en)
    return title if chapter.number.startswith("Annex") else f"{chapter.number} {title}"


def _domain_key_name(row: Mapping[str, Any]) -> str:
    return f"{say(*CLASS_TITLES[RetentionClass(row['retention_class'])])} v{row['version']}"


def key_uses() -> Chart:
    """Uses of keys, counted by leased blocks, against the most that random nonces allow."""
    rows = [row for row in domain_keys() if row["state"] != KeyState.DESTROYED.value]
    if not rows:
        return {"empty": say("还没有域密钥，首次加密时自动生成", "No domain key yet; the first sealed value makes one")}
    series = {
        say("域密钥", "Domain key"): [row["uses_leased"] for row in rows],
        say("用得最多的个人密钥", "Busiest key of a person"): [row["person_uses"] for row in rows],
        say("用得最多的表密钥", "Busiest key of a table"): [row["table_uses"] for row in rows],
    }
    chart = _bars([_domain_key_name(row) for row in rows], series, across=True)
    return {**chart, "shape": "limited", "limit": MOST_USES, "limit_name": say("上限 2³²", "Limit 2³²")}


def key_versions() -> Chart:
    """Keys that stand under each version of a domain key, by what they are for."""
    rows = [row for row in domain_keys() if row["state"] != KeyState.DESTROYED.value]
    if not rows:
        return {"empty": say("还没有域密钥，首次加密时自动生成", "No domain key yet; the first sealed value makes one")}
    series = {
        say("个人密钥", "Keys of persons"): [row["person_keys"] for row in rows],
        say("表密钥", "Keys of tables"): [row["table_keys"] for row in rows],
    }
    return _bars([_domain_key_name(row) for row in rows], series, across=True)


def _release_bars(**names: tuple[str, str]) -> Chart:
    """Figures of the last releases that were computed, by name of the figure."""
    found = releases.computed(limit=RELEASES_SHOWN)
    if not found:
        return {"empty": say("还没有计算过的发布", "No release was computed yet")}
    series = {say(*title): [_whole(one.measured.get(name)) for one in found] for name, title in names.items()}
    return {**_bars([one.title for one in found], series, across=True), "shape": "beside"}


def _whole(figure: object) -> int:
    return figure if isinstance(figure, int) else 0


def release_k() -> Chart:
    """The smallest group of each release, before and as released."""
    return _release_bars(k_before=("处理前", "Before"), k=("发布时", "As released"))


def release_unique() -> Chart:
    """Persons who stood alone in their group before each release, and after it."""
    return _release_bars(unique_before=("处理前", "Before"), unique=("发布时", "As released"))


CHARTS: Mapping[str, tuple[Action, Callable[[], Chart]]] = {
    "categories": (Action.OVERVIEW_READ, categories),
    "disclosures": (Action.OVERVIEW_READ, disclosures),
    "verdicts": (Action.OVERVIEW_READ, verdicts),
    "release-k": (Action.RELEASE_READ, release_k),
    "release-unique": (Action.RELEASE_READ, release_unique),
    "chapters-cqjr009": (Action.ASSESSMENT_READ, partial(_chapters, "cqjr009")),
    "key-uses": (Action.KEYS_READ, key_uses),
    "key-versions": (Action.KEYS_READ, key_versions),
    "chapters-jrt0171": (Action.ASSESSMENT_READ, partial(_chapters, "jrt0171")),
}


@login_required
@require_GET
def chart(request: HttpRequest, name: str) -> JsonResponse:
    """Answer the numbers of one chart."""
    subject = reader_of(request)
    if name not in CHARTS or subject is None:
        raise Http404
    action, build = CHARTS[name]
    access.require(subject, action, Resource(kind="page", ref=name))
    return JsonResponse(build(), json_dumps_params={"ensure_ascii": False})
