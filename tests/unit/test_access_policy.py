"""Policy: deny by default, every action and role pinned, prohibitions beat every permit."""

import pytest

from kuimen.gate.access.errors import PolicyUnavailableError
from kuimen.gate.access.policy import decide, parse_policies, shipped_policies, shipped_schema, shipped_texts
from kuimen.gate.access.rules import Action, Resource, Role, Subject, duties_of

# What each role may do to an object that is its own case, for collection, with a reason, when nobody's duty is crossed.
PINNED: dict[Role, set[str]] = {
    Role.SECURITY_OFFICER: {
        "overview.read",
        "staff.read",
        "staff.register",
        "staff.disable",
        "staff.reset_factor",
        "staff.decide",
        "agency.register",
        "post.assign",
        "grant.apply",
        "grant.decide",
        "grant.revoke",
        "approval.decide",
        "consent.read",
        "retention.read",
        "retention.hold",
        "consent.publish",
        "document.draft",
        "document.approve",
        "exchange.read",
        "exchange.register",
        "keys.read",
        "token.change",
        "inventory.read",
        "inventory.decide",
        "protection.read",
        "release.read",
        "release.decide",
        "release.end",
        "assessment.read",
    },
    Role.KEY_CUSTODIAN: {
        "keys.read",
        "keys.unlock",
        "keys.rotate",
        "retention.read",
        "retention.suspend",
        "retention.destroy",
    },
    Role.COLLECTOR: {
        "overview.read",
        "case.list",
        "case.open",
        "case.work",
        "disclosure.view_masked",
        "disclosure.challenge",
        "disclosure.reveal",
    },
    Role.TEAM_LEADER: {
        "overview.read",
        "case.list",
        "case.open",
        "case.assign",
        "case.work",
        "disclosure.view_masked",
    },
    Role.AUDITOR: {
        "overview.read",
        "audit.read",
        "audit.export",
        "audit.review",
        "staff.read",
        "consent.read",
        "retention.read",
        "inventory.read",
        "protection.read",
        "release.read",
        "assessment.read",
    },
    Role.ASSESSOR: {
        "overview.read",
        "assessment.run",
        "assessment.read",
        "inventory.read",
        "protection.read",
        "release.read",
        "audit.read",
    },
    Role.ENGINEER: {
        "overview.read",
        "inventory.scan",
        "inventory.read",
        "inventory.correct",
        "protection.run",
        "protection.read",
    },
    Role.PARTNER_OPERATOR: {
        "overview.read",
        "token.assign",
        "token.change",
        "token.resolve",
        "exchange.read",
        "exchange.send",
        "exchange.open",
    },
    Role.SEARCHER: {"case.list"},
    Role.IMPORTER: {
        "release.read",
        "release.apply",
        "release.fetch",
        "release.end",
        "overview.read",
        "inventory.scan",
        "inventory.read",
        "inventory.correct",
        "ledger.import",
        "ledger.read",
        "case.build",
        "consent.read",
        "consent.record",
    },
}
for _role in Role:
    PINNED[_role].add("document.read")
for _role in set(Role) - {Role.AUDITOR}:
    PINNED[_role].add("approval.request")
OWN_CASE = Resource(kind="case", ref="case-1", assignee="S1", maker="S2", beneficiary="S3")
FOR_COLLECTION = {"purpose": "collection", "reason": "核对身份"}


def person(*roles: Role, mfa: bool = True, agency_id: str = "") -> Subject:
    return Subject(staff_no="S1", display_name="某员工", roles=frozenset(roles), mfa=mfa, agency_id=agency_id)


@pytest.mark.clause("JRT0171-7.3-a")
@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("action", Action)
def test_each_role_may_do_exactly_the_pinned_actions(role: Role, action: Action) -> None:
    decision = decide(person(role), action, OWN_CASE, FOR_COLLECTION)
    assert decision.allowed is (action.value in PINNED[role]), decision


@pytest.mark.clause("JRT0171-7.3-c")
@pytest.mark.parametrize("action", Action)
def test_an_empty_policy_set_denies_everything(action: Action) -> None:
    nothing = parse_policies([], schema=shipped_schema())
    everything_held = person(*Role)
    decision = decide(everything_held, action, OWN_CASE, FOR_COLLECTION, text=nothing)
    assert (decision.allowed, decision.reason_code) == (False, "no_permit")


@pytest.mark.clause("JRT0171-7.3-c")
@pytest.mark.parametrize("action", Action)
def test_a_person_without_a_role_may_do_nothing(action: Action) -> None:
    assert not decide(person(), action, OWN_CASE, FOR_COLLECTION).allowed


@pytest.mark.clause("CQJR-5.4-c")
@pytest.mark.parametrize("action", Action)
def test_without_a_second_factor_every_role_together_may_do_nothing(action: Action) -> None:
    decision = decide(person(*Role, mfa=False), action, OWN_CASE, FOR_COLLECTION)
    assert not decision.allowed


def test_an_unknown_action_is_refused_by_name() -> None:
    assert decide(person(*Role), "case.delete", OWN_CASE).reason_code == "unknown_action"


@pytest.mark.parametrize("action", [Action.GRANT_DECIDE, Action.APPROVAL_DECIDE, Action.STAFF_DECIDE])
@pytest.mark.parametrize(
    ("field", "reason"), [("maker", "maker-is-checker"), ("beneficiary", "beneficiary-is-checker")]
)
def test_nobody_decides_their_own_request_or_benefit(action: Action, field: str, reason: str | None) -> None:
    own = Resource(kind="ticket", ref="t", **{field: "S1"})
    decision = decide(person(Role.SECURITY_OFFICER, Role.TEAM_LEADER), action, own, {"requested": "case.assign"})
    assert (decision.allowed, decision.reason_code) == (False, reason)


