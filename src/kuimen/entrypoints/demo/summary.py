"""What the main job reports: one object for programs, one page for people."""

from dataclasses import asdict, dataclass, field

from rich.table import Table

from kuimen.entrypoints.terminal.output import table


@dataclass(slots=True, kw_only=True)
class DemoSummary:
    """Everything that was counted on the way; `not_covered` names what nobody could look at."""

    rows_ingested: int = 0
    columns_scanned: int = 0
    personal_columns: int = 0
    values_sealed: int = 0
    values_destroyed: int = 0
    residual_clear_values: int = 0
    needles_raw: int = 0
    needles_rescan: int = 0
    not_covered: list[str] = field(default_factory=list)
    loans: int = 0
    cases: int = 0
    cases_by_status: dict[str, int] = field(default_factory=dict)
    disclosures: int = 0
    refusals: int = 0
    audit_entries: int = 0
    audit_verified: bool = False
    clauses_total: int = 0
    clauses_assessed: int = 0
    verdicts: dict[str, int] = field(default_factory=dict)
    report_pdf: str = ""
    seconds: float = 0.0

    def as_json(self) -> dict[str, object]:
        """Return the summary for programs."""
        return asdict(self)

    def as_table(self) -> Table:
        """Return the summary for people."""
        made = table("夔门演示小结 Summary", "内容 What", "结果 Result")
        verdicts = "，".join(f"{name} {count}" for name, count in self.verdicts.items() if count)
        by_status = "，".join(f"{name} {count}" for name, count in self.cases_by_status.items())
        rows = (
            ("放贷机构数据行 Rows of the lender", f"{self.rows_ingested:,}"),
            (
                "扫描列与文件 Columns and files scanned",
                f"{self.columns_scanned:,}，含个人信息 {self.personal_columns:,}",
            ),
            ("加密入库的值 Values sealed", f"{self.values_sealed:,}"),
            ("依规销毁的值 Values destroyed", f"{self.values_destroyed:,}"),
            ("残留明文 Left in clear", f"{self.residual_clear_values:,}"),
            ("原值检索 Needles searched", f"原始字节 {self.needles_raw:,}，重扫 {self.needles_rescan:,}"),
            ("未覆盖 Not covered", "\n".join(self.not_covered) or "—"),
            ("台账借款 Loans in the ledger", f"{self.loans:,}（逐分核对一致 reconciled to the cent）"),
            ("催收案件 Cases", f"{self.cases:,}（{by_status}）"),
            ("披露 / 拒绝 Disclosures / refusals", f"{self.disclosures:,} / {self.refusals:,}"),
            (
                "审计条目 Audit entries",
                f"{self.audit_entries:,}，离线验证{'通过 verified' if self.audit_verified else '未通过 FAILED'}",
            ),
            ("条款 Clauses", f"{self.clauses_total}，已看 {self.clauses_assessed}：{verdicts}"),
            ("评估报告 Report", self.report_pdf),
            ("用时 Time", f"{self.seconds:.0f} s"),
        )
        for what, result in rows:
            made.add_row(what, result)
        return made
