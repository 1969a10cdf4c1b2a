"""The register of the institution's rules, plans and customer texts: versioned, approved by two, reviewed in time."""
