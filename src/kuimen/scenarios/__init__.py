"""Chapter 5: the business scenarios, one room each."""
