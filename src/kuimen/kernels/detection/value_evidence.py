"""What the sampled cells say for an element, and against one that the heading names."""

from collections.abc import Mapping

from kuimen.kernels.detection.evidence import Evidence, EvidenceKind
from kuimen.kernels.detection.profile import LEAST_SHARE, ColumnProfile, wilson
from kuimen.kernels.detection.values import COMPATIBLE
from kuimen.kernels.elements.model import Element

_MOST, _MANY = 0.6, 0.3
_FEW_CELLS, _ENOUGH_CELLS = 3, 20
_FEWEST_NAMES = 8
_NAME_SHARE = 0.8
_YOUNGEST_YEAR, _OLDEST_YEAR = 2010, 1925
_LEAST_SPREAD = 15
_CARD_SHARE = 0.6
# A person has one of these; a handful of values over many rows belongs to an institution.
_VARIED = frozenset(
    {
        Element.RESIDENT_ID, Element.BANK_CARD, Element.MOBILE, Element.LANDLINE, Element.EMAIL, Element.ADDRESS,
        Element.COMPANY_NAME,
    }
)  # fmt: skip
_FEW_DISTINCT = 0.05
# Points when most cells, many cells, one in twenty cells are proven.
_CHECKED = (7, 5, 3)
_TABLED = (6, 4, 2)
_WORDS = (5, 3, 1)
_WEIGHTS: Mapping[Element, tuple[int, int, int]] = {
    Element.RESIDENT_ID: _CHECKED,
    Element.OTHER_CERTIFICATE: _CHECKED,
    Element.USCC: _CHECKED,
    Element.BANK_CARD: _CHECKED,
    Element.TRACK_DATA: _CHECKED,
    Element.EMAIL: _CHECKED,
    Element.MAC: _CHECKED,
    Element.WECHAT: _CHECKED,
    Element.MOBILE: _CHECKED,
    Element.PLATE: _CHECKED,
    Element.LANDLINE: _TABLED,
    Element.IP: _TABLED,
    Element.LOCATION: _TABLED,
    Element.ADDRESS: _TABLED,
    Element.COMPANY_NAME: _WORDS,
    Element.SEX: _TABLED,
    Element.ETHNICITY: _TABLED,
    Element.EDUCATION: _TABLED,
    Element.MARITAL_STATUS: _TABLED,
    Element.CONTACT_RELATION: _TABLED,
    Element.NATIONALITY: _WORDS,
    Element.OCCUPATION: _WORDS,
}


def value_evidence(profile: ColumnProfile) -> dict[Element, list[Evidence]]:
    """Return the evidence of the cells by element; elements under one cell in twenty are absent."""
    found: dict[Element, list[Evidence]] = {}
    if profile.filled < _FEW_CELLS:
        return _single_cells(profile)
    for element, hits in profile.proven.items():
        weights = _WEIGHTS.get(element)
        share = hits / profile.filled
        if weights is None or share < LEAST_SHARE or (element is Element.BANK_CARD and not _cards_are_real(profile)):
            continue
        low, high = wilson(hits, profile.filled)
        points = weights[0] if low >= _MOST or share >= 0.75 else weights[1] if share >= _MANY else weights[2]  # noqa: PLR2004 - three cells in four
        detail = f"{hits}/{profile.filled}, 95% {low:.2f}-{high:.2f}"
        found[element] = [Evidence(EvidenceKind.PREVALENCE, f"cells prove {element}", points, detail)]
        if (
            element in _VARIED
            and profile.filled >= _ENOUGH_CELLS
            and profile.distinct <= _FEW_DISTINCT * profile.filled
        ):
            repeated = f"{profile.distinct} distinct in {profile.filled}"
            found[element].append(Evidence(EvidenceKind.UNIQUENESS, "few different cells", -6, repeated))
    names = _names(profile)
    if names is not None:
        found[Element.PERSON_NAME] = [names]
    births = _births(profile)
    if births is not None:
        found[Element.BIRTH_DATE] = [births]
    for masked, hits in profile.masked.items():
        if masked is not None and hits / profile.filled >= _MANY:
            piece = Evidence(EvidenceKind.MASKED, f"cells are a masked {masked}", 4, f"{hits}/{profile.filled}")
            found.setdefault(masked, []).append(piece)
    return found


def _single_cells(profile: ColumnProfile) -> dict[Element, list[Evidence]]:
    """One or two cells prove only what carries a check digit."""
    return {
        element: [Evidence(EvidenceKind.PREVALENCE, f"cells prove {element}", 3, f"{hits}/{profile.filled}")]
        for element, hits in profile.proven.items()
        if _WEIGHTS.get(element) is _CHECKED and hits == profile.filled
    }


def _cards_are_real(profile: ColumnProfile) -> bool:
    """One number in ten passes Luhn by chance: of those that open like a card most must pass."""
    looked = profile.cards_passed + profile.cards_failed
    return looked > 0 and profile.cards_passed / looked >= _CARD_SHARE


def _names(profile: ColumnProfile) -> Evidence | None:
    hits = profile.proven[Element.PERSON_NAME]
    share = hits / profile.filled
    if share < LEAST_SHARE or profile.distinct < min(_FEWEST_NAMES, profile.filled):
        return None
    varied = profile.distinct / profile.filled
    detail = f"{hits}/{profile.filled}, distinct {profile.distinct}"
    if share >= _NAME_SHARE and varied >= _MANY:
        return Evidence(EvidenceKind.PREVALENCE, "cells have the shape of names", 5 if varied >= _MOST else 4, detail)
    return Evidence(EvidenceKind.PREVALENCE, "some cells have the shape of names", 1, detail)


def _births(profile: ColumnProfile) -> Evidence | None:
    """Dates of birth lie a generation back and far apart; dates of business lie close behind us."""
    if len(profile.years) < _NAME_SHARE * profile.filled or profile.filled < _FEW_CELLS:
        return None
    years = sorted(profile.years)
    low, high = years[len(years) // 20], years[-1 - len(years) // 20]
    if low >= _OLDEST_YEAR and high < _YOUNGEST_YEAR and high - low >= _LEAST_SPREAD:
        return Evidence(EvidenceKind.PREVALENCE, "dates of a generation", 4, f"{len(years)}/{profile.filled}")
    return None


def contradiction(element: Element, profile: ColumnProfile) -> Evidence | None:
    """Return what the cells say against an element, if they can tell."""
    accepts = COMPATIBLE.get(element)
    clear = [text for text in profile.cells if "*" not in text]
    if accepts is None or len(clear) < _FEW_CELLS:
        return None
    fits = sum(map(accepts, clear))
    share = fits / len(clear)
    detail = f"{fits}/{len(clear)}"
    if element is Element.BANK_CARD and profile.cards_failed > _ENOUGH_CELLS and not _cards_are_real(profile):
        return Evidence(EvidenceKind.PREVALENCE, "card check passes by chance only", -2, detail)
    if share >= _MOST:
        return None
    if profile.digests >= _MOST * profile.filled:
        return Evidence(
            EvidenceKind.PREVALENCE, "cells are digests or ciphers", -2, f"{profile.digests}/{profile.filled}"
        )
    if share < LEAST_SHARE:
        return Evidence(
            EvidenceKind.PREVALENCE, "cells cannot be it", -8 if len(clear) >= _ENOUGH_CELLS else -4, detail
        )
    return Evidence(EvidenceKind.PREVALENCE, "few cells can be it, or only in another form", -2, detail)
