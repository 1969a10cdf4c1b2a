"""Payment tokens in the shape of a card number (JR/T 0149-2016): random, with a valid check digit, told by a prefix.

A token is drawn, never calculated from the number it stands for, so nobody can calculate the way back. Its prefix is
one that no issuer has, so that no system takes it for a card.

>>> tokens = shape_tokens(bytes(range(64)), 2, TokenForm(prefix="990000", length=19))
>>> [len(token) for token in tokens], all(token.startswith("990000") for token in tokens)
([19, 19], True)
"""

from dataclasses import dataclass
from typing import Final

from kuimen.kernels.elements.checks import luhn_check_digit, luhn_holds
from kuimen.kernels.tokens.errors import TokenEntropyError, TokenFormError

__all__ = ["TokenEntropyError", "TokenForm", "TokenFormError", "entropy_bytes", "is_token", "shape_tokens"]

SHORTEST: Final = 13
LONGEST: Final = 19
FEWEST_FREE: Final = 9  # a thousand million tokens: guessing one that exists stays hopeless
LARGEST_FAIR: Final = 250  # bytes from here on would make the digits 0 to 5 likelier
MARGIN: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenForm:
    """How tokens look: their first digits and their whole length, check digit included."""

    prefix: str
    length: int

    def __post_init__(self) -> None:
        """Refuse a form with too few different tokens, or none that a card reader takes."""
        fits = self.prefix.isascii() and self.prefix.isdigit() and SHORTEST <= self.length <= LONGEST
        if not fits or self.free_digits < FEWEST_FREE:
            raise TokenFormError(f"prefix, length: digits, {SHORTEST} to {LONGEST} in all, {FEWEST_FREE} of them free")

    @property
    def free_digits(self) -> int:
        """Return how many digits are drawn."""
        return self.length - len(self.prefix) - 1


def entropy_bytes(count: int, form: TokenForm) -> int:
    """Return how many random bytes `count` tokens take, with a margin for those that are thrown away."""
    return count * form.free_digits * 256 // LARGEST_FAIR + MARGIN


def shape_tokens(entropy: bytes, count: int, form: TokenForm) -> list[str]:
    """Return `count` tokens out of random bytes; give at least :func:`entropy_bytes` of them, each used once.

    Raises:
        TokenEntropyError: too few bytes.
    """
    digits = [str(byte % 10) for byte in entropy if byte < LARGEST_FAIR]
    free = form.free_digits
    if len(digits) < count * free:
        raise TokenEntropyError("entropy: too few random bytes; give what entropy_bytes says")
    bodies = (form.prefix + "".join(digits[place : place + free]) for place in range(0, count * free, free))
    return [body + luhn_check_digit(body) for body in bodies]


def is_token(text: str, form: TokenForm) -> bool:
    """Tell whether a text could be a token of this form."""
    right = len(text) == form.length and text.isascii() and text.isdigit() and text.startswith(form.prefix)
    return right and luhn_holds(text)
