"""The scrub of a folder: leftovers of killed runs are overwritten and removed."""

from pathlib import Path

from kuimen.governance.protection.files import NEW_SUFFIX, OLD_SUFFIX, overwrite_and_remove
from kuimen.governance.protection.scrub import ScrubReport, ScrubState, ScrubStep


def scrub_folder(root: Path, *, label: str) -> ScrubReport:
    """Remove hidden leftovers below a folder."""
    folder = root.parent if root.is_file() else root
    leftovers = [path for suffix in (NEW_SUFFIX, OLD_SUFFIX) for path in folder.rglob(f".*{suffix}")]
    failed = 0
    for path in leftovers:
        try:
            overwrite_and_remove(path)
        except OSError:
            failed += 1
    step = ScrubStep(
        name="leftover_files",
        title_zh="清除改写残留文件",
        title_en="remove leftovers of rewriting",
        state=ScrubState.FAILED if failed else ScrubState.DONE,
        detail=f"{len(leftovers) - failed} removed, {failed} not",
        todo_zh="请手工删除残留文件" if failed else "",
        todo_en="remove the leftover files by hand" if failed else "",
    )
    return ScrubReport(label=label, steps=(step,))
