"""Probes of the access room: rights hang on posts, are applied for, decided by another, end, and are taken back."""

from collections import Counter

from allauth.mfa.models import Authenticator
from django.db.models import Exists, F, OuterRef, Q

from kuimen.gate.access.change_rules import ChangeState
from kuimen.gate.access.models import (
    ApiToken,
    PersonnelRecord,
    Posting,
    PostRole,
    RoleGrant,
    Staff,
    StaffChange,
    StaffSession,
)
from kuimen.gate.access.personnel_rules import FileItem
from kuimen.gate.access.policy import decide, shipped_texts
from kuimen.gate.access.rules import (
    LONGEST_GRANT,
    SWEEP_TOLERANCE,
    Action,
    GrantState,
    Purpose,
    Resource,
    Role,
    Subject,
    conflicting_roles,
    duties_of,
)
from kuimen.gate.access.services.personnel import file_gaps
from kuimen.standard import Observation, Outcome, ProbeContext, ProbeResult, control

_NOBODY = "control-nobody"


def _verdict(seen: Observation, broken: int, *, remedy_zh: str, remedy_en: str, enough: bool = True) -> ProbeResult:
    if broken:
        return ProbeResult(outcome=Outcome.REFUTED, observations=(seen,), remedy_zh=remedy_zh, remedy_en=remedy_en)
    return ProbeResult(outcome=Outcome.HOLDS if enough else Outcome.INSUFFICIENT, observations=(seen,))


@control(
    "CQJR-5.4-c",
    title_zh="岗位角色的申请、审批与依据",
    title_en="Roles by post: applied for, approved by another, backed by the matrix",
)
def active_grants_follow_posts(context: ProbeContext) -> ProbeResult:
    """Hold every active grant against the role-post matrix, the posting, the four eyes and the longest term."""
    active = RoleGrant.objects.filter(state=GrantState.ACTIVE.value)
    matrix = set(PostRole.objects.values_list("post_id", "role"))
    held = set(Posting.objects.filter(ended_at__isnull=True).values_list("staff_id", "post_id"))
    rows = list(active.select_related("staff"))
    outside_matrix = sum((grant.post_id, grant.role) not in matrix for grant in rows)
    without_post = sum((grant.staff_id, grant.post_id) not in held for grant in rows)
    undecided = active.filter(Q(decided_by__isnull=True) | Q(decided_by=F("staff")) | Q(decided_by=F("applied_by")))
    endless = sum(grant.valid_until - grant.valid_from > LONGEST_GRANT for grant in rows)
    seen = Observation(
        title_zh="生效中的岗位角色",
        title_en="active role grants",
        facts={
            "active": len(rows),
            "outside_matrix": outside_matrix,
            "holder_without_post": without_post,
            "not_decided_by_another": undecided.count(),
            "longer_than_a_year": endless,
            "at": context.at.isoformat(),
        },
        reference="access_role_grant",
    )
    return _verdict(
        seen,
        outside_matrix + without_post + undecided.count() + endless,
        remedy_zh="收回不在岗位角色矩阵内、无岗位依据或未经他人审批的角色，重新申请",
        remedy_en="revoke roles outside the matrix, without a post or without a second person's decision; apply anew",
        enough=bool(rows),
    )


@control("CQJR-5.4-c", title_zh="到期与离岗权限的收回", title_en="Rights are taken back on expiry and leaving")
@control("JRT0171-7.3-d", title_zh="权限的授予、收回与到期", title_en="Rights are granted, revoked and expire")
@control("JRT0171-7.2.3-c", title_zh="离岗、调岗后权限的收回", title_en="Rights of leavers and movers are taken back")
def ended_rights_are_taken_back(context: ProbeContext) -> ProbeResult:
    """Look for rights that outlived their date, their post or their holder, and for live access of people who left."""
    states = Counter(RoleGrant.objects.values_list("state", flat=True))
    limit = context.at - SWEEP_TOLERANCE
    active = RoleGrant.objects.filter(state=GrantState.ACTIVE.value)
    of_post = Posting.objects.filter(staff=OuterRef("staff"), post=OuterRef("post"), ended_at__isnull=True)
    ended = [GrantState.EXPIRED.value, GrantState.REVOKED.value]
    broken = {
        "active_past_their_date": active.filter(valid_until__lte=limit).count(),
        "active_after_the_post_ended": active.filter(~Exists(of_post)).count(),
        "active_of_people_who_left": active.filter(staff__is_active=False).count(),
        "ended_but_not_recovered": RoleGrant.objects.filter(state__in=ended)
        .filter(Q(ended_at__isnull=True) | Q(ended_at__lte=limit))
        .count(),
        "sessions_of_people_who_left": StaffSession.objects.filter(
            ended_at__isnull=True, staff__is_active=False
        ).count(),
        "tokens_of_people_who_left": ApiToken.objects.filter(
            revoked_at__isnull=True, staff__is_active=False, expires_at__gt=context.at
        ).count(),
    }
    seen = Observation(
        title_zh="权限生命周期",
        title_en="life of rights",
        facts={
            **{f"state_{state.value}": states[state.value] for state in GrantState},
            "leavers": Staff.objects.filter(is_active=False).count(),
            "slowest_recovery_of_leavers_seconds": _slowest_recovery(),
            **broken,
        },
        reference="access_role_grant, access_posting, access_staff_session, access_api_token",
    )
    return _verdict(
        seen,
        sum(broken.values()),
        remedy_zh="运行到期任务，收回到期、离岗、离职人员的角色、会话与令牌",
        remedy_en="run the expiry job; take back roles, sessions and tokens whose date, post or holder has gone",
        enough=bool(states),
    )


