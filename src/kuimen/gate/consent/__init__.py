"""Legal bases, versioned documents, recorded acts, withdrawal."""
