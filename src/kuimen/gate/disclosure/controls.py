"""Probes of the door: what was shown is recorded, capped and reasoned, and what is shown by default is masked."""

import random

from django.db import connection
from django.db.models import Count, F, Q

from kuimen.gate.access.rules import Action
from kuimen.gate.audit.models import Entry
from kuimen.gate.disclosure.models import Disclosure, Limit, Lookup
from kuimen.gate.disclosure.rules import HIGHEST_LIMITS, Kind, LimitName, ReasonCode, limits_of
from kuimen.kernels.elements import ELEMENT_TABLE, Display, Element
from kuimen.kernels.elements.fictitious import make_identity
from kuimen.kernels.masking import mask_value
from kuimen.standard import Observation, Outcome, ProbeContext, ProbeResult, control

_ACTIONS = (
    Action.VIEW_MASKED.value,
    Action.REVEAL.value,
    Action.CHALLENGE.value,
    Action.SEARCH.value,
    "disclosure.bulk",
)
_MOST_SHOWN = 7  # digits of a personal number that any mask keeps: three and four of a mobile
_ANYTHING = "0123456789abcdef"
_NUMBERS = (
    Element.RESIDENT_ID,
    Element.PASSPORT,
    Element.OTHER_CERTIFICATE,
    Element.MOBILE,
    Element.BANK_CARD,
    Element.ACCOUNT_NUMBER,
)
_GUARDS = 2
_CONSTRAINTS = """
    SELECT count(*) FROM pg_constraint
    WHERE conrelid = 'disclosure_record'::regclass AND convalidated
        AND (conname = 'disclosure_reveal_is_reasoned' OR (contype = 'f' AND confrelid = 'audit_entry'::regclass))
"""


@control("CQJR-5.4-d", title_zh="每次展示均有审计记录", title_en="Every view has its audit entry")
@control("CQJR-5.2-h", title_zh="每次展示均有审计记录", title_en="Every view has its audit entry")
@control("JRT0171-6.1.4.1-b", title_zh="每次展示均有审计记录", title_en="Every view has its audit entry")
def views_are_recorded(context: ProbeContext) -> ProbeResult:
    """Hold the views of the period against the audit log, in both directions."""
    views = Disclosure.objects.filter(occurred_at__gte=context.since, occurred_at__lte=context.at)
    entries = Entry.objects.filter(
        action__in=_ACTIONS, outcome="done", occurred_at__gte=context.since, occurred_at__lte=context.at
    )
    recorded = Entry.objects.filter(
        entry_id__in=views.values("entry_id"), outcome="done", action__in=_ACTIONS
    ).values_list("entry_id", "view_id", "actor")
    held = {str(entry_id): (view_id, actor) for entry_id, view_id, actor in recorded}
    unrecorded = sum(
        held.get(str(entry_id)) != (view_id, staff_no)
        for entry_id, view_id, staff_no in views.values_list("entry_id", "view_id", "staff_no")
    )
    orphaned = entries.exclude(view_id__in=Disclosure.objects.values("view_id")).count()
    with connection.cursor() as cursor:
        cursor.execute(_CONSTRAINTS)
        guards = int(cursor.fetchone()[0])
    total = views.count()
    seen = Observation(
        title_zh="展示记录与审计日志互相核对",
        title_en="views held against the audit log",
        facts={
            "views": total,
            "views_without_entry": unrecorded,
            "entries_without_view": orphaned,
            "constraints_in_force": guards,
        },
        reference="disclosure_record, audit_entry",
    )
    if unrecorded or orphaned or guards < _GUARDS:
        return ProbeResult(
            outcome=Outcome.REFUTED,
            observations=(seen,),
            remedy_zh="查明未经审计的展示由何而来，恢复数据库约束，收回可绕过披露通道的数据库权限",
            remedy_en="find out how views came about without a record, restore the constraints, take back such rights",
        )
    return ProbeResult(outcome=Outcome.HOLDS if total else Outcome.INSUFFICIENT, observations=(seen,))


@control("CQJR-5.4-d", title_zh="明文查看逐次有理由有期限", title_en="Every clear view has a reason and an end")
@control("CQJR-5.2-h", title_zh="明文查看逐次有理由有期限", title_en="Every clear view has a reason and an end")
@control("JRT0171-6.1.4.1-b", title_zh="明文查看逐次有理由有期限", title_en="Every clear view has a reason and an end")
def reveals_are_reasoned(context: ProbeContext) -> ProbeResult:
    """Look at every clear view of the period: one field, one customer, a reason of the list, a basis, a short time."""
    reveals = Disclosure.objects.filter(
        kind=Kind.REVEAL.value, occurred_at__gte=context.since, occurred_at__lte=context.at
    )
    flawed = reveals.filter(
        Q(sealed__isnull=True)
        | Q(basis_id__isnull=True)
        | Q(customer_ref__isnull=True)
        | ~Q(rows=1)
        | Q(expires_at__isnull=True)
        | ~Q(reason_code__in=[code.value for code in ReasonCode])
    ).count()
    longest = HIGHEST_LIMITS[LimitName.REVEAL_SECONDS]
    several = sum(len(elements) != 1 for elements in reveals.values_list("elements", flat=True))
    too_long = sum(
        end is not None and (end - start).total_seconds() > longest
        for start, end in reveals.values_list("occurred_at", "expires_at")
    )
    total = reveals.count()
    seen = Observation(
        title_zh="明文查看的理由、依据、单字段与时限",
        title_en="reason, basis, single field and time limit of clear views",
        facts={
            "reveals": total,
            "without_reason_or_basis": flawed,
            "more_than_one_field": several,
            "too_long": too_long,
        },
        reference="disclosure_record",
    )
    if flawed or several or too_long:
        return ProbeResult(
            outcome=Outcome.REFUTED,
            observations=(seen,),
            remedy_zh="逐条复核缺少理由、依据或时限的明文查看，并恢复数据库约束",
            remedy_en="review every clear view without reason, basis or end, and restore the database constraint",
        )
    return ProbeResult(outcome=Outcome.HOLDS if total else Outcome.INSUFFICIENT, observations=(seen,))


