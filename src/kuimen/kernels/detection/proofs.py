"""What digits prove by themselves: formats, check digits and tables, as evidence with points.

The cheap refusals come first: most numbers of a log are none of these, and the check digits cost most.
"""

from kuimen.kernels.detection.evidence import Evidence, EvidenceKind
from kuimen.kernels.elements.checks import (
    is_calendar_date,
    luhn_holds,
    organisation_code_holds,
    resident_id_checksum_holds,
    uscc_checksum_holds,
)
from kuimen.kernels.elements.model import Element
from kuimen.kernels.elements.overlay import DivisionRank, IssuerRank, RecognitionTables

_RESIDENCE_PERMIT_AREAS = frozenset({"810000", "820000", "830000"})
_NATIONAL_OFFICE = "10"
_CENTURIES = frozenset({"18", "19", "20"})


def identity_evidence(number: str, tables: RecognitionTables) -> tuple[Element, tuple[Evidence, ...]] | None:
    """Return what eighteen characters prove: a resident identity, a residence or a permanent-residence permit."""
    if number[6:8] not in _CENTURIES or number[10] > "1" or number[12] > "3":
        return None
    if not is_calendar_date(number[6:14]) or not resident_id_checksum_holds(number):
        return None
    proof = (
        Evidence(EvidenceKind.FORMAT, "eighteen characters with a real date", 1),
        Evidence(EvidenceKind.CHECKSUM, "MOD 11-2", 3),
    )
    if number[:6] in _RESIDENCE_PERMIT_AREAS:
        return Element.OTHER_CERTIFICATE, (*proof, Evidence(EvidenceKind.TABLE, "residence permit", 2))
    rank = tables.division_rank(number[:6])
    if rank is not DivisionRank.UNKNOWN:
        return Element.RESIDENT_ID, (*proof, Evidence(EvidenceKind.TABLE, f"area:{rank.name.lower()}", int(rank)))
    if number[0] == "9" and number[1:3] in tables.provinces:
        return Element.OTHER_CERTIFICATE, (*proof, Evidence(EvidenceKind.TABLE, "permanent residence card", 1))
    return None


def mobile_evidence(digits: str, tables: RecognitionTables) -> tuple[Evidence, ...]:
    """Return what eleven digits prove; nothing where the tables reserve them."""
    if not "3" <= digits[1] <= "9" or digits[0] != "1" or tables.is_reserved_mobile(digits):
        return ()
    if tables.is_mobile(digits):
        return (Evidence(EvidenceKind.FORMAT, "eleven digits", 1), Evidence(EvidenceKind.TABLE, "number segment", 2))
    return (Evidence(EvidenceKind.FORMAT, "eleven digits of a segment not opened", 2),)


def card_evidence(digits: str, tables: RecognitionTables) -> tuple[Evidence, ...]:
    """Return what 13 to 19 digits prove about a card; nothing without the Luhn check."""
    if not luhn_holds(digits):
        return ()
    rank = tables.issuer_rank(digits)
    if rank is IssuerRank.UNKNOWN:
        return ()
    weight = {IssuerRank.ISSUER: 3, IssuerRank.UNIONPAY: 2, IssuerRank.NETWORK: 0}[rank]
    return (
        Evidence(EvidenceKind.CHECKSUM, "Luhn", 2),
        Evidence(EvidenceKind.TABLE, f"issuer number:{rank.name.lower()}", weight),
    )


def landline_evidence(digits: str, tables: RecognitionTables, *, hyphen: bool) -> tuple[Evidence, ...]:
    """Return what an area code and a subscriber number prove."""
    for width in (3, 4):
        if digits[:width] in tables.area_codes and len(digits) - width in (7, 8) and digits[width] in "23456789":
            shape = Evidence(EvidenceKind.FORMAT, "area code parted" if hyphen else "digits only", 2 if hyphen else 1)
            return (shape, Evidence(EvidenceKind.TABLE, "area code", 2 if hyphen else 1))
    return ()


def company_code_evidence(code: str, tables: RecognitionTables) -> tuple[Evidence, ...]:
    """Return what eighteen characters prove about a unified social credit code."""
    if code[0] not in "123456789ANY" or code[1] not in "1234569" or not code[2:8].isdecimal():
        return ()
    if code[2:4] not in tables.provinces and code[2:4] != _NATIONAL_OFFICE:
        return ()
    rank = tables.division_rank(code[2:8])
    if not uscc_checksum_holds(code):
        return ()
    letters = not code.isdecimal()
    pieces = [
        Evidence(EvidenceKind.FORMAT, "eighteen characters of the alphabet", int(letters)),
        Evidence(EvidenceKind.CHECKSUM, "MOD 31", 4 if letters else 1),
        Evidence(EvidenceKind.TABLE, "registration area", 2 if rank else 0),
    ]
    if organisation_code_holds(code[8:17]):
        pieces.append(Evidence(EvidenceKind.CHECKSUM, "organisation code inside", 2))
    return tuple(pieces)
