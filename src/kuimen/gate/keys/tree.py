"""The children of the root: domain keys, index keys, signing keys, each in a tree of its own.

Clause: JRT0171-6.2.4-a
"""

import secrets
from collections.abc import Mapping
from datetime import timedelta
from threading import RLock
from typing import Final
from uuid import UUID

from django.db import IntegrityError, models, transaction

from kuimen.foundation import clock
from kuimen.gate.audit import services as audit
from kuimen.gate.keys import store
from kuimen.gate.keys.cache import ExpiringCache
from kuimen.gate.keys.errors import KeyAlteredError, KeyDestroyedError, KeyMissingError
from kuimen.gate.keys.material import IndexKeyMaterial, binding
from kuimen.gate.keys.models import DomainKey, IndexKey, SigningKey
from kuimen.gate.keys.provider import RootProvider
from kuimen.gate.keys.rules import KEY_LENGTHS, KeyState, KeySuite, RetentionClass
from kuimen.gate.keys.signer import AUDIT_USAGE, Sm2AuditSigner, key_id_of
from kuimen.kernels.ciphers import SealBrokenError, Suite, open_sealed, seal, sm2

CACHE_LIFETIME: Final = timedelta(minutes=5)
SMALL_CACHE_CAPACITY: Final = 1_000
OPENS: Final = (KeyState.ACTIVE, KeyState.RETIRED)
_INDEX_KEY_LENGTH: Final = 32
_SUITES: Final = {KeySuite.SM4_GCM: Suite.SM4_GCM, KeySuite.AES_256_GCM: Suite.AES_256_GCM}


class RootTree:
    """Everything wrapped directly under the root. Missing keys are made at first use, under audit."""

    def __init__(self, provider: RootProvider, *, suite: KeySuite) -> None:
        """Take over `provider`; new domain keys are made for `suite`."""
        self._provider = provider
        self._suite = suite
        self._lock = RLock()
        self._domains: ExpiringCache[tuple[RetentionClass, int | None], tuple[DomainKey, bytearray]] = ExpiringCache(
            capacity=SMALL_CACHE_CAPACITY, lifetime=CACHE_LIFETIME
        )
        self._indexes: ExpiringCache[str, tuple[IndexKeyMaterial, ...]] = ExpiringCache(
            capacity=SMALL_CACHE_CAPACITY, lifetime=CACHE_LIFETIME
        )
        self._signers: ExpiringCache[str, Sm2AuditSigner] = ExpiringCache(
            capacity=SMALL_CACHE_CAPACITY, lifetime=CACHE_LIFETIME
        )

    @property
    def institution_id(self) -> UUID:
        """Return the institution every key is bound to."""
        return self._provider.institution_id

    def domain_version(self, kind: RetentionClass) -> int:
        """Return the active version of a domain key, making the first one when there is none."""
        return self._domain(kind, None)[0].version

    def wrap_under_domain(self, kind: RetentionClass, version: int, key: bytes, *, aad: bytes) -> bytes:
        """Return `key` wrapped under one version of the domain key, bound to `aad`."""
        row, material = self._domain(kind, version)
        return seal(bytes(material), key, aad=aad, suite=_SUITES[KeySuite(row.suite)], key_id=version)

    def unwrap_under_domain(self, kind: RetentionClass, version: int, wrapped: bytes, *, aad: bytes) -> bytes:
        """Return a child key.

        Raises:
            KeyAlteredError: altered, or moved from another row.
        """
        _, material = self._domain(kind, version)
        try:
            return open_sealed(bytes(material), wrapped, aad=aad)
        except SealBrokenError:
            raise KeyAlteredError(
                f"a key of the class {kind} does not open under its domain key; it was altered or moved"
            ) from None

    def index_keys(self, element: str) -> tuple[IndexKeyMaterial, ...]:
        """Return every generation of an element's index key that may still be searched, the active one first."""
        cached = self._indexes.get(element)
        if cached is not None:
            return cached
        with self._lock, store.translated():
            rows = _index_rows(element)
            if not any(row.state == KeyState.ACTIVE.value for row in rows):
                self._create_index_key(element, generation=1 + max((row.generation for row in rows), default=0))
                rows = _index_rows(element)
        materials = tuple(
            IndexKeyMaterial(
                element=element,
                generation=row.generation,
                key=self._provider.unwrap(
                    "index",
                    bytes(row.wrapped or b""),
                    aad=binding("index", self.institution_id, element, row.generation),
                ),
            )
            for row in rows
        )
        self._indexes.put(element, materials)
        return materials

    def signer(self, usage: str = AUDIT_USAGE) -> Sm2AuditSigner:
        """Return the active SM2 signer of a usage; the key pair is made at first use."""
        cached = self._signers.get(usage)
        if cached is not None:
            return cached
        with self._lock, store.translated():
            row = _signing_row(usage)
            if row is None:
                self._create_signing_key(usage)
                row = _signing_row(usage)
        if row is None:
            raise KeyMissingError(f"there is no active signing key for {usage}")
        aad = binding("signing", self.institution_id, usage, row.key_id)
        private = sm2.Sm2PrivateKey.from_bytes(self._provider.unwrap("signing", bytes(row.wrapped or b""), aad=aad))
        if private.public_bytes() != bytes(row.public):
            raise KeyAlteredError("the public half of the signing key does not belong to its private half")
        signer = Sm2AuditSigner(row.key_id, private)
        self._signers.put(usage, signer)
        return signer

    def close(self) -> None:
        """Wipe the root and the domain keys and forget the rest."""
        with self._lock:
            for _, material in self._domains.drain():
                material[:] = bytes(len(material))
            self._indexes.clear()
            self._signers.clear()
            self._provider.close()

    def after_fork(self) -> None:
        """Replace the locks in a forked child; keys stay usable there."""
        self._lock = RLock()
        for cache in (self._domains, self._indexes, self._signers):
            cache.after_fork()

    def _domain(self, kind: RetentionClass, version: int | None) -> tuple[DomainKey, bytearray]:
        cached = self._domains.get((kind, version))
        if cached is not None:
            return cached
        with self._lock, store.translated():
            row = _domain_row(kind, version)
            if row is None and version is None:
                self._create_domain_key(kind)
                row = _domain_row(kind, None)
        if row is None:
            raise KeyMissingError(f"the key database does not hold the asked version of the domain key {kind}")
        if KeyState(row.state) not in OPENS:
            raise KeyDestroyedError(f"version {row.version} of the domain key {kind} was suspended or destroyed")
        aad = binding("domain", self.institution_id, kind, row.version)
        held = (row, bytearray(self._provider.unwrap("domain", bytes(row.wrapped or b""), aad=aad)))
        self._domains.put((kind, version), held)
        return held

    def _create_domain_key(self, kind: RetentionClass) -> None:
        latest = DomainKey.objects.using(store.DATABASE).filter(retention_class=kind.value).order_by("-version").first()
        version = 1 if latest is None else latest.version + 1
        key = secrets.token_bytes(KEY_LENGTHS[self._suite])
        moment = clock.now()
        row = DomainKey(
            retention_class=kind.value,
            version=version,
            suite=self._suite.value,
            wrapped=self._provider.wrap("domain", key, aad=binding("domain", self.institution_id, kind, version)),
            state=KeyState.ACTIVE.value,
            created_at=moment,
            state_since=moment,
        )
        create_audited(row, action="keys.domain_key_created", object_ref=f"{kind.value}/{version}")

    def _create_index_key(self, element: str, *, generation: int) -> None:
        aad = binding("index", self.institution_id, element, generation)
        row = IndexKey(
            element=element,
            generation=generation,
            wrapped=self._provider.wrap("index", secrets.token_bytes(_INDEX_KEY_LENGTH), aad=aad),
            state=KeyState.ACTIVE.value,
            created_at=clock.now(),
        )
        create_audited(row, action="keys.index_key_created", object_ref=f"{element}/{generation}")

    def _create_signing_key(self, usage: str) -> None:
        private = sm2.generate_keypair()
        public = private.public_bytes()
        key_id = key_id_of(usage, public)
        aad = binding("signing", self.institution_id, usage, key_id)
        row = SigningKey(
            key_id=key_id,
            usage=usage,
            public=public,
            wrapped=self._provider.wrap("signing", private.private_bytes(), aad=aad),
            state=KeyState.ACTIVE.value,
            created_at=clock.now(),
        )
        create_audited(row, action="keys.signing_key_created", object_ref=key_id)


