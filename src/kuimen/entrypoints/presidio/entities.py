"""Names of entities: Presidio's where it has one, Chinese ones in its style where it has none."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from kuimen.entrypoints.presidio.errors import AnalyzerRequestError
from kuimen.kernels.detection import Likelihood
from kuimen.kernels.elements.model import Element

_NAMED: Mapping[Element, str] = MappingProxyType(
    {
        Element.PERSON_NAME: "PERSON",
        Element.MOBILE: "PHONE_NUMBER",
        Element.LANDLINE: "PHONE_NUMBER",
        Element.EMAIL: "EMAIL_ADDRESS",
        Element.BANK_CARD: "CREDIT_CARD",
        Element.ADDRESS: "LOCATION",
        Element.LOCATION: "LOCATION",
        Element.IP: "IP_ADDRESS",
        Element.MAC: "MAC_ADDRESS",
        Element.BIRTH_DATE: "DATE_TIME",
        Element.NATIONALITY: "NRP",
        Element.ETHNICITY: "NRP",
        Element.COMPANY_NAME: "ORGANIZATION",
        Element.RESIDENT_ID: "CN_ID_CARD",
        Element.PASSPORT: "CN_PASSPORT",
        Element.OTHER_CERTIFICATE: "CN_CERTIFICATE",
        Element.USCC: "CN_USCC",
        Element.PLATE: "CN_LICENSE_PLATE",
        Element.ACCOUNT_NUMBER: "CN_ACCOUNT_NUMBER",
    }
)
SUPPORTED_LANGUAGES = ("zh", "en")
_SCORES: Mapping[Likelihood, float] = MappingProxyType(
    {
        Likelihood.VERY_UNLIKELY: 0.05,
        Likelihood.UNLIKELY: 0.3,
        Likelihood.POSSIBLE: 0.6,
        Likelihood.LIKELY: 0.85,
        Likelihood.VERY_LIKELY: 0.95,
    }
)


def entity_of(element: Element) -> str:
    """Return the entity name of an element; what Presidio has no name for is the element in capitals."""
    return _NAMED.get(element, str(element).upper())


def entity_names() -> list[str]:
    """Return every entity name, sorted."""
    return sorted({entity_of(element) for element in Element})


def elements_of(entities: Iterable[str]) -> frozenset[Element]:
    """Return the elements that entity names ask for; names of elements are understood too.

    Raises:
        AnalyzerRequestError: a name is neither.
    """
    wanted = set()
    for name in entities:
        found = {element for element in Element if name in {entity_of(element), str(element), str(element).upper()}}
        if not found:
            raise AnalyzerRequestError("entities: a name is not supported; GET /supportedentities lists them")
        wanted |= found
    return frozenset(wanted)


def score_of(likelihood: Likelihood) -> float:
    """Return the score that stands for a likelihood."""
    return _SCORES[likelihood]


def least_for(score: float) -> Likelihood:
    """Return the least likelihood whose score reaches a threshold; the default asks for `possible` at least."""
    if score <= 0:
        return Likelihood.POSSIBLE
    return next((likelihood for likelihood in Likelihood if _SCORES[likelihood] >= score), Likelihood.VERY_LIKELY)
