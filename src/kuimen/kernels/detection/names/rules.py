"""Names that the text leads to: behind a label or a role, at the opening of a life, before an honorific, in a list."""

import re
from collections.abc import Iterator
from itertools import chain

from kuimen.kernels.detection.evidence import Candidate, Evidence, EvidenceKind
from kuimen.kernels.detection.literals import Literals, matches
from kuimen.kernels.detection.names.common_words import FOREIGN_SOUNDS
from kuimen.kernels.detection.names.gate import is_everyday, score, shipped_table
from kuimen.kernels.detection.names.lexicon import (
    FOLLOWERS,
    FOLLOWING,
    HONORIFICS,
    NO_NAMES,
    OFFICES,
    OPENERS,
    ROLES,
    STOPS,
)
from kuimen.kernels.detection.names.peoples import names_without_surname, part_end
from kuimen.kernels.detection.naming import ZH_INDEX
from kuimen.kernels.detection.terms_zh import ZH_TERMS
from kuimen.kernels.detection.trie import alternation
from kuimen.kernels.elements.model import Element
from kuimen.kernels.elements.surnames import COMPOUND_SURNAMES, GIVEN_NAME_CHARACTERS, SINGLE_SURNAMES

HAN = "\u3400-\u9fff\U00020000-\U0003ffff"
_LEAD = re.compile(
    f"({alternation(ZH_TERMS[Element.PERSON_NAME] | ROLES | OFFICES)})"
    r"(?:姓名|名字|名称)?[0-9一二三]?[\"'”]?(?: ?\([^)\n]{0,8}\))?"
    r"( {0,2}(?:[:=]|(是|为|叫|系)|- ?|\|)[ \t]{0,2}[\"'“\[【]{0,2})?([ \"“]{0,2})"
)
_LEAD_WORDS = Literals.ready(ZH_TERMS[Element.PERSON_NAME] | ROLES | OFFICES)
_OPENING = re.compile(
    rf" ?(?:[0-9]{{1,2}}[、.,] ?|\([一二三四五六七八九十0-9]+\)、?)?"
    rf"([{HAN}]{{2,5}}|[{HAN}]{{1,8}}(?:·[{HAN}]{{1,8}}){{1,4}})"
    rf"(?:先生|女士|小姐)?(?:\([^()\n]{{1,30}}\))?(?:先生|女士|小姐)?[:,|\t] ?"
    rf"(?=(?:[0-9]{{4}} ?年|[0-9]{{2}} ?岁|[{HAN}]{{1,5}}族[,\n。;]|[{HAN}]{{2,4}}国籍|{alternation(OPENERS)}))",
)
_ROLE = re.compile(alternation(ROLES | OFFICES))
_SENTENCE_END = re.compile(r"[。；;\n]")
# The key of a name in a log or in JSON; `labelled` reads keys at large, this settles the plain case.
_KEYED = re.compile(rf"[=:\"' ]([{HAN}]{{2,4}})(?![{HAN}])")
_KEY_BEFORE = re.compile(r"(?:[Nn]ame|NAME|\bxm)\\?[\"']? ?[:=]? ?\\?[\"']?$")
_KEY_ENDS = ("ame", "AME", "xm")
_LONGEST_KEY = 12
_LIFE = re.compile(r"(?:[男女][,。;|\t]|先生|女士|国籍|[0-9]{4} ?年[0-9]{0,2}月?出?生|[汉藏满回苗族]族)")
_LIFE_WITHIN = 24
_DOTTED = re.compile(rf"[{HAN}]{{1,8}}(?:·[{HAN}]{{1,8}}){{1,4}}")
_DOTTED_ANYWHERE = re.compile(rf"(?<![{HAN}·])[{HAN}]{{2,8}}(?:·[{HAN}]{{2,8}}){{1,3}}(?![{HAN}·])")
_LATIN = re.compile(r"[A-Z][A-Za-z]{1,20}(?:[ ·.-][A-Z][A-Za-z]{1,20}){1,3}(?![A-Za-z0-9])")
_LATIN_HONORIFIC = re.compile(rf"(?<![A-Za-z ]){_LATIN.pattern[:-15]}(?= ?(?:先生|女士|小姐|博士))")
_LISTED = re.compile(
    rf"[、和与及]([{HAN}]{{2,4}}?)"
    r"(?=[、,，。;；:：和与及等()（） \n系是为的在于已将均任同两]|$|组成|先后|分别|当选|出任|担任|出席|参加|一[起同行])"
)
_LISTED_BEFORE = re.compile(rf"(?:^|[、,，。;；:：由有是为与和及对请 ])([{HAN}]{{2,3}})[、和与及]$")
_LONGEST_LISTED = 6

