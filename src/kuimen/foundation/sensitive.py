"""`Sensitive[T]`: a clear value that masks itself wherever it might leak.

`str`, `repr`, `format`, logging, JSON, pickle, copy and template output all give the same fixed text, so neither
content nor length is told. The one way to the value is :meth:`Sensitive.reveal_for`, which names a purpose; house
lint allows it only in the rooms of its register.

>>> phone = Sensitive("not-a-number", element="mobile")
>>> f"{phone} {phone!r}"
'****** Sensitive(mobile)'
"""

from typing import Generic, NoReturn, TypeVar, final

T = TypeVar("T")

FIXED_MASK = "******"


@final
class Sensitive(Generic[T]):
    """Hold one clear value of a named data element.

    Comparison and hashing are by identity: equality of two sealed values is a question for the gate.
    """

    __slots__ = ("__value", "element")

    def __init__(self, value: T, *, element: str) -> None:
        """Wrap `value`; `element` is a name of the element table, for example ``mobile``."""
        self.__value = value
        self.element = element

    def reveal_for(self, purpose: str) -> T:
        """Return the clear value; `purpose` must be non-empty and is what the caller recorded.

        Raises:
            ValueError: `purpose` is empty, a defect of the caller.
        """
        if not purpose:
            msg = "a clear value leaves Sensitive only for a named purpose"
            raise ValueError(msg)
        return self.__value

    def __str__(self) -> str:
        return FIXED_MASK

    def __repr__(self) -> str:
        return f"Sensitive({self.element})"

    def __format__(self, format_spec: str) -> str:
        return format(FIXED_MASK, format_spec)

    def __html__(self) -> str:
        """Return the mask to Django and Jinja templates."""
        return FIXED_MASK

    def __reduce_ex__(self, protocol: object) -> tuple[object, tuple[str]]:
        """Pickle and copy as a masked twin: a copy must not outlive the disclosure."""
        return _masked_twin, (self.element,)

    def __iter__(self) -> NoReturn:
        """Refuse iteration, which would hand out the characters."""
        msg = "a Sensitive value cannot be iterated"
        raise TypeError(msg)


def _masked_twin(element: str) -> Sensitive[str]:
    return Sensitive(FIXED_MASK, element=element)
