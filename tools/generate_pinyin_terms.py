"""Write kernels/detection/terms_pinyin.py from terms_zh.py, or check that it is up to date.

python tools/generate_pinyin_terms.py            write
python tools/generate_pinyin_terms.py --check    exit 1 when the file differs

Column names of Chinese systems are often the first letters of the Mandarin reading (`sfzh`) or the whole of it
(`shenfenzheng`). pypinyin reads the terms here, once; the kernel only looks up.
"""

import sys
from collections import defaultdict
from pathlib import Path

from pypinyin import Style, lazy_pinyin

from kuimen.kernels.detection.terms_zh import ZH_NEGATIVE_LABELS, ZH_NEGATIVE_TAILS, ZH_TERMS
from kuimen.kernels.elements.model import Element

TARGET = Path(__file__).resolve().parent.parent / "src/kuimen/kernels/detection/terms_pinyin.py"
SHORTEST_INITIALS = 3
LONGEST_READING = 5  # nobody writes more syllables out
WIDTH = 115

# Two letters mean too much to be generated; these are read in practice, and only when something else agrees.
TWO_LETTERS = {
    "xm": Element.PERSON_NAME,
    "xb": Element.SEX,
    "mz": Element.ETHNICITY,
    "dh": Element.MOBILE,
    "sj": Element.MOBILE,
    "dz": Element.ADDRESS,
    "zz": Element.ADDRESS,
    "zh": Element.ACCOUNT_NUMBER,
    "kh": Element.BANK_CARD,
    "hm": Element.PERSON_NAME,
    "mm": Element.PASSWORD,
    "ye": Element.BALANCE,
    "ed": Element.CREDIT_LIMIT,
    "bj": Element.LOAN_AMOUNT,
    "xl": Element.EDUCATION,
    "zy": Element.OCCUPATION,
    "zw": Element.OCCUPATION,
    "gj": Element.NATIONALITY,
    "yx": Element.EMAIL,
    "sr": Element.INCOME,
    "gz": Element.INCOME,
    "gx": Element.CONTACT_RELATION,
    "jd": Element.LOCATION,
    "wd": Element.LOCATION,
    "dw": Element.COMPANY_NAME,
    "yq": Element.OVERDUE,
}
# Initials that a spoken abbreviation has and no written term gives, or whose reading is contested.
SPOKEN = {
    "zjhm": Element.RESIDENT_ID,
    "zjh": Element.RESIDENT_ID,
    "sfz": Element.RESIDENT_ID,
    "sfzh": Element.RESIDENT_ID,
    "sfzhm": Element.RESIDENT_ID,
    "gmsfhm": Element.RESIDENT_ID,
    "sfhm": Element.RESIDENT_ID,
    "sbh": Element.DEVICE_ID,
    "lxrdw": Element.COMPANY_NAME,
    "sfzjh": Element.RESIDENT_ID,
    "sfzjhm": Element.RESIDENT_ID,
    "khxm": Element.PERSON_NAME,
    "khmc": Element.PERSON_NAME,
    "xjzdz": Element.ADDRESS,
    "jzdz": Element.ADDRESS,
    "xjz": Element.ADDRESS,
    "xzz": Element.ADDRESS,
    "jtzz": Element.ADDRESS,
    "jtdz": Element.ADDRESS,
    "hjdz": Element.ADDRESS,
    "hkdz": Element.ADDRESS,
    "csny": Element.BIRTH_DATE,
    "csrq": Element.BIRTH_DATE,
    "gzdw": Element.COMPANY_NAME,
    "dwmc": Element.COMPANY_NAME,
    "dwdh": Element.LANDLINE,
    "dwdz": Element.ADDRESS,
    "hyzk": Element.MARITAL_STATUS,
    "hyzt": Element.MARITAL_STATUS,
    "whcd": Element.EDUCATION,
    "zgxl": Element.EDUCATION,
    "yddh": Element.MOBILE,
    "sjhm": Element.MOBILE,
    "sjh": Element.MOBILE,
    "lxdh": Element.MOBILE,
    "lxfs": Element.MOBILE,
    "yhkh": Element.BANK_CARD,
    "yhzh": Element.ACCOUNT_NUMBER,
    "skzh": Element.ACCOUNT_NUMBER,
    "jyzh": Element.ACCOUNT_NUMBER,
    "dfzh": Element.ACCOUNT_NUMBER,
    "cph": Element.PLATE,
    "cphm": Element.PLATE,
    "dkye": Element.BALANCE,
    "zhye": Element.BALANCE,
    "dkje": Element.LOAN_AMOUNT,
    "jkje": Element.LOAN_AMOUNT,
    "hkje": Element.REPAYMENT,
    "yqts": Element.OVERDUE,
    "yqje": Element.OVERDUE,
    "sxed": Element.CREDIT_LIMIT,
    "ysr": Element.INCOME,
    "nsr": Element.INCOME,
}
# Whose, which: what may stand before a term.
QUALIFIERS = "债务人 主借人 保证人 抵押人 出借人 贷款人 投资人 收货人 收件人 代办人 经办人 受益人 投保人 被保人 卡主 房主 亲属 朋友 同事 子女 父亲 母亲 法定代表人 操作员 催收员 推荐人 最后 最近 承诺 本次 上次 首次 登录 注册 申请 常用 备用 工作 公司 现居 第一 第二 客户 用户 借款人 申请人 联系人 担保人 配偶 法人 个人 本人 紧急联系人 共同借款人 员工 会员 父亲 母亲 银行 还款 收款 付款 现 家庭 单位 户籍 主 次 原 新 预留 绑定 注册"  # noqa: E501


