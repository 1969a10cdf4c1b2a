"""Columns of money, read by composition: `od_int`, `repayed_account`, `剩余未还金额`; no list could name them all.

Which loan fact a sum is follows from what qualifies it, gravest claim first: paid money is a repayment whatever it was
for; overdue money is overdue; then limits, balances, instalments, loans. A bare sum is what its table is about.
"""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import pairwise

from kuimen.kernels.detection.naming import MEDIUM, STRONG, NameVerdict
from kuimen.kernels.detection.topics import Topic
from kuimen.kernels.elements.model import Element
from kuimen.kernels.elements.words import words

_SUMS = words(
    "amount money sum total principal interest capital corpus balance fee penalty fine forfeit debt surplus deduction"
)
_BARE = words("amount money sum total principal capital corpus account real actual this amounts all interest value")
_NO_SUM = words(
    """
    rate ratio percent pct apr fee_rate score scores longitude latitude lng lat level grade num count times version
    salary income wage price unit cost tax quantity weight similarity confidence threshold age income discount
    registered face gross net coupon commission reward award bonus tender invest investment recharge guarantee
    deposit margin
    asset property house premium insurance performance collateral fund single valuation estimate income wages pension
    """
)
_ASKING = frozenset({"is", "has", "if", "need", "can", "set"})
_NO_HEADS = words(
    "id date status type flag code way mode method channel result time at no order account_no reason remark name by"
    " state category desc description source url count level seq sn currency purpose use user limit_id rule"
)
_PAID = words("paid repaid repayed settled setl fact rpyd")
_OVERDUE = words(
    "overdue od late penalty fine forfeit breach delinquent delinquency arrears damages default pastdue"
    " writeoff wrtoff"
    " dpd lateness demurrage pnlt chargeoff mulct punish punishment punitive ovrd compound"
)
_LIMIT = words("limit quota lmt creditlimit quato credits limits")
_BALANCE = words(
    "balance remain remaining left surplus outstanding unpaid unrepaid rest await frozen freeze usable use nouse"
    " remainder residual unsettled owing bal tobe wait"
)
_REPAY = words(
    "repay repayment repayed repaid paid due should actualpay schd schedule scheduled planned settle bill instalment"
    " deduct deduction withhold derate reduce reduction waive relief promise remit remission pay payment"
    " payable receivable collect"
    " received plan refund repayable pre_repay"
)
_LOAN = words(
    "loan borrow lend disburse disbursement disbursed contract apply application credited arrive arrival funded"
    " withdraw draw drawdown grant lending financing raised entrusted"
)
_EACH = words("day month daily monthly single per once each quarter")
_EXTREMES = words("day min max minimum maximum lowest most highest least single daily upper lower")
_SPELT = {"int": "interest", "rpy": "repay", "rpymt": "repay", "pnlt": "penalty", "prcp": "principal", "loaned": "loan",
          "borrowed": "borrow", "avl": "available", "usd": "used", "unused": "nouse", "tmp": "temporary",
          "unuse": "nouse", "yesaccount": "account"}  # fmt: skip
AMOUNT_WORDS = _SUMS | _BARE | _NO_SUM | _PAID | _OVERDUE | _LIMIT | _BALANCE | _REPAY | _LOAN | frozenset(_SPELT)
_SIMPLE = frozenset({"decimal", "int", "big", "small"})


