"""Names of persons and addresses in running text: how well on own sentences, how fast, beside other tools.

Three own sets. The small hand-written one: its development half shaped the rules, its held-out half is frozen by digest
but a few general rules followed from its first run. The two generated ones (`detection_people`, `detection_lines`): the
held-out halves share no template, no given name and no county with what was developed on, are frozen by digest, and
only their totals were looked at. All come from one hand: on other people's text figures will be lower. Speeds are of
processor time on one core.
"""

import hashlib
import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

from benchmarks.detection_lines import lines as address_lines
from benchmarks.detection_people import people
from benchmarks.detection_text import _f1, _share
from benchmarks.language_peers import address_finders, name_finders
from benchmarks.measurement import Measurement, percentile, rate_of
from benchmarks.run import Run
from kuimen.kernels.detection import detect, detect_many
from kuimen.kernels.detection.folding import fold
from kuimen.kernels.detection.names.gate import possible_places
from kuimen.kernels.detection.names.rules import announced_names
from kuimen.kernels.detection.names.tagger import PERSON_BEGIN, PERSON_INSIDE, CharacterTagger
from kuimen.kernels.detection.names.weights import load_tagger
from kuimen.kernels.detection.names.windows import windows_around
from kuimen.kernels.elements.fictitious import make_identity
from kuimen.kernels.elements.overlay import FICTITIOUS

CORPORA = Path(__file__).parent / "corpora"
HELD_OUT = {
    "names_held.txt": "b5107594df4ed252b50d0d5fd3d3f843dfb2ee86571ec0663bdb4819023755da",
    "addresses_held.txt": "728f591347bc4c522e14c2eac958c0f5950c420603c66ce2897bb163a86daa96",
    "places_held.txt": "64173b90fefc9154c4cf30f74901849b814c3900897bdc3a30dd60d5fc858e40",
}
Spans = set[tuple[int, int]]
_NAMED_SHARE = 0.05
_PLAIN = (
    "2026-03-04 05:06:07.{ms} INFO  [exec-7] c.k.repay.RepayService - 还款处理完成 orderNo={order} cost=23ms",
    "2026-03-04 05:06:07.{ms} DEBUG [pool-2-thread-7] c.k.risk.Engine - rule hit ruleId=R17 score=612 traceId={order}",
    "2026-03-04 05:06:07.{ms} WARN  [scheduler-1] c.k.job.Overdue - 扫描逾期账单 batch={order} 耗时 {ms} 毫秒",
    "2026-03-04 05:06:07.{ms} INFO  [main] o.s.web - Completed 200 OK uri=/api/v1/loans/{order}",
    "2026-03-04 05:06:07.{ms} ERROR [worker-3] c.k.sms.Sender - 短信发送失败，通道返回超时，将在 5 秒后重试 m={order}",
)
_NAMED = (
    "2026-03-04 05:06:07.{ms} INFO  [exec-7] c.k.collect.Note - 催收备注 客户{name}表示月底还款 caseNo={order}",
    "2026-03-04 05:06:07.{ms} INFO  [exec-7] c.k.user.Service - save user name={name} uid={order}",
    "2026-03-04 05:06:07.{ms} INFO  [exec-7] c.k.collect.Call - 接通，{name}称其在外地出差 case={order}",
)


def frozen(name: str) -> list[str]:
    """Read a corpus; a held-out one must be the one whose figures are printed."""
    content = (CORPORA / name).read_bytes()
    if name in HELD_OUT and hashlib.sha256(content).hexdigest() != HELD_OUT[name]:
        raise SystemExit(f"{name}: the held-out half has been changed")
    return [line for line in content.decode("utf-8").splitlines() if line]


def marked(name: str) -> list[tuple[str, str, Spans]]:
    """Return kind, text and the spans that stand in square brackets."""
    kind, lines = "", []
    for line in frozen(name):
        if line.startswith("# "):
            kind = line[2:]
            continue
        text, spans = "", set()
        for part in re.split(r"(\[[^\]]*\])", line):
            datum = part[1:-1] if part.startswith("[") else part
            if datum != part:
                spans.add((len(text), len(text) + len(datum)))
            text += datum
        lines.append((kind, text, spans))
    return lines


def log_block(count: int) -> str:
    """A log of which five lines in a hundred hold a name."""
    rng = Random(6_062)  # noqa: S311 - the same log on every run
    lines = []
    for number in range(count):
        form = rng.choice(_NAMED if rng.random() < _NAMED_SHARE else _PLAIN)
        name = make_identity(rng, number % 90_000).person_name
        lines.append(form.format(ms=rng.randrange(100, 1000), order=rng.randrange(10**17, 10**18), name=name))
    return "\n".join(lines)


def persons(text: str) -> Spans:
    return {(one.start, one.end) for one in detect(text, elements=["person_name"], tables=FICTITIOUS)}


def bare(tagger: CharacterTagger, text: str) -> Spans:
    """What the tagger says when it reads everything and nobody mends it."""
    read = tagger.tag([text])[0]
    if read is None:
        return set()
    told = "".join("B" if tag == PERSON_BEGIN else "I" if tag == PERSON_INSIDE else "-" for tag in read.tags)
    return {match.span() for match in re.finditer("BI*", told)}


