"""Fixtures of the whole suite; see `fixtures/` for what stands behind them."""

import os

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from hypothesis import HealthCheck, settings

from fixtures.commands import command_home, odd_lender
from fixtures.installed import (
    HOME_KEY,
    SETUP_FAILURE_KEY,
    bare_system,
    clock,
    installation,
    make_home,
    remove_home,
    root_key_file,
    sweep_abandoned_homes,
    system,
)
from fixtures.live import live_console
from kuimen.entrypoints.installation import database, grants
from kuimen.entrypoints.installation.postgres import EmbeddedPostgres

__all__ = [
    "bare_system",
    "clock",
    "command_home",
    "installation",
    "live_console",
    "odd_lender",
    "root_key_file",
    "system",
]


# A loaded machine is no defect, and a red run must be red again when it is repeated.
settings.register_profile("suite", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")


def pytest_configure(config: pytest.Config) -> None:
    """Give the process a home of its own and load Django, so that test modules may import models."""
    for variable in ("DATABASE_URL", "KUIMEN_OVERLAY"):
        os.environ.pop(variable, None)
    sweep_abandoned_homes()
    home = make_home()
    config.stash[HOME_KEY] = home
    postgres = EmbeddedPostgres(home, durable=False)
    for role in grants.LOGIN_ROLES:
        postgres.password(role)
    # The same algorithm at a cost that hundreds of tests can pay; processes that tests start keep the real one.
    Argon2PasswordHasher.time_cost, Argon2PasswordHasher.memory_cost = 1, 64
    try:
        database.setup_django(home)
    except Exception as failure:  # noqa: BLE001 - a broken room must not stop the tests of the pure floors
        config.stash[SETUP_FAILURE_KEY] = failure


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave nothing behind."""
    remove_home(config.stash[HOME_KEY])
