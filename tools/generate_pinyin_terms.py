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
    "jg": Element.ADDRESS,
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
QUALIFIERS = "客户 用户 借款人 申请人 联系人 担保人 配偶 法人 个人 本人 紧急联系人 共同借款人 员工 会员 父亲 母亲 银行 还款 收款 付款 现 家庭 单位 户籍 主 次 原 新 预留 绑定 注册"  # noqa: E501


def initials_of(term: str) -> str:
    """Return the first letters of the reading."""
    return "".join(lazy_pinyin(term, style=Style.FIRST_LETTER))


def reading_of(term: str) -> str:
    """Return the whole reading without tones."""
    return "".join(lazy_pinyin(term, v_to_u=False)).replace("ü", "v")


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
