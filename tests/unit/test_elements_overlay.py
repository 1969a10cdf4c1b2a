"""Impossible identities are consistent, unique, and nothing to the production tables."""

from dataclasses import fields
from random import Random

import pytest

from kuimen.kernels.elements import checks
from kuimen.kernels.elements.fictitious import (
    MOST_IDENTITIES,
    TooManyIdentitiesError,
    make_bank_card,
    make_identity,
    make_mobile,
)
from kuimen.kernels.elements.overlay import (
    FICTITIOUS,
    PRODUCTION,
    DivisionRank,
    IssuerRank,
    UnknownOverlayError,
    tables_for,
)


def test_identity_is_the_same_for_the_same_seed() -> None:
    assert make_identity(Random(7), 42) == make_identity(Random(7), 42)


def test_identity_numbers_agree_with_birth_date_sex_and_checksums() -> None:
    rng = Random(3)
    for index in range(300):
        person = make_identity(rng, index)
        assert checks.resident_id_checksum_holds(person.resident_id)
        assert person.resident_id[6:14] == f"{person.birth_date:%Y%m%d}"
        assert (int(person.resident_id[16]) % 2 == 1) == (person.sex == "男")
        assert checks.luhn_holds(person.bank_card)
        assert checks.luhn_holds(person.imei)
        assert checks.uscc_checksum_holds(person.employer_uscc)


def test_only_the_overlay_accepts_identities() -> None:
    rng = Random(11)
    for index in range(0, 3000, 10):
        person = make_identity(rng, index)
        area = person.resident_id[:6]
        assert PRODUCTION.division_rank(area) is DivisionRank.UNKNOWN
        assert FICTITIOUS.division_rank(area) is DivisionRank.COUNTY
        assert not PRODUCTION.is_mobile(person.mobile)
        assert FICTITIOUS.is_mobile(person.mobile)
        assert PRODUCTION.issuer_rank(person.bank_card) is IssuerRank.UNKNOWN
        assert FICTITIOUS.issuer_rank(person.bank_card) is IssuerRank.ISSUER
        assert person.plate[0] not in PRODUCTION.plate_provinces
        assert person.email.endswith("@example.com")


def test_numbers_are_unique_over_the_whole_population() -> None:
    assert len({make_mobile(index) for index in range(MOST_IDENTITIES)}) == MOST_IDENTITIES
    assert len({make_bank_card(index) for index in range(0, MOST_IDENTITIES, 3)}) == len(range(0, MOST_IDENTITIES, 3))
    rng = Random(1)
    assert len({make_identity(rng, index).resident_id for index in range(0, 13_000, 2)}) == len(range(0, 13_000, 2))


def test_a_population_ends_where_the_segments_end() -> None:
    with pytest.raises(TooManyIdentitiesError):
        make_identity(Random(1), MOST_IDENTITIES)


def test_an_overlay_never_loosens_production() -> None:
    names = {field.name for field in fields(PRODUCTION)}
    assert PRODUCTION.provinces < FICTITIOUS.provinces
    assert "name" in names
    assert "99" not in PRODUCTION.provinces
    assert tables_for(None) is PRODUCTION
    assert tables_for("fictitious") is FICTITIOUS
    with pytest.raises(UnknownOverlayError):
        tables_for("fictional")


@pytest.mark.parametrize(
    ("area", "rank"),
    [
        ("110105", DivisionRank.COUNTY),
        ("513622", DivisionRank.PREFECTURE),  # an area abolished in 1993
        ("440999", DivisionRank.PREFECTURE),
        ("449999", DivisionRank.PROVINCE),
        ("200101", DivisionRank.UNKNOWN),
    ],
)
def test_division_codes_rank_by_what_is_known(area: str, rank: DivisionRank) -> None:
    assert PRODUCTION.division_rank(area) is rank


@pytest.mark.parametrize(
    ("number", "rank"),
    [
        ("6222021234567890128", IssuerRank.ISSUER),
        ("6239990000000000", IssuerRank.UNIONPAY),
        ("4111111111111111", IssuerRank.NETWORK),
        ("1234567890123456", IssuerRank.UNKNOWN),
        ("622202123456789", IssuerRank.UNKNOWN),
    ],
)
def test_issuers_rank_by_leading_digits_and_length(number: str, rank: IssuerRank) -> None:
    assert PRODUCTION.issuer_rank(number) is rank
