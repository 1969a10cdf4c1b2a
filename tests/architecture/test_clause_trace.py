"""Clause → control → test: nothing is cited that does not exist, nothing is claimed that is not shown.

The rules are proven on small planted trees first: a check that cannot fail proves nothing.
"""

import dataclasses
import subprocess
import sys
from pathlib import Path

from kuimen.standard.clauses import Catalogue, Status
from kuimen.standard.loader import load_catalogue
from kuimen.standard.trace import CitationKind, citations, citations_of, gaps

ROOT = Path(__file__).resolve().parents[2]
PLANTED = "CQJR-5.4-d"
CONTROL = f'@control("{PLANTED}", title_zh="掩码", title_en="mask")\ndef masks(context):\n    return None\n'
DEFECT_TEST = f'@pytest.mark.planted_defect("{PLANTED}")\ndef test_breaks():\n    pass\n'


def _catalogue(status: Status) -> Catalogue:
    """Return a catalogue in which one clause has the given status and every other one is planned."""
    whole = load_catalogue()
    clauses = {name: dataclasses.replace(clause, status=Status.PLANNED) for name, clause in whole.clauses.items()}
    clauses[PLANTED] = dataclasses.replace(clauses[PLANTED], status=status)
    return dataclasses.replace(whole, clauses=clauses)


def _messages(status: Status, **sources: str) -> list[str]:
    return [gap.message for gap in gaps(_catalogue(status), citations_of(sources))]


def test_a_whole_chain_has_no_gap() -> None:
    assert _messages(Status.IMPLEMENTED, controls=CONTROL, tests=DEFECT_TEST) == []
    assert _messages(Status.PARTIAL, controls=CONTROL) == []
    assert _messages(Status.PLANNED) == []


def test_planted_unknown_clause_in_a_control_is_found() -> None:
    found = _messages(Status.PLANNED, controls=CONTROL.replace("5.4-d", "5.4-z"))
    assert found == ["control cites CQJR-5.4-z, which is not in the catalogue; correct the id"]


def test_planted_unknown_clause_in_a_marker_is_found() -> None:
    for marker in ("clause", "planted_defect"):
        source = f'import pytest\n\n@pytest.mark.{marker}("CQJR-7.1-a")\ndef test_it(): ...\n'
        assert len(_messages(Status.PLANNED, tests=source)) == 1


def test_planted_unknown_clause_in_a_docstring_is_found() -> None:
    source = 'def rule():\n    """Decide.\n\n    Clause: CQJR-5.4-d, CQJR-5.4-zz\n    """\n'
    assert _messages(Status.PLANNED, rules=source) == [
        "docstring cites CQJR-5.4-zz, which is not in the catalogue; correct the id"
    ]


def test_planted_implemented_clause_without_control_is_found() -> None:
    found = _messages(Status.IMPLEMENTED, tests=DEFECT_TEST)
    assert len(found) == 1
    assert "no control cites it" in found[0]


def test_planted_implemented_clause_without_defect_test_is_found() -> None:
    only_evidence = DEFECT_TEST.replace("planted_defect", "clause")
    found = _messages(Status.IMPLEMENTED, controls=CONTROL, tests=only_evidence)
    assert len(found) == 1
    assert "no planted-defect test" in found[0]


def test_planted_partial_clause_without_control_is_found() -> None:
    assert len(_messages(Status.PARTIAL, tests=DEFECT_TEST)) == 1


def test_planted_control_of_a_clause_that_claims_nothing_is_found() -> None:
    for status in (Status.PLANNED, Status.OUTSIDE_SOFTWARE):
        found = _messages(status, controls=CONTROL)
        assert len(found) == 1
        assert "raise it in status.yaml" in found[0]


def test_planted_citation_that_is_no_literal_is_found() -> None:
    source = "CLAUSE = 'CQJR-5.4-d'\n\n@control(CLAUSE, title_zh='', title_en='')\ndef probe(context): ...\n"
    assert _messages(Status.PLANNED, controls=source) == ["control cites no literal clause id; write the id out"]


def test_citations_know_kind_owner_and_line() -> None:
    found = citations(CONTROL + "\n" + DEFECT_TEST, path="sample.py")
    assert [(entry.kind, entry.owner, entry.line) for entry in found] == [
        (CitationKind.CONTROL, "masks", 1),
        (CitationKind.PLANTED_DEFECT, "test_breaks", 5),
    ]


def test_a_sample_control_in_a_test_is_no_control_of_the_product() -> None:
    assert citations(CONTROL, path="tests/unit/test_sample.py") == ()
    assert len(citations(CONTROL, path="src/kuimen/gate/audit/controls.py")) == 1


def test_a_comment_or_a_string_is_no_citation() -> None:
    source = '# Clause: CQJR-0.0-a\nTEXT = "Clause: CQJR-0.0-b"\n'
    assert citations(source, path="sample.py") == ()


def _sources() -> dict[str, str]:
    paths = [path for folder in ("src/kuimen", "tests") for path in (ROOT / folder).rglob("*.py")]
    return {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in paths}


def test_the_product_claims_only_what_it_shows() -> None:
    found = gaps(load_catalogue(), citations_of(_sources()))
    assert not found, "\n".join(f"{gap.where}: {gap.message}" for gap in found)


def test_conformance_page_is_up_to_date() -> None:
    finished = subprocess.run(
        [sys.executable, str(ROOT / "tools/generate_conformance.py"), "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout
