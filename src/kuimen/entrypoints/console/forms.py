"""What a form of the console may be refused for before any use case is asked."""

from kuimen.foundation.errors import InvalidInputError


class FormInputError(InvalidInputError):
    """A field of the page's form does not fit."""

    code = "console.form"
