"""Django: `SealedTextField` for a sealed column, `BlindIndexField` for the column beside it by which it is found.

Assign text; the attribute holds it inside `Sensitive`, and saving seals it, bound to the row's key. Reading the
attribute opens it. `filter(mobile="…")` asks the blind index. `QuerySet.update` and raw parameters are refused, since
they do not know the row; `SealedManager` gives `bulk_create` and `bulk_update` that seal in one call of the kernel.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from django.core.exceptions import FieldError
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.expressions import Col
from django.db.models.lookups import In, IsNull, Lookup
from django.db.models.query_utils import DeferredAttribute
from typing_extensions import override

from kuimen.entrypoints.orm.cells import SealedCell, sensitive, text_of
from kuimen.entrypoints.orm.errors import (
    ClearValueRefusedError,
    CompanionMissingError,
    RowKeyChangedError,
    SealedLookupError,
)
from kuimen.entrypoints.orm.keys import sealed_column
from kuimen.foundation.sensitive import Sensitive
from kuimen.kernels.ciphers import TAG_BYTES
from kuimen.kernels.ciphers.errors import SealBrokenError
from kuimen.kernels.sealed_columns import ColumnPlace, RowKeyError, SealedColumn, row_context

__all__ = ["BlindIndexField", "SealedManager", "SealedQuerySet", "SealedTextField"]

if TYPE_CHECKING:
    _Field = models.Field[Any, Any]
    _BinaryField = models.BinaryField[Any, Any]
    _Lookup = Lookup[Any]
    _QuerySet = models.QuerySet[Any]
else:  # Django's classes take no parameters at run time
    _Field, _BinaryField, _Lookup, _QuerySet = models.Field, models.BinaryField, Lookup, models.QuerySet

_READY = "_kuimen_ready_"  # beside the value in an instance: (value, row, sealed cell), so that it is sealed once
_WRITING = "_kuimen_writing"


class _SealedAttribute(DeferredAttribute):
    """Opens a cell in its row when it is read for the first time; masks what is assigned."""

    field: "SealedTextField"

    @override
    def __get__(self, instance: models.Model | None, owner: type | None = None) -> Any:
        if instance is None:
            return self
        value = super().__get__(instance, owner)
        if instance.__dict__.get(_WRITING):
            return models.Value(self.field.pre_save(instance, add=False), output_field=self.field)
        if isinstance(value, SealedCell):
            value = instance.__dict__[self.field.attname] = self.field.opened(instance, value)
        return value

    def __set__(self, instance: models.Model, value: object) -> None:
        instance.__dict__[self.field.attname] = sensitive(value, element=self.field.element)


class _TagLookup(_Lookup):
    """Equality by the blind index; the value is a tag before anything can print it."""

    prepare_rhs = False
    many = False

    @override
    def get_prep_lookup(self) -> list[bytes]:
        asked = self.rhs if self.many else [self.rhs]
        if hasattr(self.rhs, "resolve_expression"):
            raise SealedLookupError("sealed field: compare it with a value; expressions are computed on ciphertext")
        texts = [text for text in map(text_of, asked) if text is not None]
        column = self.lhs.output_field.column_ready()
        return [tag for text in texts for tag in column.search_tags(text)]

    @override
    def as_sql(self, compiler: Any, connection: BaseDatabaseWrapper) -> tuple[str, Any]:
        companion = self.lhs.output_field.companion()
        if companion is None:
            raise CompanionMissingError(
                f"{self.lhs.output_field.name}: declare a BlindIndexField beside it to search it"
            )
        return compiler.compile(In(Col(self.lhs.alias, companion), self.rhs))  # type: ignore[no-any-return]


class _Exact(_TagLookup):
    lookup_name = "exact"


class _In(_TagLookup):
    lookup_name = "in"
    many = True


_LOOKUPS: dict[str, type[_Lookup]] = {"exact": _Exact, "in": _In, "isnull": IsNull}


class SealedTextField(_Field):
    """A column of sealed text; on the instance `Sensitive[str]` or None.

    Args:
        element: name of the data element, for example ``mobile``.
        sealed_table, sealed_column: the names it was sealed under, where table or column were renamed since.
        row_key: names of fields that tell rows apart; by default the primary key. The application fills them itself.
    """

    descriptor_class = _SealedAttribute
    empty_strings_allowed = False

    def __init__(
        self,
        *arguments: Any,  # noqa: ANN401 - Django's own
        element: str = "",
        sealed_table: str = "",
        sealed_column: str = "",
        row_key: Sequence[str] = (),
        **options: Any,  # noqa: ANN401 - Django's own
    ) -> None:
        """Declare the column; keys are no part of the declaration."""
        if not element:
            raise FieldError("element: name the data element, for example mobile")
        self.element, self.row_key = element, tuple(row_key)
        self.sealed_table, self.sealed_column = sealed_table, sealed_column
        options.setdefault("editable", False)
        super().__init__(*arguments, **options)

    @override
    def deconstruct(self) -> tuple[str, str, Sequence[Any], dict[str, Any]]:
        name, path, arguments, options = super().deconstruct()
        options["element"] = self.element
        for option in ("sealed_table", "sealed_column", "row_key"):
            if value := getattr(self, option):
                options[option] = value
        if self.editable:
            options["editable"] = True
        else:
            options.pop("editable", None)
        return name, path, arguments, options

    @override
    def get_internal_type(self) -> str:
        return "BinaryField"

    @override
    def get_lookup(self, lookup_name: str) -> type[_Lookup]:
        found = _LOOKUPS.get(lookup_name)
        if found is None:
            raise SealedLookupError(f"{self.name}: a sealed field is asked for equality or NULL only")
        return found

    @override
    def get_transform(self, name: str) -> None:
        return None

    def from_db_value(self, value: bytes | None, _expression: object, _connection: object) -> SealedCell | None:
        """Return what the column holds, unopened: its row is not known here."""
        return None if value is None else SealedCell(bytes(value))

    @override
    def get_db_prep_value(self, value: object, connection: BaseDatabaseWrapper, prepared: bool = False) -> Any:
        if value is None:
            return None
        if not isinstance(value, SealedCell):
            raise ClearValueRefusedError(
                f"{self.name}: the row of this value is not known here; save the instance, or use SealedManager"
            )
        return connection.Database.Binary(value.sealed)  # type: ignore[attr-defined] # every backend has its driver

    @override
    def get_default(self) -> Any:
        return self.default if self.has_default() and not callable(self.default) else None

    @override
    def value_to_string(self, obj: models.Model) -> str:
        """Refuse serialisation: dumps are no place for clear values, and ciphertext opens in its row only."""
        raise ClearValueRefusedError(f"{self.name}: a sealed field is not serialised; leave it out of the dump")

    @override
    def pre_save(self, model_instance: models.Model, add: bool) -> SealedCell | None:
        """Return the sealed cell of an instance; sealing again only what changed."""
        value = model_instance.__dict__.get(self.attname)
        if value is None:
            return None
        row = self.row_of(model_instance)
        if isinstance(value, SealedCell):
            self._refuse_other_row(value, row)
            return value
        ready = model_instance.__dict__.get(_READY + self.attname)
        if ready is not None and ready[0] is value and ready[1] == row:
            return ready[2]  # type: ignore[no-any-return]
        self.seal_ready([model_instance])
        return model_instance.__dict__[_READY + self.attname][2]  # type: ignore[no-any-return]

    def _refuse_other_row(self, cell: SealedCell, row: bytes) -> None:
        try:
            self.column_ready().open([cell.sealed], rows=[row])
        except SealBrokenError:
            raise RowKeyChangedError(
                f"{self.name}: it does not open under the key of this row; was the key changed, or the row copied?"
            ) from None

    def seal_ready(self, instances: Iterable[models.Model]) -> None:
        """Seal the field of many instances in one call and keep the cells for their saving."""
        chosen = [one for one in instances if isinstance(one.__dict__.get(self.attname), Sensitive)]
        rows = [self.row_of(one) for one in chosen]
        values = [one.__dict__[self.attname] for one in chosen]
        sealed = self.column_ready().seal([text_of(value) for value in values], rows=rows)
        for instance, row, value, made in zip(chosen, rows, values, sealed, strict=True):
            instance.__dict__[_READY + self.attname] = (value, row, SealedCell(made or b""))

    def opened(self, instance: models.Model, cell: SealedCell) -> Sensitive[str]:
        """Open a cell of this field in its row.

        Raises:
            TamperError: it does not open there.
        """
        row = self.row_of(instance)
        (text,) = self.column_ready().open([cell.sealed], rows=[row])
        value = Sensitive(text or "", element=self.element)
        instance.__dict__[_READY + self.attname] = (value, row, cell)
        return value

    def row_of(self, instance: models.Model) -> bytes:
        """Return what the values of an instance are bound to.

        Raises:
            RowKeyError: the database gives the key only when the row is written.
        """
        names = self.row_key or tuple(field.attname for field in instance._meta.pk_fields)
        parts = [getattr(instance, name) for name in names]
        if None in parts:
            raise RowKeyError(
                f"{self.name}: the key of the row is not known before it is written; use a UUIDField with default=uuid4"
                " as primary key, or name such a field with row_key"
            )
        return row_context(parts)

    def column_ready(self) -> SealedColumn:
        """Return the column with the keys of this process."""
        place = ColumnPlace(
            table=self.sealed_table or self.model._meta.db_table,
            column=self.sealed_column or str(self.column),
            element=self.element,
        )
        return sealed_column(place)

    def companion(self) -> "BlindIndexField | None":
        """Return the blind index beside this field."""
        for field in self.model._meta.local_concrete_fields:
            if isinstance(field, BlindIndexField) and field.of == self.name:
                return field
        return None


class BlindIndexField(_BinaryField):
    """The column beside a sealed one by which it is found; it fills itself. Give it an index.

    Args:
        of: name of the sealed field.
    """

    def __init__(self, *arguments: Any, of: str = "", **options: Any) -> None:  # noqa: ANN401 - Django's own
        """Declare the companion of a sealed field."""
        self.of = of
        options.update(max_length=TAG_BYTES, editable=False)
        options.setdefault("null", True)
        super().__init__(*arguments, **options)

    @override
    def deconstruct(self) -> tuple[str, str, Sequence[Any], dict[str, Any]]:
        name, path, arguments, options = super().deconstruct()
        options["of"] = self.of
        for fixed in ("max_length", "editable"):
            options.pop(fixed, None)
        return name, path, arguments, options

    @override
    def pre_save(self, model_instance: models.Model, add: bool) -> bytes | None:
        """Return the tag of the sealed field's value, or what was loaded where nobody has read or changed that."""
        sealed = _field_of(model_instance, self.of)
        value = model_instance.__dict__.get(sealed.attname)
        if isinstance(value, Sensitive):
            (tag,) = sealed.column_ready().tags([text_of(value)])
        else:
            tag = None if value is None else model_instance.__dict__.get(self.attname)
        setattr(model_instance, self.attname, tag)
        return None if tag is None else bytes(tag)


