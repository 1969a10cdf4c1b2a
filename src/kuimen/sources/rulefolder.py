"""An institution's own rules: a folder of YAML files, read and tried out before any of them is used.

Beside the check of their structure, foreign patterns run against texts made to be slow for them, in a process that is
ended when its processor time is used up.
"""

import os
import resource
import signal
from collections.abc import Iterable
from pathlib import Path

from kuimen.kernels.detection.rules import Rule, RuleError, RuleSet, RuleUnsafeError, combine, parse_rules

LARGEST_FILE = 1 << 20
_SECONDS = 2
_TRIAL_LETTERS = 20_000
_STUFF = "0aA-_.:/@ 1号"


def rule_files(folder: Path) -> list[Path]:
    """Return the YAML files of a folder in the order of their names, none where there is no folder."""
    return sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")])


def rule_texts(folder: Path) -> dict[str, str]:
    """Return the YAML files of a folder, or one file, by name.

    Raises:
        RuleError: there is none, or one is too large or no UTF-8.
    """
    texts: dict[str, str] = {}
    for path in rule_files(folder) if folder.is_dir() else [folder]:
        try:
            raw = path.read_bytes()[: LARGEST_FILE + 1]
            texts[path.name] = raw.decode("utf-8-sig")
        except OSError:
            raise RuleError(f"{path.name}: cannot be read") from None
        except UnicodeDecodeError:
            raise RuleError(f"{path.name}: is not UTF-8") from None
        if len(raw) > LARGEST_FILE:
            raise RuleError(f"{path.name}: larger than 1 MiB")
    if not texts:
        raise RuleError("rules: the folder holds no file ending in .yaml")
    return texts


def load_rules(folder: Path) -> RuleSet:
    """Return the built-in rules with a folder's over them.

    Raises:
        RuleError: a file is refused; nothing of the folder is used.
        RuleUnsafeError: a pattern of the folder takes too long on hostile text.
    """
    texts = rule_texts(folder)
    for name, text in texts.items():
        try_patterns(parse_rules(text, source=name).rule_set.rules)
    return combine(texts)


def try_patterns(rules: Iterable[Rule]) -> None:
    """Run each rule on hostile text in a process of its own.

    Raises:
        RuleUnsafeError: it used up its two seconds of processor time.
    """
    for rule in rules:
        child = os.fork()
        if not child:
            _run_trial(rule)
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status) or os.waitstatus_to_exitcode(status):
            raise RuleUnsafeError(f"{rule.source}: rule {rule.id}: takes too long on hostile text; narrow its pattern")


def _run_trial(rule: Rule) -> None:
    """Search hostile texts and end this process; never returns."""
    outcome = 1
    try:
        signal.signal(signal.SIGXCPU, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
        openings = (*rule.gates, *rule.labels)
        for opening in (*openings[:3], openings[0]):
            for stuff in (*_STUFF, rule.good[0].replace("<<", "").replace(">>", "")):
                text = (opening + stuff * 400) * (_TRIAL_LETTERS // (len(opening) + 400 * len(stuff)) + 1)
                rule.recognise(text, text.lower())
        outcome = 0
    finally:
        os._exit(outcome)