# Bounded, so that a text of labels only stays linear.
_HAN_RUN = re.compile(rf"[{HAN}]{{1,12}}")
# Words of the sentence that hang on a name with dots; sounds such as 提 and 克 belong to the name.
_SENTENCE = frozenset("的了在是我你他她们这那有与和及或但也都还就要会被把将向对从到给让请叫说称为于因已未以名户人员者")
_LONGEST_PLAIN, _LONGEST_GIVEN = 4, 2
_PARTICLES = frozenset("于和由向应时将")  # surnames that stand behind a role as words far more often
_BEHIND_A_ROLE = 1.5  # what the role says for a name, in units of the gate
_OPENS = frozenset(" \t\n,;:。；，：、(（\"“'|>=由与和及向请被对给让")


def announced_names(text: str, *, unparted: bool) -> Iterator[Candidate]:
    """Yield what labels, roles, openings, honorifics and dots announce in folded text.

    Args:
        text: folded text.
        unparted: take a role at its word even when nothing parts it from the name (`客户张伟`).
    """
    for match in matches(text, _LEAD, _LEAD_WORDS):
        separated = (match[2] is not None and not match[3]) or (match[1] in OFFICES and bool(match[4]))
        if not separated and not (unparted or match[3]):
            continue
        start = match.end()
        if not separated and not _may_stand_unparted(text, start):
            continue
        found = _name_at(text, start, separated=separated)
        named = separated or match[3] == "叫" or match[1].endswith(("叫", "名"))
        if found is not None and (named or not is_everyday(text[start : found[0]])):
            label = Evidence(EvidenceKind.LABEL, f"lead:{match[1]}", 3 if separated else 2)
            yield Candidate(Element.PERSON_NAME, start, found[0], (label, *found[1]))
    yield from _behind_keys(text)
    yield from _openings(text)
    yield from _before_honorifics(text, unparted=unparted)
    yield from _with_dots(text)


def _behind_keys(text: str) -> Iterator[Candidate]:
    key = Evidence(EvidenceKind.LABEL, "key:name", 3)
    for match in _KEYED.finditer(text):
        start, end = match.span(1)
        before = text[max(0, start - _LONGEST_KEY) : start]
        if not any(key in before for key in _KEY_ENDS) or not _KEY_BEFORE.search(before):
            continue
        width = surname_width(text, start)
        if (
            width
            and 0 < end - start - width <= _LONGEST_GIVEN
            and match[1] not in NO_NAMES
            and not is_everyday(match[1])
        ):
            yield Candidate(Element.PERSON_NAME, start, end, (key, _surname_evidence(width)))


def _before_honorifics(text: str, *, unparted: bool) -> Iterator[Candidate]:
    honorific = Evidence(EvidenceKind.CONTEXT_RIGHT, "honorific", 2)
    for word in HONORIFICS:
        place = text.find(word, 1)
        while place > 0:
            begin = _name_before(text, place, unparted=unparted)
            if begin is not None:
                yield Candidate(Element.PERSON_NAME, begin, place, (honorific, _surname_evidence(1)))
            place = text.find(word, place + 1)
    if not any(word in text for word in HONORIFICS):
        return
    for match in _LATIN_HONORIFIC.finditer(text):
        shape = Evidence(EvidenceKind.FORMAT, "capitalised words", 1)
        yield Candidate(Element.PERSON_NAME, match.start(), match.end(), (shape, honorific))


