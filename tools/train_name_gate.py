"""Write kernels/detection/names/gate.json: the words and weights that open a place for the name tagger.

python -m tools.train_name_gate [--check]

Needs the extra `names`. The words are the tagger's own vocabulary (Apache-2.0) less what it takes for names; the text
is ours (`benchmarks/corpora/`), with invented names put into its places, seeded. Takes about a minute on one core.
"""

import argparse
import json
import re
import sys
from importlib.resources import files
from itertools import chain
from pathlib import Path
from random import Random

import numpy as np

from benchmarks.detection_people import people
from kuimen.kernels.detection.folding import fold
from kuimen.kernels.detection.names.common_words import FOREIGN_SOUNDS, SURNAME_ORDER
from kuimen.kernels.detection.names.gate import GateTable, features, open_places
from kuimen.kernels.detection.names.tagger import PERSON_BEGIN, PERSON_INSIDE, CharacterTagger
from kuimen.kernels.detection.names.weights import PACKAGE, load_tagger
from kuimen.kernels.elements.surnames import COMPOUND_SURNAMES, GIVEN_NAME_CHARACTERS, SINGLE_SURNAMES

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "src/kuimen/kernels/detection/names/gate.json"
CORPORA = ROOT / "benchmarks/corpora"
SEED = 20_261_122
DRAWN = 2500
MISSED = 0.007  # share of the fitted names that may stay behind the gate
LONGEST_WORD = 6
FOREIGN, COMPOUND, RARE = 0.2, 0.25, 0.4  # cumulated shares of the kinds of names drawn
ONE_CHARACTER = 0.25
FOREIGN_SHARE = 0.7
Row = tuple[tuple[bool | float, ...], bool]


def vocabulary() -> list[str]:
    """Return the words of the tagger that are written in Chinese."""
    lines = (files(PACKAGE) / "word.dic").read_text(encoding="utf-8").split("\n")
    listed = [line.partition("\t")[2] for line in lines]
    return [
        word
        for word in listed
        if 1 < len(word) <= LONGEST_WORD and all("\u4e00" <= letter <= "\u9fff" for letter in word)
    ]


def is_name(tags: bytes) -> bool:
    """Tell whether a word as a whole is a name."""
    return tags[:1] == bytes([PERSON_BEGIN]) and not tags[1:].strip(bytes([PERSON_INSIDE]))


def foreign_names(names: list[str]) -> list[str]:
    """Keep the names that are written by sound."""
    return [
        name
        for name in names
        if sum(letter in FOREIGN_SOUNDS for letter in name) / len(name) > FOREIGN_SHARE and len(name) < LONGEST_WORD
    ]


def draw_name(rng: Random, foreign: list[str]) -> str:
    """Invent a name."""
    order = "".join(SURNAME_ORDER)
    kind = rng.random()
    if kind < FOREIGN:
        return rng.choice(foreign)
    given = "".join(rng.choice(sorted(GIVEN_NAME_CHARACTERS)) for _ in range(1 if rng.random() < ONE_CHARACTER else 2))
    if kind < COMPOUND:
        return rng.choice(sorted(COMPOUND_SURNAMES)) + given
    if kind < RARE:
        return rng.choice(sorted(SINGLE_SURNAMES)) + given
    return order[min(int(rng.expovariate(1 / 18)), len(order) - 1)] + given


def marked(line: str) -> tuple[str, frozenset[tuple[int, int]]]:
    """Return the text of a line and the spans that stood in square brackets."""
    text, spans, begin = "", set(), 0
    for match in re.finditer(r"\[([^\]]*)\]", line):
        text += line[begin : match.start()]
        spans.add((len(text), len(text) + len(match[1])))
        text += match[1]
        begin = match.end()
    return text + line[begin:], frozenset(spans)


def lines_of(name: str) -> list[str]:
    """Read a corpus without its headings."""
    lines = (CORPORA / name).read_text(encoding="utf-8").split("\n")
    return [line for line in lines if line and not line.startswith("# ")]


