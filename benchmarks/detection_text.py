"""Structured data in text: how well on sentences never looked at, how fast on a log, beside other tools.

Speeds are of processor time on one core. Precision and recall stand with 95 % intervals: Wilson's for both, of F1 by
drawing the sentences again a thousand times.
"""

import math
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from random import Random

import numpy as np

from benchmarks import detection_peers
from benchmarks.detection_sentences import STRUCTURED, Sentence, held_out
from benchmarks.measurement import Measurement, percentile, rate_of
from benchmarks.run import Run
from kuimen.kernels.detection import detect, redact, scan_bytes
from kuimen.kernels.detection.accelerated import ACCELERATES
from kuimen.kernels.elements.fictitious import make_identity
from kuimen.kernels.elements.overlay import FICTITIOUS

Finder = Callable[[str], set[tuple[str, int, int]]]
SENTENCES = 4_000
LINES = 60_000
PEER_LINES = 1_500
_DRAWS = 1_000
_Z = 1.96
_LOG = (
    "2026-03-04 05:06:07.{ms} INFO  [http-nio-8080-exec-7] c.k.loan.RepayService - repay ok orderNo={order} cost=23ms",
    "2026-03-04 05:06:07.{ms} DEBUG [pool-2-thread-7] c.k.LoanMapper - ==>  Preparing: select id, status from t_loan",
    "2026-03-04 05:06:07.{ms} INFO  [http-nio-8080-exec-1] c.k.user.UserService - query mobile={mobile} idNo={id}",
    "2026-03-04 05:06:07.{ms} WARN  [schedule-1] c.k.notify.SmsSender - 短信发送失败，手机号{mobile}，重试 2 次",
    '2026-03-04 05:06:07.{ms} INFO  [http-nio-8080-exec-3] c.k.bind.CardService - {{"cardNo":"{card}","ts":{order}}}',
    '10.22.3.4 - - [04/Mar/2026:05:06:07 +0800] "GET /api/v1/loans/{order}?page=1 HTTP/1.1" 200 1532 "-" "Mozilla/5.0"',
    "2026-03-04 05:06:07.{ms} INFO  [main] c.k.Boot - health check ok heap=1532M gc=3 threads=88 load=0.53",
)


def log_lines(count: int) -> list[str]:
    """A log of a lender's service; three lines in seven hold personal data."""
    rng = Random(6_061)  # noqa: S311 - the same log on every run
    lines = []
    for number in range(count):
        person = make_identity(rng, number % 90_000)
        lines.append(
            _LOG[number % len(_LOG)].format(
                ms=rng.randrange(100, 1000),
                order=rng.randrange(10**17, 10**18),
                mobile=person.mobile,
                id=person.resident_id,
                card=person.bank_card,
            )
        )
    return lines


def ours(text: str) -> set[tuple[str, int, int]]:
    return {(str(one.element), one.start, one.end) for one in detect(text, elements=STRUCTURED, tables=FICTITIOUS)}


def measure(run: Run) -> list[Measurement]:
    lines = log_lines(run.sized(LINES, 6_000))
    block = ("\n".join(lines) + "\n").encode()
    few = lines[: run.sized(PEER_LINES, 200)]
    size, few_size = len(block) / 1e6, sum(len(line.encode()) + 1 for line in few) / 1e6
    runs = sum(byte in b"0123456789" for byte in block[:100_000]) / 100_000
    how = "in C" if ACCELERATES else "without the native kernels"
    peer = detection_peers.presidio()
    slow = rate_of(lambda: [peer(line) for line in few], items=1, rounds=2) * few_size if peer else math.nan
    limit = "Presidio, the same elements" if peer else "Presidio is not installed"
    bare = rate_of(lambda: np.count_nonzero(np.frombuffer(block, dtype=np.uint8) < ord(":")), items=1) * size
    fast = rate_of(lambda: scan_bytes(block, tables=FICTITIOUS), items=1) * size
    part = block[: 1 << 20].decode(errors="ignore")
    part_size = len(part.encode()) / 1e6
    prose = "客户来电称还款失败，要求核实扣款卡号并尽快回电，已转交专员跟进处理。" * 9 + "手机19990000001"
    detect(prose)
    times = []
    for _ in range(run.sized(2_000, 200)):
        began = time.process_time()
        detect(prose)
        times.append((time.process_time() - began) * 1000)
    return [
        Measurement(
            what=f"structured scan of a log with validation, MB ({how}; {runs:.0%} digits)",
            value=fast,
            limit="numpy looks at each byte once",
            limit_value=bare,
        ),
        Measurement(what="the same, beside Presidio, MB", value=fast, limit=limit, limit_value=slow),
        Measurement(
            what="full scan of the log incl. names, addresses, labels, MB",
            value=rate_of(lambda: detect(part, tables=FICTITIOUS), items=1) * part_size,
            limit="structured scan",
            limit_value=fast,
        ),
        Measurement(
            what="redact lines one by one",
            value=rate_of(lambda: [redact(line, tables=FICTITIOUS) for line in few], items=len(few)),
            limit=limit + ", lines",
            limit_value=slow / few_size * len(few),
        ),
        Measurement(
            what="1 kB of Chinese prose, p99",
            value=percentile(times, 0.99),
            unit="ms",
            limit="half of them",
            limit_value=percentile(times, 0.5),
        ),
    ]