def _with_dots(text: str) -> Iterator[Candidate]:
    known = Evidence(EvidenceKind.TABLE, "name of one run", 4)
    for start, end in names_without_surname(text):
        yield Candidate(Element.PERSON_NAME, start, end, (known,))
    if "·" not in text:
        return
    shape = Evidence(EvidenceKind.FORMAT, "parts joined by a dot", 3)
    for match in _DOTTED_ANYWHERE.finditer(text):
        start = match.start()
        while "·" in text[start : match.end()]:
            first, last = first_part(text, start), last_part(text, start, match.end())
            if first < last:
                yield Candidate(Element.PERSON_NAME, first, last, (shape,))
            start = max(last, start + 1)


def last_part(text: str, start: int, end: int) -> int:
    """Return where a name with dots ends; a word of the sentence, or another name, may hang on one of its parts."""
    begin = start
    while (dot := text.find("·", begin, end)) >= 0:
        begin = dot + 1
        following = text.find("·", begin, end)
        limit = end if following < 0 else following
        known = part_end(text, begin)
        if begin < known < limit:
            return known
        if following < 0 and known == limit:
            return end
    sounds = begin
    while sounds < end and text[sounds] in FOREIGN_SOUNDS:
        sounds += 1
    if sounds - begin > 1:
        return sounds
    for place in range(begin + 1, end):
        if text[place] in _SENTENCE or text.startswith(FOLLOWERS, place):
            return place
    return end


def first_part(text: str, start: int) -> int:
    """Return where the first part begins; a role or a word of the sentence may stand before it."""
    dot = text.index("·", start)
    for place in range(start, dot - 1):
        if part_end(text, place) == dot:
            return place
    for role in ROLES:
        if text.startswith(role, start) and start + len(role) < dot:
            return start + len(role)
    for place in range(dot - 1, start - 1, -1):
        if text[place] in _SENTENCE:
            return place + 1
    return start


def listed_names(text: str, end: int) -> Iterator[tuple[int, int]]:
    """Yield the names that follow a name in a list: 张三、李四和王五."""
    position = end
    while match := _LISTED.match(text, position):
        start, finish = match.span(1)
        width = surname_width(text, start)
        given = text[start + width : finish]
        if not width or not 1 <= len(given) <= _LONGEST_GIVEN or STOPS.intersection(given):
            return
        yield start, finish
        position = finish


def _may_stand_unparted(text: str, start: int) -> bool:
    if "·" in text[start : start + 9]:
        return True
    if text[start : start + 1] in _PARTICLES or not surname_width(text, start):
        return False
    table = shipped_table()
    return score(text, start, table) >= table.threshold - _BEHIND_A_ROLE


def listed_before(text: str, start: int) -> Iterator[tuple[int, int]]:
    """Yield the names that stand before a name in a list, the nearest first."""
    position = start
    while match := _LISTED_BEFORE.search(text[max(0, position - _LONGEST_LISTED) : position]):
        base = max(0, position - _LONGEST_LISTED)
        begin, finish = base + match.start(1), base + match.end(1)
        width = surname_width(text, begin)
        given = text[begin + width : finish]
        if not width or not 1 <= len(given) <= _LONGEST_GIVEN or STOPS.intersection(given):
            return
        yield begin, finish
        position = begin