@control("CQJR-5.2-h", title_zh="批量与次数限制", title_en="Limits on batches and counts")
@control("CQJR-5.4-d", title_zh="批量与次数限制", title_en="Limits on batches and counts")
@control("JRT0171-6.1.4.1-b", title_zh="批量与次数限制", title_en="Limits on batches and counts")
def limits_hold(context: ProbeContext) -> ProbeResult:
    """Look at the limits in force and at what people really saw."""
    stored = dict(Limit.objects.values_list("limit", "value"))
    limits = limits_of(stored)
    loosened = [name.value for name, highest in HIGHEST_LIMITS.items() if getattr(limits, name.value) > highest]
    days = Q(day__gte=context.since.date(), day__lte=context.at.date())
    large_pages = Disclosure.objects.filter(
        days, kind=Kind.PAGE.value, rows__gt=HIGHEST_LIMITS[LimitName.ROWS_PER_VIEW]
    ).count()
    over_people = (
        Lookup.objects.filter(days)
        .values("staff_no", "day")
        .annotate(people=Count("customer_ref"))
        .filter(people__gt=HIGHEST_LIMITS[LimitName.PEOPLE_PER_DAY])
        .count()
    )
    over_reveals = (
        Disclosure.objects.filter(days, kind=Kind.REVEAL.value)
        .values("staff_no", "day")
        .annotate(reveals=Count("view_id"))
        .filter(reveals__gt=HIGHEST_LIMITS[LimitName.REVEALS_PER_DAY])
        .count()
    )
    unrecorded = Limit.objects.exclude(entry__action="disclosure.set_limit", entry__object_ref=F("limit")).count()
    seen = Observation(
        title_zh="现行限额与实际用量",
        title_en="limits in force and what was really used",
        facts={
            **{name.value: int(getattr(limits, name.value)) for name in LimitName},
            "limits_above_the_highest": ", ".join(loosened),
            "limits_set_without_record": unrecorded,
            "pages_above_the_highest": large_pages,
            "staff_days_above_people": over_people,
            "staff_days_above_reveals": over_reveals,
        },
        reference="disclosure_limit, disclosure_lookup, disclosure_record",
    )
    if loosened or unrecorded or large_pages or over_people or over_reveals:
        return ProbeResult(
            outcome=Outcome.REFUTED,
            observations=(seen,),
            remedy_zh="将限额恢复到标准允许的范围，复核超限的人员与日期，限额变更须经两人审批",
            remedy_en="set the limits back to what the standards allow, review who exceeded them, change them by two",
        )
    return ProbeResult(outcome=Outcome.HOLDS, observations=(seen,))


@control("CQJR-5.4-d", title_zh="默认脱敏", title_en="Masked by default")
@control("JRT0171-6.1.4.1-b", title_zh="默认脱敏", title_en="Masked by default")
def masks_hide(_context: ProbeContext) -> ProbeResult:
    """Mask impossible identities with the masks in use and count what remains to be seen."""
    generator = random.Random(0)  # noqa: S311 - impossible sample identities, nothing secret
    shown: list[str] = []
    tried = 0
    for index in range(20):
        identity = make_identity(generator, index)
        for element, rule in ELEMENT_TABLE.items():
            text = getattr(identity, element.value, None)
            if not isinstance(text, str) or rule.display is Display.PLAIN:
                continue
            tried += 1
            if _shows_too_much(element, text):
                shown.append(element.value)
    never = [
        element.value
        for element, rule in ELEMENT_TABLE.items()
        if rule.display is Display.NEVER and any(sign.isalnum() for sign in mask_value(element.value, _ANYTHING))
    ]
    seen = Observation(
        title_zh="以虚构身份检验脱敏规则",
        title_en="masks tried on impossible identities",
        facts={"tried": tried, "shows_too_much": ", ".join(sorted(set(shown))), "never_but_shown": ", ".join(never)},
        reference="kernels.masking",
    )
    if shown or never:
        return ProbeResult(
            outcome=Outcome.REFUTED,
            observations=(seen,),
            remedy_zh="修正脱敏规则后再开放页面",
            remedy_en="correct the masks before pages are opened again",
        )
    return ProbeResult(outcome=Outcome.HOLDS if tried else Outcome.INSUFFICIENT, observations=(seen,))


def _shows_too_much(element: Element, text: str) -> bool:
    masked = mask_value(element.value, text)
    if masked == text or "*" not in masked:
        return True
    return element in _NUMBERS and sum(sign.isdigit() for sign in masked) > _MOST_SHOWN