def amount_in_name(tokens: Sequence[str], kind: str, topics: frozenset[Topic]) -> NameVerdict | None:
    """Return which loan fact a column of sums holds, None where its name does not tell.

    Args:
        tokens: canonical words of the name.
        kind: class of the column's type, empty where unknown.
        topics: what its table is about.
    """
    if kind not in _SIMPLE and kind:
        return None
    spelt = [_SPELT.get(token, token) for token in tokens if not token.isdecimal()]
    if spelt[:1] == ["pd"] and _SUMS.intersection(spelt):  # else a probability of default
        spelt[0] = "paid"
    said = frozenset(spelt)
    if (
        not spelt
        or spelt[0] in _ASKING
        or said & _NO_SUM
        or spelt[-1] in _NO_HEADS
        or (kind != "decimal" and not said & _SUMS)
    ):
        return None
    if _is_bound(said):
        return NameVerdict(negative=True, rule="bound of a sum")
    pairs = {"".join(pair) for pair in pairwise(spelt)}
    element = _qualified(said | pairs, topics)
    if element is not None:
        return NameVerdict(element, STRONG, rule=f"sum:{'_'.join(spelt)}")
    by_table = _by_table(said, topics) if said <= _BARE else None
    return NameVerdict(by_table, MEDIUM, rule="sum of its table") if by_table is not None else None


def _is_bound(said: frozenset[str]) -> bool:
    """Tell what a product or a rule allows at most or at least from what somebody owes."""
    bounded = bool(said & _EXTREMES) and bool(said & (_LIMIT | _LOAN | {"amount", "money"}))
    each = bool(said & _EACH) and bool(said & {"limit", "quota"}) and not said & {"credit", "loan"}
    return each or (bounded and not said & (_REPAY | _OVERDUE | _PAID))


_Said = frozenset[str] | set[str]
_Topics = frozenset[Topic]
_Claim = Callable[[_Said, _Topics], bool]


_SPENDABLE = frozenset({"available", "usable", "used", "remain", "remaining", "left", "total", "frozen", "temporary"})


def _is_limit(said: _Said, topics: _Topics) -> bool:
    if (
        said & _LIMIT
        or {"credit", "amount"} <= said
        or {"credit", "line"} <= said
        or (said & _SPENDABLE and "credit" in said)
    ):
        return True
    if said & {"approve", "approved", "audit", "audited"} and "amount" in said:
        return True
    spendable = Topic.LIMIT in topics or (Topic.ACCOUNT not in topics and "available" in said)
    return (
        bool(said & {"available", "used", "use", "nouse", "occupied"}) and spendable and not said & {"balance", "bal"}
    )


def _is_balance(said: _Said, topics: _Topics) -> bool:
    if said & _BALANCE:
        return not (said & {"await", "wait"} and "interest" in said)
    return Topic.ACCOUNT in topics and bool(said & {"repay", "available"})


def _is_overdue(said: _Said, topics: _Topics) -> bool:
    if said & _LIMIT and said & {"od", "overdraft"}:
        return False
    return bool(said & _OVERDUE) or "pastdue" in said or (Topic.COLLECTION in topics and bool(said & _ENTRUSTED))


_ENTRUSTED = words("entrust entrusted commission assigned")
# Gravest claim first; the first that holds decides.
_CLAIMS: tuple[tuple[Element, _Claim], ...] = (
    (Element.REPAYMENT, lambda said, _: bool(said & _PAID)),
    (Element.OVERDUE, _is_overdue),
    (Element.CREDIT_LIMIT, _is_limit),
    (Element.BALANCE, _is_balance),
    (Element.REPAYMENT, lambda said, _: bool(said & _REPAY)),
    (Element.LOAN_AMOUNT, lambda said, _: bool(said & _LOAN) and not said & {"fee", "interest", "cost"}),
)


def _qualified(said: _Said, topics: _Topics) -> Element | None:
    if said & _EXTREMES and not said & (_REPAY | _OVERDUE):
        return None
    return next((element for element, holds in _CLAIMS if holds(said, topics)), None)


def _by_table(said: frozenset[str], topics: frozenset[Topic]) -> Element | None:
    if Topic.REPAYMENT in topics:
        return Element.REPAYMENT
    if "interest" in said or topics & {Topic.THING, Topic.HOUSE}:
        return None
    if Topic.LIMIT in topics:
        return Element.CREDIT_LIMIT
    if Topic.LOAN in topics:
        return Element.LOAN_AMOUNT
    if Topic.ACCOUNT in topics and "total" in said:
        return Element.BALANCE
    return None


