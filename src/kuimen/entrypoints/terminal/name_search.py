"""Says how names in free text are looked for, so that nobody takes a silent scan for a complete one."""

import click

from kuimen.kernels.detection.names import NameSearch, name_search

ONLY_BEHIND_LEAD_INS = (
    "未安装 kuimen[names]：自由文本中的姓名只按引导词查找。"
    " Without kuimen[names], names in free text are looked for behind lead-ins only."
)


def tell_name_search() -> None:
    """Write one line to standard error when the extra `names` is missing."""
    if name_search() is NameSearch.LEAD_INS_ONLY:
        click.echo(ONLY_BEHIND_LEAD_INS, err=True)
