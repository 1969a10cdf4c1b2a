"""Sealing batches: keys for all persons at once, one context per record, tags for the searchable ones."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from kuimen.foundation.identifiers import new_ref
from kuimen.foundation.sensitive import Sensitive
from kuimen.gate.keys.keyring import Keyring
from kuimen.gate.keys.material import DataKey
from kuimen.gate.keys.rules import KeySuite
from kuimen.gate.vault.errors import (
    ElementNotSealableError,
    SourceCoordinatesError,
    UnknownElementError,
    ValueRefusedError,
)
from kuimen.gate.vault.rules import LARGEST_VALUE_BYTES, SOURCE_KEY_BYTES, is_indexed, table_key_scope
from kuimen.kernels.ciphers import Suite, blind_tag, build_aad, normalise_for_index, seal
from kuimen.kernels.elements.model import Element, RetentionClass, Storage
from kuimen.kernels.elements.table import ELEMENT_TABLE

PURPOSE: Final = "vault.seal"
_SUITES: Final = {KeySuite.SM4_GCM: Suite.SM4_GCM, KeySuite.AES_256_GCM: Suite.AES_256_GCM}


@dataclass(frozen=True, slots=True, kw_only=True)
class SealItem:
    """One clear value on its way in.

    Attributes:
        element: name of the data element.
        value: the clear text.
        source_id: which data source it comes from.
        source_table: schema and table, or file, in that source.
        source_column: column in that table.
        source_key: 32 bytes that name the row: a keyed digest of its primary key. Two rows never share one.
        person_ref: whose it is; None where nobody knows, then a table key seals it.
        retention_class: overrides the element's own class, for example for values inside collection notes.
    """

    element: Element
    value: Sensitive[str]
    source_id: str
    source_table: str
    source_column: str
    source_key: bytes
    person_ref: UUID | None = None
    retention_class: RetentionClass | None = None


Coordinates = tuple[str, str, str, bytes]


def coordinates_of(item: SealItem) -> Coordinates:
    """Return where the item comes from, as one comparable value."""
    return (item.source_id, item.source_table, item.source_column, item.source_key)


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedItem:
    """An item sealed under one record id; everything that the record row and its index row need."""

    item: SealItem
    record_id: UUID
    retention_class: RetentionClass
    key_scope: str
    generation: int
    sealed: bytes
    tag: bytes | None
    tag_generation: int | None


def checked(items: Sequence[SealItem]) -> list[bytes]:
    """Return the clear bytes of each item.

    Raises:
        UnknownElementError, ElementNotSealableError, ValueRefusedError, SourceCoordinatesError: names the position.
    """
    seen: set[Coordinates] = set()
    clear: list[bytes] = []
    for position, item in enumerate(items):
        rule = ELEMENT_TABLE.get(item.element)
        if rule is None:
            raise UnknownElementError(f"item {position}: the element is not in the element table; use one of its names")
        if rule.storage is Storage.DESTROY:
            raise ElementNotSealableError(f"item {position}: {item.element} may not be stored, even sealed; destroy it")
        coordinates = coordinates_of(item)
        if len(item.source_key) != SOURCE_KEY_BYTES or not all(coordinates):
            raise SourceCoordinatesError(f"item {position}: source, table, column and a key of 32 bytes are needed")
        if coordinates in seen:
            raise SourceCoordinatesError(f"item {position}: another item of the batch has the same source coordinates")
        seen.add(coordinates)
        clear.append(_clear_bytes(position, item))
    return clear


def _clear_bytes(position: int, item: SealItem) -> bytes:
    text = item.value.reveal_for(PURPOSE)
    if not isinstance(text, str):
        raise ValueRefusedError(f"item {position}: a value is text; convert it and keep its exact form")
    try:
        data = text.encode("utf-8")
    except UnicodeEncodeError:
        raise ValueRefusedError(
            f"item {position}: the text cannot be written as UTF-8; it holds lone surrogates"
        ) from None
    if len(data) > LARGEST_VALUE_BYTES:
        raise ValueRefusedError(f"item {position}: a value holds at most {LARGEST_VALUE_BYTES} bytes")
    return data


def class_of(item: SealItem) -> RetentionClass:
    """Return the retention class an item is kept under."""
    return item.retention_class or ELEMENT_TABLE[item.element].retention_class


def seal_batch(
    ring: Keyring,
    items: Sequence[SealItem],
    clear: Sequence[bytes],
    *,
    record_ids: Mapping[Coordinates, UUID] | None = None,
) -> list[SealedItem]:
    """Seal every item, in order. Cost: about 30 µs an item and a round trip for the keys of each retention class.

    Args:
        ring: the unlocked keyring.
        items: what to seal.
        clear: the clear bytes of each item, as :func:`checked` returns them.
        record_ids: record ids to keep, for resealing; a new one is drawn where absent.
    """
    persons: dict[RetentionClass, set[UUID]] = defaultdict(set)
    for item in items:
        if item.person_ref is not None:
            persons[class_of(item)].add(item.person_ref)
    keys = {kind: ring.person_keys(refs, kind) for kind, refs in persons.items()}
    institution = ring.institution_id.bytes
    sealed = []
    for item, data in zip(items, clear, strict=True):
        kind = class_of(item)
        key, scope = _key_for(ring, keys, item, kind)
        record_id = (record_ids or {}).get(coordinates_of(item)) or new_ref()
        aad = build_aad(
            institution,
            record=record_id,
            element=item.element.value,
            person=item.person_ref,
            retention_class=kind.value,
            generation=key.generation,
        )
        tag, tag_generation = _tag(ring, item.element, data)
        sealed.append(
            SealedItem(
                item=item,
                record_id=record_id,
                retention_class=kind,
                key_scope=scope,
                generation=key.generation,
                sealed=seal(key.key, data, aad=aad, suite=_SUITES[key.suite], key_id=key.generation),
                tag=tag,
                tag_generation=tag_generation,
            )
        )
    return sealed


def _key_for(
    ring: Keyring, keys: Mapping[RetentionClass, Mapping[UUID, DataKey]], item: SealItem, kind: RetentionClass
) -> tuple[DataKey, str]:
    if item.person_ref is not None:
        return keys[kind][item.person_ref], ""
    scope = table_key_scope(item.source_id, item.source_table)
    return ring.table_key(scope, kind), scope


def _tag(ring: Keyring, element: Element, data: bytes) -> tuple[bytes | None, int | None]:
    if not is_indexed(element):
        return None, None
    material = ring.index_key(element.value)
    return blind_tag(material.key, normalise_for_index(element, data.decode("utf-8"))), material.generation
