"""Schema history of the room."""
