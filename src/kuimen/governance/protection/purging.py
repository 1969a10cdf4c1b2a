"""Cut out of free text what may never be stored, not even sealed: CVN2, track data, one-time codes.

Clause: JRT0171-6.1.3-a
"""

from kuimen.kernels.detection import detect
from kuimen.kernels.elements import ELEMENT_TABLE, Storage
from kuimen.kernels.elements.overlay import RecognitionTables

_FORBIDDEN = frozenset(element for element, rule in ELEMENT_TABLE.items() if rule.storage is Storage.DESTROY)
_REPLACEMENT = "******"


class Purger:
    """Removes forbidden elements from texts; deterministic, so that verification can repeat it."""

    def __init__(self, tables: RecognitionTables) -> None:
        """Recognise with these tables."""
        self._tables = tables

    def purge(self, text: str) -> tuple[str, list[tuple[str, str]]]:
        """Return the text with forbidden values replaced by a fixed mask, and (element, value) of what was removed."""
        found = [finding for finding in detect(text, tables=self._tables) if finding.element in _FORBIDDEN]
        clean, removed = text, []
        for finding in sorted(found, key=lambda finding: finding.start, reverse=True):
            removed.append((str(finding.element), text[finding.start : finding.end]))
            clean = clean[: finding.start] + _REPLACEMENT + clean[finding.end :]
        return clean, removed
