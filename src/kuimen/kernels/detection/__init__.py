"""Finding personal data in text and columns."""
