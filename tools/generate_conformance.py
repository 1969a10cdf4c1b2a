"""Write docs/conformance.md from the catalogue, the controls and the tests, or check that it is up to date.

python tools/generate_conformance.py            write
python tools/generate_conformance.py --check    exit 1 when the file differs
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from kuimen.standard.conformance import render
from kuimen.standard.loader import load_catalogue
from kuimen.standard.trace import citations_of

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs/conformance.md"


def sources() -> dict[str, str]:
    """Return the text of every Python file of product and tests, keyed by its path in the repository."""
    folders = (ROOT / "src/kuimen", ROOT / "tests")
    paths = sorted(path for folder in folders for path in folder.rglob("*.py"))
    return {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in paths}


def main(arguments: Sequence[str]) -> int:
    """Write the page, or compare it when `--check` is given."""
    text = render(load_catalogue(), citations_of(sources()))
    if "--check" not in arguments:
        TARGET.write_text(text, encoding="utf-8")
        return 0
    current = TARGET.read_text(encoding="utf-8") if TARGET.exists() else ""
    if current != text:
        print(f"{TARGET.relative_to(ROOT)} is out of date: run python tools/generate_conformance.py")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
