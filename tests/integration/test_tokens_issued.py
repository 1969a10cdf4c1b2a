"""Tokens on a real database: random, one for each partner and domain, leading nowhere else."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.db import transaction

from fixtures.at_once import at_once
from fixtures.installed import System
from fixtures.people import People, appoint_officers
from kuimen.foundation.identifiers import RecordId
from kuimen.foundation.sensitive import Sensitive
from kuimen.gate.access.errors import NotPermittedError
from kuimen.gate.access.rules import Role, Subject
from kuimen.gate.audit.models import Entry
from kuimen.gate.keys.rules import RetentionClass
from kuimen.gate.tokens import services
from kuimen.gate.tokens.errors import TokenInputError, TokenNotFoundError, TokenTransitionError
from kuimen.gate.tokens.models import Token
from kuimen.gate.tokens.rules import FORM, LONGEST_LIFE, TRANSITIONS, TokenEvent, TokenState, next_state
from kuimen.gate.vault import services as vault
from kuimen.kernels.ciphers import sm3
from kuimen.kernels.elements.checks import luhn_holds
from kuimen.kernels.elements.model import Element

YEAR = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Cards:
    """Cards of some persons in the vault."""

    people: People
    records: list[RecordId]
    persons: list[UUID]

    @property
    def operator(self) -> Subject:
        return self.people.subject("P0001")

    def issue(
        self, *, domain: str = "repayment", partner: str = "bank-1", life: timedelta = YEAR
    ) -> dict[RecordId, str]:
        return services.issue(self.records, domain=domain, partner_id=partner, life=life, subject=self.operator)

    def resolve(self, tokens: list[str], *, domain: str = "repayment", partner: str = "bank-1") -> dict[str, RecordId]:
        return services.resolve(tokens, domain=domain, partner_id=partner, subject=self.operator, purpose="servicing")


def seal(count: int, element: Element = Element.BANK_CARD) -> tuple[list[RecordId], list[UUID]]:
    persons = [uuid4() for _ in range(count)]
    refs = vault.seal_many(
        [
            vault.SealItem(
                element=element,
                value=Sensitive(f"62999900000{row:05d}", element=element.value),
                source_id="tests",
                source_table="card",
                source_column="no",
                source_key=sm3(uuid4().bytes),
                person_ref=person,
                retention_class=RetentionClass.IDENTITY_TRANSACTION,
            )
            for row, person in enumerate(persons)
        ]
    )
    return [ref.record_id for ref in refs], persons


@pytest.fixture
def cards(system: System) -> Cards:
    people = appoint_officers()
    people.hire("C0001", Role.COLLECTOR)
    people.hire("P0001", Role.PARTNER_OPERATOR)
    records, persons = seal(20)
    return Cards(people, records, persons)


@pytest.mark.clause("JRT0171-6.1.3-b")
def test_tokens_look_like_cards_of_no_issuer_and_lead_back_to_their_records(cards: Cards) -> None:
    issued = cards.issue()
    assert len(set(issued.values())) == len(cards.records) == 20
    for token in issued.values():
        assert len(token) == FORM.length
        assert token.startswith(FORM.prefix)
        assert luhn_holds(token)
    assert cards.resolve(list(issued.values())) == {token: ref for ref, token in issued.items()}


def test_the_same_card_has_one_token_for_a_purpose_and_another_for_every_other(cards: Cards) -> None:
    first = cards.issue()
    assert cards.issue() == first
    others = [cards.issue(domain="disbursement"), cards.issue(partner="bank-2")]
    everything = [token for issued in (first, *others) for token in issued.values()]
    assert len(set(everything)) == 60


def test_a_token_is_nothing_outside_its_partner_and_domain(cards: Cards) -> None:
    (token, *_) = cards.issue().values()
    invented = token[:-2] + next(
        two for two in (f"{n:02d}" for n in range(100)) if luhn_holds(token[:-2] + two) and two != token[-2:]
    )
    for asked, domain, partner in (
        ([token], "disbursement", "bank-1"),
        ([token], "repayment", "bank-2"),
        ([invented], "repayment", "bank-1"),
        ([token, "no token"], "repayment", "bank-1"),
    ):
        with pytest.raises(TokenNotFoundError) as refusal:
            cards.resolve(asked, domain=domain, partner=partner)
        assert token not in str(refusal.value)
    refused = Entry.objects.filter(action="tokens.resolve", outcome="refused")
    assert refused.count() == 4
    assert not any(token.encode() in bytes(entry.body) for entry in Entry.objects.all())


def test_only_whom_a_policy_permits_leads_tokens_back(cards: Cards) -> None:
    tokens = list(cards.issue().values())
    with pytest.raises(NotPermittedError):
        services.resolve(
            tokens, domain="repayment", partner_id="bank-1", subject=cards.people.subject("C0001"), purpose="servicing"
        )


def test_the_life_of_a_token_is_a_table(cards: Cards) -> None:
    (token, *_) = cards.issue().values()
    officer = cards.people.maker
    for event, leads_back in ((TokenEvent.SUSPEND, False), (TokenEvent.RESUME, True), (TokenEvent.DELETE, False)):
        services.change_state([token], event, officer=officer, reason="测试")
        if leads_back:
            assert cards.resolve([token])
        else:
            with pytest.raises(TokenNotFoundError):
                cards.resolve([token])
    for event in TokenEvent:
        with pytest.raises(TokenTransitionError):
            services.change_state([token], event, officer=officer, reason="测试")
    for state in TokenState:
        for event in TokenEvent:
            assert next_state(state, event) == TRANSITIONS.get((state, event))


def test_an_expired_token_leads_nowhere_and_is_replaced(cards: Cards, system: System) -> None:
    first = cards.issue(life=timedelta(days=1))
    system.clock.advance(timedelta(days=1))
    with pytest.raises(TokenNotFoundError):
        cards.resolve(list(first.values()))
    second = cards.issue()
    assert set(first.values()).isdisjoint(second.values())
    assert cards.resolve(list(second.values()))


def test_two_at_once_issue_one_token(cards: Cards) -> None:
    one, other = at_once(cards.issue, cards.issue)
    assert one == other
    assert Token.objects.count() == len(cards.records)
    assert len(cards.resolve(list(cards.issue().values()))) == len(cards.records)


def test_an_erased_class_takes_its_tokens_along(cards: Cards) -> None:
    issued = cards.issue()
    with transaction.atomic():
        assert services.delete_of_class(cards.persons[0], RetentionClass.ADVERSE_ITEM) == 0
        assert services.delete_of_class(cards.persons[0], RetentionClass.IDENTITY_TRANSACTION) == 1
    assert cards.resolve([issued[ref] for ref in cards.records[1:]])
    with pytest.raises(TokenNotFoundError):
        cards.resolve([issued[cards.records[0]]])


def test_what_is_no_card_gets_no_token_and_terms_are_bounded(cards: Cards) -> None:
    phones, _ = seal(1, Element.MOBILE)
    for records, domain, life in (
        (phones, "repayment", YEAR),
        ([RecordId(uuid4())], "repayment", YEAR),
        (cards.records, "还款", YEAR),
        (cards.records, "repayment", LONGEST_LIFE + timedelta(days=1)),
        (cards.records, "repayment", timedelta(0)),
    ):
        with pytest.raises(TokenInputError):
            services.issue(records, domain=domain, partner_id="bank-1", life=life, subject=cards.operator)
    assert Token.objects.count() == 0
