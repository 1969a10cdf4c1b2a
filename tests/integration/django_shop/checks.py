"""What a Django application sees; run by `test_orm_django.py` in a process with settings of its own."""

import copy
import uuid
from collections.abc import Iterator

import django
import pytest
from django.conf import settings

settings.configure(
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    INSTALLED_APPS=["integration.django_shop"],
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    DEBUG=True,
)
django.setup()

from django.apps import apps  # noqa: E402 - models need the settings above
from django.core import serializers  # noqa: E402
from django.db import IntegrityError, connection, models, reset_queries, transaction  # noqa: E402
from django.db.migrations.autodetector import MigrationAutodetector  # noqa: E402
from django.db.migrations.state import ProjectState  # noqa: E402
from django.db.migrations.writer import MigrationWriter  # noqa: E402

from kuimen.entrypoints.orm import (  # noqa: E402
    ApplicationKeys,
    ClearValueRefusedError,
    ColumnKeysMissingError,
    CompanionMissingError,
    MaskedCopyError,
    RowKeyChangedError,
    SealedLookupError,
    use_keys,
)
from kuimen.entrypoints.orm.django import BlindIndexField, SealedManager, SealedTextField  # noqa: E402
from kuimen.foundation.errors import TamperError  # noqa: E402
from kuimen.foundation.sensitive import Sensitive  # noqa: E402
from kuimen.kernels.sealed_columns import RowKeyError  # noqa: E402

FIRST, SECOND = bytes(range(32)), bytes(range(32, 64))


class Customer(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    mobile = SealedTextField(element="mobile", null=True)
    spare = SealedTextField(element="mobile", null=True)
    mobile_index = BlindIndexField(of="mobile", unique=True)
    objects = SealedManager()

    class Meta:
        app_label = "django_shop"


class Visit(models.Model):
    note = SealedTextField(element="free_text")

    class Meta:
        app_label = "django_shop"


class Call(models.Model):
    ref = models.UUIDField(default=uuid.uuid4)
    note = SealedTextField(element="free_text", row_key=["ref"])

    class Meta:
        app_label = "django_shop"


@pytest.fixture(autouse=True)
def shop() -> Iterator[None]:
    use_keys(ApplicationKeys({1: FIRST}, institution=b"shop"))
    with connection.schema_editor() as editor:
        for model in (Customer, Visit, Call):
            editor.create_model(model)
    reset_queries()
    yield
    with connection.schema_editor() as editor:
        for model in (Customer, Visit, Call):
            editor.delete_model(model)
    use_keys(None)


def clear(value: Sensitive[str] | None) -> str | None:
    return None if value is None else value.reveal_for("test")


def run(statement: str) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall()) if cursor.description else []


def test_a_value_is_sealed_on_saving_and_opened_inside_sensitive() -> None:
    made = Customer.objects.create(mobile="19990000001")
    assert (repr(made.mobile), clear(made.mobile)) == ("Sensitive(mobile)", "19990000001")
    found = Customer.objects.get(pk=made.pk)
    assert isinstance(found.mobile, Sensitive)
    assert (clear(found.mobile), found.spare) == ("19990000001", None)
    ((stored, tag),) = run("SELECT mobile, mobile_index FROM django_shop_customer")
    assert (len(stored), len(tag)) == (11 + 34, 8)
    assert "1999000" not in str(connection.queries)
    assert repr(Customer.objects.values_list("mobile").get()) == "(SealedCell(45 bytes),)"


def test_equality_asks_the_blind_index_and_nothing_else_is_answered() -> None:
    Customer.objects.bulk_create(Customer(mobile=f"1999000000{number}") for number in range(5))
    for asked in ({"mobile": "+86 199-9000-0003"}, {"mobile__in": [Sensitive("19990000003", element="mobile")]}):
        query = Customer.objects.filter(**asked)
        assert clear(query.get().mobile) == "19990000003"
        assert "1999000" not in str(query.query) + repr(query.query.where.children)
    assert Customer.objects.exclude(mobile="19990000003").count() == 4
    assert Customer.objects.filter(spare__isnull=True).count() == 5
    for wrong in ("mobile__contains", "mobile__gt", "mobile__startswith"):
        with pytest.raises(SealedLookupError):
            Customer.objects.filter(**{wrong: "199"})
    with pytest.raises(CompanionMissingError):
        Customer.objects.filter(spare="19990000001").count()


