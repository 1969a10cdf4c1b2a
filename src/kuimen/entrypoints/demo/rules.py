"""The demonstration institution's own rules: drafted by one officer, approved by the other, due for review in time."""

from datetime import timedelta

from kuimen.foundation import clock
from kuimen.gate.access.rules import Subject
from kuimen.governance.documents import services as documents
from kuimen.governance.documents.rules import EVENT_SCENARIOS, POLICY_DOMAINS, TextKind, Topic
from kuimen.governance.documents.services import Draft

REVIEW = timedelta(days=180)
TEXTS: tuple[tuple[str, TextKind, str, tuple[Topic, ...], str], ...] = (
    (
        "security-policy", TextKind.POLICY, "信息安全管理制度（演示）",
        (*POLICY_DOMAINS, Topic.CLASSIFICATION, Topic.CONTINUITY),
        ("一、范围：互联网贷款业务的数据、网络、应用与机房。二、职责：安全管理岗牵头，各岗位按权限执行。"
        "三、数据按 C3、C2、C1 分类并逐级保护。四、业务连续性：核心服务设定恢复目标，每年演练。五、每半年复审。"),
    ),
    (
        "grading-rules", TextKind.PROCEDURE, "数据分类分级执行细则（演示）", (Topic.CLASSIFICATION,),
        ("一、新增数据源先扫描后使用。二、自动识别结果由数据管理岗复核。三、C3 不得明文保存，C2 入保险库后以引用代替。"
        "四、每日复扫，发现漂移两个工作日内处置。"),
    ),
    (
        "log-rules", TextKind.PROCEDURE, "日志管理操作规范（演示）", (Topic.LOGS,),
        ("一、操作与拒绝逐条留痕，只追加不改写。二、签名检查点即时另存。三、仅审计员与评估员可读。"
        "四、登记的运维日志每日复扫，发现个人信息立即脱敏改写。五、每月签批审计复核。"),
    ),
    (
        "event-plan", TextKind.PLAN, "重要事件应急预案（演示）", EVENT_SCENARIOS,
        ("一、场景：物理、网络、主机、应用、数据、人员安全与消费者权益。二、处置：发现、报告、止损、恢复、复盘。"
        "三、系统恢复按恢复目标先核心后一般。四、泄露事件保全审计日志与水印线索，按规定时限报告。"),
    ),
)  # fmt: skip


def release_rules(author: Subject, officer: Subject) -> None:
    """Draft every text as the one officer and approve it as the other."""
    for code, kind, title, topics, body in TEXTS:
        text_id = documents.draft_text(
            Draft(
                kind=kind,
                code=code,
                title=title,
                body=body,
                topics=topics,
                owner_post="security",
                review_by=clock.today() + REVIEW,
            ),
            author=author,
        )
        documents.approve_text(text_id, officer=officer)
