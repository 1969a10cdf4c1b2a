r"""Redact a stream as it comes: the result does not depend on how the stream was cut.

A line is redacted when its end has come, never before, so that `tail -f` can be piped through and half a number is
never let out. What may span lines, a private key in PEM, is held back until it ends. A line longer than `PIECE` bytes
is redacted in pieces that are counted from the beginning of the line, each with what went before as context and none
cut inside a finding; memory stays at some pieces.

>>> redactor = StreamRedactor()
>>> redactor.feed("手机138".encode()) + redactor.feed(b"12345678\nabc") + redactor.close()
b'\xe6\x89\x8b\xe6\x9c\xba<mobile>\nabc'
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from kuimen.foundation.errors import InvalidInputError
from kuimen.kernels.detection.evidence import Finding, Likelihood
from kuimen.kernels.detection.rules import RuleSet
from kuimen.kernels.detection.text import detect_many
from kuimen.kernels.elements.model import Element
from kuimen.kernels.elements.overlay import PRODUCTION, RecognitionTables
from kuimen.kernels.masking import mask_value

PIECE = 1 << 20
_CONTEXT = 256  # characters before a piece that labels are read from
_MARGIN = 4096  # characters at the end of a piece that wait for what follows
_LONGEST_KEY_LINES = 200
_KEY_BEGIN, _KEY_END = b"-----BEGIN ", b"-----END "


class RedactionStyleError(InvalidInputError):
    """`style` is neither ``label`` nor ``mask``."""

    code = "detection.redaction_style"


@dataclass(frozen=True, slots=True, kw_only=True)
class LineFinding:
    """Where something was found: the line from 1 and the element, never the value."""

    line: int
    element: Element
    likelihood: Likelihood


@dataclass(slots=True)
class StreamRedactor:
    """Takes bytes, gives bytes with every finding replaced.

    Attributes:
        encoding: of the stream; what does not decode passes unchanged.
        elements: take out these only; None means all.
        min_likelihood: leave what is less sure.
        style: ``label`` writes `<element>`, ``mask`` what the masking rule of the element keeps.
        tables: which numbers can exist.
        rules: rules that are data; None means those that come with Kuimen.
        on_finding: called for each finding with its line and element.
        chosen: which findings are replaced; all of them unless told otherwise.
        replace: gives what is written in place of a value; None means `style`.
        counts: findings by element so far.
        lines: lines that were redacted.
    """

    encoding: str = "utf-8"
    elements: frozenset[Element] | None = None
    min_likelihood: Likelihood = Likelihood.POSSIBLE
    style: str = "label"
    tables: RecognitionTables = PRODUCTION
    rules: RuleSet | None = None
    on_finding: Callable[[LineFinding], None] | None = None
    chosen: Callable[[Finding], bool] = lambda _: True
    replace: Callable[[Element, str], str] | None = None
    counts: Counter[str] = field(default_factory=Counter)
    lines: int = 0
    _tail: bytearray = field(default_factory=bytearray)
    _key: list[bytes] = field(default_factory=list)
    _ready: list[tuple[str, int, int]] = field(default_factory=list)  # text, where it begins, number of its line
    _context: str = ""

    def __post_init__(self) -> None:
        """Refuse an unknown style before anything is let through."""
        if self.style not in {"label", "mask"}:
            raise RedactionStyleError("style: label or mask")

    def feed(self, chunk: bytes) -> bytes:
        """Take some bytes and return what can be let out by now; the larger the chunks, the faster."""
        done: list[bytes] = []
        begin = 0
        while (end := chunk.find(b"\n", begin)) >= 0:
            self._tail += chunk[begin : end + 1]
            begin = end + 1
            if len(self._tail) > PIECE + 1:
                done += self._pieces()
            line = bytes(self._tail)
            self._tail.clear()
            self._line(line)
        self._tail += chunk[begin:]
        if len(self._tail) > PIECE + 1:
            done += self._pieces()
        done.append(self._redacted())
        return b"".join(done)

    def close(self) -> bytes:
        """Return the rest; the stream has ended."""
        if self._tail or self._context:
            self._line(bytes(self._tail))
        self._tail.clear()
        self._release_key()
        return self._redacted()

    def _pieces(self) -> Iterator[bytes]:
        """Let out the beginning of a line that is too long to be held."""
        self._release_key()
        yield self._redacted()
        while len(self._tail) > PIECE + 1:
            piece = bytes(self._tail[:PIECE])
            text = piece.decode(self.encoding, errors="surrogateescape")
            whole = self._context + text
            before = len(self._context)
            found = self._findings([whole])[0]
            cut = max(before + len(text) - _MARGIN, before + 1)
            cut = next((one.start for one in found if one.start < cut < one.end and one.start > before), cut)
            yield self._encoded(self._replaced(whole, before, cut, found, self.lines + 1))
            kept = whole[cut:].encode(self.encoding, errors="surrogateescape")
            self._tail[:PIECE] = kept
            self._context = whole[max(0, cut - _CONTEXT) : cut]

    def _line(self, line: bytes) -> None:
        """Make a whole line ready, or keep it while a private key is open."""
        self.lines += 1
        if self._key:
            self._key.append(line)
            if _KEY_END in line or len(self._key) > _LONGEST_KEY_LINES:
                self._release_key()
        elif _KEY_BEGIN in line and b"PRIVATE KEY" in line and _KEY_END not in line and not self._context:
            self._key.append(line)
        else:
            self._ready.append((self._context + self._decoded(line), len(self._context), self.lines))
            self._context = ""

    def _release_key(self) -> None:
        if self._key:
            first = self.lines - len(self._key) + 1
            self._ready.append((self._decoded(b"".join(self._key)), 0, first))
            self._key.clear()

    def _redacted(self) -> bytes:
        """Let out what is ready."""
        ready, self._ready = self._ready, []
        found = self._findings([text for text, _, _ in ready])
        return b"".join(
            self._encoded(self._replaced(text, before, len(text), each, number))
            for (text, before, number), each in zip(ready, found, strict=True)
        )

    def _findings(self, texts: Sequence[str]) -> list[list[Finding]]:
        return detect_many(
            texts,
            elements=self.elements,
            min_likelihood=self.min_likelihood,
            tables=self.tables,
            rules=self.rules,
        )

    def _replaced(self, text: str, begin: int, cut: int, found: Iterable[Finding], number: int) -> str:
        parts: list[str] = []
        position = begin
        for one in found:
            if one.end <= begin or one.start >= cut or not self.chosen(one):
                continue
            start = max(one.start, begin)
            parts += (text[position:start], self._in_place_of(one, text[start : one.end]))
            position = one.end
            self._report(one, number + text.count("\n", begin, start))
        parts.append(text[position:cut])
        return "".join(parts)

    def _in_place_of(self, one: Finding, value: str) -> str:
        if self.replace is not None:
            return self.replace(one.element, value)
        return mask_value(str(one.element), value) if self.style == "mask" else f"<{one.element}>"

    def _decoded(self, line: bytes) -> str:
        return line.decode(self.encoding, errors="surrogateescape")

    def _report(self, one: Finding, number: int) -> None:
        self.counts[str(one.element)] += 1
        if self.on_finding is not None:
            self.on_finding(LineFinding(line=number, element=one.element, likelihood=one.likelihood))

    def _encoded(self, text: str) -> bytes:
        return text.encode(self.encoding, errors="surrogateescape")
