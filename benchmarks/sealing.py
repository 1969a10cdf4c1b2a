"""Sealing, indexing and masking of columns on one core, by every path of this machine, beside what others offer.

All figures are processor time in one run. `polars` is no dependency: where it is installed, it stands beside the masks.
"""

import importlib
import os
from collections.abc import Callable

import pyarrow as pa
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from benchmarks.measurement import Measurement, rate_of
from benchmarks.run import Run
from kuimen.kernels.ciphers import Sealer, Suite, blind_index
from kuimen.kernels.ciphers.paths import READY, WITHOUT_COMPILER, forced_path, path_states
from kuimen.kernels.masking import mask

AAD = bytes(32)
PATHS = [name for name, state in path_states().items() if state == READY]
NAMED = "`cryptography` value by value"


def sm4_singly(values: list[bytes], keys: list[bytes]) -> None:
    for value, key in zip(values, keys, strict=True):
        context = Cipher(algorithms.SM4(key), modes.GCM(os.urandom(12))).encryptor()
        context.authenticate_additional_data(AAD)
        context.update(value)
        context.finalize()


def macs_singly(values: list[bytes], key: bytes) -> None:
    for value in values:
        mac = hmac.HMAC(key, hashes.SM3())
        mac.update(value)
        mac.finalize()


def aes_singly(values: list[bytes], key: bytes) -> None:
    aead = AESGCM(key)
    for value in values:
        aead.encrypt(os.urandom(12), value, AAD)


def by_every_path(
    what: str, work: Callable[[pa.Array], object], column: pa.Array, *, limit: str, rate: float
) -> list[Measurement]:
    measured = []
    for path in PATHS:
        part = column.slice(0, len(column) // 5) if path == WITHOUT_COMPILER else column
        with forced_path(path):
            value = rate_of(lambda part=part: work(part), items=len(part))  # type: ignore[misc]  # mypy: bound default
        measured.append(Measurement(what=f"{what}, {path}", value=value, limit=limit, limit_value=rate))
    return measured


def sealing(rows: int, singly: int) -> list[Measurement]:
    clear = [f"990101{number:012d}".encode() for number in range(rows)]
    column, key, long_key = pa.array(clear), os.urandom(16), os.urandom(32)
    row_keys = pa.array([os.urandom(16) for _ in range(rows)])
    few, few_keys = clear[:singly], row_keys.slice(0, singly).to_pylist()
    one_key = rate_of(lambda: sm4_singly(few, [key] * singly), items=singly)
    many_keys = rate_of(lambda: sm4_singly(few, few_keys), items=singly)
    aes = rate_of(lambda: aes_singly(few, long_key), items=singly)
    sm4_sealer, aes_sealer = Sealer.for_key(key), Sealer.for_key(long_key, Suite.AES_256_GCM)
    sealed = sm4_sealer.seal_column(column, AAD)
    keyed = lambda part: sm4_sealer.seal_column(part, AAD, row_keys=row_keys.slice(0, len(part)))  # noqa: E731
    return [
        *by_every_path(
            "seal 18 bytes, SM4-GCM", lambda part: sm4_sealer.seal_column(part, AAD), column, limit=NAMED, rate=one_key
        ),
        *by_every_path(
            "open them", lambda part: sm4_sealer.open_column(part, AAD), sealed, limit=f"{NAMED}, sealing", rate=one_key
        ),
        *by_every_path("seal, a key per row", keyed, column, limit=f"{NAMED}, a new key each", rate=many_keys),
        *by_every_path(
            "seal 18 bytes, AES-256-GCM",
            lambda part: aes_sealer.seal_column(part, AAD),
            column,
            limit=f"{NAMED} (AESGCM)",
            rate=aes,
        ),
    ]


def indexing(rows: int, singly: int) -> list[Measurement]:
    values, key = [str(19_990_000_000 + number) for number in range(rows)], os.urandom(32)
    column = pa.array(values)
    bare = rate_of(lambda: macs_singly([value.encode() for value in values[:singly]], key), items=singly)
    limit = "`cryptography` HMAC-SM3 value by value"
    ways = {PATHS[0], WITHOUT_COMPILER}
    return [
        one
        for what, element in (("blind index, 64 bit", None), ("blind index of mobiles, normalised", "mobile"))
        for one in by_every_path(
            what, lambda part, element=element: blind_index(part, key, element=element), column, limit=limit, rate=bare
        )
        if one.what.rpartition(", ")[2] in ways
    ]


def polars_mask(column: pa.Array) -> Callable[[], object] | None:
    try:
        polars = importlib.import_module("polars")
    except ImportError:
        return None
    series = polars.from_arrow(column)
    return lambda: series.str.slice(0, 3) + "****" + series.str.slice(7)


def masking(rows: int) -> list[Measurement]:
    values = [str(19_990_000_000 + number) for number in range(rows)]
    column = pa.array(values)
    mixed = pa.array([None if number % 10 == 3 else value for number, value in enumerate(values)])
    few = values[: rows // 10]
    python = rate_of(lambda: [f"{value[:3]}****{value[-4:]}" for value in few], items=len(few))
    ours = rate_of(lambda: mask(column, "mobile"), items=rows, rounds=5)
    peer = polars_mask(column)
    measured = [
        Measurement(what="mask mobiles", value=ours, limit="Python slices", limit_value=python),
        Measurement(
            what="mask mobiles, every tenth null",
            value=rate_of(lambda: mask(mixed, "mobile"), items=rows),
            limit="Python slices",
            limit_value=python,
        ),
    ]
    if peer is not None:
        rate = rate_of(peer, items=rows)
        measured.append(Measurement(what="mask mobiles", value=ours, limit="polars slices", limit_value=rate))
    people = {"person_name": "张小三", "resident_id": "99010119900101001X", "bank_card": "6299990000229629633",
              "email": "zhang@example.com", "birth_date": "1990-01-02", "ip": "198.51.100.73"}  # fmt: skip
    for element, value in people.items():
        # all different, as in a table of persons; the tail is cut again where it would change the shape
        some = pa.array([value[: -len(tail := str(number % 10))] + tail for number in range(rows // 10)])
        measured.append(
            Measurement(
                what=f"mask {element}",
                value=rate_of(lambda some=some, element=element: mask(some, element), items=len(some)),  # type: ignore[misc]
                limit="Python slices of mobiles",
                limit_value=python,
            )
        )
    return measured


def measure(run: Run) -> list[Measurement]:
    rows, singly = (20_000, 2_000) if run.quick else (1_000_000, 20_000)
    return [*sealing(rows, singly), *indexing(rows, singly), *masking(200_000 if run.quick else 10_000_000)]
