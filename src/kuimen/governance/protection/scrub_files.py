"""The scrub of a folder: leftovers of killed runs go, and values known from protected databases are blotted out."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from kuimen.governance.protection.files import NEW_SUFFIX, OLD_SUFFIX, overwrite_and_remove
from kuimen.governance.protection.originals import Original
from kuimen.governance.protection.proof import hits_in, split_needles
from kuimen.governance.protection.scrub import ScrubReport, ScrubState, ScrubStep
from kuimen.kernels.detection.needles import NeedleSet

Progress = Callable[[int, int, str], None]


def scrub_folder(
    root: Path, *, label: str, originals: Iterable[Original], progress: Progress | None = None
) -> ScrubReport:
    """Remove hidden leftovers, then overwrite every known original of eight bytes and more in the files below.

    Args:
        root: folder or file.
        label: of the source, for the report.
        originals: values of databases protected before; what a recogniser overlooks in a log, they find.
        progress: called with (steps done, steps in all, name).
    """
    steps = [_leftovers(root)]
    if progress is not None:
        progress(1, 2, "known values")
    steps.append(_known_values(root, originals))
    if progress is not None:
        progress(2, 2, "")
    return ScrubReport(label=label, steps=tuple(steps))


def _leftovers(root: Path) -> ScrubStep:
    folder = root.parent if root.is_file() else root
    leftovers = [path for suffix in (NEW_SUFFIX, OLD_SUFFIX) for path in folder.rglob(f".*{suffix}")]
    failed = 0
    for path in leftovers:
        try:
            overwrite_and_remove(path)
        except OSError:
            failed += 1
    return ScrubStep(
        name="leftover_files",
        title_zh="清除改写残留文件",
        title_en="remove leftovers of rewriting",
        state=ScrubState.FAILED if failed else ScrubState.DONE,
        detail=f"{len(leftovers) - failed} removed, {failed} not",
        todo_zh="请手工删除残留文件" if failed else "",
        todo_en="remove the leftover files by hand" if failed else "",
    )


def _known_values(root: Path, originals: Iterable[Original]) -> ScrubStep:
    raw, _ = split_needles(originals)
    state, detail = ScrubState.NOT_APPLICABLE, "no protected database to take known values from"
    if raw:
        state, detail = _blot_out(root, NeedleSet.build(raw))
    return ScrubStep(
        name="known_values",
        title_zh="抹除文件中已入库的原值",
        title_en="blot out originals known from protected databases",
        state=state,
        detail=detail,
        todo_zh="请检查未能改写的文件" if state is ScrubState.FAILED else "",
        todo_en="look at the files that could not be changed" if state is ScrubState.FAILED else "",
    )


def _blot_out(root: Path, needles: NeedleSet) -> tuple[ScrubState, str]:
    files = [root] if root.is_file() else [path for path in sorted(root.rglob("*")) if path.is_file()]
    removed = failed = 0
    for path in files:
        if path.is_symlink():
            continue
        try:
            spans = list(hits_in(needles, path))
            if spans:
                _overwrite(path, spans)
        except OSError:
            failed += 1
            continue
        removed += len(spans)
    return (ScrubState.FAILED if failed else ScrubState.DONE), f"{len(files)} files, {removed} values removed"


def _overwrite(path: Path, spans: Iterable[tuple[int, int]]) -> None:
    """Put asterisks over byte ranges in place: the length stays, a program that appends is not disturbed."""
    with path.open("r+b", buffering=0) as stream:
        for start, end in spans:
            os.pwrite(stream.fileno(), b"*" * (end - start), start)
        os.fsync(stream.fileno())
