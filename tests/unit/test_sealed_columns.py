"""Places, row keys, derived keys and key files of applications."""

from uuid import UUID

import pytest

from kuimen.foundation.errors import TamperError
from kuimen.kernels.ciphers.errors import ContextFieldError, KeyGenerationRangeError, KeyLengthError
from kuimen.kernels.sealed_columns import (
    ApplicationKeys,
    ColumnPlace,
    KeyDocumentError,
    RowKeyError,
    SealedColumn,
    WrongPhraseError,
    open_key_document,
    row_context,
    sealed_key_document,
)

MASTER = bytes(range(32))
PLACE = ColumnPlace(table="customer", column="mobile", element="mobile")
KEYS = ApplicationKeys({1: MASTER}, institution=b"one")
PHRASE = "words of the core system"


def test_the_context_of_a_column_is_as_the_format_describes_it() -> None:
    assert PLACE.context(b"one").hex() == (
        "6b75696d656e2f636f6c756d6e2f3100036f6e650008637573746f6d657200066d6f62696c6500066d6f62696c65"
    )
    assert row_context((7, UUID(int=1), b"\xff")).hex() == ("0001370024" + str(UUID(int=1)).encode().hex() + "00026666")
    with pytest.raises(ContextFieldError):
        ColumnPlace(table="", column="mobile", element="mobile").context(b"one")


def test_no_two_row_keys_give_one_context_and_a_missing_one_is_refused() -> None:
    keys = [("a", "b"), ("ab",), ("", "ab"), ("a", "b", ""), ("a\0b",)]
    assert len({row_context(key) for key in keys}) == len(keys)
    for wrong in ((), (None,), (True,), (1.5,), ("a" * 70_000,)):
        with pytest.raises(RowKeyError):
            row_context(wrong)


@pytest.mark.parametrize(
    "place",
    [
        ColumnPlace(table="customers", column="mobile", element="mobile"),
        ColumnPlace(table="customer", column="mobile2", element="mobile"),
        ColumnPlace(table="customer", column="mobile", element="landline"),
    ],
)
def test_a_value_opens_in_its_own_place_institution_and_row_only(place: ColumnPlace) -> None:
    rows = [row_context((1,)), row_context((2,))]
    sealed = SealedColumn(PLACE, keys=KEYS).seal(["19990000001", None], rows=rows)
    assert SealedColumn(PLACE, keys=KEYS).open(sealed, rows=rows) == ["19990000001", None]
    with pytest.raises(TamperError):
        SealedColumn(place, keys=KEYS).open(sealed, rows=rows)
    with pytest.raises(TamperError):
        SealedColumn(PLACE, keys=KEYS).open(sealed, rows=rows[::-1])
    with pytest.raises(TamperError):
        SealedColumn(PLACE, keys=ApplicationKeys({1: MASTER}, institution=b"two")).open(sealed, rows=rows)


def test_keys_differ_by_use_column_and_generation_and_are_not_shown() -> None:
    keys = ApplicationKeys({1: MASTER, 2: bytes(32)}, institution=b"one")
    held, other = keys.keys_of(PLACE), keys.keys_of(ColumnPlace(table="customer", column="spare", element="mobile"))
    every = [*held.sealing.values(), *held.index.values(), *other.sealing.values(), *other.index.values()]
    assert len(set(every)) == 8
    assert held.current == 2
    for shown in (repr(keys), repr(held)):
        assert not [key for key in (*every, MASTER) if key.hex() in shown or repr(key) in shown]
    with pytest.raises(TypeError):
        keys.__reduce__()
    with pytest.raises(KeyLengthError):
        ApplicationKeys({1: b"short"}, institution=b"one")
    with pytest.raises(KeyGenerationRangeError):
        ApplicationKeys({1: MASTER}, institution=b"one", current=2)


def test_a_key_file_opens_with_its_passphrase_and_nothing_else() -> None:
    made = sealed_key_document(KEYS, application="core", passphrase=PHRASE, salt=bytes(16), iterations=10)
    opened = open_key_document(made, passphrase=PHRASE)
    assert opened.keys_of(PLACE).sealing == KEYS.keys_of(PLACE).sealing
    assert MASTER.hex() not in made.decode()
    with pytest.raises(WrongPhraseError):
        open_key_document(made, passphrase="other words of the system")
    with pytest.raises(WrongPhraseError):
        open_key_document(made.replace(b'"core"', b'"cord"'), passphrase=PHRASE)
    for broken in (b"", b"[]", b"{}", made[:-40], made.replace(b'"version": 1', b'"version": 9')):
        with pytest.raises(KeyDocumentError):
            open_key_document(broken, passphrase=PHRASE)
    with pytest.raises(KeyDocumentError):
        sealed_key_document(KEYS, application="core", passphrase="short", salt=bytes(16))
