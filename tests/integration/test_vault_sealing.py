"""The vault on a real database: one record per place, nothing lost, nothing told."""

from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from fixtures.installed import System
from fixtures.sealing import PHONE, clear, item
from kuimen.foundation.sensitive import Sensitive
from kuimen.gate.audit.models import Entry
from kuimen.gate.keys import services as keys
from kuimen.gate.keys.errors import KeysLockedError
from kuimen.gate.vault import services as vault
from kuimen.gate.vault.errors import (
    BoundRecordDiffersError,
    ElementNotIndexedError,
    ElementNotSealableError,
    RecordNotFoundError,
    SourceCoordinatesError,
    UnknownElementError,
    ValueRefusedError,
)
from kuimen.gate.vault.models import Index, Record
from kuimen.gate.vault.opening import open_records
from kuimen.gate.vault.rules import RecordState, SealOutcome
from kuimen.kernels.elements.model import Element, RetentionClass


@pytest.mark.clause("CQJR-5.3-d")
def test_what_goes_in_comes_out_and_the_table_holds_only_ciphertext(system: System) -> None:
    person = uuid4()
    texts = [PHONE, "", "张三", "𠮷野家 😀", "一" * 10_000, "line\nbreak\x01"]
    items = [item(row, text, person=person, element=Element.FREE_TEXT) for row, text in enumerate(texts)]
    refs = vault.seal_many(items)
    assert clear(refs) == texts
    assert [ref.outcome for ref in refs] == [SealOutcome.CREATED] * len(texts)
    for record in Record.objects.all():
        assert not any(text and text.encode() in bytes(record.sealed) for text in texts)
        assert bytes(record.sealed)[0] == 0xC1


def test_every_element_that_may_be_stored_can_be_sealed_under_its_own_class(system: System) -> None:
    person = uuid4()
    from kuimen.kernels.elements.model import Storage
    from kuimen.kernels.elements.table import ELEMENT_TABLE

    kept = [rule for rule in ELEMENT_TABLE.values() if rule.storage is not Storage.DESTROY]
    refs = vault.seal_many([item(row, "x1", element=rule.element, person=person) for row, rule in enumerate(kept)])
    assert clear(refs) == ["x1"] * len(kept)
    by_id = {row.record_id: row for row in Record.objects.all()}
    for rule, ref in zip(kept, refs, strict=True):
        assert by_id[ref.record_id].retention_class == rule.retention_class.value


@pytest.mark.parametrize("element", [Element.CVN2, Element.TRACK_DATA, Element.SMS_CODE])
def test_what_may_not_be_stored_is_refused_even_sealed(system: System, element: Element) -> None:
    with pytest.raises(ElementNotSealableError) as caught:
        vault.seal_many([item(text="123", element=element)])
    assert "123" not in str(caught.value)
    assert Record.objects.count() == 0


def test_the_same_item_twice_is_one_record(system: System) -> None:
    person = uuid4()
    first = vault.seal_many([item(person=person)])[0]
    again = vault.seal_many([item(person=person)])[0]
    assert again.record_id == first.record_id
    assert again.outcome is SealOutcome.UNCHANGED
    assert Record.objects.count() == 1
    assert Index.objects.count() == 1


def test_a_pending_record_is_sealed_anew_when_the_source_value_changed(system: System) -> None:
    person = uuid4()
    first = vault.seal_many([item(person=person), item(2, person=person)])
    changed = vault.seal_many([item(text="19990005678", person=person), item(2, person=person)])
    assert [ref.outcome for ref in changed] == [SealOutcome.RESEALED, SealOutcome.UNCHANGED]
    assert changed[0].record_id == first[0].record_id
    assert clear(changed) == ["19990005678", PHONE]
    assert vault.find_records(Element.MOBILE, Sensitive(PHONE, element="mobile")) == [first[1].record_id]
    assert vault.find_records("mobile", Sensitive("19990005678", element="mobile")) == [first[0].record_id]


def test_a_pending_record_is_sealed_anew_when_its_person_became_known(system: System) -> None:
    person = uuid4()
    vault.seal_many([item()])
    assert Record.objects.get().person_ref is None
    (ref,) = vault.seal_many([item(person=person)])
    assert Record.objects.get().person_ref == person
    assert clear([ref]) == [PHONE]


def test_a_bound_record_is_never_overwritten_by_accident(system: System) -> None:
    person = uuid4()
    (ref,) = vault.seal_many([item(person=person)])
    assert vault.bind_many([ref.record_id]) == 1
    assert vault.bind_many([ref.record_id]) == 0
    (same,) = vault.seal_many([item(person=person)])
    assert same.outcome is SealOutcome.UNCHANGED
    assert same.state is RecordState.BOUND
    for other in (item(text="19990005678", person=person), item(person=uuid4())):
        with pytest.raises(BoundRecordDiffersError) as caught:
            vault.seal_many([item(9, person=person), other])
        assert PHONE not in str(caught.value)
    assert Record.objects.count() == 1
    (replaced,) = vault.seal_many([item(text="19990005678", person=person)], replace_bound=True)
    assert clear([replaced]) == ["19990005678"]


