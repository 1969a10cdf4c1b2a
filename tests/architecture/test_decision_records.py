"""Every decision record fits one page, stands in the index, and names enforcers that exist."""

import re
import tomllib
from pathlib import Path

import pytest

from tools.house_lint.runner import RULES

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "adr"
RECORDS = sorted(FOLDER.glob("[0-9]*.md"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PARTS = ["Context", "Decision", "Consequences", "Alternatives", "Enforced by"]
NAMED = {
    *(rule.name for rule in RULES),
    *(contract["id"] for contract in PROJECT["tool"]["importlinter"]["contracts"]),
}


def exists(enforcer: str) -> bool:
    if enforcer in NAMED or enforcer == "kuimen audit verify":
        return True
    if enforcer.startswith("make "):
        return f"\n{enforcer.removeprefix('make ')}:" in (ROOT / "Makefile").read_text(encoding="utf-8")
    path, _, test = enforcer.partition("::")
    if not (ROOT / path).is_file():
        return False
    return not test or f"def {test}(" in (ROOT / path).read_text(encoding="utf-8")


@pytest.mark.parametrize("record", RECORDS, ids=lambda path: path.name[:4])
def test_a_record_is_one_page_of_five_parts_whose_enforcers_exist(record: Path) -> None:
    text = record.read_text(encoding="utf-8")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == PARTS
    assert len(text.splitlines()) <= 60
    enforcers = re.findall(r"`([^`]+)`", text.split("## Enforced by\n")[1])
    assert enforcers
    assert [enforcer for enforcer in enforcers if not exists(enforcer)] == []


def test_an_enforcer_that_is_not_there_would_be_seen() -> None:
    assert not exists("tests/architecture/test_nothing.py")
    assert not exists("tests/architecture/test_decision_records.py::test_nothing")
    assert not exists("no-such-lint")


def test_the_index_names_every_record_by_its_title() -> None:
    index = (FOLDER / "README.md").read_text(encoding="utf-8")
    for record in RECORDS:
        number, title = record.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ").split(" ", 1)
        assert f"| {number} | [{title}]({record.name}) |" in index


def test_every_package_of_an_installation_has_its_reason() -> None:
    reasons = next(FOLDER.glob("0018*")).read_text(encoding="utf-8").lower()
    extras = PROJECT["project"]["optional-dependencies"]
    wanted = [*PROJECT["project"]["dependencies"], *(one for name in extras if name != "dev" for one in extras[name])]
    names = {re.split(r"[\[<>=]", one)[0].lower() for one in wanted}
    assert sorted(name for name in names if name.removesuffix("-regular").removesuffix("-bold") not in reasons) == []
