"""Every way of sealing against `cryptography`, value by value: the same bytes whichever way they came about."""

import os
import random
import subprocess
import sys
from collections.abc import Iterator

import gmssl_pyx
import pyarrow as pa
import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kuimen.kernels.ciphers import ColumnSealBrokenError, Sealer, Suite, blind_index, hmac_sm3
from kuimen.kernels.ciphers.errors import ColumnShapeError, ColumnTypeError, PathUnavailableError
from kuimen.kernels.ciphers.index import NORMAL_FORMS, normalise_for_index
from kuimen.kernels.ciphers.paths import READY, chosen_path, forced_path, path_states

PATHS = [name for name, state in path_states().items() if state == READY]
SUITES = [Suite.SM4_GCM, Suite.AES_256_GCM]
AAD = bytes(range(32))


@pytest.fixture(params=PATHS)
def path(request: pytest.FixtureRequest) -> Iterator[str]:
    with forced_path(request.param):
        yield request.param


def noise(size: int, seed: int) -> bytes:
    return random.Random(seed).randbytes(size)


def opened_elsewhere(suite: Suite, key: bytes, sealed: bytes, aad: bytes, row_aad: bytes = b"") -> bytes:
    """Open by `cryptography`, from the written format alone."""
    associated = sealed[:6] + len(aad).to_bytes(4, "big") + aad + row_aad
    if suite is Suite.AES_256_GCM:
        return AESGCM(key).decrypt(sealed[6:18], sealed[18:], associated)
    context = Cipher(algorithms.SM4(key), modes.GCM(sealed[6:18], sealed[-16:])).decryptor()
    context.authenticate_additional_data(associated)
    return context.update(sealed[18:-16]) + context.finalize()


@pytest.mark.clause("CQJR-5.3-d")
@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize("start", [0, 1])
def test_every_length_up_to_4096_is_sealed_as_another_library_seals_it(path: str, suite: Suite, start: int) -> None:
    keyed = start == 1  # even lengths under one key, odd ones under a key each; the shortest both ways
    sizes = [*range(64), *range(64 + start, 4097, 2)]
    key = noise(suite.key_bytes, 1)
    values = [noise(size, size) for size in sizes]
    keys = [noise(suite.key_bytes, size) for size in sizes] if keyed else None
    sealer = Sealer.for_key(key, suite, key_id=7)
    sealed = sealer.seal_column(pa.array(values), AAD, row_keys=keys)
    assert sealer.open_column(sealed, AAD, row_keys=keys).to_pylist() == values
    for place, (value, row) in enumerate(zip(values, sealed.to_pylist(), strict=True)):
        assert row[:6] == bytes([0xC1, suite, 0, 0, 0, 7])
        assert opened_elsewhere(suite, keys[place] if keys else key, row, AAD) == value


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize("aad_size", [0, 1, 5, 6, 7, 21, 22, 23, 38, 100])
def test_every_tail_of_the_contexts_counts(path: str, suite: Suite, aad_size: int) -> None:
    key, aad = noise(suite.key_bytes, 2), noise(aad_size, 3)
    contexts = [noise(size % 50, size) for size in range(300)]
    values = [noise(size % 40, size) for size in range(300)]
    sealer = Sealer.for_key(key, suite)
    sealed = sealer.seal_column(pa.array(values), aad, contexts)
    for value, context, row in zip(values, contexts, sealed.to_pylist(), strict=True):
        assert opened_elsewhere(suite, key, row, aad, context) == value
    assert sealer.open_column(sealed, aad, contexts).to_pylist() == values
    spoiled = [bytes([context[0] ^ 1]) + context[1:] if context else b"\0" for context in contexts]
    assert sealer.open_column(sealed, aad, spoiled, errors="null").null_count == len(values)


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize("size", [0, 1, 11, 15, 16, 17, 18, 32, 100])
def test_rows_of_one_size_are_sealed_together_like_one_by_one(path: str, suite: Suite, size: int) -> None:
    key = noise(suite.key_bytes, 4)
    values = [noise(size, row) for row in range(600)]
    contexts = [noise(20, row) for row in range(600)]
    sealer = Sealer.for_key(key, suite, key_id=2**32 - 1)
    for row_aad in (None, contexts):
        sealed = sealer.seal_column(pa.array(values), AAD, row_aad)
        rows = sealed.to_pylist()
        for place in range(0, 600, 37):
            context = row_aad[place] if row_aad else b""
            assert opened_elsewhere(suite, key, rows[place], AAD, context) == values[place]
        rows[5], rows[77], rows[599] = rows[5][:-1] + bytes([rows[5][-1] ^ 1]), rows[78], rows[599][:-1]
        opened = sealer.open_column(pa.array(rows), AAD, row_aad, errors="null")
        broken = {5, 599} | ({77} if row_aad else set())
        assert {place for place, value in enumerate(opened.to_pylist()) if value is None} == broken
        assert len({row[6:18] for row in sealed.to_pylist()}) == 600


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.binary(), pa.large_binary()], ids=str)
def test_nulls_slices_and_widths_go_through_every_path(path: str, kind: pa.DataType) -> None:
    values = [None if row % 7 == 3 else "张三" * (row % 5) for row in range(1000)]
    column = pa.array(values).cast(kind).slice(11, 900)
    keys = [noise(16, row) for row in range(900)]
    sealer = Sealer.for_key(noise(16, 5))
    for row_keys in (None, keys):
        sealed = sealer.seal_column(column, AAD, row_keys=row_keys, threads=3)
        assert opened_is(sealer.open_column(sealed, AAD, row_keys=row_keys), column)
        part = sealed.slice(100, 33)
        part_keys = row_keys[100:133] if row_keys else None
        assert opened_is(sealer.open_column(part, AAD, row_keys=part_keys), column.slice(100, 33))


