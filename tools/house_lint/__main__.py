"""`python -m tools.house_lint src`: check the tree, print `path:line: rule: message`, exit 1 when anything is found."""

import sys
from pathlib import Path

from tools.house_lint.runner import check_tree


def main() -> int:
    """Check every tree named on the command line."""
    violations = [violation for argument in sys.argv[1:] for violation in check_tree(Path(argument))]
    for violation in violations:
        print(violation)
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
