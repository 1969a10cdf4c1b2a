"""Names of persons where the text leads to them: behind a label (`联系人：`), a role (`客户张伟`), before an honorific.

Without such a lead nothing is called a name here; names in running prose need a model, which is another port.
"""

import re
from collections.abc import Iterator

from kuimen.kernels.detection.evidence import Candidate, Evidence, EvidenceKind
from kuimen.kernels.detection.naming import ZH_INDEX
from kuimen.kernels.detection.terms_zh import ZH_TERMS
from kuimen.kernels.detection.trie import alternation
from kuimen.kernels.elements.model import Element
from kuimen.kernels.elements.surnames import COMPOUND_SURNAMES, GIVEN_NAME_CHARACTERS, SINGLE_SURNAMES
from kuimen.kernels.elements.words import words

_ROLES = words(
    """
    客户 用户 借款人 贷款人 联系人 紧急联系人 申请人 持卡人 担保人 共借人 债务人 欠款人 收款人 付款人 经办人 法人
    法定代表人 被告 原告 被执行人 被申请人 会员 员工 坐席 催收员 客户经理 业务员 操作员 审批人 配偶 丈夫 妻子 父亲
    母亲 儿子 女儿 哥哥 弟弟 姐姐 妹妹 同事 朋友 机主 户主 收件人 收货人 推荐人 受托人 委托人 代理人 投保人 受益人
    被保险人 名叫 姓名 本人 我叫 我是 联系 转给 致电
    """,
)
_LEAD = re.compile(
    f"({alternation(ZH_TERMS[Element.PERSON_NAME] | _ROLES)})"
    r"(?:姓名|名字|名称)?[0-9一二三]?[\"'”]?(?: ?\([^)\n]{0,8}\))?"
    r"( {0,2}(?:[:=]|是|为|叫|系|- ?|\|)[ \t]{0,2}[\"'“\[【]{0,2})?[ \"“]{0,2}"
)
_HONORIFIC = re.compile(r"(?<=[\u3400-\u9fff])(?:先生|女士|小姐|同志|师傅)")
_DOTTED = re.compile(r"[\u3400-\u9fff]{1,8}(?:·[\u3400-\u9fff]{1,8}){1,4}")
_DOTTED_ANYWHERE = re.compile(
    r"(?<![\u3400-\u9fff·])[\u3400-\u9fff]{2,8}(?:·[\u3400-\u9fff]{2,8}){1,3}(?![\u3400-\u9fff·])"
)
_LATIN = re.compile(r"[A-Z][A-Za-z]{1,20}(?:[ ·.-][A-Z][A-Za-z]{1,20}){1,3}(?![A-Za-z0-9])")
# Bounded, so that a text of labels only stays linear.
_HAN_RUN = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]{1,12}")
_NO_NAMES = words(
    """
    未知 暂无 不详 无名 没有 为空 测试 本人 某某 匿名 保密 未填 未提供 先生 女士 小姐 其他 其它 错误 失败 成功 正常
    异常 不能为空
    """,
)

# Characters that given names do not hold and sentences do.
_STOPS = frozenset(
    "的了在是我你他她它们这那有和与及或但也都还就要会能被把将向对从到于给让请叫说称表已未不没电话手机号码证件住址籍性别年月岁时分秒元款额债账户卡"
    "银行借贷逾期催收申请办理提交确认拒绝投诉咨询来去打拨接听询问回复答应因为所以则且并而其此该各每某哪谁什么怎样身份联系先女士小姐经理"
    "后前现内外上下个些种类，、。；：,.;:"
) - frozenset("年月女小经理先分秒上现外内和能")
_FOLLOWERS = tuple(
    words(
        """
    先生 女士 小姐 本人 电话 手机 身份 证件 来电 致电 表示 反馈 申请 还款 逾期 借款 贷款 承诺 要求 投诉 咨询 办理
    提交 确认 同意 拒绝 签署 名下 现在 现住 现任 今日 今天 明天 明日 昨天 昨日 上午 下午 上月 本月 下月 银行 卡号
    账号 工作 任职 地址 单位 住在 家住 男 女 年龄 联系 提供 登录 登陆 注册 修改 查询 打来 打电话 接听 回电 再次 多次
    先后 分期 分别 经核实 经查 能否 能够 和其 和他 和她 小区 性别 月收入 年收入 理赔 内容 外出 外地 年满
    """,
    )
)
_FOLLOWING = frozenset(
    "的了在是于与及或但也都还就要会被把将向对从到给让请说称表已未不没电手身证住籍因欠借贷逾催收申办提确拒"
    "投咨来去打拨接询问回答元号等为并而其此该后前名户账卡可承签同"
)
_LONGEST_PLAIN = 4


