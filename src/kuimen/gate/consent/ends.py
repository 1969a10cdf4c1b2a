"""When consents ended, for the clock of what rests on consent alone."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from kuimen.foundation import clock
from kuimen.gate.consent.models import ConsentAct, Withdrawal
from kuimen.gate.consent.rules import ActState, act_state


@dataclass(frozen=True, slots=True, kw_only=True)
class ActEnd:
    """One act of consent and when it ended; `ended_at` is None while it carries its purpose."""

    act_id: UUID
    customer_ref: UUID
    ended_at: datetime | None


def act_ends(customer_refs: Collection[UUID]) -> list[ActEnd]:
    """Return every act of these customers with its end: withdrawn, or expired by its own date. Two queries."""
    at = clock.now()
    acts = list(
        ConsentAct.objects.filter(customer_ref__in=list(customer_refs)).values_list(
            "act_id", "customer_ref", "valid_until"
        )
    )
    withdrawn = dict(
        Withdrawal.objects.filter(act_id__in=[act_id for act_id, _, _ in acts]).values_list("act_id", "withdrawn_at")
    )
    ends = []
    for act_id, customer_ref, valid_until in acts:
        withdrawn_at = withdrawn.get(act_id)
        state = act_state(valid_until=valid_until, withdrawn_at=withdrawn_at, at=at)
        ended_at = {ActState.GIVEN: None, ActState.WITHDRAWN: withdrawn_at, ActState.EXPIRED: valid_until}[state]
        ends.append(ActEnd(act_id=act_id, customer_ref=customer_ref, ended_at=ended_at))
    return ends
