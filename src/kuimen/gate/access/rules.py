"""Roles, actions, the life of a grant, separation of duties: values in, decision out."""

import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final

EVERYWHERE: Final = "*"  # row scope of the institution's own staff; an agency's staff carry the agency's code


class Role(StrEnum):
    """What a post lets a person do; every right hangs on one of these."""

    SECURITY_OFFICER = "security_officer"
    KEY_CUSTODIAN = "key_custodian"
    COLLECTOR = "collector"
    TEAM_LEADER = "team_leader"
    AUDITOR = "auditor"
    ASSESSOR = "assessor"
    ENGINEER = "engineer"
    IMPORTER = "importer"
    PARTNER_OPERATOR = "partner_operator"
    SEARCHER = "searcher"


ROLE_TITLES: Final[Mapping[Role, tuple[str, str]]] = MappingProxyType(
    {
        Role.SECURITY_OFFICER: ("安全主管", "Security officer"),
        Role.KEY_CUSTODIAN: ("密钥保管人", "Key custodian"),
        Role.COLLECTOR: ("催收员", "Collector"),
        Role.TEAM_LEADER: ("催收组长", "Collection team leader"),
        Role.AUDITOR: ("审计员", "Auditor"),
        Role.ASSESSOR: ("评估员", "Assessor"),
        Role.ENGINEER: ("平台工程师", "Platform engineer"),
        Role.IMPORTER: ("数据工程师", "Data engineer"),
        Role.PARTNER_OPERATOR: ("机构往来专员", "Partner operator"),
        Role.SEARCHER: ("号码检索员", "Number searcher"),
    }
)


class Action(StrEnum):
    """Everything a policy can be asked about; an action that is not here is refused."""

    OVERVIEW_READ = "overview.read"
    STAFF_READ = "staff.read"
    STAFF_REGISTER = "staff.register"
    STAFF_DISABLE = "staff.disable"
    STAFF_RESET_FACTOR = "staff.reset_factor"
    STAFF_DECIDE = "staff.decide"
    AGENCY_REGISTER = "agency.register"
    POST_ASSIGN = "post.assign"
    GRANT_APPLY = "grant.apply"
    GRANT_DECIDE = "grant.decide"
    GRANT_REVOKE = "grant.revoke"
    APPROVAL_REQUEST = "approval.request"
    APPROVAL_DECIDE = "approval.decide"
    CONSENT_READ = "consent.read"
    CONSENT_PUBLISH = "consent.publish"
    CONSENT_RECORD = "consent.record"
    DOCUMENT_READ = "document.read"
    DOCUMENT_DRAFT = "document.draft"
    DOCUMENT_APPROVE = "document.approve"
    KEYS_READ = "keys.read"
    KEYS_UNLOCK = "keys.unlock"
    KEYS_ROTATE = "keys.rotate"
    RETENTION_READ = "retention.read"
    RETENTION_HOLD = "retention.hold"
    RETENTION_SUSPEND = "retention.suspend"
    RETENTION_DESTROY = "retention.destroy"
    TOKEN_ASSIGN = "token.assign"  # noqa: S105 - the name of an action
    TOKEN_CHANGE = "token.change"  # noqa: S105 - the name of an action
    TOKEN_RESOLVE = "token.resolve"  # noqa: S105 - the name of an action
    EXCHANGE_READ = "exchange.read"
    EXCHANGE_REGISTER = "exchange.register"
    EXCHANGE_SEND = "exchange.send"
    EXCHANGE_OPEN = "exchange.open"
    VIEW_MASKED = "disclosure.view_masked"
    REVEAL = "disclosure.reveal"
    CHALLENGE = "disclosure.challenge"
    SEARCH = "disclosure.search"
    LEDGER_IMPORT = "ledger.import"
    LEDGER_READ = "ledger.read"
    INVENTORY_SCAN = "inventory.scan"
    INVENTORY_READ = "inventory.read"
    INVENTORY_CORRECT = "inventory.correct"
    INVENTORY_DECIDE = "inventory.decide"
    PROTECTION_RUN = "protection.run"
    PROTECTION_READ = "protection.read"
    RELEASE_READ = "release.read"
    RELEASE_APPLY = "release.apply"
    RELEASE_DECIDE = "release.decide"
    RELEASE_FETCH = "release.fetch"
    RELEASE_END = "release.end"
    CASE_BUILD = "case.build"
    CASE_LIST = "case.list"
    CASE_OPEN = "case.open"
    CASE_ASSIGN = "case.assign"
    CASE_WORK = "case.work"
    AUDIT_READ = "audit.read"
    AUDIT_EXPORT = "audit.export"
    AUDIT_REVIEW = "audit.review"
    ASSESSMENT_RUN = "assessment.run"
    ASSESSMENT_READ = "assessment.read"


