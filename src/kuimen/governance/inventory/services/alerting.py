"""Tell by mail what scans saw change: how much of what, and where to look. Neither places nor values leave the house.

A change is announced once a mail server has taken the mail; until then it waits for the next try.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from smtplib import SMTPException
from types import MappingProxyType
from typing import Final

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction

from kuimen.foundation import clock
from kuimen.gate.audit import services as audit
from kuimen.governance.inventory.drift_rules import ALARMS, DriftKind
from kuimen.governance.inventory.errors import AlertUndeliveredError
from kuimen.governance.inventory.models import DataSource, Drift
from kuimen.kernels.elements import Element
from kuimen.kernels.elements.table import rule_of

MOST_IN_ONE_MAIL = 1000
_KINDS: Final[Mapping[DriftKind, tuple[str, str]]] = MappingProxyType(
    {
        DriftKind.APPEARED: ("新增明文列", "new columns in clear"),
        DriftKind.BECAME_PERSONAL: ("变为个人信息的列", "columns that became personal"),
        DriftKind.REOPENED: ("由保护变回明文的列", "columns in clear again"),
    }
)


def announce_changes(actor: audit.Actor) -> int:
    """Mail the alarms that nobody was told of yet; return how many went out.

    Without recipients nothing is sent, and nothing counts as announced.

    Raises:
        AlertUndeliveredError: the mail server did not take it; the next call tries again.
    """
    recipients: Sequence[str] = settings.KUIMEN_ALERT_RECIPIENTS
    if not recipients:
        return 0
    with transaction.atomic():
        waiting = list(
            Drift.objects.select_for_update(of=("self",), skip_locked=True)
            .select_related("asset", "asset__source")
            .filter(
                announced_at=None, noted_at=None, asset__source__active=True, kind__in=[kind.value for kind in ALARMS]
            )
            .order_by("seen_at")[:MOST_IN_ONE_MAIL]
        )
        if not waiting:
            return 0
        fault = _sent(waiting, recipients)
        if not fault:
            Drift.objects.filter(drift_id__in=[row.drift_id for row in waiting]).update(announced_at=clock.now())
        audit.record(
            "inventory.alert",
            actor=actor,
            object_type="drift",
            object_ref="mail",
            outcome=audit.Outcome.FAILED if fault else audit.Outcome.DONE,
            facts={"changes": len(waiting), "recipients": len(recipients), **({"fault": fault} if fault else {})},
        )
    if fault:
        raise AlertUndeliveredError("mail: the server did not take the alert; it is tried again")
    return len(waiting)


def _sent(waiting: Sequence[Drift], recipients: Sequence[str]) -> str:
    """Send one mail; return the kind of failure, empty where the server took it."""
    subject, body = alert_text(waiting)
    try:
        EmailMessage(subject, body, settings.DEFAULT_FROM_EMAIL, list(recipients)).send()
    except (SMTPException, OSError) as error:
        return type(error).__name__
    return ""


def alert_text(waiting: Sequence[Drift]) -> tuple[str, str]:
    """Return subject and body: counts by kind, element and source, Chinese first."""
    kinds = Counter(DriftKind(row.kind) for row in waiting)
    elements = Counter(row.after for row in waiting if row.after)
    sources = {row.asset.source_id for row in waiting}
    active = DataSource.objects.filter(active=True)
    faults = active.exclude(fault="").count()
    lines = [
        f"{settings.KUIMEN_INSTITUTION_NAME}：扫描在 {len(sources)} 个数据源中发现 {len(waiting)} 处未保护的个人信息。",
        f"Scans found {len(waiting)} places with unprotected personal data in {len(sources)} sources.",
        "",
        *(f"- {_KINDS[kind][0]} {_KINDS[kind][1]}: {count}" for kind, count in sorted(kinds.items())),
        "",
        "要素 Elements:",
        *(
            f"- {rule_of(Element(name)).title_zh} {name} ({rule_of(Element(name)).category}): {count}"
            for name, count in elements.most_common()
        ),
        "",
        *(
            [f"另有 {faults} 个数据源最近一次未能扫描。 {faults} sources could not be scanned last.", ""]
            if faults
            else []
        ),
        "请登录控制台 数据资产 页（/assets/?only=drifted）查看位置、保护该列或订正。",
        "Sign in to the console, Data assets (/assets/?only=drifted): see where, protect or correct.",
        "在此之前控制项 CQJR-6.2-a 不通过。 The control CQJR-6.2-a fails until then.",
    ]
    return f"[夔门 Kuimen] {len(waiting)} 处新增未保护个人信息 unprotected personal data", "\n".join(lines)