def report(run: Run) -> list[str]:
    sentences = held_out(SENTENCES)[: run.sized(SENTENCES, 400)]
    tools: list[tuple[str, Finder | None]] = [
        ("Kuimen", ours), ("Presidio + patterns", detection_peers.presidio()), ("helan", detection_peers.helan()),
    ]  # fmt: skip
    lines = [
        f"{len(sentences):,} own sentences never looked at while developing (`benchmarks/detection_sentences.py`):",
        "",
        "| tool | element | n | P | R | F1 |",
        "|---|---|---:|---|---|---|",
    ]
    for name, find in tools:
        if find is None:
            lines.append(f"| {name} | not installed | | | | |")
            continue
        lines += [
            f"| {name} | {element} | {told}"
            for element, told in scores(sentences, find)
            if (name, element) != ("helan", "resident_id")
        ]
    return [
        *lines,
        "",
        "helan refuses the impossible area of our identities, so its row for resident_id would say nothing.",
    ]


def scores(sentences: Sequence[Sentence], find: Finder) -> Iterator[tuple[str, str]]:
    """Yield element and the printed rest of its row."""
    seen = [find(one.text) for one in sentences]
    for element in STRUCTURED:
        counts = [_counts(element, one.gold, found) for one, found in zip(sentences, seen, strict=True)]
        hits, wrong, missed = (sum(column) for column in zip(*counts, strict=True))
        yield (
            element,
            f"{hits + missed} | {_share(hits, hits + wrong)} | {_share(hits, hits + missed)} | {_f1(counts)} |",
        )


def _counts(element: str, gold: frozenset[tuple[str, int, int]], found: set[tuple[str, int, int]]) -> tuple[int, ...]:
    right = {one for one in gold if one[0] == element}
    told = {one for one in found if one[0] == element}
    return len(right & told), len(told - right), len(right - told)


def _share(hits: int, of: int) -> str:
    """Return a share with Wilson's interval."""
    if not of:
        return "–"
    share, spread = hits / of, _Z**2 / of
    middle = (share + spread / 2) / (1 + spread)
    reach = _Z * math.sqrt(share * (1 - share) / of + spread / (4 * of)) / (1 + spread)
    return f"{share:.4f} ({max(0, middle - reach):.4f}–{min(1, middle + reach):.4f})"


def _f1(counts: Sequence[tuple[int, ...]]) -> str:
    """Return F1 with the interval of drawing the sentences again."""
    table = np.array(counts)
    draws = np.random.default_rng(5).integers(0, len(table), size=(_DRAWS, len(table)))
    sums = np.stack([np.bincount(row, minlength=len(table)) @ table for row in draws])
    values = np.sort(2 * sums[:, 0] / np.maximum(1, 2 * sums[:, 0] + sums[:, 1] + sums[:, 2]))
    total = Counter({"hits": int(table[:, 0].sum()), "rest": int(table[:, 1:].sum())})
    whole = 2 * total["hits"] / max(1, 2 * total["hits"] + total["rest"])
    return f"{whole:.4f} ({values[int(_DRAWS * 0.025)]:.4f}–{values[int(_DRAWS * 0.975)]:.4f})"
