"""Analysis releases: applied for, approved, measured, labelled, registered and taken back; and test data made."""
