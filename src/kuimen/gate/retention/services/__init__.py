"""Use cases of the retention room, under one name for the floors above."""

from kuimen.gate.retention.services.clocks import (
    CheckReport,
    HoldView,
    check_due,
    decisions_of,
    holds_of,
    lift_hold,
    place_hold,
    record_event,
)
from kuimen.gate.retention.services.erasing import (
    ErasureView,
    destroy,
    due_list,
    find,
    request_destruction,
    resume,
    suspend,
)
from kuimen.gate.retention.services.replaying import ReplayReport, catch_up, verify_whole

__all__ = [
    "CheckReport",
    "ErasureView",
    "HoldView",
    "ReplayReport",
    "catch_up",
    "check_due",
    "decisions_of",
    "destroy",
    "due_list",
    "find",
    "holds_of",
    "lift_hold",
    "place_hold",
    "record_event",
    "request_destruction",
    "resume",
    "suspend",
    "verify_whole",
]