def opened_is(opened: pa.Array, column: pa.Array) -> bool:
    opened.validate(full=True)
    return opened.type == column.type and opened.to_pylist() == column.to_pylist()


def test_threads_share_the_rows_and_change_nothing(path: str) -> None:
    values = pa.array([f"{row:018d}" for row in range(20_000)])
    sealer = Sealer.for_key(noise(16, 6))
    sealed = sealer.seal_column(values, AAD, threads=4)
    assert sealer.open_column(sealed, AAD, threads=1).equals(values)
    assert sealer.open_column(sealed, AAD, threads=4).equals(values)
    assert len({row[6:18] for row in sealed.to_pylist()}) == 20_000


@pytest.mark.clause("CQJR-5.3-d")
def test_a_third_library_opens_what_is_sealed_here(path: str) -> None:
    values = [noise(size, size) for size in range(1, 80)]
    sealed = Sealer.for_key(noise(16, 7)).seal_column(pa.array(values), AAD).to_pylist()
    for value, row in zip(values, sealed, strict=True):
        associated = row[:6] + len(AAD).to_bytes(4, "big") + AAD
        assert gmssl_pyx.sm4_gcm_decrypt(noise(16, 7), row[6:18], associated, row[18:-16], row[-16:]) == value


def test_a_broken_row_leaves_zeros_and_no_plaintext_in_the_buffers(path: str) -> None:
    values = [b"never shown %03d" % row for row in range(400)]
    sealer = Sealer.for_key(noise(16, 8))
    rows = [row[:-1] + bytes([row[-1] ^ 0x80]) for row in sealer.seal_column(pa.array(values), AAD).to_pylist()]
    opened = sealer.open_column(pa.array(rows), AAD, errors="null")
    assert opened.null_count == 400
    assert b"never" not in b"".join(buffer.to_pybytes() for buffer in opened.buffers() if buffer is not None)
    with pytest.raises(ColumnSealBrokenError) as refusal:
        sealer.open_column(pa.array(rows), AAD)
    assert refusal.value.positions == tuple(range(400))


