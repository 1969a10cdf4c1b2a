"""What is masked is recognised as masked and never reported as clear."""

import pytest

from kuimen.kernels.detection import detect
from kuimen.kernels.detection.masked import find_masked


@pytest.mark.parametrize(
    ("text", "element", "datum"),
    [
        ("手机138****5678已绑定", "mobile", "138****5678"),
        ("手机１３８＊＊＊＊５６７８", "mobile", "１３８＊＊＊＊５６７８"),
        ("身份证110105********002X", "resident_id", "110105********002X"),
        ("身份证1****************X", "resident_id", "1****************X"),
        ("卡号6222 **** **** 0128", "bank_card", "6222 **** **** 0128"),
        ("卡号622202*********0128", "bank_card", "622202*********0128"),
        ("邮箱z***@example.com", "email", "z***@example.com"),
        ("户名：张*", "person_name", "张*"),
        ("户名：**伟，", "person_name", "**伟"),
    ],
)
def test_a_masked_value_is_recognised_and_not_clear(text: str, element: str, datum: str) -> None:
    assert [(str(one.element), text[one.start : one.end], str(one.category)) for one in find_masked(text)] == [
        (element, datum, "C1")
    ]
    assert detect(text) == []


@pytest.mark.parametrize("text", ["a*b", "select * from t", "2*3=6", "***重要***", "****", "手机13812345678", "1**2"])
def test_stars_alone_are_no_masked_value(text: str) -> None:
    assert find_masked(text) == []
