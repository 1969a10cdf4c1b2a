"""The data elements as data: one list, one rule each, and a generated table that cannot drift."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from kuimen.kernels.elements.model import Category, Display, Element, Storage, Transfer
from kuimen.kernels.elements.table import COMBINATIONS, ELEMENT_TABLE, rule_of

ROOT = Path(__file__).resolve().parents[2]
STABLE_NAMES = """
person_name resident_id passport other_certificate mobile landline email address bank_card account_number uscc
company_name plate wechat qq ip mac imei device_id location birth_date sex nationality ethnicity occupation education
marital_status income balance credit_limit loan_amount overdue repayment credit_score credit_report contact_relation
photo_image password payment_password sms_code security_answer secret_key cvn2 card_expiry track_data user_name
biometric call_record free_text
""".split()  # noqa: SIM905 - the same list as literal would fill fifty lines


def test_generated_table_is_up_to_date() -> None:
    finished = subprocess.run(
        [sys.executable, str(ROOT / "tools/generate_elements.py"), "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout


def test_stable_element_names_are_all_there() -> None:
    assert [element.value for element in Element] == STABLE_NAMES
    assert set(ELEMENT_TABLE) == set(Element)


def test_yaml_and_enum_hold_the_same_elements() -> None:
    data = yaml.safe_load((ROOT / "src/kuimen/standard/data/elements.yaml").read_text(encoding="utf-8"))
    names = [row["name"] for row in data["elements"]]
    assert sorted(names) == sorted(STABLE_NAMES)
    assert len(names) == len(set(names))


@pytest.mark.clause("CQJR-5.5-c")
def test_every_basic_identity_element_is_stored_sealed() -> None:
    nine = {element for element, rule in ELEMENT_TABLE.items() if rule.nine_identity}
    assert {Element.PERSON_NAME, Element.SEX, Element.NATIONALITY, Element.OCCUPATION, Element.ADDRESS} <= nine
    assert {Element.MOBILE, Element.LANDLINE, Element.EMAIL, Element.RESIDENT_ID, Element.PASSPORT} <= nine
    assert all(rule_of(element).storage is Storage.SEAL for element in nine)


def test_data_that_may_never_be_kept_is_destroyed_not_sealed() -> None:
    destroyed = {element for element, rule in ELEMENT_TABLE.items() if rule.storage is Storage.DESTROY}
    assert destroyed == {Element.CVN2, Element.TRACK_DATA, Element.SMS_CODE}


def test_c3_is_never_shown_and_never_leaves() -> None:
    for rule in ELEMENT_TABLE.values():
        if rule.category is Category.C3:
            assert rule.display is Display.NEVER
            assert rule.transfer is Transfer.NEVER
            assert rule.level == 4


def test_auxiliary_data_is_c2_alone_and_c3_with_the_account() -> None:
    auxiliary = {element for element, rule in ELEMENT_TABLE.items() if rule.auxiliary}
    assert auxiliary == {Element.SMS_CODE, Element.SECURITY_ANSWER}
    assert all(rule_of(element).category is Category.C2 for element in auxiliary)
    joined = next(rule for rule in COMBINATIONS if rule.name == "account_with_auxiliary")
    assert joined.category is Category.C3
    assert joined.applies_to(frozenset({Element.BANK_CARD, Element.SMS_CODE}))
    assert not joined.applies_to(frozenset({Element.BANK_CARD}))


def test_four_elements_need_all_four() -> None:
    four = next(rule for rule in COMBINATIONS if rule.name == "four_elements")
    complete = frozenset({Element.PERSON_NAME, Element.MOBILE, Element.BANK_CARD, Element.PASSPORT})
    assert four.applies_to(complete)
    assert not any(four.applies_to(complete - {element}) for element in complete)
