"""Which of its two languages a page speaks to this reader."""

from django.utils.translation import get_language


def in_english() -> bool:
    """Tell whether the reader chose English; Chinese is the house's first language."""
    return (get_language() or "").startswith("en")


def say(chinese: str, english: str) -> str:
    """Return the text in the language of the reader."""
    return english if in_english() else chinese
