"""Fixtures of the browser tests; a failed test's window is kept, so its outcome must be known to them."""

from collections.abc import Generator

import pytest

from fixtures.browsing import OUTCOME, browsing, visit

__all__ = ["browsing", "visit"]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.when == "call":
        item.stash[OUTCOME] = report.failed
    return report
