"""Use cases of protection: plan, protect, scrub, prove. Each can be run again; a killed run is resumed.

Clause: CQJR-5.3-d, CQJR-5.4-g, JRT0171-6.1.3-a, CQJR-6.5-b
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from django.db import DatabaseError

from kuimen.foundation.identifiers import new_ref
from kuimen.gate.audit import services as audit
from kuimen.governance.inventory import services as inventory
from kuimen.governance.inventory.models import DataSource
from kuimen.governance.inventory.own_rules import own_rules
from kuimen.governance.inventory.rules import SourceKind
from kuimen.governance.protection import jobs
from kuimen.governance.protection.catalogue import table_facts
from kuimen.governance.protection.errors import JobStoreError, WrongDatabaseError
from kuimen.governance.protection.file_job import protect_files
from kuimen.governance.protection.places import find_places
from kuimen.governance.protection.plan import ProtectionPlan, load_plan
from kuimen.governance.protection.planning import build_file_plan, build_plan
from kuimen.governance.protection.proof import ProofReport
from kuimen.governance.protection.proving import known_originals, prove_files, prove_source
from kuimen.governance.protection.reports import ProtectReport, store_proof, store_scrub
from kuimen.governance.protection.scrub import ScrubReport, scrub_database
from kuimen.governance.protection.scrub_files import scrub_folder
from kuimen.governance.protection.session import SourceSession
from kuimen.governance.protection.table_job import protect_tables
from kuimen.sources.opening import connection_parameters, open_source
from kuimen.sources.overlays import tables_of
from kuimen.sources.postgresql import PostgresSource
from kuimen.sources.scan import scan_open

__all__ = ["ProofReport", "ProtectReport", "ProtectionPlan", "ScrubReport", "plan", "protect", "prove", "scrub"]

Progress = Callable[[int, int, str], None]


def plan(
    location: str,
    *,
    actor: audit.Actor,
    credentials_file: Path | None = None,
    overlay: str | None = None,
    sample_rows: int = 500,
    progress: Progress | None = None,
) -> ProtectionPlan:
    """Register and scan a source, feed the directory, and decide what happens to every column.

    A job that a crash left open is not planned anew: its own plan comes back, and `protect` resumes it.

    Args:
        location: PostgreSQL address, folder or file.
        actor: who plans.
        credentials_file: user and password of the database.
        overlay: name of additional recognition tables.
        sample_rows: values per column to look at.
        progress: called with (relations done, relations in all, name).

    Raises:
        SourceLocationError, SourceUnavailableError, KeysLockedError: as named.
    """
    with open_source(location, credentials_file=credentials_file) as source:
        row = inventory.register_source(
            location, actor=actor, credentials_file=credentials_file, overlay=overlay, source=source
        )
        running = jobs.running_job(row.source_id)
        if running is not None:
            return replace(load_plan(running.plan), job_id=running.job_id)
        scan = list(scan_open(source, overlay=overlay, rules=own_rules(), sample_rows=sample_rows, progress=progress))
        inventory.record_scan(scan, actor, source_id=row.source_id)
        scan = inventory.as_corrected(scan, row)
        relations = source.describe()
    if row.kind == SourceKind.FILES.value:
        made = build_file_plan(row.source_id, label=row.label, relations=relations, scan=scan)
    else:
        session = SourceSession(inventory.connection_of(row))
        try:
            facts = table_facts(session.connection)
        finally:
            session.close()
        made = build_plan(row.source_id, label=row.label, relations=relations, scan=scan, facts=facts)
    made = replace(made, job_id=new_ref())
    jobs.open_job(made, actor=actor)
    return made


def protect(made: ProtectionPlan, *, actor: audit.Actor, progress: Progress | None = None) -> ProtectReport:
    """Carry a plan out, or resume it. Tables that cannot be cut over are named; everything else is done.

    Raises:
        UnknownJobError, ProtectionTransitionError: the plan is not one that can be run.
        ProtectionBusyError: another process is at it.
        SourceLostError, VaultBusyError, JobStoreError, KeysLockedError: stopped in the middle; run again to resume.
    """
    try:
        with _letting_go_on_failure(made):
            job = jobs.job_of(made.job_id)
            row = inventory.source_of(made.source_id)
            if row.kind == SourceKind.FILES.value:
                return protect_files(job, made, row, actor=actor, progress=progress)
            return protect_tables(job, made, row, actor=actor, progress=progress)
    except DatabaseError:
        raise JobStoreError("jobs: Kuimen's own database failed; nothing is lost, run again to resume") from None


@contextmanager
def _letting_go_on_failure(made: ProtectionPlan) -> Iterator[None]:
    """Forget the originals in memory where a step fails: nobody will come to prove with them."""
    done = False
    try:
        yield
        done = True
    finally:
        if not done:
            made.originals.let_go()


def scrub(
    made: ProtectionPlan,
    *,
    actor: audit.Actor,
    maintenance: str | None = None,
    maintenance_credentials: Path | None = None,
    others: Sequence[ProtectionPlan] = (),
    progress: Progress | None = None,
) -> ScrubReport:
    """Run the named clean-up procedure after protection; every step reports for itself.

    Args:
        made: the plan that was carried out.
        actor: who scrubs.
        maintenance: address of the same database for a superuser, where the source's own role is none; not stored.
        maintenance_credentials: user and password for it.
        others: plans that this process carried out just now; a folder is searched for what they verified without
            opening it once more.
        progress: called with (steps done, steps in all, name).

    Raises:
        SourceUnavailableError: the source cannot be reached at all.
    """
    row = inventory.source_of(made.source_id)
    with _letting_go_on_failure(made):
        if row.kind == SourceKind.FILES.value:
            report = scrub_folder(
                Path(row.location["path"]), label=row.label, originals=known_originals(others), progress=progress
            )
        else:
            parameters = _maintenance(row, maintenance, maintenance_credentials)
            report = _scrub_database(row, parameters, progress)
        store_scrub(made, report, actor=actor)
    return report


def _maintenance(row: DataSource, location: str | None, credentials_file: Path | None) -> dict[str, str]:
    """Return connection parameters for clean-up; they must lead to the very database that was protected."""
    if location is None:
        return inventory.connection_of(row)
    parameters = connection_parameters(location, credentials_file=credentials_file)
    with PostgresSource(parameters) as source:
        if source.fingerprint != row.fingerprint:
            raise WrongDatabaseError("maintenance: the address leads to another database than the source")
    return parameters


def _scrub_database(row: DataSource, parameters: dict[str, str], progress: Progress | None) -> ScrubReport:
    session = SourceSession(parameters)
    try:
        return scrub_database(
            session,
            label=row.label,
            places=find_places(session),
            recognition=tables_of(row.overlay or None),
            progress=progress,
        )
    finally:
        session.close()


def prove(
    made: ProtectionPlan,
    *,
    actor: audit.Actor,
    folders: Sequence[Path] = (),
    maintenance: str | None = None,
    maintenance_credentials: Path | None = None,
    progress: Progress | None = None,
) -> ProofReport:
    """Look for every original, raw and by re-scan; the re-scan also refreshes the directory.

    Args:
        made: the plan that was carried out.
        actor: who proves.
        folders: further folders to search for the same originals, for example exports of the database.
        maintenance: address of the same database for a role that may see the server's folders; not stored.
        maintenance_credentials: user and password for it.
        progress: called with (files done, files in all, place).

    Raises:
        SourceUnavailableError, KeysLockedError: the source or the vault cannot be read.
    """
    row = inventory.source_of(made.source_id)
    try:
        if row.kind == SourceKind.FILES.value:
            report = prove_files(made, row, actor=actor, progress=progress)
        else:
            report = prove_source(
                made,
                row,
                parameters=_maintenance(row, maintenance, maintenance_credentials),
                actor=actor,
                folders=folders,
                progress=progress,
            )
        store_proof(made, report, actor=actor)
    finally:
        made.originals.let_go()  # proved or not, no original outlives the attempt
    return report