def test_a_value_of_a_hundred_megabytes_goes_through_every_path(path: str) -> None:
    whole = path == PATHS[0]  # the others show it with less
    for suite in SUITES:
        value = noise(1_000_003, 9) * (100 if whole and suite is Suite.AES_256_GCM else 2)
        key = noise(suite.key_bytes, 10)
        sealer = Sealer.for_key(key, suite)
        sealed = sealer.seal_column(pa.array([b"small", value, None]), AAD)
        assert sealer.open_column(sealed, AAD).to_pylist() == [b"small", value, None]
        assert opened_elsewhere(suite, key, sealed[1].as_py(), AAD) == value
        with pytest.raises(InvalidTag):
            opened_elsewhere(suite, key, sealed[1].as_py(), b"other")


def test_bad_columns_and_unknown_paths_are_named_errors(path: str) -> None:
    sealer = Sealer.for_key(noise(16, 11))
    outside = pa.Array.from_buffers(
        pa.binary(),
        2,
        [None, pa.py_buffer(b"".join(end.to_bytes(4, "little") for end in (0, 99, 5))), pa.py_buffer(b"12345")],
    )
    for attempt in (
        lambda: sealer.seal_column(outside, AAD),
        lambda: sealer.open_column(outside, AAD),
        lambda: blind_index(outside, noise(16, 1)),
        lambda: sealer.seal_column(pa.array([b"x"]), AAD, row_keys=[3]),
        lambda: sealer.seal_column(pa.array([b"x"]), AAD, row_aad=[1]),
    ):
        with pytest.raises(ColumnTypeError):
            attempt()
    with pytest.raises(ColumnShapeError):
        sealer.seal_column(pa.array([b"x"] * 500), AAD, row_aad=[b"x"] * 499 + [None])
    with pytest.raises(PathUnavailableError), forced_path("unheard of"):
        pass
    assert chosen_path() == path


def test_after_a_fork_both_sides_draw_other_nonces(path: str) -> None:
    program = """
import os, sys
import pyarrow as pa
from kuimen.kernels.ciphers import Sealer
from kuimen.kernels.ciphers.paths import forced_path
with forced_path(sys.argv[1]):
    sealer = Sealer.for_key(bytes(16))
    draw = lambda: b"".join(row[6:18] for row in sealer.seal_column(pa.array([b"x"] * 300), b"").to_pylist())
    draw()
    reading, writing = os.pipe()
    if os.fork() == 0:
        os.write(writing, draw())
        os._exit(0)
    mine, its = draw(), os.read(reading, 3600)
    os.wait()
    both = {mine[at : at + 12] for at in range(0, 3600, 12)} | {its[at : at + 12] for at in range(0, 3600, 12)}
    sys.exit(0 if len(its) == 3600 and len(both) == 600 else 1)
"""
    finished = subprocess.run(
        [sys.executable, "-c", program, path], check=False, capture_output=True, env=dict(os.environ)
    )
    assert finished.returncode == 0


@pytest.mark.parametrize("key_size", [16, 32, 64, 65, 200])
def test_tags_are_those_of_the_mac_for_every_length(path: str, key_size: int) -> None:
    key = noise(key_size, 12)
    values = [None if size % 50 == 7 else noise(size, size) for size in range(300)]
    column = pa.array(values).slice(3)
    expected = [None if value is None else hmac_sm3(key, value)[:8] for value in values[3:]]
    assert blind_index(column, key).to_pylist() == expected
    assert blind_index(column.cast(pa.large_binary()), key, bits=64).to_pylist() == expected


@pytest.mark.parametrize("element", sorted(NORMAL_FORMS))
def test_a_column_is_normalised_like_its_values(path: str, element: str) -> None:
    numbers = ["19990000001", "+86 199 9000 0001", "99010119900101001X", "99010119900101001x", "86", "1" * 11, "0"]
    others = [
        "张小三",
        "张 小三",
        "ａ1",
        "",
        "豈",
        "⼀",
        "A-1",
        "a@b.CN",
        None,
        "10.0.0.1",
        "张三·四",
        "02-4b-4d-aa-d8-61",
    ]
    values = [*numbers, *others]
    key = noise(16, 13)
    expected = [
        None if value is None else hmac_sm3(key, normalise_for_index(element, value).encode())[:8] for value in values
    ]
    for kind in (pa.string(), pa.large_string(), pa.binary()):
        assert blind_index(pa.array(values).cast(kind), key, element=element).to_pylist() == expected
