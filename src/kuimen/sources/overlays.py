"""Names of recognition-table overlays as people type them."""

from kuimen.kernels.elements.overlay import FICTITIOUS, PRODUCTION, RecognitionTables
from kuimen.sources.errors import SourceLocationError


def tables_of(overlay: str | None) -> RecognitionTables:
    """Return the recognition tables of an overlay name; None is production.

    Raises:
        SourceLocationError: there is no overlay of this name.
    """
    if overlay is None:
        return PRODUCTION
    if overlay == "fictitious":
        return FICTITIOUS
    raise SourceLocationError("overlay: unknown; use fictitious or none")
