"""What an error says to a reader of Chinese, by its stable code.

The rooms write their messages once, in English, without values. A code without a sentence here falls back on the advice
of its family.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from kuimen.foundation.errors import (
    ConflictError,
    DeniedError,
    InvalidInputError,
    KuimenError,
    NotFoundError,
    TamperError,
    UnavailableError,
    family_of,
)

ADVICE: Final[Mapping[type[KuimenError], str]] = MappingProxyType(
    {
        InvalidInputError: "请检查所填内容后重试。",
        NotFoundError: "不存在，或您无权知悉其存在。",
        ConflictError: "数据已被他人更新，请重新打开页面后再试。",
        DeniedError: "您的岗位不允许此操作；本次拒绝已记入审计日志。",
        TamperError: "存储内容未通过校验，已停止操作并告警，请联系安全主管。",
        UnavailableError: "服务暂不可用，请稍后重试。",
    }
)
SENTENCES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "access.activation_refused": "工号或激活单未被接受，或激活已过期、已使用；请联系两名主管重新办理。",
        "access.change_transition": "该变更已办结、已撤回或已过期，请重新打开待办。",
        "access.exists": "编号已被使用，或同样的申请、变更正在等待复核。",
        "access.grant_transition": "该权限申请已办结，请重新打开待办。",
        "access.invalid_input": "所填内容不符合要求：请检查工号（大写字母、数字、连字符）、姓名、岗位、日期与事由。",
        "access.last_officers": "安全主管不得少于两名；请先批准接任者。",
        "access.password_refused": "现口令不正确，或账户已暂时锁定。",
        "access.personnel_file": "该员工的档案尚缺背景调查、保密协议或有效的安全培训，补录后方可批准。",
        "access.duty_separation": "经办与复核须为不同的人，且不得审批本人受益的事项；本次拒绝已记入审计日志。",
        "access.not_permitted": "您的岗位权限不包含此操作；本次拒绝已记入审计日志。",
        "access.second_factor_missing": "请先绑定验证器，再使用本系统。",
        "assessment.not_found": "没有这次评估，请从评估页面选择。",
        "assessment.report_unavailable": "评估报告暂时无法生成，请稍后重试。",
        "audit.entry_not_found": "没有这条审计条目。",
        "audit.tampered": "审计日志未通过校验，已告警，请立即联系安全主管。",
        "audit.unavailable": "审计日志暂时无法写入，因此本次操作未执行。",
        "collections.assignee": "请选择一名在岗的催收员。",
        "collections.invalid_input": "所填内容不符合要求：请检查要素、经办人与委案期限（今日起至多 180 天）。",
        "collections.not_found": "没有这个案件，或它不在您的范围内；本次访问已记入审计日志。",
        "collections.transition": "案件当前状态不允许此动作，请重新打开案件。",
        "consent.act_transition": "该同意已撤回或已到期。",
        "consent.invalid_input": "所填内容不符合要求：展示时间不得晚于现在，文本须为现行版本。",
        "consent.preselected": "预先勾选不构成客户本人的同意，未予记录；本次拒绝已记入审计日志。",
        "consent.stale_document": "所示文本不是现行版本，请向客户展示现行版本后再记录。",
        "documents.draft_waits": "该文本已有一份草稿在等待审批。",
        "documents.invalid_input": "所填内容不符合要求：请检查代码、正文（至少 40 字）、覆盖事项与一年以内的复审期限。",
        "documents.not_found": "没有这份文本。",
        "documents.transition": "该文本的状态已变，请重新打开。",
        "console.form": "请从页面提供的选项中选择。",
        "console.view_id": "请按水印输入视图编号，至少前 8 位；若前几位相同的视图不止一个，请多输入几位。",
        "disclosure.challenge_locked": "该客户今日核验错误次数已满，请明日再试或转由主管处理。",
        "disclosure.failed": "披露未能留痕，因此没有显示任何内容，请稍后重试。",
        "disclosure.idempotency_conflict": "该请求编号已用于另一次查看，请刷新页面后重试。",
        "disclosure.input": "所填内容不符合要求：核验须恰好填写后四位。",
        "disclosure.never_shown": "该要素在任何情况下都不向员工显示原值。",
        "disclosure.no_legal_basis": "该客户对此目的没有有效的法律依据，不能查看。",
        "disclosure.object_not_found": "没有这个对象，或它不在您的范围内；本次访问已记入审计日志。",
        "disclosure.people_quota": "您今日查看的客户人数已达上限，已提示主管；请明日再试。",
        "disclosure.policy_refused": "您的岗位不能为此目的查看；本次拒绝已记入审计日志。",
        "disclosure.reason_missing": "请用 6 至 200 个字写明事由，且不得写入号码等个人信息。",
        "disclosure.reveal_expired": "本次查看的显示时间已到；如确有需要，请重新说明事由。",
        "disclosure.reveal_quota": "您今日的单项查看次数已用完，已提示主管；请明日再试。",
        "disclosure.search_quota": "您今日的查找次数已用完，已提示主管；请明日再试。",
        "disclosure.value_not_held": "保险库中没有该客户的这项信息。",
        "vault.part_not_searchable": "与所选部分不符（后四位须恰好四位，前三后四须恰好七位），或索引尚未建成。",
        "vault.search_too_wide": "符合该片段的记录太多，请用更完整的号码查找。",
        "keys.locked": "密钥尚未解锁，请联系密钥保管人。",
    }
)


def chinese_message(error: KuimenError) -> str:
    """Return the Chinese sentence of an error; it never holds a value."""
    return SENTENCES.get(error.code) or ADVICE[family_of(error)]
