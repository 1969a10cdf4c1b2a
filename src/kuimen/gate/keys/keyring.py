"""The keyring: root → domain key per retention class → one key per (person, class), or per table.

Every parent opens its children only; every child is bound to its row. Person keys are counted in the audit log, one
entry per batch. Caches are bounded, expire, and live for one epoch of the key database: a person's key that one process
suspended or destroyed stops working in every other one at its next batch.

Clause: JRT0171-6.2.4-a, JRT0171-6.1.3-b
"""

from collections.abc import Collection, Mapping
from threading import RLock
from uuid import UUID

from kuimen.gate.keys.errors import KeyMissingError
from kuimen.gate.keys.leases import LeasedKey, leased_table
from kuimen.gate.keys.material import DataKey, IndexKeyMaterial
from kuimen.gate.keys.person_keys import PersonKeys
from kuimen.gate.keys.provider import RootProvider
from kuimen.gate.keys.rules import KeySuite, RetentionClass
from kuimen.gate.keys.signer import Sm2AuditSigner
from kuimen.gate.keys.table_keys import TableKeys
from kuimen.gate.keys.tree import RootTree, public_key


class Keyring:
    """Hands out data keys. Safe for threads; one object per process.

    Creating a key is committed at once in the key database, and so is its audit entry in the main one: neither hangs
    on the transaction of the caller.
    """

    def __init__(self, provider: RootProvider, *, suite: KeySuite = KeySuite.SM4_GCM) -> None:
        """Take over `provider`; a class whose first key is made here is of `suite`."""
        self._provider = provider
        self._tree = RootTree(provider, suite=suite)
        self._lock = RLock()
        self._persons = PersonKeys(self._tree, provider.institution_id)
        self._tables = TableKeys(self._tree, provider.institution_id)

    @property
    def institution_id(self) -> UUID:
        """Return the institution every value is bound to."""
        return self._provider.institution_id

    @property
    def tree(self) -> RootTree:
        """Return the keys above the data keys, for rotation."""
        return self._tree

    @property
    def root_fingerprint(self) -> str:
        """Return the public name of the root."""
        return self._provider.fingerprint

    @property
    def custodians(self) -> tuple[str, ...]:
        """Return the staff numbers of the root's custodians."""
        return self._provider.custodians

    @property
    def present(self) -> tuple[str, ...]:
        """Return the custodians who gave their passphrase to this process."""
        return self._provider.present

    def person_keys(self, refs: Collection[UUID], retention_class: RetentionClass | str) -> dict[UUID, DataKey]:
        """Return the sealing key of each person, making the missing ones in one batch.

        Cost: one small round trip where all are cached, two for any number of persons, five when some are missing;
        10,000 new keys take well under two seconds.

        Raises:
            KeyDestroyedError: a person's key of this class was suspended or destroyed; no new one is made.
            KeyAlteredError: a wrapped key was altered or moved.
            KeyStoreError: the key database is down.
            KeyStorePutBackError: the key database was restored under this process.
        """
        return self._persons.active(refs, RetentionClass(retention_class))

    def person_keys_at(
        self, wanted: Collection[tuple[UUID, int]], retention_class: RetentionClass | str
    ) -> dict[tuple[UUID, int], DataKey]:
        """Return the opening key of each (person, generation) that the key database holds; none is made.

        A pair that it does not hold is left out: the caller knows which sealed value named it.

        Raises:
            KeyDestroyedError: a key was suspended or destroyed.
            KeyStorePutBackError: the key database was restored under this process.
        """
        return self._persons.at(wanted, RetentionClass(retention_class))

    def open_person_keys(
        self, wanted: Collection[tuple[UUID, int]], retention_class: RetentionClass | str
    ) -> dict[tuple[UUID, int], DataKey]:
        """Return what :meth:`person_keys_at` returns, leaving out what was suspended or destroyed as well."""
        return self._persons.openable(wanted, RetentionClass(retention_class))

    def renewed_person_keys(
        self, refs: Collection[UUID], retention_class: RetentionClass, *, up_to_id: int, suite: KeySuite
    ) -> dict[UUID, DataKey]:
        """Return a key of `suite` made after the row `up_to_id` for each person; the older one is retired.

        Persons whose key was suspended or destroyed are left out.
        """
        return self._persons.renewed(refs, retention_class, up_to_id=up_to_id, suite=suite)

    def table_key(self, scope: str, retention_class: RetentionClass | str, generation: int | None = None) -> DataKey:
        """Return the key of a table scope; the active one is made when missing, a named generation never is."""
        return self._tables.get(scope, RetentionClass(retention_class), generation)

    def renewed_table_key(
        self, scope: str, retention_class: RetentionClass, *, up_to_id: int, suite: KeySuite
    ) -> DataKey:
        """Return a table key of `suite` made after the row `up_to_id`; the older one is retired."""
        return self._tables.renewed(scope, retention_class, up_to_id=up_to_id, suite=suite)

    def claim(self, uses: Mapping[LeasedKey, int]) -> None:
        """Count uses of sealing keys before they are used; see :mod:`kuimen.gate.keys.leases`.

        Raises:
            KeyUsesExhaustedError: a key has no uses left; nothing may be sealed.
        """
        self._tree.leases.take(uses)

    def sealing_table_key(self, scope: str, retention_class: RetentionClass | str) -> DataKey:
        """Return the active key of a table scope for sealing one value, and count that use."""
        key = self.table_key(scope, retention_class)
        self.claim({leased_table(scope, RetentionClass(retention_class), key.generation): 1})
        return key

    def index_key(self, element: str, generation: int | None = None) -> IndexKeyMaterial:
        """Return the blind-index key of an element: the active one (made when missing) or a named generation."""
        for material in self.index_keys(element):
            if generation is None or material.generation == generation:
                return material
        raise KeyMissingError(f"the index of {element} names a key generation that the key database does not hold")

    def index_keys(self, element: str) -> tuple[IndexKeyMaterial, ...]:
        """Return every generation of an element's index key that may still be searched, the active one first."""
        return self._tree.index_keys(element)

    def signer(self) -> Sm2AuditSigner:
        """Return the SM2 signer of audit checkpoints; its key pair is made at first use."""
        return self._tree.signer()

    def sm2_key(self, usage: str) -> Sm2AuditSigner:
        """Return the active SM2 key of a usage other than the audit log's; its key pair is made at first use."""
        return self._tree.signer(usage)

    def public_key(self, key_id: str) -> bytes:
        """Return a public signing key, 65 bytes 04‖x‖y."""
        return public_key(key_id)

    def forget_person(self, ref: UUID) -> None:
        """Drop a person's keys from the cache of this process."""
        self._persons.forget(ref)

    def close(self) -> None:
        """Forget everything and wipe the root and the domain keys; data keys are Python bytes and are only let go."""
        with self._lock:
            self._persons.clear()
            self._tables.clear()
            self._tree.close()

    def after_fork(self) -> None:
        """Replace the locks in a forked child; keys stay usable there."""
        self._lock = RLock()
        self._persons.after_fork()
        self._tables.after_fork()
        self._tree.after_fork()