@control(
    "CQJR-5.4-c",
    title_zh="持有角色者均启用第二因素",
    title_en="Whoever holds a role has a second factor",
)
def roles_need_a_second_factor(context: ProbeContext) -> ProbeResult:
    """Look for people with an active role and no second factor, and for open sessions and tokens without one."""
    factor = Authenticator.objects.filter(user_id=OuterRef("staff_id"), type=Authenticator.Type.TOTP)
    active = RoleGrant.objects.filter(state=GrantState.ACTIVE.value, staff__is_active=True)
    holders = active.values("staff_id").distinct()
    without = holders.filter(~Exists(factor)).count()
    tokens = ApiToken.objects.filter(~Exists(factor), revoked_at__isnull=True, expires_at__gt=context.at).count()
    # A session that still lacks the second factor can reach the activation page only; one of a person who has none
    # but is marked as having given it was altered.
    sessions = StaffSession.objects.filter(
        ~Exists(factor), ended_at__isnull=True, second_factor_at__isnull=False
    ).count()
    seen = Observation(
        title_zh="第二因素",
        title_en="second factors",
        facts={
            "people_with_a_role": holders.count(),
            "role_without_second_factor": without,
            "tokens_without_second_factor": tokens,
            "sessions_without_second_factor": sessions,
        },
        reference="access_role_grant, mfa_authenticator",
    )
    return _verdict(
        seen,
        without + tokens + sessions,
        remedy_zh="让持有角色的人员启用第二因素，或收回其角色",
        remedy_en="have people with a role activate a second factor, or revoke the role",
        enough=holders.exists(),
    )


@control("CQJR-5.4-c", title_zh="人员、岗位与机构变更双人办理", title_en="Changes of people have two officers")
def changes_have_two_officers(context: ProbeContext) -> ProbeResult:
    """Look for changes to people, posts and agencies that one officer alone made, and for late countersignatures."""
    rows = StaffChange.objects.all()
    states = Counter(rows.values_list("state", flat=True))
    done = [ChangeState.APPLIED.value, ChangeState.COUNTERSIGNED.value]
    alone = rows.filter(state__in=done).filter(Q(checker__isnull=True) | Q(checker=F("maker"))).count()
    late = rows.filter(state=ChangeState.EFFECTIVE.value, expires_at__lte=context.at).count()
    seen = Observation(
        title_zh="人员、岗位与机构变更",
        title_en="changes of people, posts and agencies",
        facts={
            **{f"state_{state.value}": states[state.value] for state in ChangeState},
            "decided_by_one_alone": alone,
            "countersignature_overdue": late,
        },
        reference="access_staff_change",
    )
    return _verdict(
        seen,
        alone + late,
        remedy_zh="由另一名主管复核或会签所列变更",
        remedy_en="have another officer review or countersign these changes",
    )


@control("CQJR-6.1-c", title_zh="上岗人员背调、保密与培训", title_en="Background, secrecy and training before a role")
@control("CQJR-6.6-b-1", title_zh="外包人员背调、保密与培训", title_en="The same for outsourced people")
def role_holders_have_whole_files(_context: ProbeContext) -> ProbeResult:
    """Look for people who hold an active role while their file lacks something, own and outsourced counted apart."""
    holders = dict(
        Staff.objects.filter(is_active=True, grants__state=GrantState.ACTIVE.value)
        .distinct()
        .values_list("pk", "agency_id")
    )
    gaps = file_gaps(list(holders))
    lacking = {pk: missing for pk, missing in gaps.items() if missing}
    by_own = PersonnelRecord.objects.filter(recorded_by=F("staff")).count()
    seen = Observation(
        title_zh="人员档案",
        title_en="personnel files",
        facts={
            "people_with_a_role": len(holders),
            "outsourced_with_a_role": sum(agency is not None for agency in holders.values()),
            "role_without_whole_file": len(lacking),
            "outsourced_without_whole_file": sum(holders[pk] is not None for pk in lacking),
            **{f"without_{item.value}": sum(item in missing for missing in gaps.values()) for item in FileItem},
            "recorded_by_oneself": by_own,
        },
        reference="access_personnel_record",
    )
    return _verdict(
        seen,
        len(lacking) + by_own,
        remedy_zh="补录背景调查、保密协议与有效培训，或收回其角色",
        remedy_en="record background check, confidentiality and valid training, or revoke the role",
        enough=bool(holders),
    )


