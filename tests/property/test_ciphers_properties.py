import hashlib
import hmac

import gmalg
import gmssl_pyx
import pyarrow as pa
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kuimen.kernels.ciphers import (
    SealBrokenError,
    Sealer,
    Suite,
    digests,
    hkdf_sm3,
    hmac_sm3,
    normalise_for_index,
    open_sealed,
    seal,
    sm3,
)
from kuimen.kernels.ciphers.errors import DerivedLengthError
from kuimen.kernels.ciphers.index import NORMAL_FORMS
from kuimen.kernels.ciphers.sealed import HEADER_BYTES

suites = st.sampled_from(list(Suite))
short = st.binary(max_size=80)


def key_of(suite: Suite, number: int = 0) -> bytes:
    return bytes([number]) * suite.key_bytes


@given(st.binary(max_size=300))
def test_sm3_agrees_with_three_other_implementations(data: bytes) -> None:
    oracle = gmalg.SM3()
    oracle.update(data)
    wheel = hashes.Hash(hashes.SM3())
    wheel.update(data)
    assert sm3(data) == oracle.value() == wheel.finalize() == gmssl_pyx.sm3_hash(data)
    parts = digests.new_sm3(data[:7])
    parts.update(data[7:])
    assert parts.digest() == sm3(data)


@given(st.binary(min_size=1, max_size=200), st.binary(max_size=200))
def test_hmac_agrees_with_the_standard_library_and_gmssl(key: bytes, data: bytes) -> None:
    assert hmac_sm3(key, data) == hmac.digest(key, data, "sm3")
    if 16 <= len(key) <= 64 and data:
        assert hmac_sm3(key, data) == gmssl_pyx.sm3_hmac(key, data)


@given(st.binary(min_size=1, max_size=64), st.binary(max_size=40), short, st.integers(1, 300))
def test_hkdf_agrees_with_cryptography(key: bytes, salt: bytes, info: bytes, length: int) -> None:
    expected = HKDF(algorithm=hashes.SM3(), length=length, salt=salt or None, info=info).derive(key)
    assert hkdf_sm3(key, info=info, length=length, salt=salt) == expected


def test_hkdf_gives_no_more_than_it_has() -> None:
    assert len(hkdf_sm3(b"key", info=b"", length=8160)) == 8160
    for length in (0, 8161):
        with pytest.raises(DerivedLengthError):
            hkdf_sm3(b"key", info=b"", length=length)


def test_sm3_does_without_the_interpreters_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashlib, "algorithms_available", set())
    spare = digests._fresh()
    spare.update(b"ab")
    other = spare.copy()
    spare.update(b"c")
    assert spare.digest() == sm3(b"abc") == spare.digest()
    assert other.digest() == sm3(b"ab")


@given(suites, st.binary(max_size=4096), short, short, st.integers(0, 2**32 - 1))
def test_a_sealed_value_opens_and_hides_its_plaintext(
    suite: Suite, value: bytes, aad: bytes, row_aad: bytes, key_id: int
) -> None:
    sealed = seal(key_of(suite), value, aad=aad, row_aad=row_aad, suite=suite, key_id=key_id)
    assert open_sealed(key_of(suite), sealed, aad=aad, row_aad=row_aad) == value
    assert len(sealed) == len(value) + 34
    assert len(value) < 4 or value not in sealed


@settings(max_examples=300)
@given(st.data())
def test_any_change_of_a_sealed_value_is_refused(data: st.DataObject) -> None:
    suite = data.draw(suites)
    value, aad, row_aad = data.draw(short), data.draw(short), data.draw(short)
    sealed = seal(key_of(suite), value, aad=aad, row_aad=row_aad, suite=suite, key_id=1)
    spoiled = bytearray(sealed)
    match data.draw(st.sampled_from(["turn", "cut", "extend", "drop", "swap"])):
        case "turn":
            spoiled[data.draw(st.integers(0, len(sealed) - 1))] ^= data.draw(st.integers(1, 255))
        case "cut":
            del spoiled[data.draw(st.integers(0, len(sealed) - 1)) :]
        case "extend":
            spoiled += data.draw(st.binary(min_size=1, max_size=9))
        case "drop":
            del spoiled[data.draw(st.integers(0, len(sealed) - 1))]
        case "swap":
            other = seal(key_of(suite), value + b".", aad=aad, row_aad=row_aad, suite=suite, key_id=1)
            spoiled[HEADER_BYTES:] = other[HEADER_BYTES:]
    if bytes(spoiled) == sealed:  # dropping one of two equal neighbours at the very end
        return
    with pytest.raises(SealBrokenError):
        open_sealed(key_of(suite), bytes(spoiled), aad=aad, row_aad=row_aad)


@given(suites, short, short, short, short)
def test_a_byte_cannot_move_between_the_two_contexts(
    suite: Suite, aad: bytes, row_aad: bytes, other_aad: bytes, other_row: bytes
) -> None:
    sealed = seal(key_of(suite), b"value", aad=aad, row_aad=row_aad, suite=suite, key_id=1)
    joined = aad + row_aad
    splits = [(joined[:place], joined[place:]) for place in range(len(joined) + 1)]
    for first, second in [*splits, (other_aad, other_row)]:
        if (first, second) != (aad, row_aad):
            with pytest.raises(SealBrokenError):
                open_sealed(key_of(suite), sealed, aad=first, row_aad=second)


@given(suites, st.lists(st.none() | st.text(max_size=30), max_size=20))
def test_a_column_keeps_order_and_nulls(suite: Suite, values: list[str | None]) -> None:
    sealer = Sealer.for_key(key_of(suite), suite)
    column = pa.array(values, type=pa.string())
    sealed = sealer.seal_column(column, b"aad")
    assert sealed.null_count == column.null_count
    assert sealer.open_column(sealed, b"aad").equals(column)
    assert sealer.open_column(sealed[::-1], b"aad").to_pylist() == values[::-1]


@settings(max_examples=300)
@given(st.sampled_from(sorted(NORMAL_FORMS)), st.text(max_size=30) | st.text("+086 -.1２３xX张·/@", max_size=20))
@example("landline", "+86+8610")
@example("mobile", "86 8619990000001")
def test_normalising_twice_equals_normalising_once(element: str, text: str) -> None:
    once = normalise_for_index(element, text)
    assert normalise_for_index(element, once) == once


@pytest.mark.parametrize(
    ("element", "writings"),
    [
        (
            "mobile",
            [
                "19990000001",
                "199-9000-0001",
                "+86 19990000001",
                "0086-199 9000 0001",
                "８６19990000001",
                "\u200b19990000001",
            ],
        ),
        ("resident_id", ["99010119900101001X", "99010119900101001x", "990101 19900101 001Ｘ"]),
        ("bank_card", ["6299990000000000", "6299 9900 0000 0000", "6299-9900-0000-0000"]),
        ("landline", ["01051234567", "010-51234567", "+86 10 51234567", "(010)51234567"]),
        ("email", ["li@example.com", " Li@Example.COM ", "ｌi@example.com"]),
        ("person_name", ["买买提·艾力", "买买提•艾力", "买买提 ・ 艾力"]),
        ("mac", ["02:4b:4d:aa:d8:61", "02-4B-4D-AA-D8-61", "024b4daad861"]),
        ("ip", ["2001:db8::1", "2001:0DB8:0:0:0:0:0:1"]),
        ("plate", ["渝A12345", "渝A·12345", "渝a 12345"]),
    ],
)
def test_different_writings_of_one_value_are_equal(element: str, writings: list[str]) -> None:
    assert len({normalise_for_index(element, writing) for writing in writings}) == 1
