"""Use cases of the releases room, under one name for the floors above.

Clause: JRT0171-6.1.4.5-b, JRT0171-6.1.4.4-c, JRT0171-6.1.4.7-b
"""

from kuimen.governance.releases.services.applying import (
    Application,
    apply,
    approve,
    computed,
    refuse,
    release_seen_by,
    releases_seen_by,
    withdraw,
)
from kuimen.governance.releases.services.handing import confirm, end, end_due, fetch, release, require_released
from kuimen.governance.releases.services.registering import (
    DemandLine,
    confirm_person,
    demands,
    record_test_data,
    test_data_runs,
)
from kuimen.governance.releases.services.shelf import ReleaseView, reference_of

__all__ = [
    "Application",
    "DemandLine",
    "ReleaseView",
    "apply",
    "approve",
    "computed",
    "confirm",
    "confirm_person",
    "demands",
    "end",
    "end_due",
    "fetch",
    "record_test_data",
    "reference_of",
    "refuse",
    "release",
    "release_seen_by",
    "releases_seen_by",
    "require_released",
    "test_data_runs",
    "withdraw",
]
