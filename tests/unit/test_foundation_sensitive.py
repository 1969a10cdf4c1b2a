"""`Sensitive` shows the same fixed text wherever a value might leak, and gives it out for a named purpose only."""

import copy
import json
import logging
import pickle
import traceback

import pytest
from django.template import Context, Engine

from kuimen.foundation.sensitive import FIXED_MASK, Sensitive

CLEAR = "19990004321"


def _lose(value: Sensitive[str]) -> None:
    raise LookupError(value)


@pytest.fixture
def value() -> Sensitive[str]:
    return Sensitive(CLEAR, element="mobile")


def test_every_text_made_of_it_is_the_mask(value: Sensitive[str]) -> None:
    template = Engine().from_string("{{ value }} {{ value|safe }} {{ value|length }}")
    texts = [str(value), f"{value}", f"{value:>20}", "%s" % value, template.render(Context({"value": value}))]  # noqa: UP031 - a way in which it could leak
    assert all(FIXED_MASK in text for text in texts)
    assert not any(CLEAR in text or str(len(CLEAR)) in text for text in texts)


def test_its_name_tells_the_element_and_nothing_of_the_value(value: Sensitive[str]) -> None:
    assert repr([value]) == "[Sensitive(mobile)]"


def test_a_log_line_and_a_traceback_show_the_mask(value: Sensitive[str], caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("kuimen.test").warning("asked for %s, %r", value, {"phone": value})
    with pytest.raises(LookupError) as raised:
        _lose(value)
    shown = "".join(traceback.TracebackException.from_exception(raised.value, capture_locals=True).format())
    assert FIXED_MASK in caplog.text
    assert CLEAR not in caplog.text
    assert CLEAR not in shown


@pytest.mark.parametrize("twin", [copy.copy, copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))])  # noqa: S301 - our own bytes
def test_a_copy_is_masked(twin: object, value: Sensitive[str]) -> None:
    made = twin(value)  # type: ignore[operator]  # the three ways above
    assert made.reveal_for("test") == FIXED_MASK
    assert made.element == "mobile"
    assert CLEAR.encode() not in pickle.dumps(value)


def test_nothing_serialises_or_takes_it_apart(value: Sensitive[str]) -> None:
    for attempt in (json.dumps, list, vars, len, "".join):
        with pytest.raises(TypeError) as refused:
            attempt(value)  # type: ignore[operator]  # refusing is the point
        assert CLEAR not in str(refused.value)


def test_two_of_the_same_value_are_not_equal(value: Sensitive[str]) -> None:
    assert value != Sensitive(CLEAR, element="mobile")
    assert value != CLEAR


def test_the_value_comes_out_for_a_named_purpose_only(value: Sensitive[str]) -> None:
    assert value.reveal_for("test") == CLEAR
    with pytest.raises(ValueError, match="named purpose"):
        value.reveal_for("")