# Sums are named by composition: what happened to the money, then what money it is.
SUMS = {
    Element.REPAYMENT: (
        """
        应还 实还 已还 还款 应收 实收 已收 当期应还 本期应还 承诺还款 最后还款 累计还款 每月还款 月还款 每期还款 扣款
        代扣 减免 结清 提前还款 计划还款 已归还 应归还 实际还款 最低还款 回收 月供
        """,
        "金额 本金 利息 本息 总额 款额 额 罚息 费用",
    ),
    Element.OVERDUE: (
        "逾期 拖欠 欠款 欠 当前逾期 累计逾期 核销 不良 委案 最大逾期 历史逾期 连续逾期",
        "金额 本金 利息 本息 总额 天数 期数 余额 罚息 费用",
    ),
    Element.BALANCE: (
        "剩余 待还 未还 剩余未还 待收 可用 冻结 账户 贷款 借款 当前 未偿 在贷 存款 钱包 正常 总",
        "余额 剩余本金 未还本金 待还本金",
    ),
    Element.CREDIT_LIMIT: (
        "授信 可用 已用 剩余 总 审批 批复 信用 临时 固定 循环 最高 初始 冻结 借款 贷款 当前 预授信 用户 客户 个人 最终",
        "额度",
    ),
    Element.LOAN_AMOUNT: (
        "贷款 借款 放款 合同 发放 到账 实际到账 实际放款 申请 申请借款 支用 提款 借据 打款 融资 授信申请",
        "金额 本金 总额",
    ),
}
MORE_SUMS = {
    Element.BALANCE: "剩余金额 待还金额 未还金额 冻结金额 可用金额 待收金额 剩余应还 剩余本息 剩余未还",
    Element.REPAYMENT: "应还款额 应还款 实还款 已还款 还款总额 月还款额 月供 回款",
    Element.OVERDUE: "表内欠息 表外欠息 欠息 欠息金额 罚金 罚息金额 违约金额 滞纳金金额 复利 逾期利罚",
}
# Readings that pypinyin takes for the other one.
SPOKEN_OTHERWISE = {"还": "huan"}


def initials_of(term: str) -> str:
    """Return the first letters of the reading."""
    return "".join(lazy_pinyin(term, style=Style.FIRST_LETTER))