class SealedQuerySet(_QuerySet):
    """Bulk paths that seal column by column before Django writes row by row."""

    @override
    def bulk_create(self, objs: Iterable[Any], *arguments: Any, **options: Any) -> list[Any]:
        rows = list(objs)
        _seal_all(self.model, rows)
        return super().bulk_create(rows, *arguments, **options)

    @override
    def bulk_update(self, objs: Iterable[Any], fields: Iterable[str], *arguments: Any, **options: Any) -> int:
        rows, names = list(objs), list(fields)
        _seal_all(self.model, rows)
        for field in _sealed_fields(self.model):
            companion = field.companion()
            if field.name in names and companion is not None:
                for row in rows:
                    companion.pre_save(row, add=False)
                names += [companion.name] if companion.name not in names else []
        with _writing(rows):
            return super().bulk_update(rows, names, *arguments, **options)


SealedManager = models.Manager.from_queryset(SealedQuerySet)


def _field_of(instance: models.Model, name: str) -> SealedTextField:
    field = instance._meta.get_field(name)
    if not isinstance(field, SealedTextField):
        raise FieldError(f"of: {name} is no SealedTextField")
    return field


def _sealed_fields(model: type[models.Model]) -> list[SealedTextField]:
    return [field for field in model._meta.concrete_fields if isinstance(field, SealedTextField)]


def _seal_all(model: type[models.Model], rows: Sequence[models.Model]) -> None:
    for field in _sealed_fields(model):
        field.seal_ready(rows)


@contextmanager
def _writing(rows: Sequence[models.Model]) -> Iterator[None]:
    """Let sealed attributes give their cells instead of their values, for the length of a bulk update."""
    for row in rows:
        row.__dict__[_WRITING] = True
    try:
        yield
    finally:
        for row in rows:
            row.__dict__.pop(_WRITING, None)
