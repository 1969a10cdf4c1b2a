"""Use cases of the retention room, under one name for the floors above."""

from kuimen.gate.retention.services.certifying import CertificateView, certify, shredded_since
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
from kuimen.gate.retention.services.registers import (
    BackupView,
    ExportView,
    backups,
    confirm_deletion,
    exports_of,
    register_backup,
    register_export,
)
from kuimen.gate.retention.services.replaying import ReplayReport, catch_up, verify_whole

__all__ = [
    "BackupView",
    "CertificateView",
    "CheckReport",
    "ErasureView",
    "ExportView",
    "HoldView",
    "ReplayReport",
    "backups",
    "catch_up",
    "certify",
    "check_due",
    "confirm_deletion",
    "decisions_of",
    "destroy",
    "due_list",
    "exports_of",
    "find",
    "holds_of",
    "lift_hold",
    "place_hold",
    "record_event",
    "register_backup",
    "register_export",
    "request_destruction",
    "resume",
    "shredded_since",
    "suspend",
    "verify_whole",
]
