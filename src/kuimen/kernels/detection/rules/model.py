"""Rules as data: one rule finds values of one element; read from mappings, checked, compiled."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kuimen.kernels.detection.evidence import Candidate, Evidence, EvidenceKind, Likelihood
from kuimen.kernels.detection.folding import fold
from kuimen.kernels.detection.rules.errors import RuleError, RuleSampleError
from kuimen.kernels.detection.rules.safety import check_pattern
from kuimen.kernels.detection.trie import alternation
from kuimen.kernels.elements import checks
from kuimen.kernels.elements.model import Element
from kuimen.kernels.native import NATIVE

FORMAT_VERSION = 1
_ID = re.compile(r"[a-z][a-z0-9_]{1,60}")
_SAMPLE = re.compile(r"<<(.{1,2000}?)>>", re.DOTALL)
_BETWEEN = r"[\"'”]?[ \t]{0,2}(?:[:=]|=>|是|为)?[ \t]{0,2}[\"'“\[]{0,2}"
_MOST_POINTS = 7
_LABEL_POINTS, _CHECK_POINTS = 3, 3
_RULE_KEYS = frozenset(
    {
        "id",
        "element",
        "title_zh",
        "title_en",
        "pattern",
        "gates",
        "labels",
        "check",
        "points",
        "not_behind",
        "good",
        "bad",
    }
)
_FILE_KEYS = frozenset({"format", "version", "rules", "templates", "disabled"})
_MOST_WORDS = 2000
_SHORT = 4096  # characters up to which the pattern of all gates is quick enough
CHECKS: Mapping[str, Callable[[str], bool]] = {
    "luhn": checks.luhn_holds,
    "mod11_2": checks.resident_id_checksum_holds,
    "mod31": checks.uscc_checksum_holds,
    "gb11714": lambda value: checks.organisation_code_holds(value.replace("-", "")),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule.

    Attributes:
        id: stable name; an institution's rule of the same id takes the place of ours.
        element: what its values are.
        title_zh: for readers of Chinese.
        pattern: what a value looks like; its group ``value``, where it has one, is the value.
        gates: literals of which one must stand in a text before the pattern is tried.
        labels: words of which one must stand directly before the value; they are gates too.
        check: name in `CHECKS` of the check digit.
        points: weight of the shape alone, 1 to 7.
        not_behind: words directly before the value that make it something else.
        good: samples; what must be found stands between << and >>.
        bad: samples in which the rule finds nothing.
        source: the file it came from.
    """

    id: str
    element: Element
    title_zh: str
    pattern: str
    gates: tuple[str, ...]
    labels: tuple[str, ...]
    check: str | None
    points: int
    not_behind: tuple[str, ...]
    good: tuple[str, ...]
    bad: tuple[str, ...]
    source: str = "built in"
    _found: re.Pattern[str] = field(init=False, repr=False, compare=False)
    _evidence: tuple[Evidence, ...] = field(init=False, repr=False, compare=False)
    _gates: tuple[str, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Compile once."""
        object.__setattr__(self, "_found", _compiled(self))
        object.__setattr__(self, "_evidence", _evidence_of(self))
        object.__setattr__(self, "_gates", (*self.gates, *self.labels))

    def recognise(self, text: str, lowered: str) -> list[Candidate]:
        """Return candidates in folded text; `lowered` is the same text in lower case."""
        for gate in self._gates:
            if gate in lowered:
                break
        else:
            return []
        return [
            Candidate(self.element, *match.span("value"), self._evidence)
            for match in self._found.finditer(text)
            if self._stands(match)
        ]

    def _stands(self, match: re.Match[str]) -> bool:
        if self.check is not None and not CHECKS[self.check](match["value"]):
            return False
        before = match.string[max(0, match.start("value") - 24) : match.start("value")].rstrip(" \t:=\"'")
        return not before.endswith(self.not_behind) if self.not_behind else True


def _compiled(rule: Rule) -> re.Pattern[str]:
    value = rule.pattern if "(?P<value>" in rule.pattern else f"(?P<value>{rule.pattern})"
    if not rule.labels:
        return re.compile(value)
    words = "|".join(map(re.escape, sorted(rule.labels, key=len, reverse=True)))
    return re.compile(f"(?i:{words}){_BETWEEN}{value}")


def _evidence_of(rule: Rule) -> tuple[Evidence, ...]:
    pieces = [Evidence(EvidenceKind.FORMAT, f"rule:{rule.id}", rule.points)]
    if rule.check:
        pieces.append(Evidence(EvidenceKind.CHECKSUM, rule.check, _CHECK_POINTS))
    if rule.labels:
        pieces.append(Evidence(EvidenceKind.LABEL, f"rule:{rule.id}", _LABEL_POINTS))
    return tuple(pieces)


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A named choice of elements, as an industry or a law asks for them."""

    id: str
    title_zh: str
    elements: frozenset[Element]
    min_likelihood: Likelihood


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSet:
    """Rules that are applied together; a value, compared and passed like the recognition tables."""

    version: str
    rules: tuple[Rule, ...]
    templates: tuple[Template, ...] = ()
    elements: frozenset[Element] = field(init=False, repr=False, compare=False)
    _gate: re.Pattern[str] = field(init=False, repr=False, compare=False)
    _literals: object | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Note what the rules can find and what must stand in a text before any is tried."""
        gates = {gate for rule in self.rules for gate in (*rule.gates, *rule.labels)}
        object.__setattr__(self, "elements", frozenset(rule.element for rule in self.rules))
        object.__setattr__(self, "_gate", re.compile(alternation(gates) if gates else "(?!)", re.IGNORECASE | re.ASCII))
        literals = [gate.encode() for gate in gates]
        ready = hasattr(NATIVE, "literals_lines") and min(map(len, literals), default=0) > 1
        object.__setattr__(self, "_literals", NATIVE.literals_new(literals) if NATIVE is not None and ready else None)

    def recognise(self, text: str) -> list[Candidate]:
        """Return the candidates of every rule in folded text, line by line."""
        found: list[Candidate] = []
        for begin, line in self._lines(text):
            lowered = line.lower()
            lowered = lowered if len(lowered) == len(line) else line
            for rule in self.rules:
                found += (_moved(one, begin) for one in rule.recognise(line, lowered))
        return found

    def _lines(self, text: str) -> Iterator[tuple[int, str]]:
        """Yield place and text of the lines that hold a gate."""
        if self._literals is None or NATIVE is None or len(text) < _SHORT:
            place = 0
            while gate := self._gate.search(text, place):
                begin = text.rfind("\n", 0, gate.start()) + 1
                place = text.find("\n", gate.end())
                place = len(text) if place < 0 else place
                yield begin, text[begin:place]
            return
        block = text.encode("utf-8", errors="surrogatepass")
        letters = position = 0
        for place in NATIVE.literals_lines(self._literals, block):
            begin = block.rfind(b"\n", 0, place) + 1
            finish = block.find(b"\n", place)
            letters += len(block[position:begin].decode("utf-8", errors="surrogatepass"))
            position = begin
            line = block[begin : finish if finish >= 0 else len(block)]
            yield letters, line.decode("utf-8", errors="surrogatepass")

    def template(self, name: str) -> Template:
        """Return a template.

        Raises:
            RuleError: there is none of this name.
        """
        for one in self.templates:
            if one.id == name:
                return one
        raise RuleError(f"template: not one of {', '.join(one.id for one in self.templates)}")

    def overridden_by(self, other: "RuleSet", disabled: Sequence[str] = ()) -> "RuleSet":
        """Return these rules with another's in place of those of the same id, and without the disabled ones."""
        known = {rule.id: rule for rule in self.rules} | {rule.id: rule for rule in other.rules}
        named = {one.id: one for one in self.templates} | {one.id: one for one in other.templates}
        return RuleSet(
            version=f"{self.version}+{other.version}",
            rules=tuple(rule for rule in known.values() if rule.id not in disabled),
            templates=tuple(named.values()),
        )


def _moved(one: Candidate, by: int) -> Candidate:
    return Candidate(one.element, one.start + by, one.end + by, one.evidence) if by else one


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleFile:
    """What one file holds."""

    rule_set: RuleSet
    disabled: tuple[str, ...]


def read_rules(content: Any, *, source: str) -> RuleFile:  # noqa: ANN401 - whatever YAML gives
    """Read one file of rules, refusing what is unsafe, unknown or without samples.

    Args:
        content: what the YAML holds.
        source: name of the file, for messages.

    Raises:
        RuleError: the form is not the documented one, an element is unknown, a rule has no sample.
        RuleUnsafeError: a pattern could take too long.
        RuleSampleError: a rule contradicts its own samples.
    """
    if not isinstance(content, Mapping):
        raise RuleError(f"{source}: must be a mapping with `format`, `version`, `rules`")
    _only(content, _FILE_KEYS, source)
    if content.get("format") != FORMAT_VERSION or not isinstance(content.get("version"), str):
        raise RuleError(f"{source}: needs `format: {FORMAT_VERSION}` and a `version` in quotes")
    rules = [_rule(one, source) for one in _list(content, "rules", source)]
    ids = [rule.id for rule in rules]
    twice = next((name for name in ids if ids.count(name) > 1), None)
    if twice:
        raise RuleError(f"{source}: rule {twice}: stands there twice")
    for rule in rules:
        try_samples(rule)
    templates = tuple(_template(one, source) for one in _list(content, "templates", source))
    return RuleFile(
        rule_set=RuleSet(version=content["version"], rules=tuple(rules), templates=templates),
        disabled=_words(content, "disabled", source),
    )


def try_samples(rule: Rule) -> None:
    """Hold a rule against its own samples.

    Raises:
        RuleSampleError: it misses a good one or finds something in a bad one.
    """
    for number, sample in enumerate(rule.good, start=1):
        text, expected = _marked(sample)
        folded = fold(text)
        found = {folded.span(one.start, one.end) for one in rule.recognise(folded.text, folded.text.lower())}
        if found != expected:
            raise RuleSampleError(f"{rule.source}: rule {rule.id}: good sample {number} is not found as marked")
    for number, sample in enumerate(rule.bad, start=1):
        plain = fold(sample).text
        if rule.recognise(plain, plain.lower()):
            raise RuleSampleError(f"{rule.source}: rule {rule.id}: bad sample {number} is found")


def _marked(sample: str) -> tuple[str, set[tuple[int, int]]]:
    text, places, position = "", set(), 0
    for match in _SAMPLE.finditer(sample):
        text += sample[position : match.start()]
        places.add((len(text), len(text) + len(match[1])))
        text += match[1]
        position = match.end()
    return text + sample[position:], places


def _rule(given: Any, source: str) -> Rule:  # noqa: ANN401
    if not isinstance(given, Mapping) or not isinstance(given.get("id"), str) or not _ID.fullmatch(given["id"]):
        raise RuleError(f"{source}: each rule needs an `id` of lower-case letters, digits and _")
    where = f"{source}: rule {given['id']}"
    _only(given, _RULE_KEYS, where)
    element = _element(given.get("element"), where)
    points = given.get("points", 2)
    if not isinstance(points, int) or isinstance(points, bool) or not 1 <= points <= _MOST_POINTS:
        raise RuleError(f"{where}: `points` is a whole number from 1 to {_MOST_POINTS}")
    check = given.get("check")
    if check is not None and check not in CHECKS:
        raise RuleError(f"{where}: `check` is one of {', '.join(CHECKS)}")
    pattern = given.get("pattern")
    if not isinstance(pattern, str) or not pattern:
        raise RuleError(f"{where}: needs a `pattern`")
    gates, labels = _words(given, "gates", where), _words(given, "labels", where)
    if not gates and not labels:
        raise RuleError(f"{where}: needs `gates` or `labels`, or every text would be searched with it")
    good, bad = _words(given, "good", where), _words(given, "bad", where)
    if not any("<<" in sample for sample in good) or not bad:
        raise RuleError(f"{where}: needs a `good` sample with the value between << and >>, and a `bad` one")
    try:
        check_pattern(pattern)
    except RuleError as refused:
        raise type(refused)(f"{where}: {refused}") from None
    return Rule(
        id=given["id"],
        element=element,
        title_zh=str(given.get("title_zh", given["id"])),
        pattern=pattern,
        gates=tuple(word.lower() for word in gates),
        labels=tuple(word.lower() for word in labels),
        check=check,
        points=points,
        not_behind=_words(given, "not_behind", where),
        good=good,
        bad=bad,
        source=source,
    )


def _template(given: Any, source: str) -> Template:  # noqa: ANN401
    if not isinstance(given, Mapping) or not isinstance(given.get("id"), str):
        raise RuleError(f"{source}: each template needs an `id`")
    where = f"{source}: template {given['id']}"
    elements = frozenset(_element(name, where) for name in _words(given, "elements", where))
    least = given.get("min_likelihood", "possible")
    if least not in {step.value for step in Likelihood} or not elements:
        raise RuleError(f"{where}: needs `elements`, and `min_likelihood` from very_unlikely to very_likely")
    return Template(
        id=given["id"],
        title_zh=str(given.get("title_zh", given["id"])),
        elements=elements,
        min_likelihood=Likelihood(least),
    )


def _element(name: Any, where: str) -> Element:  # noqa: ANN401
    try:
        return Element(name)
    except ValueError:
        raise RuleError(f"{where}: `element` is none of the names of the element table") from None


def _only(given: Mapping[Any, Any], known: frozenset[str], where: str) -> None:
    strange = sorted(str(key) for key in given if key not in known)
    if strange:
        raise RuleError(f"{where}: unknown key {strange[0]}")


def _list(given: Mapping[Any, Any], key: str, where: str) -> list[Any]:
    value = given.get(key) or []
    if not isinstance(value, list):
        raise RuleError(f"{where}: `{key}` must be a list")
    return value


def _words(given: Mapping[Any, Any], key: str, where: str) -> tuple[str, ...]:
    value = _list(given, key, where)
    if any(not isinstance(word, str) or not word for word in value) or len(value) > _MOST_WORDS:
        raise RuleError(f"{where}: `{key}` must be a list of words in quotes, at most {_MOST_WORDS:,}")
    return tuple(value)
