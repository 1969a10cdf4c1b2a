"""Legal bases and consents as they live in PostgreSQL."""

from datetime import date, timedelta
from uuid import UUID, uuid4

import psycopg
import pytest
from django.db import transaction

from fixtures.at_once import at_once
from fixtures.installed import System
from fixtures.people import People, appoint_officers
from kuimen.gate.access.errors import NotPermittedError
from kuimen.gate.access.rules import Purpose, Role
from kuimen.gate.audit.models import Entry
from kuimen.gate.audit.services import SYSTEM
from kuimen.gate.consent import services
from kuimen.gate.consent.errors import (
    ActTransitionError,
    ConsentInputError,
    ConsentNotFoundError,
    PreselectedConsentError,
    StaleDocumentError,
)
from kuimen.gate.consent.models import BasisRecord, ConsentAct
from kuimen.gate.consent.rules import Basis
from kuimen.kernels.ciphers import sm3

CODE = "marketing-consent"


@pytest.fixture
def people(system: System) -> People:
    return appoint_officers()


@pytest.fixture
def document(people: People) -> services.DocumentVersion:
    return services.publish_document(
        CODE, title="营销授权书", body="第一版:同意接收产品信息。", officer=people.maker, drafted_by="S0002"
    )


def act(system: System, shown: services.DocumentVersion, **changes: object) -> services.CustomerAct:
    fields: dict[str, object] = {
        "document": CODE,
        "shown_sm3": shown.sm3,
        "purpose": Purpose.MARKETING,
        "kind": "tick",
        "initially_selected": False,
        "shown_at": system.clock.now() - timedelta(seconds=20),
        "channel": "app",
    }
    return services.CustomerAct(**{**fields, **changes})  # type: ignore[arg-type]  # a test's own fields


def evidence(customer: UUID, number: int = 1) -> services.ContractEvidence:
    return services.ContractEvidence(
        customer_ref=customer,
        source_id="legacy_core",
        source_table="public.loans",
        source_key=str(number),
        digest=sm3(str(number).encode()),
        since=date(2018, 1, 1),
    )


@pytest.mark.clause("CQJR-5.2-c")
def test_an_act_on_the_current_text_is_a_basis_until_it_is_withdrawn(
    system: System, document: services.DocumentVersion
) -> None:
    customer = uuid4()
    assert services.basis_for(customer, Purpose.MARKETING) is None
    act_id = services.record_act(customer, act(system, document), actor=SYSTEM)
    basis = services.basis_for(customer, Purpose.MARKETING)
    assert basis is not None
    assert (basis.basis, basis.evidence) == (Basis.CONSENT, f"act:{act_id}")
    assert services.basis_for(customer, Purpose.COLLECTION) is None
    system.clock.advance(timedelta(days=1))
    services.withdraw(act_id, channel="app", actor=SYSTEM)
    assert services.basis_for(customer, Purpose.MARKETING) is None
    with pytest.raises(ActTransitionError):
        services.withdraw(act_id, channel="app", actor=SYSTEM)
    assert Entry.objects.filter(action="consent.withdraw", outcome="refused").count() == 1


@pytest.mark.clause("CQJR-5.2-c")
def test_a_text_that_is_not_current_is_a_recorded_conflict(
    system: System, people: People, document: services.DocumentVersion
) -> None:
    newer = services.publish_document(
        CODE, title="营销授权书", body="第二版:增加退订方式。", officer=people.checker, drafted_by="S0001"
    )
    assert (newer.version, services.current_document(CODE)) == (2, newer)
    with pytest.raises(StaleDocumentError):
        services.record_act(uuid4(), act(system, document), actor=SYSTEM)
    assert not ConsentAct.objects.exists()
    assert Entry.objects.filter(action="consent.accept", outcome="refused").count() == 1
    services.record_act(uuid4(), act(system, newer), actor=SYSTEM)


@pytest.mark.clause("CQJR-5.2-c")
def test_a_box_ticked_beforehand_is_no_act(system: System, document: services.DocumentVersion) -> None:
    with pytest.raises(PreselectedConsentError):
        services.record_act(uuid4(), act(system, document, initially_selected=True), actor=SYSTEM)
    assert not ConsentAct.objects.exists()