def reading_of(term: str) -> str:
    """Return the whole reading without tones."""
    spoken = [
        SPOKEN_OTHERWISE.get(letter) or lazy for letter, lazy in zip(term, lazy_pinyin(term, v_to_u=False), strict=True)
    ]
    return "".join(spoken).replace("ü", "v")


def sums() -> dict[Element, set[str]]:
    """Return the composed names of sums."""
    composed = {
        element: {f"{what}{money}" for what in before.split() for money in behind.split()}
        for element, (before, behind) in SUMS.items()
    }
    return {element: terms | set(MORE_SUMS.get(element, "").split()) for element, terms in composed.items()}


def is_han(term: str) -> bool:
    """Tell whether a term is written in Chinese characters only."""
    return all("\u4e00" <= letter <= "\u9fff" for letter in term)


def collect() -> dict[str, Element]:
    """Return abbreviation or reading to element; what two elements share is left out."""
    owners: dict[str, set[Element]] = defaultdict(set)
    for element, terms in ZH_TERMS.items():
        for term in filter(is_han, terms):
            if len(term) <= LONGEST_READING:
                owners[reading_of(term)].add(element)
            if len(term) >= SHORTEST_INITIALS:
                owners[initials_of(term)].add(element)
    listed = set(owners)
    for element, terms in sums().items():
        for term in terms:
            for key in (initials_of(term), reading_of(term)):
                if len(key) > SHORTEST_INITIALS and key not in listed:
                    owners[key].add(element)
    known = {key: next(iter(elements)) for key, elements in owners.items() if len(elements) == 1}
    return {**known, **TWO_LETTERS, **SPOKEN}


def negatives(terms: frozenset[str], *, shortest: int) -> set[str]:
    """Return initials of phrases that are no personal datum."""
    return {initials_of(term) for term in terms if is_han(term) and len(term) >= shortest}


def block(name: str, keys: list[str]) -> list[str]:
    """Return the lines of one constant of words."""
    lines, line = [f"{name} = words(", '    """'], "   "
    for key in keys:
        if len(line) + 1 + len(key) > WIDTH:
            lines.append(line)
            line = "   "
        line += " " + key
    return [*lines, line, '    """,', ")", ""]


def render() -> str:
    """Return the source text of the module."""
    terms = collect()
    by_element: dict[Element, list[str]] = defaultdict(list)
    for key in sorted(terms):
        by_element[terms[key]].append(key)
    lines = [
        '"""First letters and readings of the Chinese terms.',
        "",
        "Generated by tools/generate_pinyin_terms.py from terms_zh.py; do not edit.",
        '"""',
        "",
        "from kuimen.kernels.elements.model import Element",
        "from kuimen.kernels.elements.words import words",
        "",
        "_READINGS = {",
    ]
    for element in Element:
        if element in by_element:
            lines += [f"    Element.{element.name}: words(", '        """']
            lines += ["    " + line for line in block("", by_element[element])[2:-3]]
            lines += ['        """,', "    ),"]
    lines += ["}", "PINYIN_TERMS = {key: element for element, keys in _READINGS.items() for key in keys}", ""]
    lines += block(
        "PINYIN_QUALIFIERS", sorted({f(term) for term in QUALIFIERS.split() for f in (initials_of, reading_of)})
    )
    lines += block("PINYIN_NEGATIVE_TAILS", sorted(negatives(ZH_NEGATIVE_TAILS, shortest=2) - set(terms)))
    lines += block("PINYIN_NEGATIVE_LABELS", sorted(negatives(ZH_NEGATIVE_LABELS, shortest=3) - set(terms)))
    return "\n".join(lines)


def main() -> int:
    """Write the file, or with --check tell whether it is up to date."""
    text = render()
    if "--check" in sys.argv[1:]:
        return 0 if TARGET.read_text(encoding="utf-8") == text else 1
    TARGET.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
