"""The first page: where personal data is, what is still clear, who looked, which clause fails."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from kuimen.assessment import services as assessment
from kuimen.assessment.reading import AssessmentView
from kuimen.assessment.rules import OPEN_VERDICTS, Verdict
from kuimen.entrypoints.console.context import may, offered, reader_of
from kuimen.foundation import clock
from kuimen.gate.access import services as access
from kuimen.gate.access.rules import Action, Resource, Role, Subject
from kuimen.gate.audit import services as audit
from kuimen.gate.disclosure import services as disclosure
from kuimen.gate.disclosure.rules import Kind
from kuimen.governance.inventory import services as inventory
from kuimen.governance.inventory.reading import AssetView, personal_assets, unprotected_assets
from kuimen.governance.inventory.services import InventorySummary

CLEAR_ROWS = 8
PLACE_ROWS = 12
DESK_ROLES = frozenset({Role.COLLECTOR, Role.TEAM_LEADER})  # their day begins at the case list


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One figure of the first page, in both languages."""

    title_zh: str
    title_en: str
    figure: str
    note_zh: str
    note_en: str
    icon: str
    tone: str = ""


@dataclass(slots=True, kw_only=True)
class Place:
    """One table or file that holds, or held, personal data."""

    name: str
    categories: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    rows: int = 0

    @property
    def by_state(self) -> list[tuple[str, int]]:
        """How many of them stand in which state."""
        return list(self.states.items())

    @property
    def c3(self) -> int:
        """Columns or elements of category C3."""
        return self.categories["C3"]

    @property
    def c2(self) -> int:
        """Columns or elements of category C2."""
        return self.categories["C2"]

    @property
    def c1(self) -> int:
        """Columns or elements of category C1."""
        return self.categories["C1"]


def subject_or_login(request: HttpRequest) -> Subject:
    """Return the signed-in reader; the decorator has sent everybody else to the sign-in page."""
    subject = reader_of(request)
    if subject is None:
        msg = "a page without login_required was reached"
        raise TypeError(msg)
    return subject


@login_required
@require_GET
def landing(request: HttpRequest) -> HttpResponse:
    """Lead everybody to where their work is: collection to the cases, the others to their first page."""
    subject = subject_or_login(request)
    names = [item.name for item in offered(subject)]
    if "cases" in names and subject.roles <= DESK_ROLES:
        return redirect("cases")
    if names:
        return redirect(names[0])
    return render(request, "console/no_role.html")


@login_required
@require_GET
def overview(request: HttpRequest) -> HttpResponse:
    """Show the state of the whole."""
    subject = subject_or_login(request)
    access.require(subject, Action.OVERVIEW_READ, Resource(kind="page", ref="overview"))
    directory = inventory.summary()
    places = places_of(personal_assets())
    context = {
        "cards": _cards(directory, assessment.latest()),
        "clear_assets": unprotected_assets(limit=CLEAR_ROWS),
        "places": places[:PLACE_ROWS],
        "more_places": max(0, len(places) - PLACE_ROWS),
        "scanned_at": directory.last_scanned_at,
        "checkpoint": audit.latest_checkpoint(),
        "may_assess": may(subject, Action.ASSESSMENT_READ),
        "may_audit": may(subject, Action.AUDIT_READ),
    }
    return render(request, "console/overview.html", context)


def places_of(assets: Iterable[AssetView]) -> list[Place]:
    """Sum assets up by table or file, those with the gravest categories first."""
    found: dict[str, Place] = {}
    for asset in assets:
        name = asset.place.rpartition(".")[0] or asset.place
        place = found.setdefault(name, Place(name=name))
        place.categories[asset.category] += 1
        place.states[asset.state] += 1
        place.rows = max(place.rows, asset.rows)
    return sorted(found.values(), key=lambda place: (-place.c3, -place.c2, -place.c1, place.name))


def _cards(directory: InventorySummary, found: AssessmentView | None) -> list[Card]:
    scanned = directory.last_scanned_at is not None
    unprotected_tone = "open" if not scanned else "bad" if directory.unprotected else "good"
    looked, revealed = _disclosures_today()
    return [
        Card(
            title_zh="个人信息列",
            title_en="Personal columns",
            figure=f"{directory.personal:,}",
            note_zh=f"共 {directory.assets:,} 列，{directory.sources} 个数据源",
            note_en=f"of {directory.assets:,} columns in {directory.sources} sources",
            icon="database",
        ),
        Card(
            title_zh="应保护而仍为明文",
            title_en="Unprotected",
            figure=f"{directory.unprotected:,}" if scanned else "?",
            note_zh=f"未读取 {directory.not_read:,} 处，不计为零",
            note_en=f"{directory.not_read:,} places not read, not counted as zero",
            icon="lock-open" if unprotected_tone == "bad" else "lock",
            tone=unprotected_tone,
        ),
        Card(
            title_zh="今日披露",
            title_en="Disclosures today",
            figure=f"{looked:,}",
            note_zh=f"其中单项查看原值 {revealed:,} 次",
            note_en=f"{revealed:,} of them single values in clear",
            icon="eye",
        ),
        _clause_card(found),
    ]


def _disclosures_today() -> tuple[int, int]:
    """Return disclosures to people today, and how many of them were clear values."""
    rows = [row for row in disclosure.statistics(since=clock.today()) if row.kind is not Kind.BULK]
    return sum(row.disclosures for row in rows), sum(row.disclosures for row in rows if row.kind is Kind.REVEAL)


def _clause_card(found: AssessmentView | None) -> Card:
    if found is None:
        return Card(
            title_zh="条款", title_en="Clauses", figure="?", tone="open", icon="clipboard-check",
            note_zh="尚未评估；没有人看过的条款不会是绿色", note_en="not assessed; nothing nobody looked at is green",
        )  # fmt: skip
    failing = found.verdicts[Verdict.NONCONFORM]
    unclear = sum(found.verdicts[verdict] for verdict in OPEN_VERDICTS)
    return Card(
        title_zh="不符合条款",
        title_en="Clauses failing",
        figure=f"{failing}",
        note_zh=f"已看 {found.clauses_assessed} / {found.clauses_total} 条，{unclear} 条尚无结论",
        note_en=f"{found.clauses_assessed} of {found.clauses_total} looked at, {unclear} still open",
        icon="clipboard-check",
        tone="bad" if failing else "open" if unclear else "good",
    )
