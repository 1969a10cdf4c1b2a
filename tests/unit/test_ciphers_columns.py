from uuid import UUID, uuid4

import pyarrow as pa
import pytest

from kuimen.foundation.errors import InvalidInputError, TamperError
from kuimen.kernels.ciphers import (
    OVERHEAD_BYTES,
    ColumnSealBrokenError,
    KeyLengthError,
    LeakyIndexError,
    Sealer,
    Suite,
    blind_index,
    blind_tag,
    build_aad,
    header_of,
    hmac_sm3,
    normalise_for_index,
    open_sealed,
    seal,
    suite_named,
)
from kuimen.kernels.ciphers.errors import (
    ColumnShapeError,
    ColumnTextError,
    ColumnTypeError,
    ContextFieldError,
    IndexWidthError,
    KeyGenerationRangeError,
    KeyWornOutError,
    UnknownSuiteError,
)

KEY = bytes(range(16))
KEYS = {"sm4-gcm": KEY, "aes-256-gcm": bytes(range(32))}
TEXTS = ["19990000001", None, "", "张小三", "x" * 1000]
KINDS = [
    pa.string(),
    pa.large_string(),
    pa.string_view(),
    pa.binary(),
    pa.large_binary(),
    pa.dictionary(pa.int32(), pa.string()),
]


@pytest.mark.parametrize("suite", KEYS)
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_a_column_comes_back_as_it_was_sealed(suite: str, kind: pa.DataType) -> None:
    values = pa.array(TEXTS).cast(kind)
    sealer = Sealer.for_key(KEYS[suite], suite=suite, key_id=9)
    sealed = sealer.seal_column(values, b"context")
    large = kind in {pa.large_string(), pa.large_binary()}
    assert sealed.type == (pa.large_binary() if large else pa.binary())
    assert sealed.is_null().to_pylist() == values.is_null().to_pylist()
    opened = sealer.open_column(sealed, b"context")
    assert opened.to_pylist() == values.to_pylist()
    assert pa.types.is_large_string(opened.type) == (kind == pa.large_string())
    assert sealer.sealed_count == 4


def test_slices_chunks_and_empty_columns_are_sealed() -> None:
    sealer = Sealer.for_key(KEY)
    column = pa.array(["a", "b", None, "c"])
    for values in (column.slice(1, 2), pa.chunked_array([column, column.slice(3)]), column.slice(0, 0), pa.nulls(3)):
        sealed = sealer.seal_column(values, b"")
        assert sealer.open_column(sealed, b"").to_pylist() == values.to_pylist()
        assert sealer.open_column(pa.chunked_array([sealed]), b"").to_pylist() == values.to_pylist()


def test_rows_are_sealed_like_single_values() -> None:
    sealer = Sealer.for_key(KEY, key_id=3)
    sealed = sealer.seal_column(pa.array([b"value"]), b"batch", row_aad=[b"row"])
    assert open_sealed(KEY, sealed[0].as_py(), aad=b"batch", row_aad=b"row") == b"value"
    single = seal(KEY, b"value", aad=b"batch", row_aad=b"row", key_id=3)
    assert sealer.open_column(pa.array([single]), b"batch", row_aad=[b"row"]).to_pylist() == [b"value"]
    assert header_of(single).key_id == header_of(sealed[0].as_py()).key_id == 3
    assert len(single) == len(b"value") + OVERHEAD_BYTES
    assert OVERHEAD_BYTES <= 40


def test_each_row_may_have_its_own_key_and_generation() -> None:
    keys = [bytes([number]) * 16 for number in range(4)]
    contexts = [f"row {number}".encode() for number in range(4)]
    values = pa.array(["a", None, "c", "d"])
    sealer = Sealer.for_key(KEY)
    sealed = sealer.seal_column(values, b"batch", contexts, keys, row_key_ids=[5, 6, 7, 8])
    assert [header_of(row).key_id for row in sealed.to_pylist() if row is not None] == [5, 7, 8]
    assert sealer.sealed_count == 0
    opened = sealer.open_column(sealed, b"batch", pa.array(contexts), pa.array(keys))
    assert opened.to_pylist() == values.to_pylist()
    destroyed = [keys[0], None, None, b"short"]
    assert sealer.open_column(sealed, b"batch", contexts, destroyed, errors="null").to_pylist() == [
        "a",
        None,
        None,
        None,
    ]
    with pytest.raises(ColumnSealBrokenError) as refusal:
        sealer.open_column(sealed, b"batch", contexts, destroyed)
    assert refusal.value.positions == (2, 3)


