"""Keep personal data out of an application's own log: a filter for `logging`, a processor for structlog.

    handler.addFilter(RedactingFilter())
    structlog.configure(processors=[..., redact_event, structlog.processors.JSONRenderer()])

Put the filter on handlers, not on loggers: a logger's filter does not see the records of its children. Both replace
what is found by the name of its element. The key of a field counts as the label of its value.

Clause: CQJR-6.5-b
"""

import logging
from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any

from typing_extensions import override

from kuimen.kernels.detection.facade import redact
from kuimen.kernels.elements.model import Element

_OWN_FIELDS = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_FORMATTER = logging.Formatter()
_DEEPEST = 8


class RedactingFilter(logging.Filter):
    """Redacts message, arguments, traceback and extra fields of every record, and lets it pass."""

    def __init__(
        self, *, elements: Iterable[Element | str] | None = None, style: str = "label", overlay: str | None = None
    ) -> None:
        """Take out `elements`, None for all; see `kuimen.redact` for `style` and `overlay`."""
        super().__init__()
        self._wanted = None if elements is None else [Element(element) for element in elements]
        self._style, self._overlay = style, overlay

    @override
    def filter(self, record: logging.LogRecord) -> bool:
        """Redact a record in place; its arguments are merged into its message."""
        record.msg, record.args = self._clean(_message_of(record)), None
        if record.exc_info and not record.exc_text:
            record.exc_text = _FORMATTER.formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = self._clean(record.exc_text)
        if record.stack_info:
            record.stack_info = self._clean(record.stack_info)
        for name, value in list(vars(record).items()):
            if name not in _OWN_FIELDS:
                setattr(record, name, redact_value(name, value, self._clean))
        return True

    def _clean(self, text: str) -> str:
        return redact(text, elements=self._wanted, style=self._style, overlay=self._overlay)


def _message_of(record: logging.LogRecord) -> str:
    """Return the message; arguments that do not fit their format are shown beside it instead of being lost."""
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError):
        return f"{record.msg} {record.args}"


def redact_event(
    _logger: object, _method: str, event: MutableMapping[str, Any], *, overlay: str | None = None
) -> MutableMapping[str, Any]:
    """Redact every field of a structlog event; a processor."""

    def clean(text: str) -> str:
        return redact(text, overlay=overlay)

    for name, value in list(event.items()):
        event[name] = redact_value(name, value, clean)
    return event


def redact_value(name: str, value: Any, clean: Any, depth: int = 0) -> Any:  # noqa: ANN401 - whatever a field holds
    """Return a field's value without personal data; its name is read as the label before it."""
    if isinstance(value, str):
        return _behind_label(name, value, clean)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Mapping | list | tuple | set | frozenset):
        if depth >= _DEEPEST:
            return f"<{type(value).__name__}>"
        if isinstance(value, Mapping):
            return {key: redact_value(str(key), inner, clean, depth + 1) for key, inner in value.items()}
        return [redact_value(name, inner, clean, depth + 1) for inner in value]
    written = str(value)
    cleaned = _behind_label(name, written, clean)
    return value if cleaned == written else cleaned


def _behind_label(name: str, value: str, clean: Any) -> str:  # noqa: ANN401 - a function of text
    label = f"{name}="
    cleaned: str = clean(label + value)
    return cleaned[len(label) :] if cleaned.startswith(label) else str(clean(value))
