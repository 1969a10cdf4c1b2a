"""Copies of a person elsewhere that no room entered by itself: tokens at partners, values shown to an agency's staff.

What left by a release or a message is in the register of exports already. This adds the rest at the moment of an
erasure, so that every recipient is told, and the certificate names it.

Clause: JRT0171-6.1.5-a
"""

from datetime import datetime
from uuid import UUID

from django.db.models import Max

from kuimen.gate.disclosure.models import Disclosure
from kuimen.gate.disclosure.rules import Kind
from kuimen.gate.retention.models import Export
from kuimen.gate.retention.rules import RetentionClass
from kuimen.gate.tokens.models import Token
from kuimen.gate.tokens.rules import TokenState
from kuimen.kernels.elements import ELEMENT_TABLE

_SHOWN = (Kind.REVEAL.value,)


def enter_copies(person_ref: UUID, retention_class: RetentionClass, *, at: datetime) -> int:
    """Enter partners with a token and agencies that were shown a value of this class; within the erasure's deed.

    Returns:
        Lines that were not in the register before.
    """
    found = [
        Export(
            person_ref=person_ref,
            retention_class=retention_class.value,
            recipient=recipient,
            reference=reference,
            exported_at=since,
        )
        for recipient, reference, since in (*_tokens(person_ref, retention_class), *_shown(person_ref, retention_class))
    ]
    known = set(
        Export.objects.filter(person_ref=person_ref, retention_class=retention_class.value).values_list(
            "recipient", "reference"
        )
    )
    new = [one for one in found if (one.recipient, one.reference) not in known and one.exported_at <= at]
    Export.objects.bulk_create(new, ignore_conflicts=True)
    return len(new)


def _tokens(person_ref: UUID, retention_class: RetentionClass) -> list[tuple[str, str, datetime]]:
    rows = Token.objects.filter(person_ref=person_ref, record__retention_class=retention_class.value)
    held = rows.exclude(state=TokenState.DELETED.value).values("partner_id", "domain").annotate(last=Max("issued_at"))
    return [(row["partner_id"], f"tokens:{row['domain']}", row["last"]) for row in held]


def _shown(person_ref: UUID, retention_class: RetentionClass) -> list[tuple[str, str, datetime]]:
    names = [element.value for element, rule in ELEMENT_TABLE.items() if rule.retention_class is retention_class]
    rows = Disclosure.objects.filter(customer_ref=person_ref, kind__in=_SHOWN).exclude(agency="")
    last: dict[str, datetime] = {}
    for agency, elements, moment in rows.values_list("agency", "elements", "occurred_at"):
        if set(elements) & set(names):
            last[agency] = max(moment, last.get(agency, moment))
    return [(agency, "disclosures", moment) for agency, moment in sorted(last.items())]
