"""Check digits and shapes of the identifiers of personal financial information.

Every function takes text that is already folded to ASCII and answers for that text alone; none knows any table.
"""

from datetime import date
from operator import mul

_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECKS = "10X98765432"
_USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC_VALUES = {letter: value for value, letter in enumerate(_USCC_ALPHABET)}
_USCC_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
_ORG_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_ZERO = ord("0")
_ID_ZEROS = _ZERO * sum(_ID_WEIGHTS)
_LUHN_DOUBLED = bytes.maketrans(b"0123456789", bytes((0, 2, 4, 6, 8, 1, 3, 5, 7, 9)))
_EARLIEST_YEAR = 1850
_LATEST_YEAR = 2100
_RESIDENT_ID_LENGTH = 18
_USCC_LENGTH = 18
_ORG_CODE_LENGTH = 9
_TAIWAN_LETTERS = "ABCDEFGHJKLMNPQRSTUVXYWZIO"


def resident_id_check_digit(body: str) -> str:
    """Return the eighteenth character of a resident identity number (GB 11643, ISO 7064 MOD 11-2).

    Args:
        body: the first seventeen digits.
    """
    return _ID_CHECKS[(sum(map(mul, _ID_WEIGHTS, body.encode())) - _ID_ZEROS) % 11]


def resident_id_checksum_holds(number: str) -> bool:
    """Tell whether an eighteen-character number carries the right last character; `x` counts as `X`."""
    if len(number) != _RESIDENT_ID_LENGTH or not (number.isascii() and number[:17].isdecimal()):
        return False
    return resident_id_check_digit(number[:17]) == number[17].upper()


def luhn_check_digit(body: str) -> str:
    """Return the digit that makes `body` plus it pass ISO/IEC 7812 mod 10."""
    return str(-_luhn_sum(body + "0") % 10)


def luhn_holds(number: str) -> bool:
    """Tell whether a string of decimal digits passes ISO/IEC 7812 mod 10."""
    return number.isascii() and number.isdecimal() and _luhn_sum(number) % 10 == 0


def _luhn_sum(number: str) -> int:
    digits = number.encode()
    single = digits[::-2]
    return sum(single) - _ZERO * len(single) + sum(digits[-2::-2].translate(_LUHN_DOUBLED))


def uscc_check_character(body: str) -> str:
    """Return the eighteenth character of a unified social credit code (GB 32100, MOD 31).

    Args:
        body: the first seventeen characters.
    """
    total = sum(weight * _USCC_VALUES[letter] for weight, letter in zip(_USCC_WEIGHTS, body, strict=True))
    return _USCC_ALPHABET[-total % 31]


def uscc_checksum_holds(code: str) -> bool:
    """Tell whether an upper-case unified social credit code carries the right last character."""
    if len(code) != _USCC_LENGTH or any(letter not in _USCC_VALUES for letter in code):
        return False
    return uscc_check_character(code[:17]) == code[17]


def organisation_check_character(body: str) -> str:
    """Return the ninth character of an organisation code (GB 11714).

    Args:
        body: the first eight characters, digits or upper-case letters.
    """
    total = sum(weight * int(letter, 36) for weight, letter in zip(_ORG_WEIGHTS, body, strict=True))
    return "0123456789X0"[11 - total % 11]


def organisation_code_holds(code: str) -> bool:
    """Tell whether a nine-character organisation code, without hyphen, carries the right last character."""
    if len(code) != _ORG_CODE_LENGTH or not (code.isascii() and code[:8].isalnum()):
        return False
    return organisation_check_character(code[:8]) == code[8]


def is_calendar_date(digits: str) -> bool:
    """Tell whether eight digits YYYYMMDD name a day between 1850 and 2100."""
    year = int(digits[:4])
    if not _EARLIEST_YEAR <= year <= _LATEST_YEAR:
        return False
    try:
        date(year, int(digits[4:6]), int(digits[6:8]))
    except ValueError:
        return False
    return True


def is_expiry(month: str, year: str) -> bool:
    """Tell whether a two-digit month and a two-digit year can be the expiry of a card issued in this century."""
    return "01" <= month <= "12" and "10" <= year <= "55"


def track2_holds(pan: str, expiry: str) -> bool:
    """Tell whether the number and the YYMM of track 2 data (ISO/IEC 7813) are possible."""
    return luhn_holds(pan) and is_expiry(expiry[2:4], expiry[:2])


def hong_kong_id_holds(letters: str, digits: str, check: str) -> bool:
    """Tell whether a Hong Kong identity card number is consistent (weighted mod 11)."""
    padded = letters.rjust(2)
    values = [36 if letter == " " else int(letter, 36) for letter in padded]
    total = sum(weight * value for weight, value in zip((9, 8), values, strict=True))
    total += sum(weight * int(digit) for weight, digit in zip(range(7, 1, -1), digits, strict=True))
    expected = -total % 11
    return check == ("A" if expected == 10 else str(expected))  # noqa: PLR2004 - ten is written A


def taiwan_id_holds(number: str) -> bool:
    """Tell whether a Taiwan identity card number is consistent (weighted mod 10)."""
    letter = _TAIWAN_LETTERS.index(number[0]) + 10
    digits = [letter // 10, letter % 10, *map(int, number[1:])]
    weights = (1, 9, 8, 7, 6, 5, 4, 3, 2, 1, 1)
    return sum(weight * digit for weight, digit in zip(weights, digits, strict=True)) % 10 == 0
