"""Fixtures of the browser tests; a failed test's window is kept, so its outcome must be known to them."""

from collections.abc import Generator

import pytest
from playwright.sync_api import expect

from fixtures.browsing import OUTCOME, PATIENCE_MS, browsing, visit

__all__ = ["browsing", "visit"]


@pytest.fixture(autouse=True)
def _patience() -> None:
    expect.set_options(timeout=PATIENCE_MS)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.when == "call":
        item.stash[OUTCOME] = report.failed
    return report