def test_failing_rows_are_named_by_position_and_the_rest_can_be_had() -> None:
    sealer = Sealer.for_key(KEY)
    rows = sealer.seal_column(pa.array([f"value {number}" for number in range(20)]), b"aad").to_pylist()
    rows[3], rows[7], rows[11], rows[13] = rows[3][:-1], b"", b"19990000001" * 4, rows[13] + b"\0"
    rows[5] = seal(KEYS["aes-256-gcm"], b"value 5", aad=b"aad", suite=Suite.AES_256_GCM, key_id=0)
    spoiled = pa.array(rows)
    with pytest.raises(TamperError, match="at positions 3, 5, 7, 11, 13;") as refusal:
        sealer.open_column(spoiled, b"aad")
    assert isinstance(refusal.value, ColumnSealBrokenError)
    assert refusal.value.positions == (3, 5, 7, 11, 13)
    assert "value" not in str(refusal.value).replace("sealed values", "")
    opened = sealer.open_column(spoiled, b"aad", errors="null").to_pylist()
    assert [number for number, value in enumerate(opened) if value is None] == [3, 5, 7, 11, 13]
    assert opened[4] == "value 4"
    with pytest.raises(ColumnSealBrokenError, match="and 10 more"):
        sealer.open_column(spoiled, b"other aad")


def test_a_row_opens_only_in_its_own_context() -> None:
    sealer = Sealer.for_key(KEY)
    sealed = sealer.seal_column(pa.array(["a", "b"]), b"batch", row_aad=[b"1", b"2"])
    swapped = sealed.take(pa.array([1, 0]))
    with pytest.raises(ColumnSealBrokenError) as refusal:
        sealer.open_column(swapped, b"batch", row_aad=[b"1", b"2"])
    assert refusal.value.positions == (0, 1)
    for aad, rows in ((b"batch", None), (b"batc", [b"h1", b"h2"]), (b"", [b"batch1", b"batch2"])):
        with pytest.raises(ColumnSealBrokenError):
            sealer.open_column(sealed, aad, row_aad=rows)


def test_no_nonce_is_used_twice() -> None:
    sealed = Sealer.for_key(KEY).seal_column(pa.array(["same"] * 5000), b"")
    nonces = {row[6:18] for row in sealed.to_pylist()}
    assert len(nonces) == 5000


def test_a_key_stops_at_its_last_use() -> None:
    sealer = Sealer.for_key(KEY)
    sealer._sealed = 2**32 - 1
    sealer.seal_column(pa.array(["last", None]), b"")
    with pytest.raises(KeyWornOutError):
        sealer.seal_column(pa.array(["one too many"]), b"")


def test_bad_input_is_named() -> None:
    sealer = Sealer.for_key(KEY)
    column = pa.array(["a", "b"])
    sealed = sealer.seal_column(column, b"")
    not_text = _invalid_text()
    attempts = [
        (ColumnTypeError, lambda: sealer.seal_column(pa.array([1, 2]), b"")),
        (ColumnTypeError, lambda: sealer.seal_column(["a"], b"")),
        (ColumnTypeError, lambda: sealer.open_column(column, b"")),
        (ColumnTextError, lambda: sealer.seal_column(not_text, b"")),
        (ColumnShapeError, lambda: sealer.seal_column(column, b"", row_aad=[b"one"])),
        (ColumnShapeError, lambda: sealer.seal_column(column, b"", row_aad=[b"one", None])),
        (ColumnShapeError, lambda: sealer.seal_column(column, b"", row_keys=[KEY, None])),
        (ColumnShapeError, lambda: sealer.seal_column(column, b"", row_key_ids=[1])),
        (ColumnShapeError, lambda: sealer.open_column(sealed, b"", row_keys=[KEY])),
        (ColumnShapeError, lambda: sealer.open_column(sealed, b"", errors="ignore")),
        (KeyLengthError, lambda: sealer.seal_column(column, b"", row_keys=[KEY, b"short"])),
        (KeyLengthError, lambda: Sealer.for_key(b"short")),
        (KeyLengthError, lambda: Sealer.for_key(KEY, suite="aes-256-gcm")),
        (KeyLengthError, lambda: open_sealed(b"short", sealed[0].as_py(), aad=b"")),
        (UnknownSuiteError, lambda: Sealer.for_key(KEY, suite="sm4-ecb")),
        (KeyGenerationRangeError, lambda: Sealer.for_key(KEY, key_id=2**32)),
        (KeyGenerationRangeError, lambda: seal(KEY, b"", aad=b"", key_id=-1)),
    ]
    for error, attempt in attempts:
        assert issubclass(error, InvalidInputError)
        with pytest.raises(error):
            attempt()
    assert suite_named("sm4-gcm") is Suite.SM4_GCM
    binary = sealer.seal_column(pa.array([b"\xff"]), b"")
    with pytest.raises(ColumnTextError):
        sealer.open_column(binary, b"", as_text=True)
    assert sealer.open_column(sealed, b"", as_text=False).to_pylist() == [b"a", b"b"]


