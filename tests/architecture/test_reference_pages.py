"""What the reference pages list is what the code reads."""

import re
from dataclasses import fields
from pathlib import Path

from kuimen.entrypoints.installation.config import Configuration
from kuimen.foundation.errors import ERROR_TABLE, EXIT_CODE_BUG

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reference" / "configuration.md").read_text(encoding="utf-8")
VARIABLE = re.compile(r'_VARIABLE = "([A-Z_]+)"')


def test_every_variable_of_the_environment_is_on_the_page() -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py"))
    read = {*VARIABLE.findall(code), "KUIMEN_OVERLAY", "KUIMEN_DEBUG"}
    assert len(read) > 10
    assert sorted(name for name in read if f"`{name}`" not in PAGE) == []
    assert sorted(set(re.findall(r"`(KUIMEN_[A-Z_]+)`", PAGE)) - read) == []


def test_every_field_of_the_configuration_is_on_the_page() -> None:
    assert [field.name for field in fields(Configuration) if f"`{field.name}`" not in PAGE] == []


def test_every_exit_code_is_on_the_page() -> None:
    codes = {rule.exit_code for rule in ERROR_TABLE.values()} | {EXIT_CODE_BUG}
    assert [code for code in sorted(codes) if f"\n| {code} |" not in PAGE] == []
