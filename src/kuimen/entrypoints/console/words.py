"""Words of the console for codes that other rooms keep: actions, outcomes, purposes, facts, in both languages."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from kuimen.assessment.facts import fact_titles
from kuimen.assessment.rules import Conclusion
from kuimen.entrypoints.console.language import say
from kuimen.gate.access.rules import ROLE_TITLES
from kuimen.gate.audit.services import Outcome
from kuimen.gate.disclosure.rules import REASON_TITLES
from kuimen.gate.vault.part_rules import PART_TITLES
from kuimen.kernels.elements import ELEMENT_TABLE, Element
from kuimen.scenarios.collections.rules import EVENT_TITLES, STATE_TITLES, HoldReason

Words = tuple[str, str]

OUTCOMES: Final[Mapping[str, Words]] = MappingProxyType(
    {
        Outcome.DONE.value: ("已完成", "Done"),
        Outcome.REFUSED.value: ("已拒绝", "Refused"),
        Outcome.FAILED.value: ("失败", "Failed"),
    }
)
ASSET_STATES: Final[Mapping[str, Words]] = MappingProxyType(
    {
        "clear": ("明文", "Clear"),
        "sealed": ("已加密", "Sealed"),
        "dissociated": ("已去关联", "Dissociated"),
        "destroyed": ("已销毁", "Destroyed"),
        "not_read": ("未读取", "Not read"),
    }
)
PURPOSES: Final[Mapping[str, Words]] = MappingProxyType(
    {
        "servicing": ("贷后服务", "Servicing"),
        "collection": ("贷后催收", "Collection"),
        "credit": ("授信", "Credit"),
        "marketing": ("营销", "Marketing"),
        "risk": ("风险管理", "Risk"),
        "reporting": ("监管报送", "Reporting"),
        "audit": ("审计", "Audit"),
        "compliance_assessment": ("合规评估", "Compliance assessment"),
        "protection": ("数据保护", "Protection"),
        "protection.verify": ("加密后逐值核对", "Check after sealing"),
        "protection.prove": ("残留验证", "Residual proof"),
        "protection.resume": ("续作核对", "Check on resuming"),
    }
)
ACTIONS: Final[Mapping[str, Words]] = MappingProxyType(
    {
        "access.appoint": ("任命首批安全主管", "Appoint the first officers"),
        "access.sign_in": ("登录", "Sign in"),
        "access.sign_out": ("退出", "Sign out"),
        "agency.register": ("登记机构", "Register an agency"),
        "approval.approve": ("批准审批单", "Approve a ticket"),
        "approval.refuse": ("驳回审批单", "Refuse a ticket"),
        "change.approve": ("复核批准变更", "Approve a change"),
        "change.countersign": ("会签变更", "Countersign a change"),
        "change.expire": ("变更过期", "Change expired"),
        "change.propose": ("提出变更", "Propose a change"),
        "change.refuse": ("驳回变更", "Refuse a change"),
        "change.withdraw": ("撤回变更", "Withdraw a change"),
        "consent.record": ("登记同意或撤回", "Record consent or withdrawal"),
        "document.acknowledge": ("阅知文本", "Acknowledge a document"),
        "document.approve": ("批准文本", "Approve a document"),
        "document.draft": ("起草文本", "Draft a document"),
        "document.read": ("查阅文本", "Read documents"),
        "document.refuse": ("驳回文本", "Refuse a document"),
        "document.repeal": ("废止文本", "Repeal a document"),
        "document.supersede": ("文本被替代", "Document superseded"),
        "document.withdraw": ("撤回草稿", "Withdraw a draft"),
        "approval.decide": ("审批", "Decide an approval"),
        "approval.expire": ("审批过期", "Approval expired"),
        "approval.redeem": ("使用批准", "Use an approval"),
        "approval.request": ("提交审批", "Request an approval"),
        "approval.withdraw": ("撤回审批", "Withdraw a request"),
        "assessment.approve_judgement": ("批准判定", "Approve a judgement"),
        "assessment.judge": ("人工判定", "Judge a clause"),
        "assessment.read": ("读取评估", "Read the assessment"),
        "assessment.refuse_judgement": ("驳回判定", "Refuse a judgement"),
        "assessment.report": ("出具评估报告", "Set the report"),
        "assessment.run": ("运行评估", "Run the assessment"),
        "audit.export": ("导出审计日志", "Export the audit log"),
        "audit.read": ("查阅审计日志", "Read the audit log"),
        "audit.review": ("审计复核", "Review the audit log"),
        "case.assign": ("分派案件", "Assign a case"),
        "case.build": ("生成案件", "Build cases"),
        "case.create": ("建案", "Create a case"),
        "case.list": ("案件清单", "List cases"),
        "case.open": ("打开案件", "Open a case"),
        "case.step": ("案件流转", "Move a case"),
        "case.work": ("处理案件", "Work a case"),
        "consent.accept": ("记录同意", "Record consent"),
        "consent.publish": ("发布告知文本", "Publish a document"),
        "consent.read": ("查阅同意记录", "Read consents"),
        "consent.record_contracts": ("登记合同依据", "Record contracts as basis"),
        "consent.record_duty": ("登记法定依据", "Record a legal duty"),
        "consent.withdraw": ("撤回同意", "Withdraw consent"),
        "disclosure.alert": ("披露告警", "Disclosure alert"),
        "disclosure.bulk": ("系统批量核对", "System procedure"),
        "disclosure.challenge": ("身份核验", "Identity challenge"),
        "disclosure.reveal": ("单项查看", "Reveal one field"),
        "disclosure.reveal_repeated": ("重复显示同一次查看", "Reveal shown again"),
        "disclosure.search": ("按号码查找", "Search by number"),
        "disclosure.set_limit": ("设定限额", "Set a limit"),
        "disclosure.view_masked": ("查看脱敏页面", "View masked page"),
        "grant.apply": ("申请权限", "Apply for a role"),
        "grant.approve": ("批准权限", "Approve a role"),
        "grant.decide": ("审批权限", "Decide a role"),
        "grant.refuse": ("驳回权限", "Refuse a role"),
        "grant.revoke": ("收回权限", "Revoke a role"),
        "grant.start": ("权限生效", "Role begins"),
        "grant.withdraw": ("撤回申请", "Withdraw an application"),
        "inventory.alert": ("邮件告警", "Mail an alert"),
        "inventory.mark_state": ("更新资产状态", "Mark an asset"),
        "inventory.read": ("查阅资产目录", "Read the inventory"),
        "inventory.register_source": ("登记数据源", "Register a source"),
        "inventory.correct": ("订正资产目录", "Correct the directory"),
        "inventory.correction_approve": ("批准订正", "Approve a correction"),
        "inventory.correction_refuse": ("驳回订正", "Refuse a correction"),
        "inventory.correction_withdraw": ("撤回订正", "Withdraw a correction"),
        "inventory.decide": ("决定订正", "Decide a correction"),
        "inventory.drift": ("资产变化告警", "Drift of assets"),
        "inventory.note_drift": ("确认资产变化", "Note a change"),
        "inventory.scan": ("扫描数据源", "Scan a source"),
        "inventory.schedule": ("设定扫描间隔", "Set a scan interval"),
        "keys.custodian_passphrase": ("变更保管人口令", "Change a custodian's passphrase"),
        "keys.domain_key_destroyed": ("销毁域密钥旧版本", "Destroy an old domain key"),
        "keys.domain_use": ("使用域密钥（计数）", "Use of a domain key (counted)"),
        "keys.index_key_destroy": ("销毁索引密钥", "Destroy an index key"),
        "keys.index_key_restore": ("恢复索引密钥", "Restore an index key"),
        "keys.index_key_suspend": ("停用索引密钥", "Suspend an index key"),
        "keys.rewrap": ("重新包裹密钥", "Rewrap keys"),
        "keys.rewrap_proof": ("重新包裹完成证明", "Proof of a rewrap"),
        "keys.root_reshared": ("重新分持根密钥", "Share the root anew"),
        "keys.root_use": ("使用根密钥", "Use of the root"),
        "keys.tamper_alarm": ("密钥被改动告警", "Alarm: altered keys"),
        "vault.index_part": ("建立片段索引", "Index a part"),
        "vault.index_part_proof": ("片段索引完成证明", "Proof of an index of a part"),
        "vault.index_part_set_aside": ("搁置片段索引", "Set an index of a part aside"),
        "vault.part_index_build": ("申请建立片段索引", "Build an index of a part"),
        "vault.part_index_plan": ("评估片段索引", "Plan indexes of parts"),
        "vault.part_index_drop": ("删除片段索引", "Drop an index of a part"),
        "vault.part_index_ready": ("片段索引可用", "Index of a part ready"),
        "vault.merge": ("合并客户", "Merge two persons"),
        "vault.merge_proof": ("合并完成证明", "Proof of a merge"),
        "vault.reencrypt": ("重新加密", "Re-encrypt records"),
        "vault.reencrypt_proof": ("重新加密完成证明", "Proof of a re-encryption"),
        "vault.reencrypt_set_aside": ("搁置重新加密", "Set a re-encryption aside"),
        "vault.reindex": ("重建索引", "Re-index records"),
        "vault.reindex_proof": ("重建索引完成证明", "Proof of a re-index"),
        "keys.read": ("查看密钥状态", "See the state of the keys"),
        "keys.rotate_domain": ("启用域密钥新版本", "Make a new version of a domain key"),
        "keys.order_pause": ("暂停轮换作业", "Pause a rotation job"),
        "keys.order_resume": ("继续轮换作业", "Go on with a rotation job"),
        "keys.order_finish": ("轮换作业完成", "End a rotation job"),
        "keys.backup_confirmed": ("确认密钥备份", "Confirm the backup of the keys"),
        "keys.destroy_domain": ("销毁域密钥旧版本", "Destroy an old domain key"),
        "keys.index_cut_over": ("切换索引", "Cut over an index"),
        "keys.index_drop": ("删除旧索引", "Drop an old index"),
        "keys.domain_key_created": ("生成域密钥", "Create a domain key"),
        "keys.index_key_created": ("生成索引密钥", "Create an index key"),
        "keys.lock": ("锁定密钥", "Lock the keys"),
        "keys.person_keys_created": ("生成个人密钥", "Create keys of persons"),
        "retention.read": ("查看到期与销毁", "Read what is due"),
        "retention.hold": ("登记保全与终止", "Place holds and ends"),
        "exchange.read": ("查看机构往来", "See the exchange with partners"),
        "exchange.send": ("发送机构报文", "Send messages to partners"),
        "exchange.open": ("打开机构报文", "Open a partner's message"),
        "exchange.opened": ("打开机构报文", "Opened a partner's message"),
        "exchange.register_certificate": ("登记机构证书", "Register a partner's certificate"),
        "exchange.register": ("登记机构证书", "Register a partner's certificate"),
        "exchange.certificate_registered": ("机构证书生效", "Put a partner's certificate in force"),
        "exchange.certificate_revoked": ("吊销机构证书", "Revoke a partner's certificate"),
        "exchange.sent": ("向机构发送报文", "Send a message to a partner"),
        "exchange.receive": ("接收机构报文", "Take a message from a partner"),
        "exchange.received": ("收到机构报文", "Took a message from a partner"),
        "token.assign": ("发放支付标记", "Issue tokens"),
        "token.change": ("停用或删除支付标记", "Suspend or delete tokens"),
        "token.resolve": ("还原支付标记", "Lead tokens back"),
        "tokens.resolve": ("还原支付标记", "Lead tokens back"),
        "tokens.issued": ("发放支付标记", "Issue tokens"),
        "tokens.suspend": ("停用支付标记", "Suspend a token"),
        "tokens.resume": ("恢复支付标记", "Resume a token"),
        "tokens.delete": ("删除支付标记", "Delete a token"),
        "retention.suspend": ("停用到期信息", "Suspend what is due"),
        "retention.resume": ("恢复停用信息", "Resume what was suspended"),
        "retention.request": ("提请销毁", "Ask for destruction"),
        "retention.destroy": ("销毁个人信息", "Destroy personal data"),
        "retention.check": ("核对保存期限", "Check retention terms"),
        "retention.replay": ("重放销毁台账", "Replay the shred ledger"),
        "retention.replay_line": ("重放一次销毁", "Carry out a destruction again"),
        "retention.certificate": ("出具销毁证明", "Certify a destruction"),
        "retention.backup": ("登记备份", "Register a backup"),
        "retention.event": ("登记事件终止", "Record the end of an event"),
        "retention.hold_lifted": ("解除保全", "Lift a hold"),
        "retention.export": ("登记对外提供", "Register an export"),
        "retention.export_deleted": ("登记接收方删除", "Record a recipient's deletion"),
        "retention.exports": ("登记批量对外提供", "Register exports"),
        "retention.exports_demanded": ("要求接收方删除", "Demand deletion from a recipient"),
        "retention.exports_deleted": ("登记接收方整批删除", "Record the deletion of a package"),
        "release.read": ("查看分析数据发布", "Read releases"),
        "release.apply": ("申请发布分析数据", "Apply for a release"),
        "release.decide": ("审批发布", "Decide on releases"),
        "release.approve": ("批准发布", "Approve a release"),
        "release.refuse": ("驳回发布", "Refuse a release"),
        "release.withdraw": ("撤回发布申请", "Withdraw a release"),
        "release.release": ("计算并发布", "Compute and release"),
        "release.missed": ("未达阈值，拒绝发布", "Refuse a release: bounds missed"),
        "release.fetch": ("领取发布数据", "Fetch a release"),
        "release.end": ("终止发布并销毁密钥", "End a release, destroy its key"),
        "release.confirm": ("登记发布数据已删除", "Record that a release is deleted"),
        "testdata.make": ("生成测试数据", "Make test data"),
        "session.terminal": ("终端登录", "Sign in at a terminal"),
        "keys.rotate": ("轮换密钥", "Rotate keys"),
        "keys.signing_key_created": ("生成签名密钥", "Create a signing key"),
        "keys.table_key_created": ("生成表密钥", "Create a table key"),
        "keys.unlock": ("解锁密钥", "Unlock the keys"),
        "ledger.import": ("借款入账", "Import loans"),
        "ledger.read": ("查阅台账", "Read the ledger"),
        "overview.read": ("查看总览", "Read the overview"),
        "post.assign": ("定岗", "Assign a post"),
        "post.end": ("离岗", "End a post"),
        "changeover.plan": ("制定换列方案", "Plan a changeover"),
        "changeover.start": ("开始换列", "Start a changeover"),
        "changeover.backfill": ("补密存量", "Seal what stood there"),
        "changeover.verify": ("逐值核对", "Compare every value"),
        "changeover.doubt": ("核对不符", "Values were unequal"),
        "changeover.cut_over": ("切换到密文列", "Cut over to sealed columns"),
        "changeover.scrub": ("开始清除明文列", "Scrub clear columns"),
        "changeover.scrub_incomplete": ("清除未完成", "Scrub is not complete"),
        "changeover.finish": ("换列完成", "Changeover finished"),
        "changeover.abandon": ("放弃换列", "Abandon a changeover"),
        "changeover.hand_out_keys": ("向应用交付密钥", "Hand an application its keys"),
        "protection.plan": ("制定保护方案", "Plan protection"),
        "protection.prove": ("残留验证", "Prove that nothing is left"),
        "protection.read": ("查阅保护记录", "Read protection"),
        "protection.run": ("执行数据保护", "Protect a source"),
        "protection.scrub": ("清除残留", "Scrub what was left"),
        "protection.table": ("保护数据表", "Protect a table"),
        "second_factor.enrol": ("绑定验证器", "Bind an authenticator"),
        "second_factor.reset": ("重置验证器", "Reset an authenticator"),
        "staff.activate": ("激活账户", "Activate an account"),
        "staff.change_password": ("更换口令", "Change a password"),
        "staff.decide": ("复核人员变更", "Decide a change of people"),
        "staff.record_file": ("人员入档", "Enter in a personnel file"),
        "staff.reset_in_person": ("保管人当面重置", "Reset by both custodians in person"),
        "staff.disable": ("停用账户", "Close an account"),
        "staff.read": ("查阅员工", "Read staff"),
        "staff.register": ("登记员工", "Register staff"),
        "staff.reset_factor": ("重置验证器", "Reset an authenticator"),
        "token.issue": ("签发令牌", "Issue a token"),
        "token.revoke": ("吊销令牌", "Revoke a token"),
        "vault.bind": ("确认入库", "Bind sealed values"),
        "vault.find": ("按值检索", "Find by value"),
        "vault.row_seals": ("更新行封", "Renew seals of rows"),
        "vault.rows_verified": ("核对行封", "Verify seals of rows"),
        "vault.seal": ("加密入库", "Seal values"),
        "vault.tamper_alarm": ("篡改告警", "Tamper alarm"),
    }
)
OBJECTS: Final[Mapping[str, Words]] = MappingProxyType(
    {
        "agency": ("机构", "Agency"),
        "assessment": ("评估", "Assessment"),
        "audit": ("审计日志", "Audit log"),
        "case": ("案件", "Case"),
        "case_list": ("案件清单", "Case list"),
        "case_search": ("案件查找", "Case search"),
        "case_queue": ("案件队列", "Case queue"),
        "change": ("人员变更", "Change of people"),
        "consent": ("同意", "Consent"),
        "document": ("告知文本", "Customer text"),
        "grant": ("权限", "Grant"),
        "key": ("密钥", "Key"),
        "loan": ("借款", "Loan"),
        "page": ("页面", "Page"),
        "root_key": ("根密钥", "Root key"),
        "source": ("数据源", "Source"),
        "staff": ("员工", "Staff"),
        "text": ("制度文本", "Document"),
        "ticket": ("审批单", "Ticket"),
        "vault": ("保险库", "Vault"),
    }
)
FACTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "admitted": "可建索引的部分",
        "agency": "机构",
        "assignee": "经办人",
        "basis": "法律依据编号",
        "bucket": "逾期段",
        "clauses": "条款数",
        "count": "数量",
        "created": "新建",
        "customer": "客户引用",
        "customers": "客户引用",
        "element": "要素",
        "elements": "要素",
        "event": "动作",
        "hold_reason": "暂停原因",
        "kind": "类型",
        "loan": "借款引用",
        "matched": "是否一致",
        "open": "未结案件",
        "found": "符合的客户",
        "opened": "库内比对的记录",
        "part": "部分",
        "remaining": "今日剩余次数",
        "post": "岗位",
        "reason": "原因",
        "reason_code": "事由",
        "records": "记录数",
        "role": "角色",
        "rows": "行数",
        "second_factor": "第二因素",
        "seconds": "显示时长（秒）",
        "settled": "结清",
        "snapshot_sm3": "快照 SM3",
        "state_after": "之后状态",
        "state_before": "之前状态",
        "step": "步序",
        "superseded_sessions": "被顶替的会话",
        "used_today": "今日已用次数",
        "valid_until": "有效至",
        "withheld": "无依据而隐去的客户",
        "without_basis": "无合同依据",
    }
)
KINDS: Final[Mapping[str, Words]] = MappingProxyType(
    {
        "page": ("脱敏页面", "masked page"),
        "reveal": ("单项原值", "single clear value"),
        "challenge": ("身份核验", "identity challenge"),
        "bulk": ("系统批量", "system procedure"),
        "search": ("按号码查找", "search by number"),
    }
)
CONCLUSIONS: Final[Mapping[Conclusion, Words]] = MappingProxyType(
    {
        Conclusion.CONFORM: (Conclusion.CONFORM.title_zh, "Conforms"),
        Conclusion.LARGELY: (Conclusion.LARGELY.title_zh, "Largely conforms"),
        Conclusion.NONCONFORM: (Conclusion.NONCONFORM.title_zh, "Does not conform"),
        Conclusion.OPEN: ("尚无法得出结论", "No conclusion yet"),
    }
)
HOLD_REASONS: Final[Mapping[HoldReason, Words]] = MappingProxyType(
    {
        HoldReason.DISPUTE: ("债务有争议", "Debt disputed"),
        HoldReason.COMPLAINT: ("客户投诉", "Complaint"),
        HoldReason.HARDSHIP: ("生活困难", "Hardship"),
        HoldReason.DEATH: ("借款人身故", "Borrower deceased"),
        HoldReason.FRAUD_CLAIM: ("声称被冒名", "Fraud claimed"),
    }
)

# facts whose values are codes with words of their own
VALUES: Final[Mapping[str, Mapping[str, Words]]] = MappingProxyType(
    {
        "kind": KINDS,
        "reason_code": {code.value: titles for code, titles in REASON_TITLES.items()},
        "event": {event.value: titles for event, titles in EVENT_TITLES.items()},
        "state_before": {state.value: titles for state, titles in STATE_TITLES.items()},
        "state_after": {state.value: titles for state, titles in STATE_TITLES.items()},
        "hold_reason": {reason.value: titles for reason, titles in HOLD_REASONS.items()},
        "part": {part.value: titles for part, titles in PART_TITLES.items()},
        "role": {role.value: titles for role, titles in ROLE_TITLES.items()},
    }
)


def words_of(table: Mapping[str, Words], code: str) -> Words:
    """Return both words of a code; a code without words stands for itself."""
    return table.get(code, (code, code))


def fact_words(name: str) -> Words:
    """Return what a fact of an audit entry or of a probe is called."""
    return FACTS.get(name) or fact_titles().get(name, name), name.replace("_", " ").capitalize()


def fact_value(name: str, value: object) -> list[str]:
    """Return what a fact says, one text for each of its values."""
    values = value if isinstance(value, list | tuple) else [value]
    return [_told(name, one) for one in values]


def _told(name: str, value: object) -> str:
    if value is None:
        return "—"
    if isinstance(value, bool):
        return say("是", "yes") if value else say("否", "no")
    text = str(value)
    if name in {"element", "elements"} and text in set(Element):
        rule = ELEMENT_TABLE[Element(text)]
        return say(rule.title_zh, rule.title_en)
    table = VALUES.get(name)
    return say(*words_of(table, text)) if table else text
