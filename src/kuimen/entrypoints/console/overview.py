"""The first page: where personal data is, what is still clear, who looked, which clause fails."""

from dataclasses import dataclass

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from kuimen.assessment import services as assessment
from kuimen.assessment.reading import AssessmentView
from kuimen.assessment.rules import Verdict
from kuimen.entrypoints.console.context import offered, reader_of
from kuimen.foundation import clock
from kuimen.gate.access import services as access
from kuimen.gate.access.rules import Action, Resource, Subject
from kuimen.gate.audit import services as audit
from kuimen.gate.disclosure import services as disclosure
from kuimen.governance.inventory import services as inventory
from kuimen.governance.inventory.reading import unprotected_assets
from kuimen.governance.inventory.services import InventorySummary

CLEAR_ROWS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One figure of the first page, in both languages."""

    title_zh: str
    title_en: str
    figure: str
    note_zh: str
    note_en: str
    tone: str = ""


def subject_or_login(request: HttpRequest) -> Subject:
    """Return the signed-in reader; the decorator has sent everybody else to the sign-in page."""
    subject = reader_of(request)
    if subject is None:
        msg = "a page without login_required was reached"
        raise TypeError(msg)
    return subject


@login_required
@require_GET
def overview(request: HttpRequest) -> HttpResponse:
    """Show the state of the whole; people without this right land on the first page they may open."""
    subject = subject_or_login(request)
    if not access.decide(subject, Action.OVERVIEW_READ, Resource(kind="page", ref="overview")).allowed:
        pages = offered(subject)
        if pages:
            return redirect(pages[0].name)
    access.require(subject, Action.OVERVIEW_READ, Resource(kind="page", ref="overview"))
    directory = inventory.summary()
    context = {
        "cards": _cards(directory, assessment.latest()),
        "clear_assets": unprotected_assets(limit=CLEAR_ROWS),
        "scanned_at": directory.last_scanned_at,
        "checkpoint": audit.latest_checkpoint(),
    }
    return render(request, "console/overview.html", context)


def _cards(directory: InventorySummary, found: AssessmentView | None) -> list[Card]:
    scanned = directory.last_scanned_at is not None
    unprotected_tone = "open" if not scanned else "bad" if directory.unprotected else "good"
    return [
        Card(
            title_zh="个人信息列",
            title_en="Personal columns",
            figure=f"{directory.personal:,}",
            note_zh=f"共 {directory.assets:,} 列，{directory.sources} 个数据源",
            note_en=f"of {directory.assets:,} columns in {directory.sources} sources",
        ),
        Card(
            title_zh="应保护而仍为明文",
            title_en="Unprotected",
            figure=f"{directory.unprotected:,}" if scanned else "?",
            note_zh=f"未读取 {directory.not_read:,} 处，不计为零",
            note_en=f"{directory.not_read:,} places not read, not counted as zero",
            tone=unprotected_tone,
        ),
        Card(
            title_zh="今日披露",
            title_en="Disclosures today",
            figure=f"{_disclosures_today():,}",
            note_zh="每次披露都有人、目的、依据与审计条目",
            note_en="each with a person, a purpose, a basis, an entry",
        ),
        _clause_card(found),
    ]


def _disclosures_today() -> int:
    return sum(row.disclosures for row in disclosure.statistics(since=clock.today()))


def _clause_card(found: AssessmentView | None) -> Card:
    if found is None:
        return Card(
            title_zh="条款", title_en="Clauses", figure="?", tone="open",
            note_zh="尚未评估；没有人看过的条款不会是绿色", note_en="not assessed; nothing nobody looked at is green",
        )  # fmt: skip
    failing = found.verdicts[Verdict.NONCONFORM]
    return Card(
        title_zh="不符合条款",
        title_en="Clauses failing",
        figure=f"{failing}",
        note_zh=f"已看 {found.clauses_assessed} / {found.clauses_total} 条",
        note_en=f"{found.clauses_assessed} of {found.clauses_total} looked at",
        tone="bad" if failing else "good",
    )
