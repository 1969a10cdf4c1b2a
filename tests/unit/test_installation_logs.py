"""No log line shows a value, whoever wrote it and whatever failed."""

import io
import logging
from collections.abc import Iterator
from uuid import UUID

import pytest

from kuimen.entrypoints.installation.logs import ValueFreeFormatter, scrub
from kuimen.foundation.errors import NotFoundError
from kuimen.foundation.sensitive import Sensitive

PHONE = "19990004321"
NAME = "测试人"
MAIL = "nobody@example.invalid"


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    target = io.StringIO()
    handler = logging.StreamHandler(target)
    handler.setFormatter(ValueFreeFormatter())
    logger = logging.getLogger("test.values")
    logger.addHandler(handler)
    logger.propagate = False
    yield target
    logger.removeHandler(handler)
    logger.propagate = True


logger = logging.getLogger("test.values")


@pytest.mark.parametrize(
    "value", [PHONE, NAME, MAIL, int(PHONE), [PHONE], {"phone": PHONE}, Sensitive(PHONE, element="mobile")]
)
def test_an_argument_of_unknown_content_is_masked(stream: io.StringIO, value: object) -> None:
    logger.warning("import of %s stopped", value)
    assert "import of ****** stopped" in stream.getvalue()
    assert PHONE not in stream.getvalue()


def test_counts_references_and_codes_are_shown(stream: io.StringIO) -> None:
    reference = UUID(int=7)
    logger.warning("%d rows of %s in %.1f s, %r, 100%%", 42, reference, 1.5, None)
    assert f"42 rows of {reference} in 1.5 s, None, 100%" in stream.getvalue()


@pytest.mark.parametrize(
    "text",
    [
        f"row with {PHONE} failed",
        f"value '{NAME}' refused",
        f"Key (phone)=({PHONE}) exists",
        f"to {MAIL}",
        f"{NAME}失败",
    ],
)
def test_fixed_text_that_holds_a_value_is_scrubbed(stream: io.StringIO, text: str) -> None:
    logger.error(text)
    assert not any(secret in stream.getvalue() for secret in (PHONE, NAME, MAIL))


def test_an_exception_shows_class_and_places_never_its_text(stream: io.StringIO) -> None:
    try:
        try:
            raise KeyError(PHONE)  # noqa: TRY301 - the chain is the point
        except KeyError as cause:
            raise ValueError(f"Key (phone)=({PHONE}) already exists") from cause
    except ValueError:
        logger.exception("import failed")
    text = stream.getvalue()
    assert PHONE not in text
    assert "builtins.ValueError" in text
    assert "builtins.KeyError" in text
    assert "test_installation_logs.py" in text


def test_an_error_of_the_house_shows_its_code(stream: io.StringIO) -> None:
    logger.warning("refused: %s", NotFoundError(PHONE))
    assert "refused: not_found" in stream.getvalue()


def test_a_malformed_template_loses_its_arguments_not_the_line() -> None:
    record = logging.LogRecord("test", logging.WARNING, "file", 1, "%s and %s", (PHONE,), None)
    line = ValueFreeFormatter().format(record)
    assert "%s and %s" in line
    assert PHONE not in line


@pytest.mark.parametrize(
    "text", ["audit-sequencer started", "HTTP 503", "3 of 12", "a1b2c3d4-0000-4000-8000-000000000001"]
)
def test_harmless_text_stays(text: str) -> None:
    assert scrub(text) == text