def test_binding_a_record_that_is_not_there_binds_none(system: System) -> None:
    (ref,) = vault.seal_many([item()])
    with pytest.raises(RecordNotFoundError):
        vault.bind_many([ref.record_id, uuid4()])
    assert Record.objects.get().state == RecordState.PENDING.value


def test_two_items_of_one_place_in_a_batch_are_refused_because_one_value_would_be_lost(system: System) -> None:
    with pytest.raises(SourceCoordinatesError):
        vault.seal_many([item(1), item(1, text="19990005678")])
    assert Record.objects.count() == 0


@pytest.mark.parametrize(
    ("bad", "error"),
    [
        ({"source_key": b"short"}, SourceCoordinatesError),
        ({"source_table": ""}, SourceCoordinatesError),
        ({"element": "no_such_element"}, UnknownElementError),
        ({"value": Sensitive(b"bytes", element="mobile")}, ValueRefusedError),
        ({"value": Sensitive("\ud800" + PHONE, element="mobile")}, ValueRefusedError),
        ({"value": Sensitive("9" * 1_048_577, element="mobile")}, ValueRefusedError),
    ],
)
def test_an_item_that_is_not_fit_is_named_by_position_without_its_value(
    system: System, bad: dict[str, object], error: type[Exception]
) -> None:
    import dataclasses

    with pytest.raises(error) as caught:
        vault.seal_many([item(1), dataclasses.replace(item(2), **bad)])  # type: ignore[arg-type]
    assert "item 1" in str(caught.value)
    assert PHONE not in str(caught.value)
    assert caught.value.__cause__ is None
    assert Record.objects.count() == 0


def test_a_locked_keyring_seals_nothing(system: System) -> None:
    keys.lock()
    with pytest.raises(KeysLockedError):
        vault.seal_many([item()])
    assert Record.objects.count() == 0


def test_values_are_found_however_they_are_written_and_only_by_searchable_elements(system: System) -> None:
    refs = vault.seal_many(
        [
            item(1, "+86 199-9000-1234"),
            item(2, "１９９９０００１２３４"),
            item(3, "19990001235"),
            item(4, "99010119900101123x", element=Element.RESIDENT_ID),
            item(5, "张三", element=Element.PERSON_NAME),
        ]
    )
    found = vault.find_records("mobile", Sensitive(PHONE, element="mobile"))
    assert set(found) == {refs[0].record_id, refs[1].record_id}
    assert vault.find_records("landline", Sensitive(PHONE, element="landline")) == []
    assert vault.find_records("resident_id", Sensitive("99010119900101123X", element="resident_id")) == [
        refs[3].record_id
    ]
    with pytest.raises(ElementNotIndexedError):
        vault.find_records("person_name", Sensitive("张三", element="person_name"))
    assert not Index.objects.filter(record_id=refs[4].record_id).exists()


def test_tags_of_the_same_digits_differ_between_elements_and_are_no_plain_digest(system: System) -> None:
    import hashlib

    vault.seal_many([item(1), item(2, element=Element.LANDLINE), item(3)])
    tags = [bytes(tag) for tag in Index.objects.order_by("record__source_key").values_list("tag", flat=True)]
    assert tags[0] == tags[2] != tags[1]
    digests = {name: hashlib.new(name, PHONE.encode()).digest() for name in ("md5", "sha256", "sm3", "sha1")}
    assert not any(digest.startswith(tags[0]) for digest in digests.values())


def test_the_records_of_a_person_are_listed_without_content_the_bound_one_first(system: System) -> None:
    person, other = uuid4(), uuid4()
    old = vault.seal_many([item(1, person=person), item(2, person=person), item(3, person=other)])
    vault.seal_many([item(4, "张三", person=person, element=Element.PERSON_NAME)])
    vault.bind_many([old[1].record_id])
    mobiles = vault.records_of(person, [Element.MOBILE])
    assert [one.record_id for one in mobiles] == [old[1].record_id, old[0].record_id]
    many = vault.records_of_many([person, other, uuid4()])
    assert set(many) == {person, other}
    assert set(many[person]) == {Element.MOBILE, Element.PERSON_NAME}


def test_an_unknown_record_id_is_not_found(system: System) -> None:
    with pytest.raises(RecordNotFoundError):
        open_records([uuid4()], purpose="test")
    assert open_records([], purpose="test") == {}
    with pytest.raises(ValueError, match="purpose"):
        open_records([uuid4()], purpose="")


def test_sealing_is_recorded_once_a_batch_with_counts_and_without_values(system: System) -> None:
    vault.seal_many([item(row, person=uuid4()) for row in range(3)])
    (entry,) = Entry.objects.filter(action="vault.seal")
    body = bytes(entry.body).decode()
    assert '"created":3' in body
    assert '"mobile=3"' in body
    assert PHONE not in body


def test_a_batch_of_thousands_costs_no_query_a_value(system: System) -> None:
    persons = [uuid4() for _ in range(500)]
    keys.keyring().person_keys(persons, RetentionClass.IDENTITY_TRANSACTION)
    items = [item(row, f"1999{row:07d}", person=persons[row % 500]) for row in range(4_000)]
    with CaptureQueriesContext(connection) as asked:
        vault.seal_many(items)
    assert len(asked) < 40
