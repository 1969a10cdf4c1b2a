"""Use cases of people, posts, grants, sign-in and tokens."""

from kuimen.gate.access.policy import decide
from kuimen.gate.access.services.activation import activate, change_password, reset_in_person
from kuimen.gate.access.services.changes import (
    Decided,
    approve_change,
    countersign_change,
    expire_due_changes,
    propose_change,
    refuse_change,
    withdraw_change,
)
from kuimen.gate.access.services.grants import (
    apply_for_role,
    approve_grant,
    expire_due_grants,
    refuse_grant,
    revoke_grant,
    withdraw_grant,
)
from kuimen.gate.access.services.personnel import file_gaps, file_of, record_personnel
from kuimen.gate.access.services.second_factor import (
    begin_enrolment,
    enroll_totp,
    has_second_factor,
    verify_totp,
)
from kuimen.gate.access.services.sessions import end_sessions, open_session, touch_session
from kuimen.gate.access.services.sign_in import check_credentials
from kuimen.gate.access.services.staff import (
    NewOfficer,
    appoint_first_officers,
    assign_post,
    disable_staff,
    end_posting,
    register_agency,
    register_staff,
    reset_sign_in,
)
from kuimen.gate.access.services.subjects import actor_of, require, subject_of
from kuimen.gate.access.services.tokens import IssuedToken, issue_token, revoke_token, subject_for_token

__all__ = [
    "Decided",
    "IssuedToken",
    "NewOfficer",
    "activate",
    "actor_of",
    "apply_for_role",
    "appoint_first_officers",
    "approve_change",
    "approve_grant",
    "assign_post",
    "begin_enrolment",
    "change_password",
    "check_credentials",
    "countersign_change",
    "decide",
    "disable_staff",
    "end_posting",
    "end_sessions",
    "enroll_totp",
    "expire_due_changes",
    "expire_due_grants",
    "file_gaps",
    "file_of",
    "has_second_factor",
    "issue_token",
    "open_session",
    "propose_change",
    "record_personnel",
    "refuse_change",
    "refuse_grant",
    "register_agency",
    "register_staff",
    "require",
    "reset_in_person",
    "reset_sign_in",
    "revoke_grant",
    "revoke_token",
    "subject_for_token",
    "subject_of",
    "touch_session",
    "verify_totp",
    "withdraw_change",
    "withdraw_grant",
]
