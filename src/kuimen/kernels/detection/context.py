"""What stands beside a candidate: the label directly before it, keywords near it, units behind it.

All of this works on folded text and never looks over the end of a line. There are no word boundaries between Chinese
characters and digits, so labels are read backwards from the value.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from kuimen.kernels.detection.evidence import Evidence, EvidenceKind
from kuimen.kernels.detection.naming import MEDIUM, SILENT, WEAK, is_negative_label, read_label_phrase, read_name
from kuimen.kernels.elements.model import Element

_SEPARATORS = frozenset(" \t\"'“”‘’([{<《【「:=>|*#~])】\\")
_COPULAS = frozenset("是为系叫即")
_LIST_MARKS = frozenset("、/和及与")
_MOST_SEPARATORS = 8
_LONGEST_HAN_LABEL = 14
_LONGEST_KEY = 40
_LONGEST_NUMBERED = 10
_LEFT_WINDOW, _RIGHT_WINDOW = 28, 12
# Signs and words of money before a number; a blank, a colon or 为 may stand between.
CURRENCY_SIGNS = (
    "¥", "￥", "$", "€", "rmb", "cny", "人民币", "金额", "共计", "合计", "总计", "总共", "累计", "共有", "共处理",
    "共扫描", "共导入", "共发送", "共推送", "已处理", "已扫描",
)  # fmt: skip
# A unit alone counts only where no word goes on: 13812345678次日 is a call, 13812345678次 a count.
FREE_UNITS = (
    "元", "万元", "亿元", "角", "分钱", "条记录", "条数据", "条消息", "次请求", "次调用", "笔交易", "个文件", "个用户",
    "个字节", "件商品", "人次", "毫秒", "微秒", "字节", "公里", "千克", "%",
)  # fmt: skip
BOUNDED_UNITS = tuple("亿万笔条次个户天股吨件米人台辆套箱册份家亩斤克度瓦秒升页行")
LATIN_UNITS = ("ms", "ns", "us", "KB", "MB", "GB", "bytes", "byte")
_CURRENCY_BEFORE = re.compile(
    f"(?:{'|'.join(map(re.escape, CURRENCY_SIGNS))})[ \t]{{0,2}}[:为]?[ \t]{{0,2}}\\Z", re.IGNORECASE | re.ASCII
)
_UNIT_BEHIND = re.compile(
    f" ?(?:{'|'.join(map(re.escape, FREE_UNITS))}|[{''.join(BOUNDED_UNITS)}](?![\u3400-\u9fff])"
    f"|(?:{'|'.join(LATIN_UNITS)})(?![A-Za-z]))"
)
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_NUMBER_SIGN = re.compile(r"[Nn][Oo]\.?")
_NUMBERED = re.compile(r"([\u3400-\U0010ffff]+)[Nn][Oo]\.?")
_KEY_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.")

# Keys that name the bank and hold the card.
_CARD_KEYS = frozenset({"bank", "card", "pan", "debit", "credit_card", "creditcard", "payee_card", "payer_card"})
# Labels of words, not of numbers: 公司13812345678 is the number of whoever is there.
_OF_WORDS = frozenset(
    {
        Element.PERSON_NAME, Element.ADDRESS, Element.COMPANY_NAME, Element.OCCUPATION, Element.SEX, Element.EDUCATION,
        Element.NATIONALITY, Element.ETHNICITY, Element.MARITAL_STATUS, Element.CONTACT_RELATION, Element.PHOTO_IMAGE,
        Element.BIOMETRIC, Element.CALL_RECORD, Element.CREDIT_REPORT, Element.FREE_TEXT, Element.LOCATION,
    }
)  # fmt: skip
# 机号, 话号, 小号, 新号, 我号: before 号 or 码 these leave a number a number to call or to pay to.
_OWNERS_OF_NUMBERS = frozenset(
    "机话叫电同小新旧老大换主副本靓微信帐账呼来联系预留原备用我的她他您你卡证册税记个这那此本该其空死有加拨打通"
)
_NUMBERED_THINGS = (
    "保单", "票据", "支票", "汇票", "合同", "发票", "工单", "订单", "运单", "快递", "流水", "凭证", "回执", "车票",
    "机票", "彩票", "优惠券", "房产证", "产权证", "学籍", "社保", "医保", "主键", "公积金", "案件", "卷宗", "批文",
)  # fmt: skip
_COUNTING_ENDS = frozenset("数量额价率距值第")
_COUNTING_WORDS = (
    "价格",
    "距离",
    "人口",
    "里程",
    "面积",
    "长度",
    "高度",
    "重量",
    "体积",
    "索引",
    "构建",
    "指标",
    "税费",
)

# Elements that one label can mean; a value of one under the label of another is still in place.
_FAMILIES = (
    frozenset({Element.MOBILE, Element.LANDLINE}),
    frozenset({Element.BANK_CARD, Element.ACCOUNT_NUMBER}),
    frozenset({Element.RESIDENT_ID, Element.PASSPORT, Element.OTHER_CERTIFICATE}),
    frozenset({Element.DEVICE_ID, Element.IMEI, Element.MAC}),
    frozenset({Element.USER_NAME, Element.MOBILE, Element.EMAIL, Element.ACCOUNT_NUMBER, Element.WECHAT}),
)
# Words near a number that has no label; ASCII ones in lower case.
KEYWORDS: Mapping[Element, tuple[str, ...]] = {
    Element.RESIDENT_ID: (
        "身份证", "证件号", "公民身份", "idcard", "id_card", "id card", "id-card", "idno", "identity", "sfz",
    ),
    Element.MOBILE: (
        "手机", "电话", "联系方式", "致电", "拨打", "来电", "回电", "短信", "呼叫", "接通", "外呼", "mobile", "phone",
        "contact", "sms",
    ),
    Element.LANDLINE: ("电话", "座机", "固话", "传真", "热线", "phone", "fax"),
    Element.BANK_CARD: (
        "卡", "账号", "帐号", "账户", "银行", "工行", "农行", "中行", "建行", "交行", "招行", "邮储", "扣款", "代扣",
        "转账", "转出", "转入", "转至", "转到", "划转", "汇款", "打款", "收款", "付款", "提现", "充值", "尾号", "card",
        "acct", "account", "visa",
    ),
    Element.IMEI: ("imei", "串号", "meid"),
    Element.USCC: (
        "信用代码", "营业执照", "税号", "纳税人", "uscc", "credit code", "creditcode", "credit_code", "企业", "公司",
    ),
    Element.PASSPORT: ("护照", "passport"),
    Element.OTHER_CERTIFICATE: (
        "通行证", "回乡证", "台胞证", "居住证", "永久居留", "永居", "军官证", "警官证", "士兵证", "permit", "hkid",
    ),
    Element.PLATE: ("车牌", "号牌", "车辆", "plate"),
}  # fmt: skip
_KEYWORD_PATTERNS = {
    element: re.compile("|".join(map(re.escape, terms)), re.IGNORECASE | re.ASCII)
    for element, terms in KEYWORDS.items()
}


@dataclass(frozen=True, slots=True)
class Label:
    """The label before a value: what it names, and whether it announces something else."""

    element: Element | None = None
    strength: int = 0
    negative: bool = False


NO_LABEL = Label()


def same_family(one: Element, other: Element) -> bool:
    """Tell whether two elements go by the same labels."""
    return one is other or any(one in family and other in family for family in _FAMILIES)


def label_before(text: str, start: int) -> Label:
    """Read the label that ends directly before `start`, over separators, a copula and a list of earlier values."""
    position = _skip_separators(text, start)
    if position and text[position - 1] in _COPULAS:
        position = _skip_separators(text, position - 1)
    for _ in range(4):
        earlier = _skip_list_item(text, position)
        if earlier == position:
            break
        position = _skip_separators(text, earlier)
    if position == 0:
        return NO_LABEL
    begin = _label_begins(text, position)
    return read_raw_label(text[begin:position]) if begin < position else NO_LABEL


def _label_begins(text: str, position: int) -> int:
    """Return where the key or the Chinese words begin that end at `position`; there, where neither ends."""
    last, begin = text[position - 1], position
    if last in _KEY_LETTERS:
        floor = max(0, position - _LONGEST_KEY)
        while begin > floor and text[begin - 1] in _KEY_LETTERS:
            begin -= 1
        if _NUMBER_SIGN.fullmatch(text, begin, position):  # 联系电话No.: what is numbered stands before it
            floor = max(0, begin - _LONGEST_NUMBERED)
            while begin > floor and text[begin - 1] >= "\u3400":
                begin -= 1
    elif last >= "\u3400":
        floor = max(0, position - _LONGEST_HAN_LABEL)
        while begin > floor and (text[begin - 1] >= "\u3400" or text[begin - 1] in _LETTERS):
            begin -= 1
    return begin


def _skip_separators(text: str, position: int) -> int:
    floor = max(0, position - _MOST_SEPARATORS)
    while position > floor and text[position - 1] in _SEPARATORS:
        position -= 1
    return position


def _skip_list_item(text: str, position: int) -> int:
    """Step back over `13800000000、` so that the second number of a list has the label of the first."""
    if not position or text[position - 1] not in _LIST_MARKS:
        return position
    item = position - 1
    floor = max(0, item - 24)
    while item > floor and text[item - 1] in _KEY_LETTERS:
        item -= 1
    return item if item < position - 1 and any(letter.isdigit() for letter in text[item : position - 1]) else position


@lru_cache(maxsize=32_768)
def read_raw_label(label: str) -> Label:
    """Read the Chinese words or the ASCII key that stand before a value."""
    numbered = _NUMBERED.fullmatch(label)
    verdict = read_label_phrase(numbered[1]) if numbered else SILENT
    if not numbered and label[-1] in _KEY_LETTERS:
        key = label.strip(".-")
        if not key or key[0].isdigit():
            return NO_LABEL
        if key.lower() in _CARD_KEYS:
            return Label(Element.BANK_CARD, MEDIUM - 1)
        verdict = read_name(key.rpartition(".")[2])
    elif not numbered:
        verdict = read_label_phrase(label)
    if verdict.element is not None and verdict.strength:
        return Label(verdict.element, verdict.strength)
    negative = verdict.negative or is_negative_label(label)
    if label.endswith("代码") and not negative:
        return Label(Element.USCC, WEAK)
    numbers_others = numbered is not None or label.lower() == "no." or announces_another_number(label)
    return Label(negative=negative or numbers_others)


def for_numbers(label: Label) -> Label:
    """Return what a label says of a number: one that announces words says nothing."""
    return NO_LABEL if label.element in _OF_WORDS else label


def announces_another_number(label: str) -> bool:
    """Tell whether a Chinese label that no vocabulary knows still says that a count, a price or a serial follows.

    构建号, 单价, 下载量, 识别码, 第 announce something else; 手机号, 他的号, 号码 leave the number what it is.
    """
    stem = label.removesuffix("号码").removesuffix("号")
    if stem.endswith(_NUMBERED_THINGS):
        return True
    last = label[-1:]
    if last == "单":
        return not label.endswith(("名单", "清单"))
    if last == "号":
        return label[-2:-1] >= "\u3400" and label[-2:-1] not in _OWNERS_OF_NUMBERS
    if last == "码":
        return not label.endswith("号码")
    return last in _COUNTING_ENDS or label.endswith(_COUNTING_WORDS)


def judge(element: Element, text: str, start: int, end: int) -> tuple[Evidence, ...]:
    """Return what label, keywords and units say about a candidate number."""
    label = for_numbers(label_before(text, start))
    if label.negative:
        return (Evidence(EvidenceKind.NEGATIVE_CONTEXT, "label names another number", -4),)
    if label.element is element:
        return (Evidence(EvidenceKind.LABEL, f"label:{element}", 3 if label.strength >= MEDIUM else 2),)
    if label.element is not None and same_family(label.element, element):
        return (Evidence(EvidenceKind.LABEL, f"label:{label.element}", 2),)
    if _UNIT_BEHIND.match(text, end) or _CURRENCY_BEFORE.search(text, max(0, start - 8), start):
        return (Evidence(EvidenceKind.NEGATIVE_CONTEXT, "amount or count", -4),)
    if label.element is not None:
        return (Evidence(EvidenceKind.NEGATIVE_CONTEXT, f"label:{label.element}", -2),)
    return _keywords_near(element, text, start, end)


def _keywords_near(element: Element, text: str, start: int, end: int) -> tuple[Evidence, ...]:
    pattern = _KEYWORD_PATTERNS.get(element)
    if pattern is None:
        return ()
    left = max(text.rfind("\n", max(0, start - _LEFT_WINDOW), start) + 1, start - _LEFT_WINDOW, 0)
    if pattern.search(text, left, start):
        return (Evidence(EvidenceKind.CONTEXT_LEFT, f"keyword:{element}", 2),)
    line_end = text.find("\n", end, end + _RIGHT_WINDOW)
    right = end + _RIGHT_WINDOW if line_end < 0 else line_end
    if pattern.search(text, end, min(right, len(text))):
        return (Evidence(EvidenceKind.CONTEXT_RIGHT, f"keyword:{element}", 1),)
    return ()
