"""Policy decisions: Cedar text in, `Decision` out, deny by default.

The text lives in `policies/*.cedar`, written for a compliance officer to read. It is parsed once per process and must
fit `schema.cedarschema`; a text that does not parse or does not fit permits nothing.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType

import cedarpy

from kuimen.gate.access.errors import PolicyUnavailableError
from kuimen.gate.access.rules import Action, Decision, Resource, Subject

_CONTEXT_WORDS = ("purpose", "reason", "requested")


CACHED_DECISIONS = 8192


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PolicyText:
    """One set of policies, parsed; compared by identity."""

    policies: cedarpy.PolicySet
    schema: cedarpy.Schema
    obligations: Mapping[str, frozenset[str]]  # policy name → what the permit demands of the caller


def parse_policies(texts: Iterable[str], *, schema: str) -> PolicyText:
    """Parse policy texts and hold them against the schema.

    Raises:
        PolicyUnavailableError: a text does not parse, uses an unknown word, or a policy has no ``@id``.
    """
    joined = "\n".join(texts)
    try:
        parsed_schema = cedarpy.Schema.from_str(schema)
        policies = cedarpy.PolicySet.from_str(joined)
        verdict = cedarpy.validate_policies(joined, parsed_schema)
        as_json = json.loads(cedarpy.policies_to_json_str(joined)) if joined.strip() else {}
    except ValueError as error:
        raise PolicyUnavailableError("the policy text does not parse; check the .cedar files") from error
    if not verdict.validation_passed:
        raise PolicyUnavailableError(f"the policy text breaks its schema: {verdict.errors[0]}")
    obligations: dict[str, frozenset[str]] = {}
    for policy in as_json.get("staticPolicies", {}).values():
        annotations = policy.get("annotations", {})
        if "id" not in annotations or annotations["id"] in obligations:
            raise PolicyUnavailableError("every policy needs an @id of its own, which becomes the reason of a decision")
        obligations[annotations["id"]] = frozenset(annotations.get("obligations", "").split())
    return PolicyText(policies=policies, schema=parsed_schema, obligations=MappingProxyType(obligations))


def shipped_texts() -> dict[str, str]:
    """Return the policy files of this release by file name, in order."""
    folder = files("kuimen.gate.access").joinpath("policies")
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".cedar"))
    return {name: folder.joinpath(name).read_text(encoding="utf-8") for name in names}


def shipped_schema() -> str:
    """Return the schema text of this release."""
    return files("kuimen.gate.access").joinpath("policies", "schema.cedarschema").read_text(encoding="utf-8")


@lru_cache(maxsize=1)
def shipped_policies() -> PolicyText:
    """Return the parsed policies of this release; parsed at the first call of a process."""
    return parse_policies(shipped_texts().values(), schema=shipped_schema())


def decide(
    subject: Subject,
    action: str,
    resource: Resource,
    context: Mapping[str, str] | None = None,
    *,
    text: PolicyText | None = None,
) -> Decision:
    """Decide whether `subject` may do `action` on `resource` in this situation.

    Args:
        subject: who asks, with the roles active now.
        action: a value of `Action`; any other word is refused.
        resource: references and row coordinates of the object.
        context: ``purpose``, ``reason``, ``requested``; missing words count as empty.
        text: policies to use instead of the shipped ones.

    Returns:
        The decision. `reason_code` names the policy that decided: the permit, the forbid, or ``no_permit`` where no
        policy speaks; ``unknown_action`` and ``policy_error`` are refusals too.

    Raises:
        PolicyUnavailableError: the shipped text does not load.
    """
    if action not in Action.__members__.values():
        return Decision(allowed=False, reason_code="unknown_action")
    words = tuple(str((context or {}).get(word, "")) for word in _CONTEXT_WORDS)
    return _decided(text or shipped_policies(), subject, Action(action), resource, words)


@lru_cache(maxsize=CACHED_DECISIONS)
def _decided(
    text: PolicyText, subject: Subject, action: Action, resource: Resource, words: tuple[str, ...]
) -> Decision:
    """Ask Cedar. The answer depends on nothing but the arguments, so that it may be remembered."""
    result = cedarpy.is_authorized(
        {
            "principal": {"type": "Staff", "id": subject.staff_no},
            "action": {"type": "Action", "id": action.value},
            "resource": {"type": "Object", "id": f"{resource.kind}/{resource.ref}"},
            "context": dict(zip(_CONTEXT_WORDS, words, strict=True)),
        },
        text.policies,
        _entities(subject, resource),
        text.schema,
    )
    if result.diagnostics.errors:
        return Decision(allowed=False, reason_code="policy_error")
    named = result.diagnostics.id_annotations_by_reason
    reasons = sorted(named[policy] for policy in result.diagnostics.reasons if policy in named)
    reason_code = reasons[0] if reasons else "no_permit"
    if not result.allowed:
        return Decision(allowed=False, reason_code=reason_code)
    demanded = frozenset[str]().union(*(text.obligations.get(reason, frozenset()) for reason in reasons))
    return Decision(allowed=True, reason_code=reason_code, obligations=demanded)


def _entities(subject: Subject, resource: Resource) -> list[dict[str, object]]:
    roles: list[dict[str, object]] = [
        {"uid": {"type": "Role", "id": role.value}, "attrs": {}, "parents": []} for role in sorted(subject.roles)
    ]
    principal: dict[str, object] = {
        "uid": {"type": "Staff", "id": subject.staff_no},
        "attrs": {"staff_no": subject.staff_no, "agency": subject.agency_id, "mfa": subject.mfa},
        "parents": [{"type": "Role", "id": role.value} for role in sorted(subject.roles)],
    }
    target: dict[str, object] = {
        "uid": {"type": "Object", "id": f"{resource.kind}/{resource.ref}"},
        "attrs": {
            "kind": resource.kind,
            "agency": resource.agency_id,
            "assignee": resource.assignee,
            "maker": resource.maker,
            "beneficiary": resource.beneficiary,
        },
        "parents": [],
    }
    return [*roles, principal, target]
