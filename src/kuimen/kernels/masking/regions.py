"""How far an address may be shown: the names of provinces, prefectures and counties it begins with.

Names are looked up, never guessed from their endings: a guess would show a person's name that stands before a town.
"""

from kuimen.kernels.elements.overlay import FICTITIOUS

MAX_PARTS = 3  # province, prefecture, county
SHORT_ENDINGS = ("省", "市")
SHORT_NAMES = frozenset({"内蒙古", "广西", "西藏", "宁夏", "新疆"})
MIN_SHORT = 2


def _shortened(name: str) -> str | None:
    """Return a province or town without its ending, as people write it; None where too little is left."""
    return name[:-1] if name.endswith(SHORT_ENDINGS) and len(name) > MIN_SHORT else None


# The fictitious tables hold the real ones as well, and an invented region tells nothing about anybody.
NAMES = (
    FICTITIOUS.regions | SHORT_NAMES | frozenset(short for name in FICTITIOUS.regions if (short := _shortened(name)))
)
LONGEST = max(map(len, NAMES))


def leading_regions(address: str) -> list[str]:
    """Return the names of regions that an address begins with, from the largest, at most three."""
    parts: list[str] = []
    rest = address
    while len(parts) < MAX_PARTS:
        part = next((rest[:width] for width in range(LONGEST, 1, -1) if rest[:width] in NAMES), None)
        if part is None:
            break
        parts.append(part)
        rest = rest[len(part) :]
    return parts