@control("JRT0171-7.3-a", title_zh="职责分离与最小授权", title_en="Separation of duties and least privilege")
def duties_are_separated(_context: ProbeContext) -> ProbeResult:
    """Look for people who hold two roles that exclude each other, and for a role that spans duties."""
    held: dict[str, set[Role]] = {}
    for staff_no, role in RoleGrant.objects.filter(state=GrantState.ACTIVE.value).values_list(
        "staff__staff_no", "role"
    ):
        held.setdefault(staff_no, set()).add(Role(role))
    conflicts = sum(bool(conflicting_roles(roles)) for roles in held.values())
    permitted = {role: _permitted(frozenset({role})) for role in Role}
    spanning = [role.value for role, actions in permitted.items() if len(duties_of(actions)) > 1]
    seen = Observation(
        title_zh="角色组合与各角色的职责范围",
        title_en="combinations of roles, and the duties each role reaches into",
        facts={
            "people": len(held),
            "people_with_conflicting_roles": conflicts,
            "roles": len(Role),
            "actions": len(Action),
            "widest_role_actions": max(map(len, permitted.values())),
            "roles_spanning_duties": len(spanning),
            "spanning": ", ".join(spanning),
        },
        reference="access_role_grant, policies/*.cedar",
    )
    return _verdict(
        seen,
        conflicts + len(spanning),
        remedy_zh="收回互斥角色之一；拆分跨越职责的角色",
        remedy_en="revoke one of each excluding pair; split roles that span duties",
        enough=bool(held),
    )


@control("JRT0171-7.3-b", title_zh="一人一号与按角色授权", title_en="One account each, rights by role")
def accounts_are_not_shared(context: ProbeContext) -> ProbeResult:
    """Look for an account in use from two places at once, and for rights that come from elsewhere than roles."""
    live = StaffSession.objects.filter(ended_at__isnull=True, seen_at__gte=context.since).exclude(client_digest="")
    places: dict[int, set[str]] = {}
    for staff_id, client in live.values_list("staff_id", "client_digest"):
        places.setdefault(staff_id, set()).add(client)
    shared = sum(len(clients) > 1 for clients in places.values())
    everyone = Subject(staff_no=_NOBODY, display_name="", roles=frozenset(), mfa=True)
    roleless = [action for action in Action if decide(everyone, action, Resource(kind="control")).allowed]
    seen = Observation(
        title_zh="账号与会话",
        title_en="accounts and sessions",
        facts={
            "accounts": Staff.objects.count(),
            "accounts_with_live_sessions": len(places),
            "accounts_live_in_two_places": shared,
            "actions_without_a_role": len(roleless),
        },
        reference="access_staff, access_staff_session",
    )
    return _verdict(
        seen,
        shared + len(roleless),
        remedy_zh="查明同时在多处使用的账号并结束其会话；删除不经角色的许可",
        remedy_en="find out who shares an account and end its sessions; remove permits that need no role",
        enough=Staff.objects.exists(),
    )


@control("JRT0171-7.3-c", title_zh="默认拒绝", title_en="Everything is denied by default")
@control("CQJR-5.2-h", title_zh="人工环节的权限控制", title_en="Permission control where people step in")
def nobody_may_do_anything_by_default(_context: ProbeContext) -> ProbeResult:
    """Ask the live policies about a person without any role, one without a second factor, and an unknown action."""
    bare = Subject(staff_no=_NOBODY, display_name="", mfa=True)
    full = Subject(staff_no=_NOBODY, display_name="", roles=frozenset(Role), mfa=False)
    without_role = len(_allowed(bare))
    without_factor = len(_allowed(full))
    unknown = decide(full, "control.unknown", Resource(kind="control")).allowed
    seen = Observation(
        title_zh="对运行中的策略提问",
        title_en="questions put to the live policies",
        facts={
            "policy_files": len(shipped_texts()),
            "actions": len(Action),
            "allowed_without_role": without_role,
            "allowed_without_second_factor": without_factor,
            "unknown_action_allowed": unknown,
        },
        reference="policies/*.cedar",
    )
    return _verdict(
        seen,
        without_role + without_factor + unknown,
        remedy_zh="删除对无角色人员、未启用第二因素人员或未知动作的许可",
        remedy_en="remove permits for people without a role, without a second factor, or for unknown actions",
    )


def _slowest_recovery() -> int:
    """Return the longest time in whole seconds between a person's leaving and the end of one of their rights."""
    rows = RoleGrant.objects.filter(staff__left_at__isnull=False, ended_at__gt=F("staff__left_at"))
    waits = [ended - left for ended, left in rows.values_list("ended_at", "staff__left_at") if ended and left]
    return int(max(waits).total_seconds()) if waits else 0


def _allowed(subject: Subject) -> list[Action]:
    contexts = [{}, *({"purpose": purpose.value, "reason": "control"} for purpose in Purpose)]
    resource = Resource(kind="control")
    return [action for action in Action if any(decide(subject, action, resource, words).allowed for words in contexts)]


def _permitted(roles: frozenset[Role]) -> list[Action]:
    return _allowed(Subject(staff_no=_NOBODY, display_name="", roles=roles, mfa=True))
