"""Probes of the releases room: what left was measured, labelled and registered; test data hold no original."""

import numpy as np

from kuimen.foundation import clock
from kuimen.gate.audit.models import Entry
from kuimen.gate.retention.models import Export
from kuimen.governance.releases.models import Release, TestDataRun
from kuimen.governance.releases.rules import LEAST, Form, RecipientKind, ReleaseState, label_of, roles_of
from kuimen.governance.releases.services.handing import wanted_of
from kuimen.governance.releases.services.shelf import reference_of
from kuimen.kernels.anonymity import Standing
from kuimen.kernels.elements import Element
from kuimen.kernels.elements.overlay import PRODUCTION, DivisionRank, IssuerRank
from kuimen.kernels.fabrication import FictitiousRanges, space_of, treatment_for
from kuimen.standard import Fact, Observation, Outcome, ProbeContext, ProbeResult, control

_OUT = (ReleaseState.RELEASED.value, ReleaseState.ENDED.value, ReleaseState.DELETED.value)
_PROBES = 64
_REMEDY_ZH = "终止所列发布并要求接收方删除；按政策阈值重新申请，由另一人批准"
_REMEDY_EN = "end the releases named and demand deletion; apply anew within the policy, approved by another person"


def _figure(row: Release, name: str, absent: float) -> float:
    value = row.measured.get(name)
    return float(value) if isinstance(value, int | float) else absent


def _weak(row: Release) -> bool:
    """Tell whether what was measured on a release lies below the policy of its recipient."""
    least = LEAST[RecipientKind(row.recipient_kind)]
    _, sensitive = roles_of(row.columns)
    if _figure(row, "k", 0) < max(least.k, row.k):
        return True
    if row.form == Form.COUNTS.value or not sensitive:
        return False
    return _figure(row, "l", 0) < least.l_distinct or _figure(row, "t", 1) > least.t + 1e-9


def _overstated(row: Release) -> bool:
    """Tell whether a release calls itself more than its measures allow."""
    allowed = label_of(
        wanted_of(row),
        k=int(_figure(row, "k", 0)),
        l_distinct=int(_figure(row, "l", 0)),
        t=_figure(row, "t", 1),
    )
    return row.standing == Standing.ANONYMISED.value and allowed is not Standing.ANONYMISED


@control(
    "JRT0171-6.1.4.5-b",
    title_zh="发布的数据集逐包量测再识别风险并按阈值放行",
    title_en="Every released set was measured for re-identification and kept its bounds",
)
def releases_were_measured(context: ProbeContext) -> ProbeResult:
    """Hold the stored measures of every release against the policy, and its label against the measures."""
    del context
    rows = list(Release.objects.filter(state__in=_OUT).select_related("applied_by", "decided_by"))
    weak = [row for row in rows if _weak(row)]
    overstated = [row for row in rows if _overstated(row)]
    alone = [row for row in rows if row.decided_by_id in {None, row.applied_by_id}]
    recorded = set(
        Entry.objects.filter(action="release.release", object_ref__in=[str(row.pk) for row in rows]).values_list(
            "object_ref", flat=True
        )
    )
    unrecorded = [row for row in rows if str(row.pk) not in recorded]
    facts: dict[str, Fact] = {
        "releases": len(rows),
        "releases_refused_by_measure": Release.objects.filter(state=ReleaseState.MISSED.value).count(),
        "releases_below_the_policy": len(weak),
        "releases_labelled_too_well": len(overstated),
        "releases_approved_by_nobody_else": len(alone),
        "releases_without_record": len(unrecorded),
    }
    seen = Observation(title_zh="已发布的数据集", title_en="released sets", facts=facts, reference="releases_release")
    return _judged(seen, found=bool(rows), bad=bool(weak or overstated or alone or unrecorded))


@control(
    "JRT0171-6.1.4.4-c",
    title_zh="对外提供的逐人数据已去标识化并逐人登记、按期收回",
    title_en="Rows that left are de-identified, registered person by person and taken back",
)
def what_left_is_deidentified_and_registered(context: ProbeContext) -> ProbeResult:
    """Ask that every package to somebody else has its persons in the register and no key after its end."""
    today = context.at.astimezone(clock.SHANGHAI).date()
    rows = list(Release.objects.filter(state__in=_OUT, standing=Standing.DEIDENTIFIED.value))
    unregistered = [
        row
        for row in rows
        if Export.objects.filter(reference=reference_of(row.pk), recipient=row.recipient)
        .values("person_ref")
        .distinct()
        .count()
        < row.persons
    ]
    kept = [
        row
        for row in rows
        if (row.state != ReleaseState.RELEASED.value and (row.sealed_key is not None or row.sealed_body is not None))
        or (row.state == ReleaseState.RELEASED.value and row.keep_until < today)
    ]
    outside = [row for row in rows if row.recipient_kind != RecipientKind.INTERNAL.value]
    facts: dict[str, Fact] = {
        "packages_deidentified": len(rows),
        "packages_to_others": len(outside),
        "packages_not_registered": len(unregistered),
        "packages_kept_past_their_day": len(kept),
        "demands_open": Export.objects.filter(demanded_at__isnull=False, confirmed_at__isnull=True).count(),
    }
    seen = Observation(
        title_zh="去标识化数据包与接收登记",
        title_en="de-identified packages",
        facts=facts,
        reference="retention_export",
    )
    return _judged(seen, found=bool(rows), bad=bool(unregistered or kept))


@control(
    "JRT0171-6.1.4.7-b",
    title_zh="测试数据为虚构且复查无原值",
    title_en="Test data are fabricated and hold no original",
)
def test_data_are_fabricated(context: ProbeContext) -> ProbeResult:
    """Make probe values of every identifier, hold them against the tables of the world, and read the runs on record."""
    del context
    ranges = FictitiousRanges()
    missing = [element.value for element in Element if not treatment_for(element)]
    real = 0
    for element in (Element.RESIDENT_ID, Element.MOBILE, Element.BANK_CARD):
        space = space_of(element, ranges=ranges)
        assert space is not None
        made = space.render(space.scattered(np.arange(_PROBES, dtype=np.uint64), start=7)).to_pylist()
        real += sum(_exists(element, value) for value in made)
    runs = list(TestDataRun.objects.all())
    left = [run for run in runs if run.residual]
    unproven = [run for run in runs if run.rows and not run.needles]
    facts: dict[str, Fact] = {
        "test_data_runs": len(runs),
        "test_data_rows": sum(run.rows for run in runs),
        "test_data_with_originals": len(left),
        "test_data_without_proof": len(unproven),
        "elements_without_generator": len(missing),
        "made_values_that_could_exist": real,
    }
    seen = Observation(title_zh="生成的测试数据", title_en="test data made", facts=facts, reference="releases_testdata")
    return _judged(seen, found=bool(runs), bad=bool(missing or real or left or unproven))


def _judged(seen: Observation, *, found: bool, bad: bool) -> ProbeResult:
    if bad:
        return ProbeResult(outcome=Outcome.REFUTED, observations=(seen,), remedy_zh=_REMEDY_ZH, remedy_en=_REMEDY_EN)
    return ProbeResult(outcome=Outcome.HOLDS if found else Outcome.INSUFFICIENT, observations=(seen,))


def _exists(element: Element, value: str) -> bool:
    if element is Element.RESIDENT_ID:
        return PRODUCTION.division_rank(value[:6]) is not DivisionRank.UNKNOWN
    if element is Element.MOBILE:
        return PRODUCTION.is_mobile(value)
    return PRODUCTION.issuer_rank(value) is not IssuerRank.UNKNOWN
