"""Periodic audit: high-risk operations found by rule, and the review that a person signs off."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models.functions import ExtractHour, TruncDate

from kuimen.foundation.clock import SHANGHAI
from kuimen.gate.audit.models import Entry
from kuimen.gate.audit.recording import record
from kuimen.gate.audit.rules import Actor, Outcome

REVIEW_ACTION: Final = "audit.review"
REVIEW_INTERVAL: Final = timedelta(days=31)
REFUSALS_A_DAY: Final = 5
REVEALS_A_DAY: Final = 8
WRONG_CHALLENGES_A_DAY: Final = 3
NIGHT_FROM: Final = 22
NIGHT_TO: Final = 8


class Risk(StrEnum):
    """What makes an operation worth a second look."""

    BURST_OF_REFUSALS = "burst_of_refusals"
    MANY_REVEALS = "many_reveals"
    NIGHT_REVEALS = "night_reveals"
    GUESSING = "guessing"


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskFinding:
    """One person's operations of one day that a rule picked out.

    Attributes:
        risk: the rule.
        actor: staff number, component name or reference.
        day: ISO date in Asia/Shanghai.
        count: how many operations.
    """

    risk: Risk
    actor: str
    day: str
    count: int


def screen(since: datetime, before: datetime) -> Sequence[RiskFinding]:
    """Return the high-risk operations of a half-open interval, by day and person. Cost: two queries."""
    entries = Entry.objects.filter(occurred_at__gte=since, occurred_at__lt=before, actor_kind="staff").annotate(
        day=TruncDate("occurred_at", tzinfo=SHANGHAI), hour=ExtractHour("occurred_at", tzinfo=SHANGHAI)
    )
    found: Counter[tuple[Risk, str, str]] = Counter()
    for actor, day, hour, action, outcome in entries.values_list(
        "actor", "day", "hour", "action", "outcome"
    ).iterator():
        for risk in _risks(action=action, outcome=outcome, hour=hour):
            found[risk, actor, day.isoformat()] += 1
    # Whether an answer was right stands in the body of the entry alone.
    challenges = entries.filter(action="disclosure.challenge").values_list("actor", "day", "outcome", "body")
    for actor, day, outcome, body in challenges.iterator():
        if outcome == Outcome.REFUSED.value or json.loads(bytes(body))["facts"].get("matched") is False:
            found[Risk.GUESSING, actor, day.isoformat()] += 1
    return [
        RiskFinding(risk=risk, actor=actor, day=day, count=count)
        for (risk, actor, day), count in sorted(found.items())
        if count >= _THRESHOLDS[risk]
    ]


_THRESHOLDS: Mapping[Risk, int] = {
    Risk.BURST_OF_REFUSALS: REFUSALS_A_DAY,
    Risk.MANY_REVEALS: REVEALS_A_DAY,
    Risk.NIGHT_REVEALS: 1,
    Risk.GUESSING: WRONG_CHALLENGES_A_DAY,
}


def _risks(*, action: str, outcome: str, hour: int) -> Sequence[Risk]:
    refused = outcome == Outcome.REFUSED.value
    risks = [Risk.BURST_OF_REFUSALS] if refused else []
    if action == "disclosure.reveal" and not refused:
        risks.append(Risk.MANY_REVEALS)
        if hour >= NIGHT_FROM or hour < NIGHT_TO:
            risks.append(Risk.NIGHT_REVEALS)
    return risks


def last_review() -> Entry | None:
    """Return the newest review, or None where nobody ever reviewed the log."""
    return Entry.objects.filter(action=REVIEW_ACTION, outcome=Outcome.DONE.value).order_by("-id").first()


def review(actor: Actor, *, since: datetime, before: datetime, conclusion: str) -> UUID:
    """Sign off the high-risk operations of an interval and return the entry of the review.

    Args:
        actor: the auditor; the caller has asked the policy.
        since: start of the interval.
        before: its end.
        conclusion: what the auditor concludes, in words.

    Raises:
        AuditFactError: the conclusion is too long or looks like a personal number.
    """
    counted = Counter(finding.risk for finding in screen(since, before))
    with transaction.atomic():
        return record(
            REVIEW_ACTION,
            actor=actor,
            object_type="audit",
            object_ref="log",
            purpose="audit",
            facts={
                "since": since.isoformat(),
                "before": before.isoformat(),
                "conclusion": conclusion,
                **{risk.value: counted[risk] for risk in Risk},
            },
        )
