"""Rules as data: ours hold, an institution's replace them, bad ones are refused with the reason."""

import json
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest
import yaml
from click.testing import CliRunner

from kuimen import detect
from kuimen.entrypoints.cli.main import kuimen
from kuimen.kernels.detection.rules import (
    RuleError,
    RuleSampleError,
    RuleUnsafeError,
    built_in_rules,
    check_pattern,
    combine,
    parse_rules,
    try_samples,
)
from kuimen.sources.rulefolder import load_rules

OWN = """
format: 1
version: "7"
disabled: [google_key]
rules:
  - id: member_card
    element: account_number
    title_zh: 会员卡号
    labels: ["会员卡号"]
    pattern: 'VIP[0-9]{8}(?![0-9])'
    good: ["会员卡号：<<VIP12345678>>"]
    bad: ["会员卡号VIP1234"]
templates:
  - id: members
    elements: [account_number]
"""


def shipped(name: str) -> str:
    return files("kuimen.kernels.detection.rules").joinpath(name).read_text(encoding="utf-8")


def one_rule(**changed: object) -> str:
    rule = {
        "id": "x_rule",
        "element": "mobile",
        "gates": ["x"],
        "pattern": "x[0-9]{3}",
        "good": ["<<x123>>"],
        "bad": ["y"],
    }
    return yaml.safe_dump({"format": 1, "version": "1", "rules": [{**rule, **changed}]}, allow_unicode=True)


def test_the_rules_that_come_with_kuimen_hold_and_are_of_the_published_form() -> None:
    jsonschema.validate(yaml.safe_load(shipped("rules.yaml")), json.loads(shipped("rules.schema.json")))
    jsonschema.validate(yaml.safe_load(OWN), json.loads(shipped("rules.schema.json")))
    for rule in built_in_rules().rules:
        try_samples(rule)
        check_pattern(rule.pattern)


@pytest.mark.parametrize("rule", built_in_rules().rules, ids=lambda rule: rule.id)
def test_the_good_samples_are_found_by_detect_too(rule: object) -> None:
    for sample in rule.good:  # type: ignore[attr-defined]
        text = sample.replace("<<", "").replace(">>", "")
        start = sample.index("<<")
        stop = sample.index(">>") - 2
        assert (str(rule.element), start, stop) in {  # type: ignore[attr-defined]
            (str(one.element), one.start, one.end) for one in detect(text)
        }


def test_an_institution_adds_replaces_and_switches_off() -> None:
    rules = combine({"own.yaml": OWN})
    assert [str(one.element) for one in detect("会员卡号：VIP12345678", rules=rules)] == ["account_number"]
    assert not detect("会员卡号：VIP12345678")
    assert "google_key" not in {rule.id for rule in rules.rules}
    assert rules.template("members").elements == {"account_number"}
    with pytest.raises(RuleError):
        rules.template("nobody")


@pytest.mark.parametrize(
    ("changed", "refusal", "says"),
    [
        ({"pattern": "(x+)+y"}, RuleUnsafeError, "without end"),
        ({"pattern": "(?:x{1,50}){1,50}y"}, RuleUnsafeError, "inside a repetition"),
        ({"pattern": "x{1,90}x{1,90}x{1,90}y"}, RuleUnsafeError, "multiply"),
        ({"pattern": "(?:x|xx){1,40}y"}, RuleUnsafeError, "inside a repetition"),
        ({"pattern": "x.*"}, RuleUnsafeError, "without end"),
        ({"pattern": r"(x)\1"}, RuleUnsafeError, "earlier group"),
        ({"pattern": "x{0,3}"}, RuleUnsafeError, "nothing at all"),
        ({"pattern": "(x"}, RuleUnsafeError, "no regular expression"),
        ({"pattern": "x" * 2000}, RuleUnsafeError, "longer than"),
        ({"element": "shoe_size"}, RuleError, "element"),
        ({"good": []}, RuleError, "sample"),
        ({"good": ["x123"]}, RuleError, "sample"),
        ({"bad": []}, RuleError, "sample"),
        ({"good": ["<<x12>>"]}, RuleSampleError, "good sample 1"),
        ({"bad": ["ok", "x999"]}, RuleSampleError, "bad sample 2"),
        ({"gates": []}, RuleError, "gates"),
        ({"check": "crc32"}, RuleError, "check"),
        ({"points": 50}, RuleError, "points"),
        ({"colour": "red"}, RuleError, "unknown key colour"),
        ({"id": "Bad Id"}, RuleError, "id"),
    ],
)
def test_a_bad_rule_is_refused_with_the_reason(changed: dict[str, object], refusal: type[RuleError], says: str) -> None:
    with pytest.raises(refusal, match=says):
        parse_rules(one_rule(**changed), source="own.yaml")


@pytest.mark.parametrize(
    "text", ["[", "- 1", "format: 2\nversion: '1'", "format: 1", "format: 1\nversion: '1'\nrules: 3"]
)
def test_what_is_no_file_of_rules_is_refused(text: str) -> None:
    with pytest.raises(RuleError):
        parse_rules(text, source="own.yaml")


def test_the_command_tries_a_folder_and_uses_it(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(OWN, encoding="utf-8")
    runner = CliRunner()
    tried = runner.invoke(kuimen, ["rules", "test", "--json", str(tmp_path)])
    assert json.loads(tried.stdout)["files"] == ["own.yaml"]
    listed = runner.invoke(kuimen, ["rules", "list", "--json", str(tmp_path)])
    assert "member_card" in listed.stdout
    row = json.dumps({"id": 1, "text": "会员卡号：VIP12345678"}, ensure_ascii=False)
    found = runner.invoke(kuimen, ["detect", "--jsonl", "--rules", str(tmp_path), "--template", "members"], input=row)
    assert json.loads(found.stdout)["findings"] == [
        {"element": "account_number", "start": 5, "end": 16, "category": "C2", "likelihood": "likely"}
    ]
    (tmp_path / "bomb.yaml").write_text(one_rule(pattern="(x+)+y"), encoding="utf-8")
    with pytest.raises(RuleUnsafeError):
        load_rules(tmp_path)


def test_a_folder_without_rules_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RuleError):
        load_rules(tmp_path)


def test_a_long_text_is_searched_like_its_lines() -> None:
    rules = built_in_rules()
    samples = [sample.replace("<<", "").replace(">>", "") for rule in rules.rules for sample in (*rule.good, *rule.bad)]
    lines = [
        line for sample in samples for line in ("无 é 😀 plain", sample.upper() if len(sample) % 2 else sample)
    ] * 6
    text = "\n".join(lines)
    place, apart = 0, []
    for line in lines:
        apart += [(str(one.element), one.start + place, one.end + place) for one in rules.recognise(line)]
        place += len(line) + 1
    assert [(str(one.element), one.start, one.end) for one in rules.recognise(text)] == apart
    assert apart
