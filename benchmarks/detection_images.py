"""Pictures of cards, screens and scanned pages: which fields are found, and whether anything is left after redaction.

The people are impossible. Every picture is turned and spoiled as cameras and scanners do it; after redaction it is read
again as it is and at twice its size, and no piece of four characters of a field may come back.
"""

import io
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from random import Random

import cv2
import numpy as np
import pypdfium2
from PIL import Image, ImageEnhance, ImageFilter

from benchmarks.measurement import Measurement
from benchmarks.run import Run
from kuimen.kernels.elements.overlay import FICTITIOUS
from kuimen.kernels.elements.table import rule_of
from kuimen.sources.images.errors import StillReadableError
from kuimen.sources.images.ocr import Picture, read_upright
from kuimen.sources.images.redaction import findings_of, redact_picture

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from fixtures import cards

DEGREES = (0, 90, 180, 270, 5, -5)
KINDS = ("identity_card", "bank_card", "screenshot", "scanned_page")
_Z = 1.96


@dataclass(frozen=True, slots=True)
class Shot:
    """One spoiled picture and the fields on it."""

    kind: str
    degrees: int
    spoiling: str
    picture: Picture
    fields: dict[str, str]


def _noisy(image: Image.Image, seed: int) -> Image.Image:
    """Add the noise of a sensor and the blocks of a hard JPEG."""
    rng = np.random.default_rng(seed)
    pixels = np.asarray(image.convert("RGB"), dtype=np.int16)
    grain = rng.normal(0, 9, (*pixels.shape[:2], 1)).astype(np.int16)
    out = io.BytesIO()
    Image.fromarray((pixels + grain).clip(0, 255).astype(np.uint8)).save(out, "JPEG", quality=30)
    return Image.open(io.BytesIO(out.getvalue()))


def _pale(image: Image.Image) -> Image.Image:
    """Take contrast away and put half of the picture into shadow."""
    faded = ImageEnhance.Contrast(image).enhance(0.45)
    shadow = np.linspace(1.0, 0.55, faded.width)[None, :, None]
    return Image.fromarray((np.asarray(faded.convert("RGB")) * shadow).astype(np.uint8))


SPOILINGS = {
    "clean": lambda image, _: image,
    "blurred": lambda image, _: image.filter(ImageFilter.GaussianBlur(1.3)),
    "half size": lambda image, _: cards.spoiled(image, half=True),
    "noise, JPEG 30": _noisy,
    "pale, shadowed": lambda image, _: _pale(image),
}


def _scanned_page(card: cards.Card, rng: Random) -> Image.Image:
    """Put two photocopies of a card on a page, as a PDF of scans has them, and render it as the scanner does."""
    page = Image.new("L", (1654, 2339), 250)
    page.paste(card.image.convert("L").resize((910, 574)), (370, 300 + rng.randrange(60)))
    file = io.BytesIO()
    page.save(file, "PDF", resolution=200)
    shown = pypdfium2.PdfDocument(file.getvalue())[0].render(scale=200 / 72).to_numpy()
    return Image.fromarray(np.ascontiguousarray(shown[:, :, ::-1]) if shown.shape[2] == 3 else shown[:, :, 0])


def shots(count: int) -> Iterator[Shot]:
    """Yield pictures over every kind, turn and spoiling, the same on every run."""
    grid = list(product(KINDS, DEGREES, SPOILINGS))
    Random(17).shuffle(grid)  # noqa: S311 - the same pictures on every run
    for at in range(count):
        kind, degrees, spoiling = grid[at % len(grid)]
        index, face, layout = 3_000 + at, at % 5, at % 3
        drawn = cards.identity_card if kind == "scanned_page" else getattr(cards, kind)
        card = drawn(index, face=face, layout=layout)
        if kind == "scanned_page":
            card = cards.Card(image=_scanned_page(card, Random(at)), fields=card.fields)  # noqa: S311
        spoiled = SPOILINGS[spoiling](cards.turned(card, degrees), at)
        pixels = np.ascontiguousarray(np.asarray(spoiled.convert("RGB"))[:, :, ::-1])
        yield Shot(kind, degrees, spoiling, pixels, card.fields)


def plain(text: str) -> str:
    return "".join(letter for letter in text if letter.isalnum())


def still_read(clean: Picture, fields: dict[str, str]) -> list[str]:
    """Return the fields of which a second reading, as it is and enlarged, makes out four characters."""
    seen = ""
    for scale in (1.0, 2.0):
        shown = clean if scale == 1.0 else cv2.resize(clean, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
        seen += "|".join(plain(line.text) for line in read_upright(np.asarray(shown))[0]) + "|"
    return [
        element
        for element, text in fields.items()
        if any(piece in seen for piece in {plain(text)[at : at + 4] for at in range(max(1, len(plain(text)) - 3))})
        and (len(plain(text)) > 3 or plain(text) in seen)
    ]


def _interval(hits: int, total: int) -> str:
    share = hits / total
    scale = 1 + _Z * _Z / total
    centre = (share + _Z * _Z / (2 * total)) / scale
    reach = _Z * (share * (1 - share) / total + _Z * _Z / (4 * total * total)) ** 0.5 / scale
    return f"{share:.3f} ({max(0.0, centre - reach):.3f}–{min(1.0, centre + reach):.3f})"


_refused: list[Shot] = []
_judged: list[tuple[Shot, set[str], list[str]]] = []


def measure(run: Run) -> list[Measurement]:
    """Judge every picture; the speed is that of reading, beside bare OCR of the same pictures."""
    _judged.clear()
    _refused.clear()
    reading = bare = 0.0
    pictures = list(shots(run.sized(120, 8)))
    read_upright(pictures[0].picture)
    for shot in pictures:
        started = time.process_time()
        found = {str(one.element) for one in findings_of(shot.picture, tables=FICTITIOUS)[0]}
        reading += time.process_time() - started
        started = time.process_time()
        read_upright(shot.picture)
        bare += time.process_time() - started
        try:
            left = still_read(redact_picture(shot.picture, tables=FICTITIOUS)[0], shot.fields)
        except StillReadableError:  # nothing was given away
            _refused.append(shot)
            left = []
        _judged.append((shot, found, left))
    return [
        Measurement(
            what="pictures read and their fields found, processor time",
            value=len(pictures) / reading,
            limit="OCR alone",
            limit_value=len(pictures) / bare,
        )
    ]


def report(_: Run) -> list[str]:
    """Return recall by kind, turn and spoiling, and what could still be read."""
    asked: Counter[str] = Counter()
    hit: Counter[str] = Counter()
    left: Counter[str] = Counter()
    for shot, found, readable in _judged:
        wanted = [one for one in shot.fields if rule_of(one).category in {"C2", "C3"}]
        turn = {5: "±5°", -5: "±5°"}.get(shot.degrees, f"{shot.degrees}°")
        for group in ("all", shot.kind.replace("_", " "), turn, shot.spoiling):
            asked[group] += len(wanted)
            hit[group] += len(found.intersection(wanted))
            left[group] += len(readable)
    told = f"{len(_judged)} pictures of impossible people, {len(_refused)} of them refused by redaction"
    return [
        f"{told}. Fields of C2 and C3, each asked for where it is printed.",
        "",
        "| pictures | fields | recall (95 %) | readable after redaction |",
        "|---|---:|---|---:|",
        *(f"| {group} | {asked[group]} | {_interval(hit[group], asked[group])} | {left[group]} |" for group in asked),
    ]
