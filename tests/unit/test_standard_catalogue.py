"""The catalogue: complete, contradiction-free, honest about what is certain."""

import copy
import re
from collections import Counter

import pytest

from kuimen.foundation.errors import InvalidInputError
from kuimen.standard import Automatable, Status, Strength, load_catalogue
from kuimen.standard.errors import UnknownClauseError
from kuimen.standard.loader import contradictions, read_data
from kuimen.standard.validation import SCHEMA_OF, find_problems, violations

CATALOGUE = load_catalogue()


def test_all_data_files_follow_their_schemas() -> None:
    assert find_problems() == []


def test_every_entry_of_every_list_is_there() -> None:
    assert dict(CATALOGUE.counts()) == {
        "cqjr009": 70,
        "jrt0171": 96,
        "references": 21,
        "later_rules": 38,
        "group_heads": 5,
        "total": 225,
    }


def test_group_heads_have_children_but_are_never_judged() -> None:
    assert sorted(CATALOGUE.groups) == ["CQJR-5.8-b", "CQJR-5.8-c", "CQJR-5.8-d", "CQJR-6.6-a", "CQJR-6.6-b"]
    assert not set(CATALOGUE.groups) & set(CATALOGUE.clauses)
    assert sum(len(group.children) for group in CATALOGUE.groups.values()) == 17


def test_exactly_two_clauses_of_the_loan_standard_are_recommendations() -> None:
    should = [clause.id for clause in CATALOGUE.of_list("cqjr009") if clause.strength is Strength.SHOULD]
    assert should == ["CQJR-5.8-c-2", "CQJR-6.2-b"]


def test_the_reporting_room_is_conditional_and_nothing_else_is() -> None:
    assert [clause.id for clause in CATALOGUE.clauses.values() if clause.condition_zh] == ["CQJR-5.7-d"]


def test_clauses_stand_in_the_chapters_of_their_standard() -> None:
    chapters = Counter(clause.section[0] for clause in CATALOGUE.of_list("cqjr009"))
    assert chapters == {"5": 43, "6": 27}


def test_recalled_letters_are_printed_with_their_mark() -> None:
    marked = [clause for clause in CATALOGUE.clauses.values() if clause.printed.endswith("（待核）")]
    assert {clause.list for clause in marked} == {"jrt0171"}
    assert len(marked) == 90
    assert CATALOGUE.clause("JRT0171-6.1.4.1-b").printed == "6.1.4.1 b)（待核）"
    assert CATALOGUE.clause("CQJR-5.4-d").printed == "5.4 d)"


def test_ten_years_prevail_over_five_for_transaction_records() -> None:
    override = CATALOGUE.clause("CQJR-6.5-c").overridden_by[0]
    assert (override.rule, override.stated, override.prevailing) == ("REG-AML2025-01", "5 years", "10 years")
    assert override.since == "2026-01-01"


def test_the_deletion_of_adverse_items_stays_at_five_years() -> None:
    overrides = CATALOGUE.clause("CQJR-5.2-e").overridden_by
    assert "adverse_item_retention" not in {override.figure for override in overrides}
    assert "仍在事件结束5年后删除" in overrides[0].note_zh


def test_physical_duties_are_outside_software_with_the_reason() -> None:
    for clause in CATALOGUE.clauses.values():
        if clause.kind == "physical":
            assert clause.status is Status.OUTSIDE_SOFTWARE, clause.id
            assert clause.status_reason_zh
            assert clause.status_reason_en


def test_no_clause_that_only_a_person_can_judge_claims_to_be_implemented() -> None:
    claimed = [clause for clause in CATALOGUE.clauses.values() if clause.status is Status.IMPLEMENTED]
    assert all(clause.automatable is not Automatable.MANUAL for clause in claimed)


def test_unknown_clause_is_named_in_the_error() -> None:
    with pytest.raises(UnknownClauseError, match=re.escape("'CQJR-9.9-z'")) as caught:
        CATALOGUE.clause("CQJR-9.9-z")
    assert isinstance(caught.value, InvalidInputError)


@pytest.mark.parametrize("name", sorted(SCHEMA_OF))
def test_schema_refuses_a_document_with_an_unknown_key(name: str) -> None:
    document = copy.deepcopy(read_data(name))
    document["surprise"] = 1
    assert any("additionalProperties" in line for line in violations(document, schema_name=SCHEMA_OF[name]))


def test_schema_refuses_a_clause_without_provenance() -> None:
    document = copy.deepcopy(read_data("cqjr009.yaml"))
    del document["clauses"][0]["source"]
    assert list(violations(document, schema_name="catalogue.schema.json")) == ["clauses/0: breaks rule required"]


def test_schema_refuses_an_identity_element_that_is_not_sealed() -> None:
    document = copy.deepcopy(read_data("elements.yaml"))
    document["elements"][0]["storage"] = "plain"
    assert list(violations(document, schema_name="elements.schema.json"))


def test_a_default_status_cannot_claim_anything() -> None:
    document = copy.deepcopy(read_data("status.yaml"))
    document["defaults"][0]["status"] = "implemented"
    assert list(violations(document, schema_name="status.schema.json"))


def test_wrong_declared_count_is_a_contradiction() -> None:
    assert list(contradictions(CATALOGUE, counts={"cqjr009": 71})) == ["meta.yaml: cqjr009 is 70, declared 71"]
