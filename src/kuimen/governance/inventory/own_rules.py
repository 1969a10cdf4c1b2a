"""The institution's own rules for text: the folder `rules` of the installation, where it holds any."""

from functools import lru_cache
from pathlib import Path

from django.conf import settings

from kuimen.kernels.detection.rules import RuleSet
from kuimen.sources.rulefolder import load_rules, rule_files


def own_rules() -> RuleSet | None:
    """Return our rules with the institution's over them, None where it has none.

    Raises:
        RuleError: a file of the folder is refused; nothing is scanned with half of the rules.
    """
    folder: Path = settings.KUIMEN_RULE_DIR
    marks = tuple((path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in rule_files(folder))
    return _loaded(folder, marks) if marks else None


@lru_cache(maxsize=1)
def _loaded(folder: Path, _marks: tuple[tuple[str, int, int], ...]) -> RuleSet:
    return load_rules(folder)