def _invalid_text() -> pa.Array:
    binary = pa.array([b"ok", b"\xff"])
    return pa.Array.from_buffers(pa.string(), 2, binary.buffers())


def test_every_field_of_the_context_counts() -> None:
    fields: dict[str, object] = {
        "institution": b"one",
        "record": UUID(int=1),
        "element": "mobile",
        "person": UUID(int=2),
        "retention_class": "identity_transaction",
        "generation": 1,
    }
    others: dict[str, object] = {
        "institution": b"two",
        "record": UUID(int=3),
        "element": "landline",
        "person": None,
        "retention_class": "adverse_item",
        "generation": 2,
    }
    contexts = {build_aad(**fields)} | {build_aad(**{**fields, name: value}) for name, value in others.items()}
    assert len(contexts) == 1 + len(others)
    assert build_aad(**{**fields, "element": "ab", "retention_class": "c"}) != build_aad(
        **{**fields, "element": "a", "retention_class": "bc"}
    )
    for name, wrong in (("institution", b""), ("element", ""), ("retention_class", "x" * 70_000)):
        with pytest.raises(ContextFieldError):
            build_aad(**{**fields, name: wrong})
    with pytest.raises(KeyGenerationRangeError):
        build_aad(**{**fields, "generation": 2**32})


def test_a_blind_index_is_the_cut_mac_of_the_normal_form() -> None:
    values = pa.array(["+86 199-9000-0001", None, "１９９９０００００01"])
    tags = blind_index(values, KEY, element="mobile").to_pylist()
    assert tags == [hmac_sm3(KEY, b"19990000001")[:8], None, hmac_sm3(KEY, b"19990000001")[:8]]
    assert tags[0] == blind_tag(KEY, normalise_for_index("mobile", "19990000001"))
    assert blind_index(pa.array(["a"]), KEY, bits=64).to_pylist() == [hmac_sm3(KEY, b"a")[:8]]
    assert blind_index(pa.array([b"\xff"], pa.large_binary()), KEY, bits=256).type == pa.large_binary()
    assert (
        blind_index(values, KEY, element="mobile").to_pylist()
        != blind_index(values, bytes(16), element="mobile").to_pylist()
    )


@pytest.mark.parametrize(
    "element", ["sex", "nationality", "ethnicity", "card_expiry", "birth_date", "password", "unheard"]
)
def test_no_index_is_kept_of_small_sets_and_secrets(element: str) -> None:
    with pytest.raises(LeakyIndexError):
        normalise_for_index(element, "x")
    with pytest.raises(LeakyIndexError):
        blind_index(pa.array([], pa.string()), KEY, element=element)


def test_an_index_of_odd_width_or_weak_key_is_refused() -> None:
    for bits in (0, 8, 20, 264):
        with pytest.raises(IndexWidthError):
            blind_index(pa.array(["a"]), KEY, bits=bits)
    with pytest.raises(KeyLengthError):
        blind_tag(b"short", "a")
    with pytest.raises(ColumnTextError):
        blind_index(pa.array([b"\xff"]), KEY, element="mobile")


def test_a_value_of_a_hundred_megabytes_is_sealed_and_opens() -> None:
    value = bytes(100_000_000)
    aad = build_aad(
        b"one", record=uuid4(), element="photo_image", person=None, retention_class="consent_based", generation=1
    )
    key = KEYS["aes-256-gcm"]
    sealed = seal(key, value, aad=aad, suite=Suite.AES_256_GCM, key_id=1)
    assert open_sealed(key, sealed, aad=aad) == value
