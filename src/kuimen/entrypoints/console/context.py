"""What every page knows: the reader, the navigation they may use, the institution, the business clock."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from kuimen.foundation import clock
from kuimen.gate.access import services as access
from kuimen.gate.access.rules import ROLE_TITLES, Action, Resource, Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class NavigationItem:
    """One entry of the main menu."""

    name: str
    icon: str
    title_zh: str
    title_en: str
    action: Action
    url: str = ""
    active: bool = False


NAVIGATION = (
    NavigationItem(
        name="overview", icon="layout-dashboard", title_zh="总览", title_en="Overview", action=Action.OVERVIEW_READ
    ),
    NavigationItem(name="cases", icon="briefcase", title_zh="催收案件", title_en="Cases", action=Action.CASE_LIST),
    NavigationItem(name="desk", icon="checkbox", title_zh="待办审批", title_en="Approvals", action=Action.STAFF_DECIDE),
    NavigationItem(name="staff", icon="users", title_zh="人员", title_en="People", action=Action.STAFF_READ),
    NavigationItem(
        name="documents", icon="file-text", title_zh="制度", title_en="Documents", action=Action.DOCUMENT_DRAFT
    ),
    NavigationItem(
        name="assets", icon="database", title_zh="数据资产", title_en="Assets", action=Action.INVENTORY_READ
    ),
    NavigationItem(name="audit", icon="list-search", title_zh="审计日志", title_en="Audit", action=Action.AUDIT_READ),
    NavigationItem(name="keys", icon="key", title_zh="密钥", title_en="Keys", action=Action.KEYS_READ),
    NavigationItem(
        name="releases", icon="chart-dots", title_zh="分析发布", title_en="Releases", action=Action.RELEASE_READ
    ),
    NavigationItem(
        name="retention", icon="hourglass", title_zh="留存与销毁", title_en="Retention", action=Action.RETENTION_READ
    ),
    NavigationItem(
        name="assessment",
        icon="clipboard-check",
        title_zh="合规评估",
        title_en="Assessment",
        action=Action.ASSESSMENT_READ,
    ),
)


def reader_of(request: HttpRequest) -> Subject | None:
    """Return the signed-in person once per request; None before sign-in."""
    if not request.user.is_authenticated:
        return None
    known = getattr(request, "kuimen_reader", None)
    if known is None:
        known = access.subject_of(request.user)
        request.kuimen_reader = known  # type: ignore[attr-defined]  # one look-up per request
    return known if isinstance(known, Subject) else None


def may(
    subject: Subject, action: Action, resource: Resource | None = None, context: Mapping[str, str] | None = None
) -> bool:
    """Tell whether to offer something; what is offered is decided again when it is done."""
    return access.decide(subject, action, resource or Resource(kind="page"), context).allowed


def offered(subject: Subject) -> list[NavigationItem]:
    """Return the menu entries this person may open."""
    return [item for item in NAVIGATION if may(subject, item.action)]


def page(request: HttpRequest) -> dict[str, object]:
    """Context processor of every template."""
    subject = reader_of(request)
    match = request.resolver_match
    here = (match.url_name or "") if match else ""
    items = [
        NavigationItem(
            name=item.name,
            icon=item.icon,
            title_zh=item.title_zh,
            title_en=item.title_en,
            action=item.action,
            url=reverse(item.name),
            active=here == item.name or here.startswith(f"{item.name.rstrip('s')}-") or here == item.name.rstrip("s"),
        )
        for item in (offered(subject) if subject else ())
    ]
    return {
        "subject": subject,
        "subject_roles": [
            {"title_zh": ROLE_TITLES[role][0], "title_en": ROLE_TITLES[role][1]} for role in sorted(subject.roles)
        ]
        if subject
        else [],
        "navigation": items,
        "institution_name": settings.KUIMEN_INSTITUTION_NAME,
        "overlay_active": bool(settings.KUIMEN_OVERLAY),
        "kuimen_version": version("kuimen"),
        "business_now": clock.now(),
    }
