"""Schema of the API."""