_ZH_SUM = re.compile(
    r"(?:金额|总额|本金|利息|本息|费用|罚息|罚金|违约金|滞纳金|余额|额度|欠款|款额|合计|总计|复利|累计已还|已还|未还|应还|实还|额|金|款|账龄|天数|期数|月数|费)$"
)
_ZH_TAIL = re.compile(r"[(（\[【,，;；:：、/\s].*$|(?:单位)?[元分]$")
_ZH_NO_SUM = re.compile(
    r"^(?:最小|最大|最低|最高|单笔|单日|起)(?!.*(?:还款|逾期))|率|比例|系数|单价|阈值|上限|下限|面值|价格|注册资[本金]|保证金|佣金|奖励|充值|投资|投标|工资|收入|薪|基数|公积金|押金|担保|待收利息|通话|话费|交易金额|操作金额|评估|最低额|最高额|保费|违约次数|资金[来来]?源|服务费|手续费"
)
_ZH_OVERDUE = re.compile(r"逾期|罚息|罚金|罚款|违约金|滞纳|拖欠|欠息|复利|核销|委案")
_ZH_PAID = re.compile(r"已还|实还|已付|实付|实际还|累计还")
_ZH_LIMIT = re.compile(r"额度|授信|审批金额|审核金额|批复金额|批核|核定")
_ZH_BALANCE = re.compile(r"余额|剩余|未还|待还|待收|可用金额|冻结|未结|在贷|尚欠|未偿|欠款")
_ZH_REPAY = re.compile(r"应还|还款|月供|扣款|减免|结清|代扣|支付金额|应付|回收|回款|补扣|还本|还息|账单金额|每期")
_ZH_LOAN = re.compile(r"借款|贷款|放款|到账|发放|借到|支用|提款|合同金额|申请金额|借据金额|打款|融资")
_ZH_BARE = re.compile(r"(?:总|实际|本次|当前)?(?:金额|总额|本金|利息|总金额|合计)")
_ZH_COUNTED = re.compile(r"(?:天数|期数|月数|账龄)$")


@lru_cache(maxsize=65_536)
def amount_in_comment(comment: str, kind: str, topics: frozenset[Topic]) -> NameVerdict | None:
    """Return which loan fact a comment says that a column of sums holds; parameters as in `amount_in_name`."""
    if kind not in _SIMPLE and kind not in {"", "text"}:
        return None
    clause = _ZH_TAIL.sub("", comment.strip())
    if not _ZH_SUM.search(clause) or _ZH_NO_SUM.search(clause):
        return None
    element = _phrase(clause, topics)
    if element is None or (_ZH_COUNTED.search(clause) and element is not Element.OVERDUE):
        return None
    if clause.endswith("费") and element not in {Element.OVERDUE, Element.REPAYMENT}:
        return None
    strength = MEDIUM if _ZH_BARE.fullmatch(clause) else STRONG
    return NameVerdict(element, strength, rule=f"sum:{clause}" if strength == STRONG else "sum of its table")


def _phrase(clause: str, topics: frozenset[Topic]) -> Element | None:
    if _ZH_BARE.fullmatch(clause):
        return _by_table(
            frozenset({"interest"} if "利息" in clause else {"total"} if "总" in clause else set()), topics
        )
    if Topic.COLLECTION in topics and clause.startswith("委托"):
        return Element.OVERDUE
    found = next((element for pattern, element in _ZH_CLAIMS if pattern.search(clause)), None)
    if found is Element.LOAN_AMOUNT and clause.endswith(("利息", "费", "费用")):
        return None
    return found


_ZH_CLAIMS = (
    (_ZH_PAID, Element.REPAYMENT),
    (_ZH_OVERDUE, Element.OVERDUE),
    (_ZH_LIMIT, Element.CREDIT_LIMIT),
    (_ZH_BALANCE, Element.BALANCE),
    (_ZH_REPAY, Element.REPAYMENT),
    (_ZH_LOAN, Element.LOAN_AMOUNT),
)
