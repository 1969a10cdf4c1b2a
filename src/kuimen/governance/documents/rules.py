"""Rules, plans and customer texts: what they cover, their life, when they are due for review.

Clause: CQJR-6.1-b, CQJR-6.2-a, CQJR-6.5-a, CQJR-6.7-a, CQJR-6.7-c
"""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final

LONGEST_REVIEW: Final = timedelta(days=366)  # a text that nobody looked at within a year is not in force any more
SHORTEST_BODY: Final = 40
LONGEST_BODY: Final = 200_000


class TextKind(StrEnum):
    """What a document is."""

    POLICY = "policy"
    PROCEDURE = "procedure"
    PLAN = "plan"
    CUSTOMER_TEXT = "customer_text"


class Topic(StrEnum):
    """What a document covers; a document may cover several."""

    DATA = "data"
    NETWORK = "network"
    APPLICATION = "application"
    PHYSICAL = "physical"
    CLASSIFICATION = "classification"
    LOGS = "logs"
    PERSONNEL = "personnel"
    CONTINUITY = "continuity"
    EVENT_PHYSICAL = "event_physical"
    EVENT_NETWORK = "event_network"
    EVENT_HOST = "event_host"
    EVENT_APPLICATION = "event_application"
    EVENT_DATA = "event_data"
    EVENT_PERSONNEL = "event_personnel"
    EVENT_CONSUMER = "event_consumer"
    CONSENT = "consent"


class TextState(StrEnum):
    """Life of one version."""

    DRAFTED = "drafted"
    IN_FORCE = "in_force"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    SUPERSEDED = "superseded"
    REPEALED = "repealed"


class TextEvent(StrEnum):
    """What can happen to a version."""

    APPROVE = "approve"
    REFUSE = "refuse"
    WITHDRAW = "withdraw"
    SUPERSEDE = "supersede"
    REPEAL = "repeal"


TEXT_TRANSITIONS: Final[Mapping[tuple[TextState, TextEvent], TextState]] = MappingProxyType(
    {
        (TextState.DRAFTED, TextEvent.APPROVE): TextState.IN_FORCE,
        (TextState.DRAFTED, TextEvent.REFUSE): TextState.REFUSED,
        (TextState.DRAFTED, TextEvent.WITHDRAW): TextState.WITHDRAWN,
        (TextState.IN_FORCE, TextEvent.SUPERSEDE): TextState.SUPERSEDED,
        (TextState.IN_FORCE, TextEvent.REPEAL): TextState.REPEALED,
    }
)
KIND_TITLES: Final[Mapping[TextKind, tuple[str, str]]] = MappingProxyType(
    {
        TextKind.POLICY: ("管理制度", "Policy"),
        TextKind.PROCEDURE: ("执行细则与操作规范", "Operating rules"),
        TextKind.PLAN: ("应急预案", "Emergency plan"),
        TextKind.CUSTOMER_TEXT: ("客户告知同意文本", "Text shown to customers"),
    }
)
TOPIC_TITLES: Final[Mapping[Topic, tuple[str, str]]] = MappingProxyType(
    {
        Topic.DATA: ("数据安全", "Data security"),
        Topic.NETWORK: ("网络安全", "Network security"),
        Topic.APPLICATION: ("应用安全", "Application security"),
        Topic.PHYSICAL: ("物理安全", "Physical security"),
        Topic.CLASSIFICATION: ("数据分类分级", "Classification and grading"),
        Topic.LOGS: ("日志收集、存储与访问", "Collection, storage and access of logs"),
        Topic.PERSONNEL: ("人员安全", "Personnel security"),
        Topic.CONTINUITY: ("业务连续性", "Business continuity"),
        Topic.EVENT_PHYSICAL: ("预案：物理安全", "Plan: physical"),
        Topic.EVENT_NETWORK: ("预案：网络安全", "Plan: network"),
        Topic.EVENT_HOST: ("预案：主机安全", "Plan: hosts"),
        Topic.EVENT_APPLICATION: ("预案：应用安全", "Plan: applications"),
        Topic.EVENT_DATA: ("预案：数据安全", "Plan: data"),
        Topic.EVENT_PERSONNEL: ("预案：人员安全", "Plan: people"),
        Topic.EVENT_CONSUMER: ("预案：消费者权益", "Plan: consumer rights"),
        Topic.CONSENT: ("告知与同意", "Notice and consent"),
    }
)
STATE_TITLES: Final[Mapping[TextState, tuple[str, str]]] = MappingProxyType(
    {
        TextState.DRAFTED: ("待审批", "Waits for approval"),
        TextState.IN_FORCE: ("现行", "In force"),
        TextState.REFUSED: ("已驳回", "Refused"),
        TextState.WITHDRAWN: ("已撤回", "Withdrawn"),
        TextState.SUPERSEDED: ("已被替代", "Superseded"),
        TextState.REPEALED: ("已废止", "Repealed"),
    }
)
POLICY_DOMAINS: Final = (Topic.DATA, Topic.NETWORK, Topic.APPLICATION, Topic.PHYSICAL)
EVENT_SCENARIOS: Final = (
    Topic.EVENT_PHYSICAL,
    Topic.EVENT_NETWORK,
    Topic.EVENT_HOST,
    Topic.EVENT_APPLICATION,
    Topic.EVENT_DATA,
    Topic.EVENT_PERSONNEL,
    Topic.EVENT_CONSUMER,
)


def next_text_state(state: TextState, event: TextEvent) -> TextState | None:
    """Return the state after `event`, or None where the table does not allow it."""
    return TEXT_TRANSITIONS.get((state, event))


def review_flaw(review_by: date, *, today: date) -> str | None:
    """Return what is wrong with a date of the next review, or None."""
    if not today < review_by <= today + LONGEST_REVIEW:
        return "review_by: a day after today and within 366 days"
    return None


def uncovered(wanted: Iterable[Topic], covered: Iterable[Topic]) -> list[Topic]:
    """Return the topics that no document covers, in the order they are wanted in."""
    present = set(covered)
    return [topic for topic in wanted if topic not in present]
