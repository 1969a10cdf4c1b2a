"""The kernels on one core: sealing, blind index, masks, tree, signatures, schedules."""

import os
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import gmssl_pyx
import pyarrow as pa
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from benchmarks.measurement import Measurement, rate_of
from benchmarks.run import Run
from kuimen.kernels.ciphers import Sealer, Suite, blind_index, sm2, sm3
from kuimen.kernels.masking import mask
from kuimen.kernels.merkle import Frontier, leaf_hash
from kuimen.kernels.schedules import annuity_instalment, annuity_schedule

ROWS = 50_000
MOBILES = 2_000_000
LEAVES = 200_000
AAD = bytes(32)


def sealing() -> list[Measurement]:
    values = [f"990101{number:012d}" for number in range(ROWS)]
    clear = [value.encode() for value in values]
    column, key, long_key = pa.array(values), os.urandom(16), os.urandom(32)
    keys = [os.urandom(16) for _ in range(ROWS)]

    def one_by_one(key_of: list[bytes]) -> None:
        for value, row_key in zip(clear, key_of, strict=True):
            context = Cipher(algorithms.SM4(row_key), modes.GCM(os.urandom(12))).encryptor()
            context.authenticate_additional_data(AAD)
            context.update(value)
            context.finalize()

    def aes_one_by_one() -> None:
        aead = AESGCM(long_key)
        for value in clear:
            aead.encrypt(os.urandom(12), value, AAD)

    sealer, aes = Sealer.for_key(key), Sealer.for_key(long_key, Suite.AES_256_GCM)
    sealed = sealer.seal_column(column, AAD)
    per_value = rate_of(lambda: one_by_one([key] * ROWS), items=ROWS)
    per_key = rate_of(lambda: one_by_one(keys), items=ROWS)
    named = "`cryptography` value by value"
    return [
        Measurement(
            what="seal 18-byte values, SM4-GCM",
            value=rate_of(lambda: sealer.seal_column(column, AAD), items=ROWS),
            limit=named,
            limit_value=per_value,
        ),
        Measurement(
            what="open them",
            value=rate_of(lambda: sealer.open_column(sealed, AAD), items=ROWS),
            limit=f"{named}, sealing",
            limit_value=per_value,
        ),
        Measurement(
            what="seal, one key per row",
            value=rate_of(lambda: sealer.seal_column(column, AAD, row_keys=keys), items=ROWS),
            limit=f"{named}, a new key each",
            limit_value=per_key,
        ),
        Measurement(
            what="seal 18-byte values, AES-256-GCM",
            value=rate_of(lambda: aes.seal_column(column, AAD), items=ROWS),
            limit=f"{named} (AESGCM)",
            limit_value=rate_of(aes_one_by_one, items=ROWS),
        ),
    ]


def indexing_and_masking() -> list[Measurement]:
    values = [str(19_990_000_000 + number) for number in range(MOBILES)]
    some, column, key = pa.array(values[:ROWS]), pa.array(values), os.urandom(32)
    clear = [value.encode() for value in values[:ROWS]]

    def macs() -> None:
        for value in clear:
            mac = hmac.HMAC(key, hashes.SM3())
            mac.update(value)
            mac.finalize()

    return [
        Measurement(
            what="blind index, 64 bit",
            value=rate_of(lambda: blind_index(some, key), items=ROWS),
            limit="`cryptography` HMAC-SM3 value by value",
            limit_value=rate_of(macs, items=ROWS),
        ),
        Measurement(
            what="blind index of mobiles, normalised",
            value=rate_of(lambda: blind_index(some, key, element="mobile"), items=ROWS),
            limit="`cryptography` HMAC-SM3 value by value",
            limit_value=rate_of(macs, items=ROWS),
        ),
        Measurement(
            what="mask mobiles",
            value=rate_of(lambda: mask(column, "mobile"), items=MOBILES, rounds=5),
            limit="Python slices",
            limit_value=rate_of(lambda: [f"{value[:3]}****{value[-4:]}" for value in values], items=MOBILES),
        ),
    ]


def trees_and_signatures() -> list[Measurement]:
    entries = [f"entry {number}".encode() for number in range(LEAVES)]
    key, message = sm2.generate_keypair(), b"checkpoint"
    signature, point = key.sign(message), key.public_bytes()[1:]
    return [
        Measurement(
            what="append leaves to the tree",
            value=rate_of(lambda: Frontier().append_many([leaf_hash(entry) for entry in entries]), items=LEAVES),
            limit="two bare SM3 digests each",
            limit_value=rate_of(lambda: [sm3(entry) + sm3(entry) for entry in entries], items=LEAVES),
        ),
        Measurement(
            what="SM2 signatures",
            value=rate_of(lambda: [key.sign(message) for _ in range(200)], items=200),
            limit="`gmssl-pyx`",
            limit_value=rate_of(
                lambda: [gmssl_pyx.sm2_sign(key.private_bytes(), point, message) for _ in range(200)], items=200
            ),
        ),
        Measurement(
            what="SM2 verifications",
            value=rate_of(lambda: [key.public_key.verify(message, signature) for _ in range(200)], items=200),
            limit="`gmssl-pyx`",
            limit_value=rate_of(
                lambda: [gmssl_pyx.sm2_verify(point, message, signature) for _ in range(200)], items=200
            ),
        ),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    principal: Decimal
    annual_rate: Decimal
    term_months: int
    instalment: Decimal
    issued_on: date


def schedules() -> list[Measurement]:
    principal, rate = Decimal(28_000), Decimal("14.07")
    instalment = annuity_instalment(principal, annual_rate=rate, term_months=60)
    terms = Terms(
        principal=principal, annual_rate=rate, term_months=60, instalment=instalment, issued_on=date(2018, 1, 31)
    )
    lines = 500 * 60

    def bare() -> None:
        for _ in range(500):
            balance = principal
            for _ in range(60):
                interest = (balance * rate / 1200).quantize(Decimal("0.01"))
                balance -= instalment - interest

    return [
        Measurement(
            what="lines of repayment schedules",
            value=rate_of(lambda: [annuity_schedule(terms) for _ in range(500)], items=lines),
            limit="bare Decimal loop, no lines made",
            limit_value=rate_of(bare, items=lines),
        )
    ]


def measure(_run: Run) -> list[Measurement]:
    return [*sealing(), *indexing_and_masking(), *trees_and_signatures(), *schedules()]
