import secrets
from collections import Counter

import pytest

from kuimen.kernels.elements.checks import luhn_holds
from kuimen.kernels.tokens import (
    TokenEntropyError,
    TokenForm,
    TokenFormError,
    entropy_bytes,
    is_token,
    shape_tokens,
)

FORM = TokenForm(prefix="990000", length=19)


def test_every_token_has_its_form_and_digits_come_evenly() -> None:
    count = 5_000
    tokens = shape_tokens(secrets.token_bytes(entropy_bytes(count, FORM)), count, FORM)
    assert len(set(tokens)) == count
    assert all(is_token(token, FORM) and luhn_holds(token) for token in tokens)
    digits = Counter("".join(token[6:-1] for token in tokens))
    expected = count * FORM.free_digits / 10
    assert all(abs(seen - expected) < 6 * expected**0.5 for seen in digits.values())


def test_bytes_that_would_favour_a_digit_are_thrown_away() -> None:
    with pytest.raises(TokenEntropyError):
        shape_tokens(b"\xff" * 500, 1, FORM)
    assert shape_tokens(b"\xff" * 20 + bytes(12), 1, FORM)[0][6:-1] == "0" * 12


@pytest.mark.parametrize(("prefix", "length"), [("9900000000", 19), ("99", 12), ("99", 20), ("9a", 16), ("", 8)])
def test_a_form_with_too_few_tokens_is_refused(prefix: str, length: int) -> None:
    with pytest.raises(TokenFormError):
        TokenForm(prefix=prefix, length=length)


@pytest.mark.parametrize(
    "text", ["", "990000", "6200000000000000000", "990000000000000000x", "９９０００００００００００００００００"]
)
def test_what_is_no_token_is_told(text: str) -> None:
    assert not is_token(text, FORM)
