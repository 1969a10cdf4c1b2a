"""The children of the root: domain keys, index keys, signing keys, each in a tree of its own.

Clause: JRT0171-6.2.4-a
"""

import logging
import secrets
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from threading import RLock
from typing import Final
from uuid import UUID

import pyarrow as pa
from django.conf import settings
from django.db import IntegrityError, models, transaction

from kuimen.foundation import clock
from kuimen.foundation.errors import KuimenError
from kuimen.gate.audit import services as audit
from kuimen.gate.keys import store
from kuimen.gate.keys.cache import ExpiringCache
from kuimen.gate.keys.errors import KeyAlteredError, KeyDestroyedError, KeyMissingError
from kuimen.gate.keys.halves import beside
from kuimen.gate.keys.leases import LeaseBook, LeasedKey
from kuimen.gate.keys.material import CHILD_CONTEXT, IndexKeyMaterial, binding
from kuimen.gate.keys.models import DomainKey, IndexKey, SigningKey
from kuimen.gate.keys.provider import RootProvider
from kuimen.gate.keys.rules import KEY_LENGTHS, KeyState, KeySuite, LeasedKind, RetentionClass
from kuimen.gate.keys.signer import AUDIT_USAGE, Sm2AuditSigner, key_id_of
from kuimen.gate.keys.uses import DomainUses, record_at_once, record_root_use
from kuimen.kernels.ciphers import SealBrokenError, Sealer, open_sealed, sm2

log = logging.getLogger("kuimen.keys")

CACHE_LIFETIME: Final = timedelta(minutes=5)
SMALL_CACHE_CAPACITY: Final = 1_000
OPENS: Final = (KeyState.ACTIVE, KeyState.RETIRED)
_INDEX_KEY_LENGTH: Final = 32


