"""Abbreviations that no list has: `otstnd_prin`, `brwr_nm`, `hgst_edct` against the words that schemas are made of.

Engineers drop vowels, then consonants, and keep the order of letters. A token that is no word is read as the word whose
letters it keeps best; words that mean nothing personal stand in the list too, so that they win what is theirs.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import lru_cache

from kuimen.kernels.elements.words import words

_WORDS = words(
    """
    account accumulation acquire action active actual additional address adjust administrator affirm agency agent
    agreement allocate amount analysis annual answer applicant application approve area arrears asset assign associate
    attach audit author authority authorization available average background balance bank basic batch beneficiary bill
    birth birthday blacklist block bonus borrow borrower branch brand browser business buyer calculate call campaign
    cancel capital card category cell census certificate change channel charge check children city class classify
    clearing client close code collateral collect collection collector colleague comment commission communication
    company compound condition confirm contact content contract control core corporate correspondence count country
    county coupon create credit currency current customer daily damage date debit debt debtor decision deduct default
    degree delete deliver delinquent department deposit description detail device digital direct disburse discount
    district division document domestic drawdown due duration duty education effective electronic email emergency
    employ employee employer encrypt end engine enterprise entity error establish estimate ethnic evaluate event
    exchange execute expense expire express extend extension external face factor family father fee feedback female
    field file final finance financial first fixed flag flow follow foreign format freeze frequency frozen full
    function fund gender goods grace grade grant group guarantee guarantor guard handle handler handling highest history
    holder home hospital house household housing identification identity income increase index indicator individual
    industry information initial input inquiry instalment institution instruction insurance insured interest internal
    interval invoice issue item journal judge judgement key label landline language last late legal lender length level
    liability license limit line link list loan location lock login loss lowest maintenance male manage manager margin
    marital mark marriage married match material maturity maximum member memo merchant message method middle minimum
    minor mobile mode model modify month monthly mortgage mother name national nationality nature network next nickname
    normal note notice number occupation office official online open operate operation operator opinion opposite order
    organization origin original other outstanding overdue overdraft own owner package paid parameter parent part
    partner party passport password payable payee payer payment penalty pending people percent period permanent
    permission person personal phone place plan platform police policy position postal premium present previous price
    principal priority process product profession profit project promise property province provision public punish
    purchase purpose quality quantity query question queue quota range rate rating ratio reason receipt receivable
    receive receiver recent record recovery reduce reference refund refuse region register registered reject related
    relation relative release remain remaining remark remind rent repay repayment report representative request require
    reserve reserved residence resident residual resource response result retry return revenue review risk role rule
    salary sample scale schedule scheduled school score second secret section security select sequence serial service
    settle settlement share should sign signature single site social source special spouse staff stage standard start
    state statement station status stop street strategy student submit subject summary supplement surplus suspend
    switch system target task team telephone teller template temporary terminal term test third threshold ticket time
    title total track transaction transfer transit type unit unpaid update upload urgent usage used user valid validity
    value vehicle vendor verify version village visit volume wage waive warning wechat weight withdraw withhold work
    write year yearly
    academic certificate residential mailing permanent municipality ethnicity maiden nationality
    """
)
_VOWELS = frozenset("aeiou")
_SHORTEST, _LONGEST = 3, 12
_KEPT = 0.55  # of the letters that count
_SURE = 3.0


def _bones(word: str) -> str:
    """Return the first letter and the consonants behind it, doubled ones once."""
    bones = word[0]
    for letter in word[1:]:
        if letter not in _VOWELS and letter != bones[-1]:
            bones += letter
    return bones


def _by_first() -> Mapping[str, tuple[tuple[str, str], ...]]:
    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for word in sorted(_WORDS, key=lambda word: (len(word), word)):
        found[word[0]].append((word, _bones(word)))
    return {letter: tuple(pairs) for letter, pairs in found.items()}


_BY_FIRST = _by_first()


@lru_cache(maxsize=16_384)
def written_out(token: str, *, alone: bool = False) -> str | None:
    """Return the word that a token abbreviates, None where none is near or several are.

    Args:
        token: letters in lower case, no word itself.
        alone: the name has no other word to vouch for it: every consonant must then be there.
    """
    if not (_SHORTEST <= len(token) <= _LONGEST) or not token.isalpha() or token in _WORDS:
        return None
    ranked = sorted(
        ((_likeness(token, word, bones), word) for word, bones in _BY_FIRST.get(token[0], ())),
        key=lambda one: -one[0],
    )
    if not ranked or ranked[0][0] <= 0 or (alone and ranked[0][0] < _SURE):
        return None
    return ranked[0][1]


def _likeness(token: str, word: str, bones: str) -> float:
    """Return how well a token keeps a word: 4 all consonants, 3 and more its beginning, less for gaps, 0 not at all."""
    if len(word) <= len(token) or not _in_order(token, word):
        return 0.0
    own = _bones(token)
    if own == bones:
        return 4.0
    if len(token) > _SHORTEST and word.startswith(token):
        return 3.0 + len(token) / len(word) / 2
    kept = len(own) / len(bones)
    if kept < _KEPT or len(own) < _SHORTEST:
        return 0.0
    return kept + (1.0 if own[-1] == bones[-1] else 0.0)


def _in_order(token: str, word: str) -> bool:
    letters = iter(word)
    return all(letter in letters for letter in token)


def expanded(tokens: Sequence[str], known: frozenset[str]) -> tuple[str, ...]:
    """Write out the tokens of a name that are neither known nor short."""
    alone = len(tokens) == 1
    return tuple(
        token if token in known or token in _WORDS else (written_out(token, alone=alone) or token) for token in tokens
    )