def test_a_save_writes_anew_only_what_changed() -> None:
    made = Customer.objects.create(mobile="19990000001", spare="19990000002")
    (before,) = run("SELECT mobile, spare FROM django_shop_customer")
    found = Customer.objects.get()
    assert clear(found.spare) == "19990000002"
    found.mobile = "19990000003"
    found.save()
    (after,) = run("SELECT mobile, spare FROM django_shop_customer")
    assert before[0] != after[0]
    assert before[1] == after[1]
    assert Customer.objects.get(mobile="19990000003").pk == made.pk
    Customer.objects.get().save()
    assert run("SELECT mobile, spare FROM django_shop_customer") == [after]
    found.mobile = None
    found.save()
    assert run("SELECT mobile, mobile_index FROM django_shop_customer") == [(None, None)]


def test_bulk_paths_seal_in_one_call_and_refuse_what_knows_no_row() -> None:
    Customer.objects.bulk_create([*(Customer(mobile=f"1999000{one:04d}") for one in range(100)), Customer()])
    some = list(Customer.objects.exclude(mobile__isnull=True)[:3])
    for number, one in enumerate(some):
        one.mobile = f"1999000900{number}"
    assert Customer.objects.bulk_update(some, ["mobile"]) == 3
    assert [Customer.objects.get(mobile=f"1999000900{number}").pk for number in range(3)] == [one.pk for one in some]
    with pytest.raises(ClearValueRefusedError) as refused:
        Customer.objects.update(mobile="19990000001")
    assert "1999000" not in str(refused.value)
    with pytest.raises(ClearValueRefusedError):
        serializers.serialize("json", some)


@pytest.mark.parametrize(
    "attack",
    [
        "UPDATE django_shop_customer SET mobile = (SELECT mobile FROM django_shop_customer WHERE rowid = 2)",
        "UPDATE django_shop_customer SET mobile = spare",
        "UPDATE django_shop_customer SET mobile = x'31393939'",
    ],
    ids=["other row", "other column", "clear"],
)
def test_a_ciphertext_in_a_place_that_is_not_its_own_does_not_open(attack: str) -> None:
    Customer.objects.bulk_create(Customer(mobile=f"1999000000{one}", spare=f"1999000100{one}") for one in range(2))
    run(attack + " WHERE rowid = 1")
    with pytest.raises(TamperError):
        [one.mobile for one in Customer.objects.all()]


def test_a_wrong_key_is_tampering_and_a_missing_one_is_said() -> None:
    Customer.objects.create(mobile="19990000001")
    for keys in (ApplicationKeys({1: SECOND}, institution=b"shop"), ApplicationKeys({1: FIRST}, institution=b"other")):
        use_keys(keys)
        with pytest.raises(TamperError):
            _ = Customer.objects.get().mobile
    use_keys(None)
    with pytest.raises(ColumnKeysMissingError):
        _ = Customer.objects.get().mobile
    use_keys(ApplicationKeys({1: FIRST, 2: SECOND}, institution=b"shop"))
    assert clear(Customer.objects.get(mobile="19990000001").mobile) == "19990000001"


def test_the_row_key_is_known_before_the_row_is_written_and_stays() -> None:
    with pytest.raises(RowKeyError, match="note"):
        Visit.objects.create(note="电话 19990000001")
    call = Call.objects.create(note="电话 19990000001")
    assert clear(Call.objects.get(pk=call.pk).note) == "电话 19990000001"
    moved = Customer.objects.create(mobile="19990000001")
    moved = Customer.objects.get(pk=moved.pk)
    moved.pk = uuid.uuid4()
    with pytest.raises(RowKeyChangedError):
        moved.save()


def test_an_error_of_the_database_shows_no_clear_value() -> None:
    Customer.objects.create(mobile="19990000001")
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        Customer.objects.create(mobile="199 9000 0001")
    assert "1999000" not in str(refused.value)


def test_a_copied_model_does_not_overwrite_values_with_masks() -> None:
    copied = copy.deepcopy(Customer.objects.create(mobile="19990000001"))
    with pytest.raises(MaskedCopyError):
        copied.save()


def test_migrations_name_the_element_and_no_key() -> None:
    after = ProjectState.from_apps(apps)
    found = MigrationAutodetector(ProjectState(), after)._detect_changes()["django_shop"][0]
    text = MigrationWriter(found).as_string()
    assert "kuimen.entrypoints.orm.django.SealedTextField(element='mobile', null=True)" in text
    assert "BlindIndexField(null=True, of='mobile', unique=True)" in text
    assert "row_key=('ref',)" in text
    again = ProjectState()
    for operation in found.operations:
        operation.state_forwards("django_shop", again)
    assert not MigrationAutodetector(again, ProjectState.from_apps(apps))._detect_changes()