def test_anybody_may_apply_for_themselves_and_only_for_themselves() -> None:
    mine = Resource(kind="grant", beneficiary="S1")
    theirs = Resource(kind="grant", beneficiary="S9")
    assert decide(person(), Action.GRANT_APPLY, mine).allowed
    assert not decide(person(Role.COLLECTOR), Action.GRANT_APPLY, theirs).allowed


def test_a_collector_may_not_open_a_colleagues_case() -> None:
    foreign = Resource(kind="case", ref="case-2", assignee="S2")
    assert not decide(person(Role.COLLECTOR), Action.CASE_OPEN, foreign).allowed


@pytest.mark.parametrize(
    "situation",
    [
        {"purpose": "marketing", "reason": "核对身份"},
        {"purpose": "collection", "reason": ""},
        {"purpose": "", "reason": "核对身份"},
        {},
    ],
)
def test_a_reveal_needs_the_purpose_and_a_reason(situation: dict[str, str]) -> None:
    assert not decide(person(Role.COLLECTOR), Action.REVEAL, OWN_CASE, situation).allowed


def test_a_reveal_carries_its_obligations() -> None:
    decision = decide(person(Role.COLLECTOR), Action.REVEAL, OWN_CASE, FOR_COLLECTION)
    assert decision.obligations == {"single_field", "time_limit", "quota", "watermark", "no_copy"}


def test_an_agencys_collector_reaches_own_rows_only() -> None:
    collector = person(Role.COLLECTOR, agency_id="AG1")
    own = Resource(kind="case", ref="1", assignee="S1", agency_id="AG1")
    other = Resource(kind="case", ref="2", assignee="S1", agency_id="AG2")
    in_house = Resource(kind="case", ref="3", assignee="S1")
    assert decide(collector, Action.CASE_OPEN, own).allowed
    assert decide(collector, Action.CASE_OPEN, other).reason_code == "foreign-agency"
    assert decide(collector, Action.CASE_OPEN, in_house).reason_code == "foreign-agency"


@pytest.mark.parametrize(
    "action", [a for a in Action if not a.value.startswith(("case.", "disclosure.", "grant.apply"))]
)
def test_outsourced_staff_may_do_nothing_but_collection_whatever_roles_they_hold(action: Action) -> None:
    outsourced = person(*Role, agency_id="AG1")
    resource = Resource(kind="anything", agency_id="AG1", assignee="S1")
    assert not decide(outsourced, action, resource, FOR_COLLECTION).allowed


def test_a_team_leader_decides_collection_tickets_only() -> None:
    ticket = Resource(kind="ticket", ref="t", maker="S7")
    leader = person(Role.TEAM_LEADER)
    assert decide(leader, Action.APPROVAL_DECIDE, ticket, {"requested": "case.assign"}).allowed
    assert not decide(leader, Action.APPROVAL_DECIDE, ticket, {"requested": "export.file"}).allowed


@pytest.mark.parametrize(
    "broken",
    [
        "permit (principal, action, resource)",
        '@id("a") permit (principal, action, resource) when { principal.salary > 1 };',
        '@id("a") permit (principal, action == Action::"case.delete", resource);',
        "permit (principal, action, resource);",
        '@id("a") permit (principal, action, resource); @id("a") permit (principal, action, resource);',
    ],
    ids=["syntax", "unknown attribute", "unknown action", "no id", "id twice"],
)
def test_a_text_that_does_not_fit_is_refused_whole(broken: str) -> None:
    with pytest.raises(PolicyUnavailableError):
        parse_policies([broken], schema=shipped_schema())


def test_the_shipped_text_names_no_single_person_and_explains_itself_in_chinese() -> None:
    for name, text in shipped_texts().items():
        assert 'Staff::"' not in text, name
        assert any("一" <= character <= "鿿" for character in text), name
    assert shipped_policies().obligations


def test_schema_and_action_list_agree() -> None:
    schema = shipped_schema()
    assert all(f'"{action.value}"' in schema for action in Action)


@pytest.mark.clause("JRT0171-7.3-a")
@pytest.mark.parametrize("role", Role)
def test_no_role_reaches_into_two_groups_of_duties(role: Role) -> None:
    more = {Action.SEARCH} if role is Role.SEARCHER else set()  # pinned below, since it names a part
    assert len(duties_of({Action(action) for action in PINNED[role]} | more)) == 1


SEARCH = Resource(kind="case_search", ref="search")
SEARCHED = {"purpose": "servicing", "reason": "verify_identity", "requested": "mobile/last_four"}


@pytest.mark.parametrize(
    ("left_out", "instead"),
    [
        ("purpose", "marketing"),
        ("reason", ""),
        ("requested", "person_name/surname"),
        ("requested", "sex/whole"),
        ("requested", ""),
    ],
)
def test_a_search_needs_the_named_grant_a_purpose_a_reason_and_a_part_that_is_named(
    left_out: str, instead: str
) -> None:
    decision = decide(person(Role.SEARCHER), Action.SEARCH, SEARCH, SEARCHED)
    assert (decision.allowed, decision.reason_code) == (True, "searcher")
    assert decision.obligations == {"masked", "watermark", "capped", "quota"}
    assert not decide(person(Role.SEARCHER), Action.SEARCH, SEARCH, {**SEARCHED, left_out: instead}).allowed
    assert not decide(person(*set(Role) - {Role.SEARCHER}), Action.SEARCH, SEARCH, SEARCHED).allowed
    assert not decide(person(Role.SEARCHER, agency_id="AG1"), Action.SEARCH, SEARCH, SEARCHED).allowed
