"""Names of persons in running text: a gate, a character tagger from a wheel, and the port they stand behind.

Without the extra `names` there is no tagger; then names are found only where a text leads to them, and
`name_search()` says so.
"""

from functools import lru_cache

from kuimen.kernels.detection.names import weights
from kuimen.kernels.detection.names.finder import TaggingRecogniser
from kuimen.kernels.detection.names.port import LinguisticRecogniser, NameSearch, Span

__all__ = ["LinguisticRecogniser", "NameSearch", "Span", "installed_recogniser", "name_search"]


@lru_cache(maxsize=1)
def installed_recogniser() -> LinguisticRecogniser | None:
    """Return the recogniser of the extra `names`, opened at the first call, or None without the extra.

    Raises:
        UnknownWeightsError: the files are not the examined ones.
    """
    return TaggingRecogniser(weights.load_tagger) if weights.is_installed() else None


def name_search() -> NameSearch:
    """Tell how names in free text are looked for; opens nothing."""
    return NameSearch.MODEL if weights.is_installed() else NameSearch.LEAD_INS_ONLY
