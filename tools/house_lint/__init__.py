"""House rules that no off-the-shelf linter knows; each rule carries good and bad samples of itself."""
