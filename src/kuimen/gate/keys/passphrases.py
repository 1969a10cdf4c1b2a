"""From a passphrase to the key that seals a custodian's share: Argon2id, or PBKDF2 with HMAC-SM3.

Argon2id makes every guess cost memory and is the default. PBKDF2-SM3 with SM4-GCM is for institutions that must use
national algorithms throughout; it costs an attacker with special hardware much less for each guess.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from argon2.low_level import Type, hash_secret_raw

from kuimen.gate.keys.rules import passphrase_bytes
from kuimen.kernels.ciphers import Suite


@dataclass(frozen=True, slots=True, kw_only=True)
class Argon2Cost:
    """Cost of one passphrase guess. The default follows RFC 9106's second choice with more memory."""

    time_cost: int = 3
    memory_kib: int = 128 * 1024
    parallelism: int = 2

    def described(self) -> dict[str, Any]:
        """Return what the root file's header says about it."""
        return {
            "name": "argon2id",
            "time_cost": self.time_cost,
            "memory_kib": self.memory_kib,
            "parallelism": self.parallelism,
        }

    @property
    def suite(self) -> Suite:
        """Return the suite that seals a share under the derived key."""
        return Suite.AES_256_GCM

    def derive(self, passphrase: str, salt: bytes) -> bytes:
        """Return the key of a passphrase, as long as the suite needs."""
        return hash_secret_raw(
            passphrase_bytes(passphrase),
            salt,
            time_cost=self.time_cost,
            memory_cost=self.memory_kib,
            parallelism=self.parallelism,
            hash_len=self.suite.key_bytes,
            type=Type.ID,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Pbkdf2Sm3Cost:
    """Cost of one passphrase guess under PBKDF2 with HMAC-SM3."""

    iterations: int = 600_000

    def described(self) -> dict[str, Any]:
        """Return what the root file's header says about it."""
        return {"name": "pbkdf2-sm3", "iterations": self.iterations}

    @property
    def suite(self) -> Suite:
        """Return the suite that seals a share under the derived key."""
        return Suite.SM4_GCM

    def derive(self, passphrase: str, salt: bytes) -> bytes:
        """Return the key of a passphrase, as long as the suite needs."""
        return hashlib.pbkdf2_hmac(
            "sm3", passphrase_bytes(passphrase), salt, self.iterations, dklen=self.suite.key_bytes
        )


PassphraseCost = Argon2Cost | Pbkdf2Sm3Cost
PRODUCTION_COST: Final = Argon2Cost()
NATIONAL_COST: Final = Pbkdf2Sm3Cost()
_HIGHEST_ARGON2: Final = Argon2Cost(time_cost=32, memory_kib=4 * 1024 * 1024, parallelism=64)
_MOST_ITERATIONS: Final = 100_000_000


def cost_of(kdf: Mapping[str, Any]) -> PassphraseCost:
    """Read the cost from a header.

    Raises:
        ValueError: unknown, or a cost beyond every limit: that is an attack on the machine, not a careful custodian.
        KeyError: a field is missing.
    """
    if kdf["name"] == "pbkdf2-sm3":
        _check_range(kdf["iterations"], _MOST_ITERATIONS)
        return Pbkdf2Sm3Cost(iterations=kdf["iterations"])
    if kdf["name"] != "argon2id":
        raise ValueError("kdf")
    _check_range(kdf["time_cost"], _HIGHEST_ARGON2.time_cost)
    _check_range(kdf["memory_kib"], _HIGHEST_ARGON2.memory_kib)
    _check_range(kdf["parallelism"], _HIGHEST_ARGON2.parallelism)
    return Argon2Cost(time_cost=kdf["time_cost"], memory_kib=kdf["memory_kib"], parallelism=kdf["parallelism"])


def _check_range(cost: object, limit: int) -> None:
    if not isinstance(cost, int) or not 1 <= cost <= limit:
        raise ValueError("kdf")
