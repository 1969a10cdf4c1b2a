"""What protection tells afterwards, and what it keeps of that. Counts and names of places."""

from dataclasses import asdict, dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from kuimen.gate.audit import services as audit
from kuimen.governance.protection.models import Job
from kuimen.governance.protection.plan import ProtectionPlan
from kuimen.governance.protection.proof import ProofReport
from kuimen.governance.protection.scrub import ScrubReport


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtectReport:
    """What one run of a job did.

    Attributes:
        values_sealed: values whose only home is now the vault.
        values_destroyed: values that are gone for good: forbidden elements and the content of files.
        values_cut_from_text: forbidden values cut out of free text before it was sealed.
        conflicts: rows that the application changed in between; they were sealed in a later pass.
        blocked: places that stay in clear, with the reason.
        complete: nothing is blocked.
    """

    job_id: UUID
    label: str
    tables: int = 0
    files: int = 0
    columns_sealed: int = 0
    columns_destroyed: int = 0
    values_sealed: int = 0
    values_verified: int = 0
    values_destroyed: int = 0
    values_cut_from_text: int = 0
    conflicts: int = 0
    blocked: tuple[tuple[str, str], ...] = ()
    rebuilt_views: tuple[str, ...] = ()
    dropped_constraints: tuple[str, ...] = ()
    denied_settings: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Tell whether everything planned was done."""
        return not self.blocked


def jobs_of(plan: ProtectionPlan) -> "QuerySet[Job]":
    """Return the stored job of a plan, none for a plan that was never stored."""
    return Job.objects.filter(job_id=plan.job_id) if plan.job_id is not None else Job.objects.none()


def store_scrub(plan: ProtectionPlan, report: ScrubReport, *, actor: audit.Actor) -> None:
    """Keep a scrub report with its job."""
    with transaction.atomic():
        jobs_of(plan).update(scrub_report=asdict(report))
        audit.record(
            "protection.scrub",
            actor=actor,
            object_type="data_source",
            object_ref=str(plan.source_id),
            facts={step.name: step.state.value for step in report.steps} | {"complete": report.complete},
        )


def store_proof(plan: ProtectionPlan, report: ProofReport, *, actor: audit.Actor) -> None:
    """Keep a proof report with its job."""
    with transaction.atomic():
        jobs_of(plan).update(proof_report=asdict(report))
        audit.record(
            "protection.proof",
            actor=actor,
            object_type="data_source",
            object_ref=str(plan.source_id),
            facts={
                "needles_raw": report.needles_raw,
                "needles_rescan": report.needles_rescan,
                "residual_clear_values": report.residual_clear_values,
                "places": [f"{place.name}: {place.files} files, {place.hits} hits" for place in report.places],
                "not_covered": len(report.not_covered),
            },
        )
