"""`python -m kuimen.entrypoints.cli`: the same as the `kuimen` command."""

from kuimen.entrypoints.cli.main import main

main()
