"""What a table is about, read from its name: in its company a bare column name (`amount`, `code`) means something."""

import re
from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise

from kuimen.kernels.detection.naming import split_identifier
from kuimen.kernels.detection.spellings import canonical
from kuimen.kernels.elements.words import words


class Topic(StrEnum):
    """What a table holds; one table may have several topics."""

    PERSON = "person"
    IDENTITY = "identity"
    CARD = "card"
    LOAN = "loan"
    REPAYMENT = "repayment"
    LIMIT = "limit"
    ACCOUNT = "account"
    WORK = "work"
    MESSAGE = "message"
    CONTACT = "contact"
    CALL = "call"
    SCORE = "score"
    DEVICE = "device"
    LOGIN = "login"
    COLLECTION = "collection"
    HOUSE = "house"
    PAYOUT = "payout"
    SESSION = "session"
    THING = "thing"


_TOKENS: Mapping[Topic, frozenset[str]] = {
    Topic.PERSON: words(
        """
        customer user usr member client person people borrower staff employee emp guarantor applicant personal party
        kh yh jkr ygxx khxx yhxx grxx customers users clients members persons debtor pty agent collector operator
        borrowers applicants spouse family individual indv
        """
    ),
    Topic.IDENTITY: words("idcard identity ocr realname cert certificate identify sfz shiming"),
    Topic.CARD: words("card cards bankcard bankcards crd yhk bank banks yhkxx"),
    Topic.LOAN: words("loan loans borrow borrows borrower lend lending jk dk jj jieju daikuan jiekuan iou duebill ln"),
    Topic.REPAYMENT: words(
        "repay repayment repays repayments repayed bill bills plan plans schedule schd instalment instalments hk hkjh"
        " hkmx hkls huankuan repayplan rpy pay payment payments deduct withhold"
    ),
    Topic.LIMIT: words("quota limit credit crdt sx sxed ed lines limits quotas"),
    Topic.ACCOUNT: words("account accounts wallet fund balance zhanghu acct"),
    Topic.WORK: words("work job company unit employer occupation career profession"),
    Topic.MESSAGE: words("sms vcode verify captcha smscode duanxin"),
    Topic.CONTACT: words(
        "contact contacts linkman phonebook emergency lxr addressbook relation relatives txl guarantor"
    ),
    Topic.CALL: words("call calls voice voices callrecord talk thjl"),
    Topic.SCORE: words("zhima sesame zm score tongdun zmxy fico"),
    Topic.DEVICE: words("device devices equipment terminal dev gps lbs"),
    Topic.LOGIN: words("admin admins administrator user users login sysuser member manager"),
    Topic.COLLECTION: words("collect collection urge cuishou dunning outsource oc cs entrust case cases"),
    # What belongs to the institution itself.
    Topic.HOUSE: words("site website config setting settings branch organization dept department store shop platform"),
    Topic.SESSION: words("session sessions token tokens"),
    Topic.PAYOUT: words("cash withdraw withdrawal payout disbursement fangkuan tx fk"),
    # What has a name and is no person.
    Topic.THING: words(
        """
        channel product prod goods rule rules role roles menu dict dictionary template tpl coupon activity tag label
        job queue task model strategy category banner article notice param parameter permission resource city area
        region province district country plan batch file column columns table tables class module interface api app
        version news message
        """
    ),
}
TOPIC_WORDS = frozenset[str]().union(*_TOKENS.values())
_HAN_WORDS: Mapping[Topic, tuple[str, ...]] = {
    Topic.PERSON: ("客户", "用户", "会员", "员工", "人员", "担保人", "借款人"),
    Topic.IDENTITY: ("身份", "实名", "证件"),
    Topic.CARD: ("银行卡", "信用卡", "绑卡"),
    Topic.LOAN: ("借款", "贷款", "借据", "放款"),
    Topic.REPAYMENT: ("还款", "账单", "扣款"),
    Topic.LIMIT: ("额度", "授信"),
    Topic.ACCOUNT: ("账户", "资金"),
    Topic.WORK: ("工作", "单位", "职业"),
    Topic.MESSAGE: ("短信", "验证码"),
    Topic.CONTACT: ("联系人", "通讯录"),
    Topic.CALL: ("通话",),
    Topic.SCORE: ("芝麻", "评分"),
    Topic.DEVICE: ("设备",),
    Topic.COLLECTION: ("催收", "委外"),
    Topic.HOUSE: ("机构", "网点", "门店", "配置", "站点"),
    Topic.THING: ("产品", "规则", "渠道", "字典", "菜单", "模板", "角色"),
}
_HAN = re.compile(r"[\u3400-\u9fff]")


@lru_cache(maxsize=8192)
def topics_of(table: str) -> frozenset[Topic]:
    """Return what the name of a table says that it holds; empty where it says nothing."""
    if not table:
        return frozenset()
    tokens = split_identifier(table)
    spelled = {*tokens, *map(canonical, tokens), *("".join(pair) for pair in pairwise(tokens))}
    found = {topic for topic, vocabulary in _TOKENS.items() if vocabulary & spelled}
    if _HAN.search(table):
        found |= {topic for topic, terms in _HAN_WORDS.items() if any(term in table for term in terms)}
    return frozenset(found)
