"""An application's log holds no personal data when the filter or the processor stands before its handler."""

import io
import json
import logging
from random import Random

import pytest

from kuimen.entrypoints.logging_redaction import RedactingFilter, redact_event
from kuimen.kernels.elements.fictitious import make_identity

PERSON = make_identity(Random(4), 5)


def logged(message: str, *arguments: object, **options: object) -> str:
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(logging.Formatter("%(levelname)s %(message)s %(mobile)s", defaults={"mobile": ""}))
    handler.addFilter(RedactingFilter(overlay="fictitious"))
    logger = logging.Logger("kuimen.test")  # noqa: LOG001 - a logger of this test alone
    logger.addHandler(handler)
    logger.error(message, *arguments, **options)  # type: ignore[arg-type]
    return out.getvalue()


@pytest.mark.clause("CQJR-6.5-b")
def test_message_arguments_traceback_and_fields_are_redacted() -> None:
    assert logged("手机%s，卡%s", PERSON.mobile, PERSON.bank_card) == "ERROR 手机<mobile>，卡<bank_card> \n"
    assert PERSON.mobile not in logged("bound", extra={"mobile": PERSON.mobile})
    assert PERSON.mobile not in logged("bound", extra={"mobile": int(PERSON.mobile)})
    try:
        int(f"身份证{PERSON.resident_id}重复")
    except ValueError:
        text = logged("failed", exc_info=True)
    assert PERSON.resident_id not in text
    assert "<resident_id>" in text


def test_a_broken_format_is_shown_redacted_instead_of_lost() -> None:
    text = logged("手机%d号", PERSON.mobile)
    assert "手机%d号" in text
    assert PERSON.mobile not in text


def test_fields_of_an_event_are_read_with_their_keys() -> None:
    event = redact_event(
        None,
        "info",
        {
            "event": f"手机{PERSON.mobile}绑卡",
            "cvv": "123",
            "count": 3,
            "ok": True,
            "customer": {"idNo": PERSON.resident_id, "cards": [PERSON.bank_card]},
        },
        overlay="fictitious",
    )
    written = json.dumps(event, ensure_ascii=False)
    assert event["count"] == 3
    assert event["ok"] is True
    assert "123" not in written
    for datum in (PERSON.mobile, PERSON.resident_id, PERSON.bank_card):
        assert datum not in written
