"""Tickets: every state by every event; one spelling, one digest."""

import hashlib
from datetime import datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kuimen.foundation.clock import SHANGHAI
from kuimen.gate.approvals.errors import TicketInputError
from kuimen.gate.approvals.rules import TicketEvent, TicketState, digest_of_request, next_ticket_state, same_digest

S, E = TicketState, TicketEvent
ALLOWED = {
    (S.REQUESTED, E.APPROVE): S.APPROVED,
    (S.REQUESTED, E.REFUSE): S.REFUSED,
    (S.REQUESTED, E.WITHDRAW): S.WITHDRAWN,
    (S.REQUESTED, E.EXPIRE): S.EXPIRED,
    (S.APPROVED, E.WITHDRAW): S.WITHDRAWN,
    (S.APPROVED, E.EXPIRE): S.EXPIRED,
    (S.APPROVED, E.REDEEM): S.REDEEMED,
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize("state", TicketState)
@pytest.mark.parametrize("event", TicketEvent)
def test_every_ticket_state_by_every_event(state: TicketState, event: TicketEvent) -> None:
    assert next_ticket_state(state, event) == ALLOWED.get((state, event))


@given(st.dictionaries(st.text(max_size=5), JSON, max_size=4))
def test_the_digest_does_not_depend_on_the_order_of_names(content: dict[str, object]) -> None:
    turned = dict(reversed(content.items()))
    assert same_digest(digest_of_request("a.b", content), digest_of_request("a.b", turned))


@given(st.dictionaries(st.text(max_size=5), JSON, max_size=4), st.dictionaries(st.text(max_size=5), JSON, max_size=4))
def test_different_content_has_a_different_digest(left: dict[str, object], right: dict[str, object]) -> None:
    same = digest_of_request("a.b", left) == digest_of_request("a.b", right)
    assert same is (repr(sorted(left.items())) == repr(sorted(right.items())))


def test_the_action_is_part_of_the_digest() -> None:
    assert digest_of_request("a.b", {"n": 1}) != digest_of_request("a.c", {"n": 1})


def test_the_digest_is_sm3_of_canonical_json() -> None:
    content = {"ref": UUID(int=1), "at": datetime(2026, 1, 2, tzinfo=SHANGHAI), "名": ["甲", None, True], "rows": 3}
    spelled = (
        '{"action":"case.assign","content":{"at":"2026-01-02T00:00:00+08:00",'
        '"ref":"00000000-0000-0000-0000-000000000001","rows":3,"名":["甲",null,true]}}'
    )
    assert digest_of_request("case.assign", content) == hashlib.new("sm3", spelled.encode()).digest()


@pytest.mark.parametrize("value", [1.5, b"bytes", {1: "a"}, object()])
def test_what_has_no_single_spelling_is_refused(value: object) -> None:
    with pytest.raises(TicketInputError):
        digest_of_request("a.b", {"value": value})
