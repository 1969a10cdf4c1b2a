"""Check digits against published numbers of the standards and of issuers' test ranges."""

import pytest

from kuimen.kernels.elements import checks


@pytest.mark.parametrize(
    ("number", "holds"),
    [
        ("11010519491231002X", True),  # the example of GB 11643
        ("11010519491231002x", True),
        ("110105194912310021", False),
        ("11010519491231002", False),
        ("1101051949123100２X", False),
    ],
)
def test_resident_id_checksum_follows_mod_11_2(number: str, holds: bool) -> None:  # noqa: FBT001
    assert checks.resident_id_checksum_holds(number) is holds


@pytest.mark.parametrize("code", ["91330100799655058B", "9144030071526726XG", "914403001922038216"])
def test_public_company_codes_pass_mod_31_and_hold_an_organisation_code(code: str) -> None:
    assert checks.uscc_checksum_holds(code)
    assert checks.organisation_code_holds(code[8:17])
    assert not checks.uscc_checksum_holds(code[:17] + ("0" if code[17] != "0" else "1"))


@pytest.mark.parametrize("number", ["4111111111111111", "5500000000000004", "340000000000009", "6011000000000004"])
def test_issuers_test_numbers_pass_luhn_and_lose_it_with_one_digit_changed(number: str) -> None:
    assert checks.luhn_holds(number)
    assert not checks.luhn_holds(number[:-1] + str((int(number[-1]) + 1) % 10))
    assert checks.luhn_check_digit(number[:-1]) == number[-1]


def test_regional_identity_cards_follow_their_weighted_sums() -> None:
    assert checks.hong_kong_id_holds("A", "123456", "3")
    assert not checks.hong_kong_id_holds("A", "123456", "4")
    assert checks.taiwan_id_holds("A123456789")
    assert not checks.taiwan_id_holds("A123456788")


@pytest.mark.parametrize(("digits", "real"), [("20240229", True), ("20230229", False), ("18491231", False)])
def test_dates_must_exist(digits: str, real: bool) -> None:  # noqa: FBT001
    assert checks.is_calendar_date(digits) is real
