"""Vocabularies are written as running text and read into sets."""


def words(text: str) -> frozenset[str]:
    """Return the words of a text that are parted by white space."""
    return frozenset(text.split())
