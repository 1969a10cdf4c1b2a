"""The steps of the main job, each on top of the rooms' own use cases; nothing here does what a room should do."""

from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

from kuimen.assessment import services as assessment
from kuimen.assessment.report import report_file
from kuimen.entrypoints.demo.staff import subject
from kuimen.entrypoints.demo.summary import DemoSummary
from kuimen.entrypoints.terminal.output import Advance, table
from kuimen.gate.access import services as access
from kuimen.gate.disclosure import services as disclosure
from kuimen.governance.inventory.reading import personal_assets
from kuimen.governance.protection import services as protection
from kuimen.governance.protection.services import ProofReport, ProtectionPlan, ProtectReport, ScrubReport
from kuimen.ledger import intake
from kuimen.ledger.loans import services as loans
from kuimen.scenarios.collections import services as collections
from kuimen.scenarios.collections.rules import PURPOSE

INTAKE_MAPPING = Path(__file__).parent / "lender" / "intake.yaml"
ENGINEER, IMPORTER, LEADER, ASSESSOR = "B001", "B002", "C001", "P001"
COLLECTORS = ("C101", "E101", "W101")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lender:
    """Address of the demonstration's lender; the password stands in the credentials file."""

    location: str
    credentials_file: Path
    folder: Path


def plan_sources(lender: Lender, advance: Advance) -> list[ProtectionPlan]:
    """Scan the database and the folder, feed the inventory, decide what happens to every column."""
    actor = access.actor_of(subject(ENGINEER))
    database = protection.plan(
        lender.location, actor=actor, credentials_file=lender.credentials_file, overlay="fictitious",
        progress=lambda done, total, _name: advance("扫描数据库 scan database", done, total),
    )  # fmt: skip
    files = protection.plan(
        str(lender.folder), actor=actor, overlay="fictitious",
        progress=lambda done, total, _name: advance("扫描文件 scan files", done, total),
    )  # fmt: skip
    return [database, files]


def protect_sources(plans: list[ProtectionPlan], advance: Advance) -> list[ProtectReport]:
    """Move values into the vault and drop the clear columns."""
    actor = access.actor_of(subject(ENGINEER))
    return [
        protection.protect(
            made, actor=actor, progress=lambda done, total, _name: advance("加密入库 seal and cut over", done, total)
        )
        for made in plans
    ]


def scrub_sources(plans: list[ProtectionPlan], advance: Advance) -> list[ScrubReport]:
    """Run the clean-up procedure on every source."""
    actor = access.actor_of(subject(ENGINEER))
    return [
        protection.scrub(
            made,
            actor=actor,
            others=plans,
            progress=lambda done, total, _name: advance("清除残留 scrub", done, total),
        )
        for made in plans
    ]


def prove_sources(plans: list[ProtectionPlan], lender: Lender, advance: Advance) -> list[ProofReport]:
    """Look for every original: of the database in its own files and in the folder, of the folder in itself."""
    actor = access.actor_of(subject(ENGINEER))
    database, files = plans

    def tell(done: int, total: int, _name: str) -> None:
        advance("检索原值 prove", done, total)

    return [
        protection.prove(database, actor=actor, folders=[lender.folder], progress=tell),
        protection.prove(files, actor=actor, progress=tell),
    ]


def import_and_build(lender: Lender, summary: DemoSummary) -> None:
    """Bring the loans into the ledger to the cent, build cases, deal them out to three collectors."""
    importer = subject(IMPORTER)
    mapping = intake.IntakeMapping.from_yaml(INTAKE_MAPPING)
    with intake.open_loan_source(lender.location, mapping, credentials_file=lender.credentials_file) as source:
        report = loans.import_loans(
            source.rows(), source_id="legacy_core", totals=source.totals(), actor=access.actor_of(importer)
        )
    summary.loans = report.totals.count
    built = collections.build_cases(importer)
    summary.cases = built.open
    summary.cases_by_status = dict(sorted(built.open_by_bucket.items()))
    leader = subject(LEADER)
    collections.assign_evenly(leader, collections.waiting_cases(leader), assignees=list(COLLECTORS))


def assess(summary: DemoSummary, advance: Advance) -> None:
    """Run every control and set the report."""
    assessor = subject(ASSESSOR)
    found = assessment.run_assessment(
        access.actor_of(assessor), progress=lambda done, total, _clause: advance("运行控制项 controls", done, total)
    )
    summary.clauses_total = found.clauses_total
    summary.clauses_assessed = found.clauses_assessed
    summary.verdicts = {verdict.title_zh: count for verdict, count in found.verdicts.items()}
    summary.report_pdf = str(report_file(found.assessment_id))


def count_disclosures() -> int:
    """Count what people were shown: masked views, challenges and reveals, not the system's own procedures."""
    return sum(row.disclosures for row in disclosure.statistics() if row.purpose == PURPOSE)


def findings_table() -> Table:
    """Return every personal column and file of the directory as a table."""
    made = table(
        "个人信息分布 Where personal data is",
        "位置 Place",
        "要素 Element",
        "类别",
        "级别",
        "可能性 Likelihood",
        "行数 Rows",
    )
    for asset in personal_assets():
        made.add_row(asset.place, asset.element, asset.category, str(asset.level), asset.likelihood, f"{asset.rows:,}")
    return made
