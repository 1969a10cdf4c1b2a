"""What the SQLAlchemy session does with sealed attributes: mask on assignment, seal on flush, open on load."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, event, inspect
from sqlalchemy.orm import Mapper, Session, attributes
from sqlalchemy.orm.attributes import set_attribute, set_committed_value
from sqlalchemy.orm.base import PASSIVE_NO_INITIALIZE

from kuimen.entrypoints.orm.cells import SealedCell, sensitive, text_of
from kuimen.entrypoints.orm.declared import (
    SealedKind,
    companion_of,
    drawn_by_client,
    open_cells,
    place_of,
    row_key_of,
)
from kuimen.entrypoints.orm.errors import RowKeyChangedError
from kuimen.entrypoints.orm.keys import sealed_column
from kuimen.kernels.sealed_columns import RowKeyError, row_context

Instance = Any
"""An object of a mapped class."""
_SEALED = "kuimen.sealed"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Attribute:
    """A sealed attribute of a mapped class."""

    name: str
    column: Column[Any]
    key: tuple[tuple[str, Column[Any]], ...]
    companion: str | None

    @property
    def element(self) -> str:
        return str(self.column.type.element)  # type: ignore[attr-defined]


_attributes: dict[Mapper[Any], tuple[_Attribute, ...]] = {}


def attend(mapper: Mapper[Any], class_: type) -> None:
    """Watch a class that has sealed columns; called for every class that is mapped."""
    found = tuple(_found(mapper))
    if not found:
        return
    _attributes[mapper] = found
    for one in found:
        event.listen(getattr(class_, one.name), "set", _masking(one.element), retval=True)
    event.listen(class_, "load", lambda instance, _context: _open(mapper, instance))
    event.listen(class_, "refresh", lambda instance, _context, _names: _open(mapper, instance))


def _found(mapper: Mapper[Any]) -> Iterable[_Attribute]:
    for prop in mapper.column_attrs:
        column = prop.columns[0]
        if not isinstance(column, Column) or not isinstance(column.type, SealedKind):
            continue
        companion = companion_of(column.table, column)
        yield _Attribute(
            name=prop.key,
            column=column,
            key=tuple((mapper.get_property_by_column(one).key, one) for one in row_key_of(column.table, column)),
            companion=None if companion is None else mapper.get_property_by_column(companion).key,
        )


def _masking(element: str) -> Callable[[object, object, object, object], object]:
    return lambda _target, value, _old, _initiator: sensitive(value, element=element)


def _open(mapper: Mapper[Any], instance: Instance) -> None:
    for one in _attributes[mapper]:
        cell = instance.__dict__.get(one.name)
        if isinstance(cell, SealedCell):
            row = row_context([_loaded(instance, name) for name, _ in one.key])
            (value,) = open_cells(sealed_column(place_of(one.column)), [cell], [row])
            set_committed_value(instance, one.name, value)


def _loaded(instance: Instance, name: str) -> object:
    if name in instance.__dict__:
        return instance.__dict__[name]
    return getattr(instance, name)


def seal_changed(session: Session, _context: object, _instances: object) -> None:
    """Seal what new and changed objects hold, column by column in one call each."""
    changed: dict[_Attribute, list[tuple[Any, Any]]] = defaultdict(list)
    new = set(session.new)
    for instance in [*session.new, *session.dirty]:
        mapper = inspect(instance).mapper
        for one in _attributes.get(mapper, ()):
            if instance not in new:
                _refuse_other_row(instance, one)
            history = attributes.get_history(instance, one.name, PASSIVE_NO_INITIALIZE)
            if history.added and not isinstance(history.added[0], SealedCell):
                changed[one].append((instance, history.added[0]))
    for one, found in changed.items():
        _seal(session, one, found)


def _refuse_other_row(instance: Instance, one: _Attribute) -> None:
    for name, _ in one.key:
        if attributes.get_history(instance, name, PASSIVE_NO_INITIALIZE).deleted:
            raise RowKeyChangedError(
                f"{name}: sealed values are bound to the key of their row; make a new row and delete the old one"
            )


def _seal(session: Session, one: _Attribute, found: list[tuple[Any, Any]]) -> None:
    rows = [_row_of(instance, one) for instance, _ in found]
    texts = [text_of(value) for _, value in found]
    column = sealed_column(place_of(one.column))
    tags = column.tags(texts) if one.companion is not None else [None] * len(texts)
    kept = session.info.setdefault(_SEALED, [])
    for (instance, value), sealed, tag in zip(found, column.seal(texts, rows=rows), tags, strict=True):
        if sealed is not None:
            set_attribute(instance, one.name, SealedCell(sealed))
            kept.append((instance, one.name, value))
        if one.companion is not None:
            set_attribute(instance, one.companion, tag)


def _row_of(instance: Instance, one: _Attribute) -> bytes:
    for name, column in one.key:
        if getattr(instance, name) is None and (drawn := drawn_by_client(column)) is not None:
            setattr(instance, name, drawn())
        if getattr(instance, name) is None:
            raise RowKeyError(
                f"{name}: the database gives it only when the row is written; draw it in Python (default=uuid4), or"
                " name such a column with SealedText(…, row_key=[…])"
            )
    return row_context([getattr(instance, name) for name, _ in one.key])


def show_again(session: Session, _context: object) -> None:
    """Put the values back into their attributes once the flush has written the sealed ones."""
    for instance, name, value in session.info.pop(_SEALED, []):
        if isinstance(instance.__dict__.get(name), SealedCell):
            set_committed_value(instance, name, value)


def take_back(session: Session, _previous: object) -> None:
    """Undo the sealing of objects whose flush failed: they may be added again, under another key."""
    for instance, name, value in session.info.pop(_SEALED, []):
        if isinstance(instance.__dict__.get(name), SealedCell):
            instance.__dict__[name] = value


def watch() -> None:
    """Attach to the mapper and to every session of the process."""
    event.listen(Mapper, "mapper_configured", attend)
    event.listen(Session, "before_flush", seal_changed)
    event.listen(Session, "after_flush_postexec", show_again)
    event.listen(Session, "after_soft_rollback", take_back)
