"""Logging that cannot show a value: what reaches a log line is fixed text, numbers, references and code places.

A message of the house is a template whose arguments are checked by type. An exception is shown as its class, its
stable code and the places in the code it passed, never its text: driver texts quote rows.
"""

import enum
import logging
import re
import traceback
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import PurePath
from typing import Any
from uuid import UUID

from typing_extensions import override

from kuimen.foundation.errors import KuimenError
from kuimen.foundation.sensitive import FIXED_MASK

PLAIN_TYPES = (bool, int, float, Decimal, UUID, date, enum.Enum, type, PurePath)
LONGEST_NUMBER = 5  # a longer run of digits may be part of a phone, an account or a certificate
_DOUBTFUL = re.compile(r"[^\x00-\x7f]+|\S*@\S*|(?<![0-9a-f-])\d{6,}|'[^']*'|\"[^\"]*\"|\([^)]*=[^)]*\)")
_PLACEHOLDER = re.compile(r"%%|%(\(\w+\))?[-#0 +]*\d*(?:\.\d+)?[srdifxgeXc]")


class ValueFreeFormatter(logging.Formatter):
    """Format records so that no argument of unknown content and no exception text is written."""

    @override
    def format(self, record: logging.LogRecord) -> str:
        """Return one line, and one more for each place of an exception."""
        moment = self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z")
        line = f"{moment} {record.levelname} {record.name} {self._message(record)}{_request_facts(record)}"
        if record.exc_info and record.exc_info[1] is not None:
            line += "\n" + describe_exception(record.exc_info[1])
        return line

    def _message(self, record: logging.LogRecord) -> str:
        template = scrub(str(record.msg))
        if not record.args:
            return template
        arguments: Any
        if not isinstance(record.args, Mapping):
            arguments = tuple(_shown(value) for value in record.args)
        elif "%(" in template:
            arguments = {name: _shown(value) for name, value in record.args.items()}
        else:  # logging unpacks a single mapping that was meant as the one argument
            arguments = (FIXED_MASK,)
        text_template = _PLACEHOLDER.sub(_as_text, template)
        try:
            return str(text_template % arguments)
        except (TypeError, ValueError, KeyError):
            return template


def _as_text(found: re.Match[str]) -> str:
    return found.group() if found.group() == "%%" else f"%{found.group(1) or ''}s"


def _shown(value: object) -> str:
    if value is None:
        return "None"
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, int | float | Decimal):
        text = str(value)
        return text if sum(map(str.isdigit, text)) <= LONGEST_NUMBER else FIXED_MASK
    if isinstance(value, KuimenError):
        return value.code
    if isinstance(value, BaseException):
        return type(value).__name__
    return str(value) if isinstance(value, PLAIN_TYPES) else FIXED_MASK


def scrub(text: str) -> str:
    """Mask what may be a value inside fixed text: quotes, long digit runs, mail addresses, anything not ASCII."""
    return _DOUBTFUL.sub(FIXED_MASK, text)


def describe_exception(error: BaseException) -> str:
    """Name an exception by class, code and the places it passed, its causes too, without any of their texts."""
    lines = []
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        kind = type(current)
        code = f" [{current.code}]" if isinstance(current, KuimenError) else ""
        lines.append(f"  {kind.__module__}.{kind.__qualname__}{code}")
        lines += [
            f"    at {frame.filename}:{frame.lineno} in {frame.name}"
            for frame in traceback.extract_tb(current.__traceback__)
        ]
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return "\n".join(lines)


def _request_facts(record: logging.LogRecord) -> str:
    facts = []
    status = getattr(record, "status_code", None)
    if isinstance(status, int):
        facts.append(f"status={status}")
    match = getattr(getattr(record, "request", None), "resolver_match", None)
    if match is not None:
        facts.append(f"route={match.route}")
    return " " + " ".join(facts) if facts else ""


LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"value_free": {"()": "kuimen.entrypoints.installation.logs.ValueFreeFormatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "value_free"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        "kuimen": {"level": "INFO"},
        "django": {"handlers": [], "level": "WARNING", "propagate": True},
        "django.server": {"handlers": [], "level": "WARNING", "propagate": True},
        "django.db.backends": {"level": "ERROR"},  # its DEBUG lines are statements with their parameters
        "psycopg": {"level": "CRITICAL"},  # its texts are the server's, which quote rows
        "procrastinate": {"level": "WARNING"},  # its INFO lines spell out the arguments of jobs
    },
}