class RootTree:
    """Everything wrapped directly under the root. Missing keys are made at first use, under audit."""

    def __init__(self, provider: RootProvider, *, suite: KeySuite) -> None:
        """Take over `provider`; new domain keys are made for `suite`."""
        self._provider = provider
        self._suite = suite
        self._lock = RLock()
        self._halves = beside(Path(settings.KUIMEN_ROOT_KEY))
        self._uses = DomainUses()
        self.leases = LeaseBook()
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

    def suite_of(self, kind: RetentionClass) -> KeySuite:
        """Return the suite of a class: that of its active domain key. New data keys are of the same."""
        return KeySuite(self._domain(kind, None)[0].suite)

    def wrap_under_domain(
        self, kind: RetentionClass, version: int, keys: Sequence[bytes], bindings: Sequence[bytes]
    ) -> list[bytes]:
        """Return `keys` wrapped under one version of the domain key, each bound to its own row, as one column.

        Raises:
            KeyUsesExhaustedError: the domain key has no uses left; rotate it.
        """
        if not keys:
            return []
        domain = LeasedKey(kind=LeasedKind.DOMAIN, retention_class=kind, name="", generation=version)
        self.leases.take({domain: len(keys)})
        sealer, _ = self._sealer(kind, version)
        column = sealer.seal_column(
            pa.array(keys, type=pa.large_binary()), CHILD_CONTEXT, row_aad=pa.array(bindings, type=pa.large_binary())
        )
        self._uses.count(kind, version, "wrap", len(keys))
        return [bytes(one) for one in column.to_pylist()]

    def unwrap_under_domain(
        self, kind: RetentionClass, version: int, wrapped: Sequence[bytes], bindings: Sequence[bytes]
    ) -> list[bytes | None]:
        """Return the child keys, None where one does not open: it was altered, or moved from another row.

        Keys that earlier releases wrapped one by one open too.
        """
        if not wrapped:
            return []
        sealer, material = self._sealer(kind, version)
        column = sealer.open_column(
            pa.array(wrapped, type=pa.large_binary()),
            CHILD_CONTEXT,
            row_aad=pa.array(bindings, type=pa.large_binary()),
            errors="null",
            as_text=False,
        )
        self._uses.count(kind, version, "unwrap", len(wrapped))
        return [
            _open_alone(material, sealed, aad) if opened is None else bytes(opened)
            for opened, sealed, aad in zip(column.to_pylist(), wrapped, bindings, strict=True)
        ]

    def rotate_domain(self, kind: RetentionClass, *, suite: KeySuite, actor: audit.Actor) -> int:
        """Make the next version of a domain key and retire the active one, which still opens; return the version.

        From the commit on no process wraps under the old version: whoever inserts a wrapped key holds the row of its
        domain key and sees it active.
        """
        with self._lock, store.translated(), transaction.atomic(using=store.DATABASE):
            rows = DomainKey.objects.using(store.DATABASE).filter(retention_class=kind.value)
            held = list(rows.select_for_update().order_by("version"))
            version = 1 + max((row.version for row in held), default=0)
            made = self._new_domain_key(kind, version, suite)
            moment = clock.now()
            for row in held:
                if row.state == KeyState.ACTIVE.value:
                    row.state, row.state_since = KeyState.RETIRED.value, moment
                    row.save(using=store.DATABASE, update_fields=["state", "state_since"])
            made.save(using=store.DATABASE, force_insert=True)
            store.next_epoch()
            record_at_once(
                "keys.domain_key_created",
                object_type="key",
                object_ref=f"{kind.value}/{version}",
                facts={"retired": version - 1, "suite": suite.value},
                actor=actor,
            )
        self.forget_domains(kind)
        return version

    def rotate_index(self, element: str, *, actor: audit.Actor) -> int:
        """Make the next generation of an index key and retire the active one, which is searched and written still."""
        with self._lock, store.translated(), transaction.atomic(using=store.DATABASE):
            rows = IndexKey.objects.using(store.DATABASE).filter(element=element)
            held = list(rows.select_for_update().order_by("generation"))
            generation = 1 + max((row.generation for row in held), default=0)
            made = self._new_index_key(element, generation)
            for row in held:
                if row.state == KeyState.ACTIVE.value:
                    row.state, row.state_since = KeyState.RETIRED.value, made.state_since
                    row.save(using=store.DATABASE, update_fields=["state", "state_since"])
            made.save(using=store.DATABASE, force_insert=True)
            record_at_once(
                "keys.index_key_created", object_type="key", object_ref=f"{element}/{generation}", actor=actor
            )
        self.forget_index(element)
        return generation

    def forget_domains(self, kind: RetentionClass) -> None:
        """Drop the domain keys of a class from the cache of this process and wipe them."""
        with self._lock:  # a thread that has just looked one up makes its sealer of it first
            for _, material in self._domains.take(lambda held: held[0] is kind):
                material[:] = bytes(len(material))

    def forget_index(self, element: str) -> None:
        """Drop the index keys of an element from the cache of this process."""
        self._indexes.forget(lambda held: held == element)

    def record_uses(self) -> None:
        """Write down what was done under domain keys since the last time."""
        self._uses.record()

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
        for row in rows:
            record_root_use("index", f"{element}/{row.generation}", deed="unwrap")
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
        record_root_use("signing", row.key_id, deed="unwrap")
        aad = binding("signing", self.institution_id, usage, row.key_id)
        private = sm2.Sm2PrivateKey.from_bytes(self._provider.unwrap("signing", bytes(row.wrapped or b""), aad=aad))
        if private.public_bytes() != bytes(row.public):
            raise KeyAlteredError("the public half of the signing key does not belong to its private half")
        signer = Sm2AuditSigner(row.key_id, private)
        self._signers.put(usage, signer)
        return signer

    def close(self) -> None:
        """Wipe the root and the domain keys and forget the rest; what was done under them is recorded first."""
        try:
            self._uses.record()
        except KuimenError:  # locking succeeds even where nothing can be recorded any more
            log.warning("the last uses of the domain keys could not be recorded")
        with self._lock:
            for _, material in self._domains.drain():
                material[:] = bytes(len(material))
            self._indexes.clear()
            self._signers.clear()
            self._provider.close()

    def after_fork(self) -> None:
        """Replace the locks in a forked child; keys stay usable there."""
        self._lock = RLock()
        self._uses.after_fork()
        self._provider.after_fork()
        self.leases.after_fork()
        for cache in (self._domains, self._indexes, self._signers):
            cache.after_fork()

    def _sealer(self, kind: RetentionClass, version: int) -> tuple[Sealer, bytes]:
        with self._lock:
            row, material = self._domain(kind, version)
            return Sealer.for_key(bytes(material), row.suite, key_id=version), bytes(material)

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
        self._uses.record()
        record_root_use("domain", f"{kind.value}/{row.version}", deed="unwrap")
        aad = binding("domain", self.institution_id, kind, row.version)
        under_root = self._halves.open(bytes(row.wrapped or b""), kind, row.version, institution=self.institution_id)
        held = (row, bytearray(self._provider.unwrap("domain", under_root, aad=aad)))
        self._domains.put((kind, version), held)
        return held

    def _create_domain_key(self, kind: RetentionClass) -> None:
        latest = DomainKey.objects.using(store.DATABASE).filter(retention_class=kind.value).order_by("-version").first()
        version = 1 if latest is None else latest.version + 1
        row = self._new_domain_key(kind, version, self._suite)
        create_audited(row, action="keys.domain_key_created", object_ref=f"{kind.value}/{version}")

    def _new_domain_key(self, kind: RetentionClass, version: int, suite: KeySuite) -> DomainKey:
        key = secrets.token_bytes(KEY_LENGTHS[suite])
        under_root = self._provider.wrap("domain", key, aad=binding("domain", self.institution_id, kind, version))
        moment = clock.now()
        return DomainKey(
            retention_class=kind.value,
            version=version,
            suite=suite.value,
            wrapped=self._halves.close_over(under_root, kind, version, institution=self.institution_id),
            state=KeyState.ACTIVE.value,
            created_at=moment,
            state_since=moment,
        )

    def _create_index_key(self, element: str, *, generation: int) -> None:
        row = self._new_index_key(element, generation)
        create_audited(row, action="keys.index_key_created", object_ref=f"{element}/{generation}")

    def _new_index_key(self, element: str, generation: int) -> IndexKey:
        aad = binding("index", self.institution_id, element, generation)
        moment = clock.now()
        return IndexKey(
            element=element,
            generation=generation,
            wrapped=self._provider.wrap("index", secrets.token_bytes(_INDEX_KEY_LENGTH), aad=aad),
            state=KeyState.ACTIVE.value,
            created_at=moment,
            state_since=moment,
        )

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


def create_audited(
    row: models.Model, *, action: str, object_ref: str, allowed: Callable[[], bool] = lambda: True
) -> bool:
    """Create a key and record it: a key whose record cannot be written does not come into being.

    The record is committed at once. The key stays whatever becomes of the caller's transaction in the other database,
    so its record has to stay too. Another process may have made the same key a moment ago; then nothing happens.

    Args:
        row: the key.
        action: of the record.
        object_ref: of the record.
        allowed: asked inside the transaction, before anything is written.

    Returns:
        Whether it was allowed.
    """
    try:
        with transaction.atomic(using=store.DATABASE):
            if not allowed():
                return False
            row.save(using=store.DATABASE, force_insert=True)
            record_at_once(action, object_type="key", object_ref=object_ref)
    except IntegrityError:
        pass
    return True


def _open_alone(material: bytes, sealed: bytes, aad: bytes) -> bytes | None:
    """Open a key of an earlier release, which was wrapped by itself and not in a column."""
    try:
        return open_sealed(material, sealed, aad=aad)
    except SealBrokenError:
        return None


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