class Purpose(StrEnum):
    """Purposes of use that a decision and a legal basis name."""

    SERVICING = "servicing"
    COLLECTION = "collection"
    CREDIT = "credit"
    MARKETING = "marketing"
    RISK = "risk"
    REPORTING = "reporting"
    AUDIT = "audit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Who asks: one signed-in member of staff with the rights that are active at this moment."""

    staff_no: str
    display_name: str
    roles: frozenset[Role] = frozenset()
    posts: frozenset[str] = frozenset()
    agency_id: str = ""  # code of the outsourced agency; empty for the institution's own staff
    mfa: bool = False

    @property
    def in_house(self) -> bool:
        """Return whether the person belongs to the institution itself."""
        return not self.agency_id

    @property
    def row_scope(self) -> str:
        """Return the row scope: the agency's code, or `EVERYWHERE` for the institution's own staff."""
        return self.agency_id or EVERYWHERE


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """What is asked for. Only references and row coordinates, never a personal value."""

    kind: str  # for example "case", "customer", "ticket", "grant", "installation"
    ref: str = ""
    agency_id: str = ""  # whose row it is; empty when the institution's own
    assignee: str = ""  # staff number the object is assigned to
    maker: str = ""  # staff number of whoever made or requested it
    beneficiary: str = ""  # staff number of whoever gains by it


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A policy answer; a refusal is a value, the caller records it and raises."""

    allowed: bool
    reason_code: str
    obligations: frozenset[str] = field(default_factory=frozenset)


class GrantState(StrEnum):
    """Life of one role grant."""

    APPLIED = "applied"
    APPROVED = "approved"
    ACTIVE = "active"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    REVOKED = "revoked"
    RECOVERED = "recovered"


class GrantEvent(StrEnum):
    """What can happen to a grant."""

    APPROVE = "approve"
    REFUSE = "refuse"
    WITHDRAW = "withdraw"
    START = "start"
    EXPIRE = "expire"
    REVOKE = "revoke"
    RECOVER = "recover"


GRANT_TRANSITIONS: Final[Mapping[tuple[GrantState, GrantEvent], GrantState]] = MappingProxyType(
    {
        (GrantState.APPLIED, GrantEvent.APPROVE): GrantState.APPROVED,
        (GrantState.APPLIED, GrantEvent.REFUSE): GrantState.REFUSED,
        (GrantState.APPLIED, GrantEvent.WITHDRAW): GrantState.WITHDRAWN,
        (GrantState.APPROVED, GrantEvent.START): GrantState.ACTIVE,
        (GrantState.APPROVED, GrantEvent.EXPIRE): GrantState.EXPIRED,
        (GrantState.APPROVED, GrantEvent.REVOKE): GrantState.REVOKED,
        (GrantState.ACTIVE, GrantEvent.EXPIRE): GrantState.EXPIRED,
        (GrantState.ACTIVE, GrantEvent.REVOKE): GrantState.REVOKED,
        # 收回: what hung on the ended right (sessions, tokens) has been taken back as well
        (GrantState.EXPIRED, GrantEvent.RECOVER): GrantState.RECOVERED,
        (GrantState.REVOKED, GrantEvent.RECOVER): GrantState.RECOVERED,
    }
)
OPEN_GRANT_STATES: Final = frozenset({GrantState.APPLIED, GrantState.APPROVED, GrantState.ACTIVE})
SWEEP_TOLERANCE: Final = timedelta(hours=1)  # by then the expiry job, which runs every few minutes, has passed
LONGEST_GRANT: Final = timedelta(days=366)  # a right that nobody renews within a year ends by itself


def next_grant_state(state: GrantState, event: GrantEvent) -> GrantState | None:
    """Return the state after `event`, or None where the table does not allow it."""
    return GRANT_TRANSITIONS.get((state, event))


POST_CATALOGUE: Final[Mapping[str, tuple[str, str, frozenset[Role]]]] = MappingProxyType(
    {
        "security": ("安全管理岗", "Security", frozenset({Role.SECURITY_OFFICER, Role.KEY_CUSTODIAN})),
        "collection": ("催收岗", "Collection", frozenset({Role.COLLECTOR})),
        "collection-lead": ("催收管理岗", "Collection lead", frozenset({Role.TEAM_LEADER})),
        "audit": ("审计岗", "Audit", frozenset({Role.AUDITOR})),
        "assessment": ("评估岗", "Assessment", frozenset({Role.ASSESSOR})),
        "engineering": ("平台运维岗", "Engineering", frozenset({Role.ENGINEER})),
        "data": ("数据管理岗", "Data", frozenset({Role.IMPORTER, Role.ENGINEER})),
        "partners": ("机构往来岗", "Partners", frozenset({Role.PARTNER_OPERATOR})),
        "search": ("号码检索岗", "Number search", frozenset({Role.SEARCHER})),
    }
)

# Separation of duties: no person holds both of a pair at the same time.
INCOMPATIBLE_ROLES: Final[frozenset[frozenset[Role]]] = frozenset(
    {frozenset({Role.AUDITOR, other}) for other in Role if other not in {Role.AUDITOR, Role.ASSESSOR}}
    | {
        frozenset({Role.SECURITY_OFFICER, other})
        for other in (
            Role.COLLECTOR,
            Role.TEAM_LEADER,
            Role.ENGINEER,
            Role.IMPORTER,
            Role.ASSESSOR,
            Role.PARTNER_OPERATOR,
            Role.SEARCHER,
        )
    }
    | {
        frozenset({Role.KEY_CUSTODIAN, other})
        for other in (Role.ENGINEER, Role.IMPORTER, Role.COLLECTOR, Role.PARTNER_OPERATOR, Role.SEARCHER)
    }
    | {frozenset({Role.COLLECTOR, Role.TEAM_LEADER})}
)
AGENCY_ROLES: Final = frozenset({Role.COLLECTOR, Role.TEAM_LEADER})  # outsourced staff never hold any other


# The deeds that no single role may combine across groups; reading registers and asking for approval is in none.
DUTY_GROUPS: Final[Mapping[str, frozenset[Action]]] = MappingProxyType(
    {
        "rights": frozenset(
            {
                Action.STAFF_REGISTER,
                Action.STAFF_DISABLE,
                Action.STAFF_RESET_FACTOR,
                Action.STAFF_DECIDE,
                Action.POST_ASSIGN,
                Action.GRANT_DECIDE,
                Action.GRANT_REVOKE,
                Action.RELEASE_DECIDE,
            }
        ),
        "keys": frozenset({Action.KEYS_UNLOCK, Action.KEYS_ROTATE, Action.RETENTION_SUSPEND, Action.RETENTION_DESTROY}),
        "customers": frozenset(
            {
                Action.VIEW_MASKED, Action.REVEAL, Action.CHALLENGE, Action.SEARCH, Action.CASE_OPEN,
                Action.CASE_WORK, Action.CASE_ASSIGN, Action.EXCHANGE_OPEN,
            }
        ),
        "data": frozenset(
            {
                Action.LEDGER_IMPORT, Action.INVENTORY_SCAN, Action.INVENTORY_CORRECT, Action.PROTECTION_RUN,
                Action.RELEASE_APPLY, Action.RELEASE_FETCH, Action.CASE_BUILD, Action.CONSENT_RECORD,
            }
        ),
        "evidence": frozenset({Action.AUDIT_EXPORT, Action.AUDIT_REVIEW, Action.ASSESSMENT_RUN}),
    }
)  # fmt: skip


def duties_of(actions: Iterable[Action]) -> frozenset[str]:
    """Return the groups of duties that these actions reach into."""
    permitted = set(actions)
    return frozenset(name for name, group in DUTY_GROUPS.items() if group & permitted)


def conflicting_roles(held: Iterable[Role]) -> list[tuple[Role, Role]]:
    """Return the pairs among `held` that one person may not combine, sorted."""
    present = set(held)
    return sorted(tuple(sorted(pair)) for pair in INCOMPATIBLE_ROLES if pair <= present)  # type: ignore[misc]  # pairs have two members by construction


def grant_is_effective(*, state: GrantState, valid_from: datetime, valid_until: datetime, at: datetime) -> bool:
    """Return whether a grant gives its role at the moment `at`.

    The dates decide by themselves, so a late expiry job leaves nobody with a right.
    """
    return state is GrantState.ACTIVE and valid_from <= at < valid_until


def four_eyes(*, maker: str, beneficiary: str, checker: str) -> str | None:
    """Return why `checker` may not decide, or None: never one's own request, never one's own benefit."""
    if checker == maker:
        return "maker_is_checker"
    if checker == beneficiary:
        return "beneficiary_is_checker"
    return None


# Sign-in

SESSION_IDLE: Final = timedelta(minutes=30)
SESSION_ABSOLUTE: Final = timedelta(hours=12)
TOKEN_LIFETIME: Final = timedelta(hours=12)
FAILURES_BEFORE_LOCK: Final = 5
LOCK_WINDOW: Final = timedelta(minutes=15)
LOCK_DURATION: Final = timedelta(minutes=15)
TOTP_PERIOD_SECONDS: Final = 30
TOTP_DIGITS: Final = 6
TOTP_TOLERANCE_STEPS: Final = 1


class SessionEnd(StrEnum):
    """Why a session is over."""

    IDLE = "idle"
    ABSOLUTE = "absolute"
    REVOKED = "revoked"


def session_end(
    *, started_at: datetime, seen_at: datetime, ended_at: datetime | None, at: datetime
) -> SessionEnd | None:
    """Return why a session may not go on at the moment `at`, or None."""
    if ended_at is not None:
        return SessionEnd.REVOKED
    if at - started_at >= SESSION_ABSOLUTE:
        return SessionEnd.ABSOLUTE
    if at - seen_at >= SESSION_IDLE:
        return SessionEnd.IDLE
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureCount:
    """Failed sign-ins of one account in the running window."""

    failures: int
    window_started_at: datetime
    locked_until: datetime | None = None


def is_locked(count: FailureCount | None, *, at: datetime) -> bool:
    """Return whether an account is locked at the moment `at`."""
    return count is not None and count.locked_until is not None and at < count.locked_until


def after_failure(count: FailureCount | None, *, at: datetime) -> FailureCount:
    """Return the count after one more failure; the last one allowed in a window locks the account."""
    if count is None or at - count.window_started_at >= LOCK_WINDOW:
        count = FailureCount(failures=0, window_started_at=at)
    failures = count.failures + 1
    locked_until = at + LOCK_DURATION if failures >= FAILURES_BEFORE_LOCK else None
    return FailureCount(failures=failures, window_started_at=count.window_started_at, locked_until=locked_until)


def time_step(at: datetime) -> int:
    """Return the number of the TOTP time step (RFC 6238) of a moment."""
    return int(at.timestamp()) // TOTP_PERIOD_SECONDS


def matching_step(seed: bytes, code: str, *, at: datetime) -> int | None:
    """Return the time step whose code this is, among the present one and its neighbours, or None.

    Every candidate is compared, each in constant time.
    """
    typed = code.strip().replace(" ", "")
    present = time_step(at)
    found: int | None = None
    for step in range(present - TOTP_TOLERANCE_STEPS, present + TOTP_TOLERANCE_STEPS + 1):
        if hmac.compare_digest(code_of_step(seed, step).encode(), typed.encode()):
            found = step
    return found


def code_of_step(seed: bytes, step: int) -> str:
    """Return the RFC 6238 code (SHA-1, six digits) of a time step."""
    digest = hmac.digest(seed, step.to_bytes(8, "big"), "sha1")
    offset = digest[-1] & 0x0F
    value = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFF_FFFF
    return f"{value % 10**TOTP_DIGITS:0{TOTP_DIGITS}d}"