def test_a_consent_ends_at_its_date(system: System, document: services.DocumentVersion) -> None:
    customer = uuid4()
    until = system.clock.now() + timedelta(days=30)
    act_id = services.record_act(customer, act(system, document, valid_until=until), actor=SYSTEM)
    system.clock.advance(timedelta(days=30))
    assert services.basis_for(customer, Purpose.MARKETING) is None
    with pytest.raises(ActTransitionError):
        services.withdraw(act_id, channel="app", actor=SYSTEM)


def test_of_two_withdrawals_at_once_one_wins(system: System, document: services.DocumentVersion) -> None:
    act_id = services.record_act(uuid4(), act(system, document), actor=SYSTEM)
    results = at_once(*[lambda: services.withdraw(act_id, channel="app", actor=SYSTEM)] * 2)
    assert sorted(type(result).__name__ for result in results) == ["ActTransitionError", "NoneType"]


def test_a_field_that_breaks_its_rule_is_named(system: System, document: services.DocumentVersion) -> None:
    later = system.clock.now() + timedelta(seconds=1)
    for field, value in (("purpose", "everything"), ("kind", "silence"), ("shown_at", later)):
        with pytest.raises(ConsentInputError, match=field):
            services.record_act(uuid4(), act(system, document, **{field: value}), actor=SYSTEM)


def test_an_unknown_text_cannot_be_consented_to(system: System, document: services.DocumentVersion) -> None:
    with pytest.raises(ConsentNotFoundError):
        services.record_act(uuid4(), act(system, document, document="no-such"), actor=SYSTEM)


def test_only_an_officer_publishes(people: People) -> None:
    collector = people.hire("C0001", Role.COLLECTOR)
    with pytest.raises(NotPermittedError):
        services.publish_document(CODE, title="题", body="文", officer=collector, drafted_by="S0001")


def test_source_rows_become_contract_bases_once(system: System) -> None:
    customers = [uuid4() for _ in range(50)]
    rows = [evidence(customer, number) for number, customer in enumerate(customers)]
    assert services.record_contract_bases(rows, actor=SYSTEM) == 100
    assert services.record_contract_bases(rows, actor=SYSTEM) == 0
    found = services.bases_for(customers, Purpose.COLLECTION)
    assert set(found) == set(customers)
    first = found[customers[0]]
    assert (first.basis, first.evidence, first.evidence_digest) == (
        Basis.CONTRACT,
        "legacy_core:public.loans:0",
        sm3(b"0"),
    )
    assert services.bases_for(customers, Purpose.MARKETING) == {}
    assert Entry.objects.filter(action="consent.record_contracts").count() == 2


def test_bases_are_undone_with_the_import_that_wanted_them(system: System) -> None:
    with transaction.atomic():
        services.record_contract_bases([evidence(uuid4())], actor=SYSTEM)
        transaction.set_rollback(True)
    assert not BasisRecord.objects.exists()


def test_evidence_without_a_digest_is_refused(system: System) -> None:
    broken = services.ContractEvidence(
        customer_ref=uuid4(), source_id="s", source_table="t", source_key="1", digest=b"short", since=date(2020, 1, 1)
    )
    with pytest.raises(ConsentInputError):
        services.record_contract_bases([broken], actor=SYSTEM)


def test_a_legal_duty_goes_before_a_contract(system: System) -> None:
    customer = uuid4()
    services.record_contract_bases([evidence(customer)], actor=SYSTEM, purposes=[Purpose.REPORTING])
    services.record_legal_duty(customer, purpose=Purpose.REPORTING, duty="反洗钱法 第二十九条", actor=SYSTEM)
    basis = services.basis_for(customer, Purpose.REPORTING)
    assert basis is not None
    assert basis.basis is Basis.LEGAL_DUTY
    with pytest.raises(ConsentInputError):
        services.record_legal_duty(customer, purpose=Purpose.REPORTING, duty="反洗钱法 第二十九条", actor=SYSTEM)


def test_the_database_keeps_texts_acts_and_bases(system: System, document: services.DocumentVersion) -> None:
    services.record_act(uuid4(), act(system, document), actor=SYSTEM)
    for statement in (
        b"UPDATE consent_document SET body = 'x'",
        b"DELETE FROM consent_act",
        b"UPDATE consent_act SET shown_sm3 = repeat('0', 64)",
        b"DELETE FROM consent_basis",
    ):
        with system.connect() as application, pytest.raises(psycopg.Error):
            application.execute(statement)