def training_lines(foreign: list[str]) -> list[tuple[str, frozenset[tuple[int, int]]]]:
    """Return our lines as they are, with drawn names in their places, and prose without names."""
    rng = Random(SEED)  # noqa: S311 - a corpus, no secret
    plain = lines_of("names_dev.txt")
    slotted = [line for line in plain if "[" in line]
    drawn = [re.sub(r"\[[^\]]*\]", lambda _: f"[{draw_name(rng, foreign)}]", rng.choice(slotted)) for _ in range(DRAWN)]
    # The negatives weigh as often as the contexts are repeated.
    prose = [line for line in chain(plain, lines_of("prose_dev.txt")) if "[" not in line] * (DRAWN // len(slotted))
    generated = [(one.text, one.names) for one in people("dev")]
    return [*(marked(line) for line in chain(plain, drawn, prose)), *generated]


def rows(tagger: CharacterTagger, table: GateTable, foreign: list[str]) -> list[Row]:
    """Describe every open place of the training text, with whether a name begins there."""
    collected: list[Row] = []
    lines = [(fold(text).text, spans) for text, spans in training_lines(foreign)]
    tagged = tagger.tag([text for text, _ in lines])
    for (text, spans), read in zip(lines, tagged, strict=True):
        tags = np.frombuffer(read.tags if read else bytes(len(text)), dtype=np.uint8)
        starts = {start for start, _ in spans} | set(np.flatnonzero(tags == PERSON_BEGIN).tolist())
        inside = {place for start, end in spans for place in range(start + 1, end)} | set(
            np.flatnonzero(tags == PERSON_INSIDE).tolist()
        )
        collected.extend(
            (features(text, place, table), place in starts)
            for place in open_places(text)
            if place in starts or place not in inside
        )
    return collected


def fit(collected: list[Row]) -> tuple[list[float], float]:
    """Fit a logistic regression by gradient; return weights and the threshold that keeps all but `MISSED`."""
    inputs = np.array([row for row, _ in collected], dtype=np.float64)
    wanted = np.array([label for _, label in collected], dtype=np.float64)
    weights = np.zeros(inputs.shape[1])
    for _ in range(4000):
        odds = 1 / (1 + np.exp(-inputs @ weights))
        weights += 2.0 * (inputs.T @ (wanted - odds)) / len(wanted) - 2e-4 * weights
    rounded = [round(float(weight), 2) for weight in weights]
    scores = np.sort((inputs @ np.array(rounded))[wanted > 0])
    threshold = round(float(scores[int(MISSED * len(scores))]) - 0.01, 2)
    passed = float((inputs[wanted == 0] @ np.array(rounded) >= threshold).mean())
    print(f"{len(wanted)} places, {int(wanted.sum())} names; threshold {threshold}, other places passed {passed:.3f}")
    return rounded, threshold


def main() -> None:
    """Fit, then write or compare."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--check", action="store_true", help="exit 1 when the file differs")
    chosen = parser.parse_args()
    tagger, listed = load_tagger(), vocabulary()
    tagged = [read.tags if read else b"" for read in tagger.tag(listed)]
    names = [word for word, tags in zip(listed, tagged, strict=True) if is_name(tags)]
    ordinary = [word for word, tags in zip(listed, tagged, strict=True) if PERSON_BEGIN not in tags]
    pairs = {word[begin : begin + 2] for word in ordinary for begin in range(len(word) - 1)}
    triples = {word[begin : begin + 3] for word in ordinary for begin in range(len(word) - 2)}
    empty = GateTable(pairs=frozenset(pairs), triples=frozenset(triples), weights=(), threshold=0.0)
    weights, threshold = fit(rows(tagger, empty, foreign_names(names)))
    content = json.dumps(
        {
            "about": "written by tools/train_name_gate.py; words of the LAC vocabulary (Apache-2.0, Baidu)",
            "weights": weights,
            "threshold": threshold,
            "pairs": "".join(sorted(pairs)),
            "triples": "".join(sorted(triples)),
        },
        ensure_ascii=False,
        indent=0,
    )
    if chosen.check:
        sys.exit(TARGET.read_text(encoding="utf-8") != content + "\n")
    TARGET.write_text(content + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