def create_audited(row: models.Model, *, action: str, object_ref: str) -> None:
    """Create a key and record it: a key whose record cannot be written does not come into being.

    The record is committed at once. The key stays whatever becomes of the caller's transaction in the other database,
    so its record has to stay too. Another process may have made the same key a moment ago; then nothing happens.
    """
    try:
        with transaction.atomic(using=store.DATABASE):
            row.save(using=store.DATABASE, force_insert=True)
            record_at_once(action, object_type="key", object_ref=object_ref)
    except IntegrityError:
        return


def record_at_once(
    action: str, *, object_type: str, object_ref: str, facts: Mapping[str, audit.FactValue] | None = None
) -> None:
    """Commit an audit entry whatever becomes of the transaction around it."""
    audit.record_refusal(
        action,
        actor=audit.SYSTEM,
        object_type=object_type,
        object_ref=object_ref,
        outcome=audit.Outcome.DONE,
        facts=facts,
    )


def _domain_row(kind: RetentionClass, version: int | None) -> DomainKey | None:
    rows = DomainKey.objects.using(store.DATABASE).filter(retention_class=kind.value)
    if version is None:
        return rows.filter(state=KeyState.ACTIVE.value).first()
    return rows.filter(version=version).first()


def _index_rows(element: str) -> list[IndexKey]:
    rows = IndexKey.objects.using(store.DATABASE).filter(element=element, state__in=[one.value for one in OPENS])
    return sorted(rows, key=lambda row: (row.state != KeyState.ACTIVE.value, -row.generation))


def _signing_row(usage: str) -> SigningKey | None:
    return SigningKey.objects.using(store.DATABASE).filter(usage=usage, state=KeyState.ACTIVE.value).first()


def public_key(key_id: str) -> bytes:
    """Return a public signing key, 65 bytes 04‖x‖y; needs no unlocked root.

    Raises:
        KeyMissingError: no such key.
    """
    with store.translated():
        public = SigningKey.objects.using(store.DATABASE).filter(key_id=key_id).values_list("public", flat=True).first()
    if public is None:
        raise KeyMissingError("there is no signing key of this id")
    return bytes(public)
