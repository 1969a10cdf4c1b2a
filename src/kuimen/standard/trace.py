"""Clause → control → test: finds every citation of a clause in source text and what is missing between them.

Works on text, not on imported modules, so that the generated table and the test see the same thing and a module that
does not import cannot hide. A citation is a `@control("...")`, a `pytest.mark.clause("...")`, a
`pytest.mark.planted_defect("...")`, or a line `Clause: ...` in a docstring.
"""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from kuimen.standard.clauses import Catalogue, Status

_DOCSTRING_LINE = re.compile(r"^\s*Clauses?:\s*(\S.*)$", re.MULTILINE)
_CLAIMED = (Status.IMPLEMENTED, Status.PARTIAL)


class CitationKind(StrEnum):
    """How a clause is cited."""

    CONTROL = "control"
    CLAUSE_TEST = "clause"
    PLANTED_DEFECT = "planted_defect"
    DOCSTRING = "docstring"


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """One citation of a clause.

    Attributes:
        kind: how it is cited.
        clause: the id as written; empty where it is not a literal.
        path: file it stands in.
        line: line it stands on, from 1.
        owner: name of the function or class it belongs to, empty at module level.
    """

    kind: CitationKind
    clause: str
    path: str
    line: int
    owner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """One break in the chain from clause to test.

    Attributes:
        clause: the clause concerned.
        where: file and line, or the data file.
        message: what is wrong and what to do.
    """

    clause: str
    where: str
    message: str


def _call_kind(call: ast.Call) -> CitationKind | None:
    function = call.func
    if isinstance(function, ast.Name) and function.id == "control":
        return CitationKind.CONTROL
    if not isinstance(function, ast.Attribute):
        return None
    if function.attr == "control":
        return CitationKind.CONTROL
    is_mark = isinstance(function.value, ast.Attribute) and function.value.attr == "mark"
    if is_mark and function.attr in {CitationKind.CLAUSE_TEST.value, CitationKind.PLANTED_DEFECT.value}:
        return CitationKind(function.attr)
    return None


def _cited_ids(call: ast.Call, *, kind: CitationKind) -> Iterator[str]:
    # Further positional arguments of a marker are clauses too; those of @control are keyword-only.
    arguments = call.args[:1] if kind is CitationKind.CONTROL else call.args
    for argument in arguments:
        is_text = isinstance(argument, ast.Constant) and isinstance(argument.value, str)
        yield str(argument.value) if is_text and isinstance(argument, ast.Constant) else ""
    if not arguments:
        yield ""


def _docstring_ids(text: str) -> Iterator[str]:
    for match in _DOCSTRING_LINE.finditer(text):
        yield from (part.rstrip(".") for part in re.split(r"[,;\s]+", match[1].strip()) if part.rstrip("."))


_Owner = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def _walk(node: ast.AST, *, path: str, owner: str) -> Iterator[Citation]:
    if isinstance(node, _Owner):
        owner = node.name
    if isinstance(node, ast.Module | _Owner):
        for clause in _docstring_ids(ast.get_docstring(node, clean=False) or ""):
            line = node.body[0].lineno
            yield Citation(kind=CitationKind.DOCSTRING, clause=clause, path=path, line=line, owner=owner)
    if isinstance(node, ast.Call) and (kind := _call_kind(node)) is not None:
        for clause in _cited_ids(node, kind=kind):
            yield Citation(kind=kind, clause=clause, path=path, line=node.lineno, owner=owner)
    for child in ast.iter_child_nodes(node):
        yield from _walk(child, path=path, owner=owner)


def citations(source: str, *, path: str) -> tuple[Citation, ...]:
    """Return every citation in one Python source text, in reading order.

    A `@control` under `tests/` is a sample, not a control of the product, and is left out.

    Raises:
        SyntaxError: the text is not Python.
    """
    found = _walk(ast.parse(source), path=path, owner="")
    is_test = path.startswith("tests/")
    return tuple(entry for entry in found if not (is_test and entry.kind is CitationKind.CONTROL))


def citations_of(sources: Mapping[str, str]) -> tuple[Citation, ...]:
    """Return every citation in many source texts, keyed by path."""
    return tuple(found for path in sorted(sources) for found in citations(sources[path], path=path))


def _unknown(catalogue: Catalogue, cited: Iterable[Citation]) -> Iterator[Gap]:
    for citation in cited:
        known = citation.clause in catalogue.clauses or (
            citation.kind is CitationKind.DOCSTRING and citation.clause in catalogue.groups
        )
        if known:
            continue
        where = f"{citation.path}:{citation.line}"
        if not citation.clause:
            yield Gap(clause="", where=where, message=f"{citation.kind} cites no literal clause id; write the id out")
        else:
            message = f"{citation.kind} cites {citation.clause}, which is not in the catalogue; correct the id"
            yield Gap(clause=citation.clause, where=where, message=message)


def gaps(catalogue: Catalogue, cited: Iterable[Citation]) -> tuple[Gap, ...]:
    """Return every break between catalogue, controls and tests; empty when the trace is whole.

    * a citation of a clause that the catalogue does not hold;
    * a clause marked implemented without a control, or without a planted-defect test;
    * a clause marked partial without a control;
    * a control of a clause whose status claims nothing.
    """
    cited = tuple(cited)
    found = list(_unknown(catalogue, cited))
    by_kind = {kind: {entry.clause for entry in cited if entry.kind is kind} for kind in CitationKind}
    controlled = by_kind[CitationKind.CONTROL]
    for clause in catalogue.clauses.values():
        claimed = clause.status in _CLAIMED
        if claimed and clause.id not in controlled:
            message = f"{clause.id} is marked {clause.status} but no control cites it; write one or lower the status"
            found.append(Gap(clause=clause.id, where="status.yaml", message=message))
        if clause.status is Status.IMPLEMENTED and clause.id not in by_kind[CitationKind.PLANTED_DEFECT]:
            message = f"{clause.id} is marked implemented but no planted-defect test breaks it; write one"
            found.append(Gap(clause=clause.id, where="status.yaml", message=message))
    for citation in cited:
        clause_found = catalogue.clauses.get(citation.clause)
        if citation.kind is CitationKind.CONTROL and clause_found and clause_found.status not in _CLAIMED:
            where = f"{citation.path}:{citation.line}"
            message = f"{citation.clause} has a control but is marked {clause_found.status}; raise it in status.yaml"
            found.append(Gap(clause=citation.clause, where=where, message=message))
    return tuple(found)