def recognise_persons(text: str) -> Iterator[Candidate]:
    """Yield names in folded text."""
    for match in _LEAD.finditer(text):
        separated = match[2] is not None
        found = _name_at(text, match.end(), separated=separated)
        if found is not None:
            label = Evidence(EvidenceKind.LABEL, f"lead:{match[1]}", 3 if separated else 2)
            yield Candidate(Element.PERSON_NAME, match.end(), found[0], (label, *found[1]))
    for match in _HONORIFIC.finditer(text):
        start = _name_before(text, match.start())
        if start is not None:
            honorific = Evidence(EvidenceKind.CONTEXT_RIGHT, "honorific", 2)
            yield Candidate(Element.PERSON_NAME, start, match.start(), (honorific, _surname_evidence(1)))
    if "·" in text:
        for match in _DOTTED_ANYWHERE.finditer(text):
            shape = Evidence(EvidenceKind.FORMAT, "parts joined by a dot", 3)
            yield Candidate(Element.PERSON_NAME, match.start(), match.end(), (shape,))


def _name_at(text: str, start: int, *, separated: bool) -> tuple[int, tuple[Evidence, ...]] | None:
    """Return the end of the name that begins at `start` and what supports it."""
    dotted = _DOTTED.match(text, start)
    if dotted:
        return dotted.end(), (Evidence(EvidenceKind.FORMAT, "parts joined by a dot", 2),)
    run = _HAN_RUN.match(text, start)
    if run is None:
        latin = _LATIN.match(text, start) if separated else None
        return (latin.end(), (Evidence(EvidenceKind.FORMAT, "capitalised words", 1),)) if latin else None
    return None if run[0] in _NO_NAMES or run[0] in ZH_INDEX else _in_run(text, start, run.end(), separated=separated)


def _in_run(text: str, start: int, limit: int, *, separated: bool) -> tuple[int, tuple[Evidence, ...]] | None:
    """Find the end of a name inside a run of Chinese characters; after a colon a short run is the name."""
    width = surname_width(text, start)
    if separated and limit - start <= _LONGEST_PLAIN and limit - start > max(width, 1):
        given = text[start + width : limit]
        if not _STOPS.intersection(given) and not any(given.endswith(word) for word in ("先生", "女士")):
            return limit, (_surname_evidence(width),)
    length = _given_length(text, start + width, limit) if width else 0
    return (start + width + length, (_surname_evidence(width),)) if length else None


def _surname_evidence(width: int) -> Evidence:
    return Evidence(EvidenceKind.TABLE, "surname" if width else "no known surname", 2 if width else 0)


def surname_width(text: str, start: int) -> int:
    """Return how many characters of a surname stand at `start`, 0 for none."""
    if text[start : start + 2] in COMPOUND_SURNAMES:
        return 2
    return 1 if text[start : start + 1] in SINGLE_SURNAMES else 0


def _given_length(text: str, start: int, limit: int) -> int:
    """Return how many characters the given name has: by what follows, else by which characters names are made of."""
    possible = [
        length for length in (2, 1) if start + length <= limit and not _STOPS.intersection(text[start : start + length])
    ]
    for length in possible:
        if _ends_here(text, start + length, limit):
            return length
    for length in possible:
        if GIVEN_NAME_CHARACTERS.issuperset(text[start : start + length]):
            return length
    return 0


def _ends_here(text: str, position: int, limit: int) -> bool:
    if position >= limit:
        return True
    return text[position] in _FOLLOWING or text.startswith(_FOLLOWERS, position)


def _name_before(text: str, end: int) -> int | None:
    """Return the start of a full name that ends before an honorific; a surname alone is no name."""
    for width, surname in ((4, 2), (3, 1), (3, 2), (2, 1)):
        start = end - width
        if start < 0 or surname_width(text, start) != surname:
            continue
        given = text[start + surname : end]
        if not _HAN_RUN.fullmatch(given) or _STOPS.intersection(given):
            continue
        return start
    return None
