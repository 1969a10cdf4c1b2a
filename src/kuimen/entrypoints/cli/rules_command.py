"""`kuimen rules`: what is looked for, and whether an institution's own rules hold."""

from pathlib import Path

import click

from kuimen.entrypoints.terminal.output import emit_json, stdout, table
from kuimen.kernels.detection.rules import RuleSet, built_in_rules
from kuimen.sources.rulefolder import load_rules, rule_texts

_FOLDER = click.argument("folder", required=False, type=click.Path(path_type=Path, exists=True))


@click.group()
def rules() -> None:
    """Show and try the rules that are data; your own live in a folder of YAML files."""


def _rule_set(folder: Path | None) -> RuleSet:
    return built_in_rules() if folder is None else load_rules(folder)


@rules.command("list")
@_FOLDER
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_rules(*, folder: Path | None, as_json: bool) -> None:
    """List the rules, with those of FOLDER in place of or beside ours."""
    known = _rule_set(folder)
    made = table(f"规则 Rules {known.version}", "规则 Rule", "要素 Element", "名称", "校验 Check", "来源 Source")
    for rule in known.rules:
        if as_json:
            emit_json(
                {
                    "id": rule.id,
                    "element": str(rule.element),
                    "title_zh": rule.title_zh,
                    "check": rule.check,
                    "points": rule.points,
                    "source": rule.source,
                }
            )
        made.add_row(rule.id, str(rule.element), rule.title_zh, rule.check or "—", rule.source)
    if as_json:
        return
    stdout.print(made)
    for one in known.templates:
        stdout.print(f"模板 template {one.id}: {one.title_zh} ({len(one.elements)})", highlight=False)


@rules.command("test")
@_FOLDER
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def test_rules(*, folder: Path | None, as_json: bool) -> None:
    """Hold every rule of FOLDER, or ours, against its own samples and against hostile text."""
    known = _rule_set(folder)
    samples = sum(len(rule.good) + len(rule.bad) for rule in known.rules)
    files = sorted(rule_texts(folder)) if folder else []
    if as_json:
        emit_json({"version": known.version, "rules": len(known.rules), "samples": samples, "files": files})
        return
    stdout.print(f"规则 {len(known.rules)} rules, 样例 {samples} samples: 通过 all hold", highlight=False)
