"""Values leave the vault through one door: nobody else imports the functions that open."""

import ast
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src" / "kuimen"
ALLOWED = ("gate/vault/", "gate/disclosure/")
OPENING = "kuimen.gate.vault.opening"


def importers(module: str) -> list[str]:
    found = []
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            elif isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            if module in names:
                found.append(path.relative_to(SOURCE).as_posix())
    return found


def test_only_the_vault_itself_and_disclosure_import_the_opening() -> None:
    found = importers(OPENING)
    assert found
    assert [path for path in found if not path.startswith(ALLOWED)] == []


def test_the_vaults_table_of_sealed_bytes_is_read_by_nobody_else() -> None:
    """The sealed column is named in no other room's code."""
    found = importers("kuimen.gate.vault.store")
    assert [path for path in found if not path.startswith("gate/vault/")] == []


def test_the_work_under_every_door_stays_in_the_vault() -> None:
    found = importers("kuimen.gate.vault.unsealing")
    assert found
    assert [path for path in found if not path.startswith("gate/vault/")] == []