def measure(run: Run) -> list[Measurement]:
    tagger = load_tagger()
    lives = [text for kind, text, _ in marked("names_dev.txt") if kind in {"resume", "form"}]
    prose = frozen("prose_dev.txt")
    texts = (lives + prose) * run.sized(20, 2)
    characters = sum(map(len, texts))
    plain = [fold(text).text for text in texts]
    block = log_block(run.sized(40_000, 4_000))
    size = len(block.encode()) / 1e6
    kilobyte = ("".join(text for _, text, _ in marked("names_dev.txt")[60:90]))[:340]
    detect(kilobyte)
    times = []
    for _ in range(run.sized(300, 50)):
        began = time.process_time()
        detect(kilobyte)
        times.append((time.process_time() - began) * 1000)
    whole = rate_of(lambda: tagger.tag(plain), items=characters)
    return [
        Measurement(
            what="names in résumés, forms and prose, characters, many texts at once",
            value=rate_of(lambda: detect_many(texts, elements=["person_name"]), items=characters),
            limit="the tagger reads everything",
            limit_value=whole,
        ),
        Measurement(
            what="the same, text by text",
            value=rate_of(lambda: [detect(text, elements=["person_name"]) for text in texts], items=characters),
            limit="the tagger reads everything",
            limit_value=whole,
        ),
        Measurement(
            what="addresses, characters",
            value=rate_of(lambda: [detect(text, elements=["address"]) for text in texts], items=characters),
            limit="the tagger reads everything",
            limit_value=whole,
        ),
        Measurement(
            what="full scan of a log, 5 % of lines with names, MB",
            value=rate_of(lambda: detect(block, tables=FICTITIOUS), items=1, rounds=2) * size,
            limit="its names and addresses only",
            limit_value=rate_of(lambda: detect(block, elements=["person_name", "address"]), items=1, rounds=2) * size,
        ),
        Measurement(
            what="1 kB of prose dense with names, p99",
            value=percentile(times, 0.99),
            unit="ms",
            limit="half of them",
            limit_value=percentile(times, 0.5),
        ),
    ]


def report(_run: Run) -> list[str]:
    tagger = load_tagger()
    tools: dict[str, Callable[[str], Spans] | None] = {
        "Kuimen": persons,
        "LAC as it is": lambda text: bare(tagger, text),
    }
    tools |= name_finders()
    sets = [(name, [(text, gold) for _, text, gold in marked(name)]) for name in ("names_dev.txt", "names_held.txt")]
    for half in ("dev", "held"):
        made = people(half)
        sets.append((f"generated, {half}", [(one.text, set(one.names)) for one in made]))
        if half == "held":
            kinds = dict.fromkeys(one.kind.partition("-")[0] for one in made)
            sets += [
                (
                    f"generated, {half}, {kind}",
                    [(one.text, set(one.names)) for one in made if one.kind.startswith(kind)],
                )
                for kind in kinds
            ]
    rows = ["| names, own sentences | tool | n | P | R | F1 |", "|---|---|---:|---|---|---|"]
    for name, sentences in sets:
        for tool, find in tools.items():
            if find is None:
                if name == "names_dev.txt":
                    rows.append(f"| every set | {tool}: not installed | | | | |")
            elif tool == "Kuimen" or name in {"names_held.txt", "generated, held"}:
                rows.append(f"| {name} | {tool} | {_row([(gold, find(text)) for text, gold in sentences])}")
    kept, total = gate_recall(tagger)
    rows += ["", f"Gate: {_share(kept, total)} of the {total} names that the tagger would find are let through.", ""]
    return rows + _address_rows()


def _address_rows() -> list[str]:
    finders: dict[str, Callable[[str], bool] | None] = {
        "Kuimen": lambda text: bool(detect(text, elements=["address"], tables=FICTITIOUS))
    }
    finders |= address_finders()
    rows = ["| addresses | tool | lines touched | sentences that name places, wrongly marked |", "|---|---|---|---|"]
    for half in ("dev", "held"):
        made = address_lines(half)
        told = frozen(f"places_{half}.txt") + (frozen("prose_dev.txt") if half == "dev" else [])
        for name, wanted, others in (
            (half, frozen(f"addresses_{half}.txt"), told),
            (
                f"generated, {half}",
                [one.text for one in made if one.kind != "none"],
                [one.text for one in made if one.kind == "none"],
            ),
        ):
            for tool, find in finders.items():
                if find is None:
                    if name == "dev":
                        rows.append(f"| every set | {tool}: not installed | | |")
                elif tool == "Kuimen" or half == "held":
                    hits, wrong = sum(map(find, wanted)), sum(map(find, others))
                    rows.append(
                        f"| {name} | {tool} | {_share(hits, len(wanted))} of {len(wanted)} "
                        f"| {_share(wrong, len(others))} of {len(others)} |"
                    )
    return rows


def _row(pairs: Sequence[tuple[Spans, Spans]]) -> str:
    counts = [(len(gold & found), len(found - gold), len(gold - found)) for gold, found in pairs]
    hits, wrong, missed = (sum(column) for column in zip(*counts, strict=True))
    return f"{hits + missed} | {_share(hits, hits + wrong)} | {_share(hits, hits + missed)} | {_f1(counts)} |"


def gate_recall(tagger: CharacterTagger) -> tuple[int, int]:
    """Count the names that the tagger finds in whole sentences, and those that rules or gate lead it to."""
    kept = total = 0
    sentences = [(text, gold) for name in ("names_dev.txt", "names_held.txt") for _, text, gold in marked(name)]
    sentences += [(one.text, set(one.names)) for half in ("dev", "held") for one in people(half)]
    for text, gold in sentences:
        plain = fold(text).text
        if len(plain) == len(text):
            open_stretches = windows_around(plain, possible_places(plain))
            open_stretches += [(one.start, one.end) for one in announced_names(plain, unparted=False)]
            right = bare(tagger, plain) & gold
            total += len(right)
            kept += sum(any(left <= start and end <= last for left, last in open_stretches) for start, end in right)
    return kept, total
