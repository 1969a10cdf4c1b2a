"""The standards as data: clauses with their status in this product."""

from django.http import HttpRequest
from ninja import Router, Schema

from kuimen.standard import Clause, load_catalogue, registered_controls

router = Router()


class ClauseOut(Schema):
    """One requirement in our own words."""

    clause_id: str
    standard: str
    section: str
    title_zh: str
    title_en: str
    strength: str
    automatable: str
    status: str
    has_control: bool


def _out(clause: Clause) -> ClauseOut:
    return ClauseOut(
        clause_id=clause.id,
        standard=clause.standard,
        section=clause.section,
        title_zh=clause.title_zh,
        title_en=clause.title_en,
        strength=str(clause.strength),
        automatable=str(clause.automatable),
        status=str(clause.status),
        has_control=clause.id in registered_controls(),
    )


@router.get("/clauses", response=list[ClauseOut], summary="All requirements")
def clauses(request: HttpRequest, standard: str = "") -> list[ClauseOut]:
    """Return every requirement, or those of one standard."""
    found = load_catalogue().clauses.values()
    return [_out(clause) for clause in found if not standard or clause.standard == standard]
