"""What the demonstration performs once the installation stands; imported after Django knows its home."""

import time
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlencode

from django.db import connections

from kuimen.entrypoints.demo import steps
from kuimen.entrypoints.demo.collector_day import ApiClient, DayReport, work_a_day
from kuimen.entrypoints.demo.day_server import served
from kuimen.entrypoints.demo.people import SignIn
from kuimen.entrypoints.demo.places import DemoPlaces
from kuimen.entrypoints.demo.stage import Stage
from kuimen.entrypoints.demo.steps import Lender
from kuimen.entrypoints.demo.summary import DemoSummary
from kuimen.entrypoints.terminal.audit import verify_export
from kuimen.entrypoints.terminal.output import stderr, stdout, table
from kuimen.entrypoints.terminal.protection import show_plan, show_reports
from kuimen.foundation import clock
from kuimen.gate.audit import services as audit
from kuimen.gate.keys import services as keys
from kuimen.governance.inventory import services as inventory

COLLECTOR, FOREIGN, AUDITOR = "E101", "W101", "D001"


def perform(
    spot: DemoPlaces, location: str, *, stage: Stage, summary: DemoSummary, port: int, sign_ins: list[SignIn]
) -> None:
    """Scan, protect, scrub, prove, import, collect, assess, verify."""
    lender = Lender(location=location, credentials_file=spot.lender_file, folder=spot.files)
    _protect(lender, stage, summary)
    with stage.step("入账并建案", "import to the cent, build and deal out cases"):
        steps.import_and_build(lender, summary)
    with stage.step("催收员的一天（经 HTTP 接口）", "a collector's day through the API"):
        day = _collect(spot, port=port, sign_ins=sign_ins)
    summary.refusals = day.refusals
    for step in day.steps:
        colour = "green" if step.allowed else "yellow"
        stderr.print(f"   [{colour}]{step.status}[/] {step.title_zh} [dim]{step.title_en}[/]", highlight=False)
    with stage.step("逐条评估并出具报告", "run every control, set the report") as advance:
        steps.assess(summary, advance)
    with stage.step("离线验证审计日志", "verify the audit log offline"):
        _verify(spot, summary)


def _protect(lender: Lender, stage: Stage, summary: DemoSummary) -> None:
    with stage.step("扫描并分级", "find and grade every column and file") as advance:
        plans = steps.plan_sources(lender, advance)
    directory = inventory.summary()
    summary.columns_scanned, summary.personal_columns = directory.assets, directory.personal
    stderr.print(steps.findings_table())
    for made in plans:
        show_plan(made, as_json=False, to=stderr)
    with stage.step("加密入库、逐值核对、切换", "seal, verify every value, cut over") as advance:
        reports = steps.protect_sources(plans, advance)
    with stage.step("清除残留", "scrub: rewrite tables, statistics, WAL, logs, files") as advance:
        scrubbed = steps.scrub_sources(plans, advance)
    with stage.step("证明没有残留", "prove: search every original") as advance:
        proofs = steps.prove_sources(plans, lender, advance)
    for done, clean, proof in zip(reports, scrubbed, proofs, strict=True):
        show_reports(done, clean, proof, as_json=False, to=stderr)
    summary.values_sealed = sum(report.values_sealed for report in reports)
    summary.values_destroyed = sum(report.values_destroyed + report.values_cut_from_text for report in reports)
    summary.needles_raw = sum(proof.needles_raw for proof in proofs)
    summary.needles_rescan = sum(proof.needles_rescan for proof in proofs)
    summary.residual_clear_values = sum(proof.residual_clear_values for proof in proofs)
    summary.not_covered = list(dict.fromkeys(text for proof in proofs for text in proof.not_covered))


def _collect(spot: DemoPlaces, *, port: int, sign_ins: list[SignIn]) -> DayReport:
    """Start the server as an operator would, sign in as an agency's collector, work the day."""
    connections.close_all()
    by_number = {sign_in.staff_no: sign_in for sign_in in sign_ins}
    with served(spot, port=port) as address:
        other = _signed_in(address, by_number[FOREIGN])
        foreign_case = str(other.call("GET", "/collections/cases").body["items"][0]["case_id"])
        day = work_a_day(_signed_in(address, by_number[COLLECTOR]), foreign_case=foreign_case)
        _review(_signed_in(address, by_number[AUDITOR]), day)
    return day


def _review(auditor: ApiClient, day: DayReport) -> None:
    """Have the auditor look at the day's high-risk operations and sign the review off."""
    before = clock.now()
    interval = {"since": (before - timedelta(days=1)).isoformat(), "before": before.isoformat()}
    listed = auditor.call("GET", f"/audit/risks?{urlencode(interval)}")
    day.note(listed, "审计员查看高危操作清单", "the auditor reads the list of high-risk operations", expect=200)
    found = listed.body["items"]
    people = sorted({str(item["actor"]) for item in found})
    conclusion = f"共 {len(found)} 类高危操作，涉及工号 {'、'.join(people)}，已逐类查看" if found else "未见高危操作"
    answer = auditor.call("POST", "/audit/reviews", {**interval, "conclusion": conclusion})
    day.note(answer, "审计员复核高危操作并签批", "the auditor reviews high-risk operations and signs off", expect=200)


def _signed_in(address: str, sign_in: SignIn) -> ApiClient:
    client = ApiClient(address)
    client.sign_in(sign_in.staff_no, password=sign_in.password, totp=sign_in.code())
    return client


def _verify(spot: DemoPlaces, summary: DemoSummary) -> None:
    """Seal what is pending, export the log, and let the offline verifier look at it."""
    audit.sequence_pending(keys.keyring().signer())
    with TemporaryDirectory(prefix="kuimen-audit-") as folder:
        exported = Path(folder) / "export"
        audit.export(exported)
        outcome = verify_export(exported, spot.home.checkpoints)
    summary.audit_entries = int(str(outcome["entries"]))
    summary.audit_verified = outcome["entries"] == outcome["covered"] and summary.audit_entries > 0
    summary.disclosures = steps.count_disclosures()


def stay_open(spot: DemoPlaces, *, port: int, sign_ins: list[SignIn]) -> None:
    """Serve the console until it is stopped; print the sign-ins, and fresh codes while somebody watches."""
    connections.close_all()
    with served(spot, port=port) as address:
        stdout.print(f"\n[bold]控制台 Console:[/] {address}   (Ctrl-C 停止 stops)")
        stdout.print(_sign_in_table(sign_ins))
        stdout.print(f"[dim]验证器种子 authenticator seeds: {spot.sign_ins_file}[/]", highlight=False)
        try:
            while True:
                time.sleep(30)
                if stdout.is_terminal:
                    stdout.print(_sign_in_table(sign_ins))
        except KeyboardInterrupt:
            stdout.print("已停止 stopped")


def _sign_in_table(sign_ins: list[SignIn]) -> object:
    made = table(
        "演示账户 Demo sign-ins", "工号 Staff no.", "姓名 Name", "角色 Role", "口令 Password", "当前动态码 Code now"
    )
    for person in sign_ins:
        made.add_row(person.staff_no, person.display_name, person.role, person.password, person.code())
    return made