def _openings(text: str) -> Iterator[Candidate]:
    """Yield names that open a description of a life; without a surname the life must show at once."""
    for place in chain((0,), (found.end() for found in _SENTENCE_END.finditer(text))):
        match = _OPENING.match(text, place)
        if match is None:
            continue
        start, end = match.span(1)
        start += len(role[0]) if (role := _ROLE.match(text, start, end - 1)) else 0
        name = text[start:end]
        for honorific in HONORIFICS:
            if name.endswith(honorific) and len(name) > len(honorific) + 1:
                end -= len(honorific)
        name = text[start:end]
        width = surname_width(text, start)
        life = bool(_LIFE.search(text, end, match.end() + _LIFE_WITHIN))
        fits = 0 < end - start - width <= 2 and width  # noqa: PLR2004 - a given name
        if (
            name in NO_NAMES
            or name in ZH_INDEX
            or name in ROLES
            or name in OFFICES
            or STOPS.intersection(text[start + width : end])
        ):
            continue
        fits = fits and (life or not is_everyday(name))
        if fits or (life and end - start <= _LONGEST_PLAIN + 1) or "·" in name:
            opening = Evidence(EvidenceKind.CONTEXT_RIGHT, "opens a life", 3 if life else 2)
            yield Candidate(Element.PERSON_NAME, start, end, (opening, _surname_evidence(width or "·" in name)))


def _name_at(text: str, start: int, *, separated: bool) -> tuple[int, tuple[Evidence, ...]] | None:
    """Return the end of the name that begins at `start` and what supports it."""
    dotted = _DOTTED.match(text, start)
    if dotted:
        return last_part(text, start, dotted.end()), (Evidence(EvidenceKind.FORMAT, "parts joined by a dot", 2),)
    run = _HAN_RUN.match(text, start)
    if run is None:
        latin = _LATIN.match(text, start) if separated else None
        return (latin.end(), (Evidence(EvidenceKind.FORMAT, "capitalised words", 1),)) if latin else None
    return None if run[0] in NO_NAMES or run[0] in ZH_INDEX else _in_run(text, start, run.end(), separated=separated)


def _in_run(text: str, start: int, limit: int, *, separated: bool) -> tuple[int, tuple[Evidence, ...]] | None:
    """Find the end of a name inside a run of Chinese characters; after a colon a short run is the name."""
    width = surname_width(text, start)
    if separated and limit - start <= _LONGEST_PLAIN and limit - start > max(width, 1):
        given = text[start + width : limit]
        if not STOPS.intersection(given) and not given.endswith(("先生", "女士")):
            return limit, (_surname_evidence(width),)
    length = given_length(text, start + width, limit) if width else 0
    return (start + width + length, (_surname_evidence(width),)) if length else None


def _surname_evidence(width: int) -> Evidence:
    return Evidence(EvidenceKind.TABLE, "surname" if width else "no known surname", 2 if width else 0)


def surname_width(text: str, start: int) -> int:
    """Return how many characters of a surname stand at `start`, 0 for none."""
    if text[start : start + 2] in COMPOUND_SURNAMES:
        return 2
    return 1 if text[start : start + 1] in SINGLE_SURNAMES else 0


def given_length(text: str, start: int, limit: int) -> int:
    """Return how many characters the given name has: by what follows, else by which characters names are made of."""
    possible = [
        length for length in (2, 1) if start + length <= limit and not STOPS.intersection(text[start : start + length])
    ]
    for length in possible:
        if _ends_here(text, start + length, limit):
            return length
    for length in possible:
        if GIVEN_NAME_CHARACTERS.issuperset(text[start : start + length]):
            return length
    return 0


def _ends_here(text: str, position: int, limit: int) -> bool:
    if position >= limit:
        return True
    return text[position] in FOLLOWING or text.startswith(FOLLOWERS, position)


def _name_before(text: str, end: int, *, unparted: bool) -> int | None:
    """Return the start of a full name that ends before an honorific; a surname alone is no name."""
    for width, surname in ((4, 2), (3, 1), (3, 2), (2, 1)):
        start = end - width
        if start < 0 or surname_width(text, start) != surname:
            continue
        given = text[start + surname : end]
        if not _HAN_RUN.fullmatch(given) or STOPS.intersection(given):
            continue
        if not unparted and start and text[start - 1] not in _OPENS:
            continue
        return start
    return None
