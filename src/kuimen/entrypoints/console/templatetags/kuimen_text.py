"""Two languages side by side: each text of the console is written in Chinese and in English at the same place."""

from datetime import date, datetime
from decimal import Decimal

from django import template

from kuimen.entrypoints.console.language import in_english, say
from kuimen.entrypoints.console.words import ASSET_STATES, words_of
from kuimen.foundation.clock import SHANGHAI

register = template.Library()


@register.simple_tag
def t(chinese: str, english: str) -> str:
    """Return the text in the language of the reader; Chinese unless English was chosen."""
    return say(chinese, english)


@register.filter
def titled(thing: object) -> str:
    """Return `title_en` or `title_zh` of a thing, by the language of the reader."""
    return str(getattr(thing, "title_en" if in_english() else "title_zh", ""))


@register.filter
def shanghai(moment: datetime | None) -> str:
    """Return a moment on the business clock, to the second."""
    return moment.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S") if moment else "—"


@register.filter
def day(moment: date | None) -> str:
    """Return a date in the same form in both languages."""
    return moment.isoformat() if moment else "—"


@register.filter
def yuan(amount: Decimal | None) -> str:
    """Return an amount with thousands separators and two decimals."""
    return f"{amount:,.2f}" if amount is not None else "—"


@register.filter
def thousands(number: int | None) -> str:
    """Return a count with thousands separators."""
    return f"{number:,}" if number is not None else "—"


@register.filter
def times(count: int) -> range:
    """Return a range, to repeat a mark `count` times."""
    return range(count)


@register.simple_tag
def asset_state(code: str) -> str:
    """Return how an asset's values stand at rest, in the language of the reader."""
    return say(*words_of(ASSET_STATES, code))
