"""Files of templates in `corpora/`: `# kind` opens a part, each other line is a template; held-out files are frozen."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

CORPORA = Path(__file__).parent / "corpora"


def templates(name: str, *, frozen: str | None) -> Iterator[tuple[str, str]]:
    """Yield kind and template, in the order of the file; `frozen` is the SHA-256 that a held-out file must have."""
    content = (CORPORA / name).read_bytes()
    if frozen is not None and hashlib.sha256(content).hexdigest() != frozen:
        raise SystemExit(f"{name}: the held-out templates have been changed")
    kind = ""
    for line in content.decode("utf-8").splitlines():
        if line.startswith("# "):
            kind = line[2:]
        elif line:
            yield kind, line
