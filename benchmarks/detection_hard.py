"""Hard cases of structured data, put together from parts: spellings of a datum, what may stand before and behind it,
and numbers that are none. A development set: the rules were mended with it, so its figures flatter.

Each text is drawn anew from its seed, so thousands differ in every part. All identities are impossible.
"""

from collections.abc import Callable, Mapping
from random import Random

from benchmarks.detection_sentences import STRUCTURED, Sentence, _parted, _wide
from kuimen.kernels.elements.checks import luhn_check_digit, resident_id_check_digit
from kuimen.kernels.elements.fictitious import make_identity

_BEFORE = (
    "", "客户来电：", "[INFO] ", "2026-03-04 05:06:07.123 INFO c.k.A - ", "备注", "😀", "“", "(", "【", "；", ",", "|",
    "\t", "*", "了解到", "您好，", "ERROR user not found ", "request body: ", "1、", "①", "　", "<td>", "\\n", "#",
)  # fmt: skip
_BEHIND = (
    "", ",", "，", "。", "；", "已核验", "已绑定", "的客户", "）", ")", "】", "”", "|x", "\t1", "&a=1", "😀", "请核实",
    "/", "\n", "!", "?", "后续", "失败", "没有", "；金额100.00", "</a>", "\\n", ";", "等", "、",
)  # fmt: skip
_LABELS: Mapping[str, tuple[str, ...]] = {
    "resident_id": (
        "", "", "身份证", "身份证号", "身份证号码：", "证件号码:", "公民身份号码为", "idNo=", "id_card: ",
        '"certNo":"', "ID NO.", "sfzh=", "证件：", '\\"idNo\\":\\"',
    ),
    "mobile": (
        "", "", "手机", "手机号：", "联系电话", "电话是", "致电", "mobile=", "phone:", '"tel":"', "Tel.", "联系方式：",
        "预留手机号为", "微信同号", "呼叫", "号码", "我的号", "联系电话No.", '\\"mobile\\":\\"',
    ),
    "bank_card": (
        "", "", "卡号", "银行卡", "储蓄卡号：", "cardNo=", "尾号变更，新卡", "收款账号:", "打到", "转入", "扣款卡",
        '"bankCard":"', "信用卡", "建行卡", "工资卡", "PAN ",
    ),
    "email": (
        "", "", "邮箱", "email=", "E-mail:", "发到", "请回复", "联系", "mailto:", "抄送：",
        "https://a.example/reset?to=", '"email":"',
    ),
    "uscc": (
        "", "", "统一社会信用代码", "信用代码：", "税号", "纳税人识别号:", "营业执照", "uscc=", "甲方代码",
        "开票信息：", "creditCode:",
    ),
}  # fmt: skip
_FORMS: Mapping[str, tuple[Callable[[Random, str], str], ...]] = {
    "resident_id": (
        lambda _, one: one,
        lambda _, one: one,
        lambda _, one: one.lower(),
        lambda _, one: _wide(one),
        lambda rng, one: _parted(one, (6, 8), rng.choice(" -")),
    ),
    "mobile": (
        lambda _, one: one,
        lambda _, one: one,
        lambda rng, one: rng.choice(("+86", "0086", "86", "+86 ", "0086 ", "+86-", "0086-", "86-", "(+86)")) + one,
        lambda rng, one: _parted(one, (3, 4), rng.choice(" -")),
        lambda _, one: f"+86 {_parted(one, (3, 4), ' ')}",
        lambda _, one: _wide(one),
    ),
    "bank_card": (
        lambda _, one: one,
        lambda _, one: one,
        lambda rng, one: _parted(one, (4, 4, 4, 4), rng.choice(" -")),
        lambda _, one: _wide(one),
    ),
    "email": (lambda _, one: one, lambda _, one: one, lambda _, one: one.upper(), lambda _, one: _wide(one)),
    "uscc": (lambda _, one: one, lambda _, one: one, lambda _, one: one.lower(), lambda _, one: _wide(one)),
}
_DATUM = {"bank_card": "bank_card", "uscc": "employer_uscc"}
_ORDERS = (
    "订单号", "订单编号：", "orderNo=", "order_id:", "流水号", "交易流水：", "借据号", "合同编号", "运单号",
    "快递单号：", "serialNo=", "批次号", "SN:", "工单", "traceId=", "requestId:", "bizNo=", "外部单号", "退款单号",
    "保单号", "凭证号", "发票号码", "商户单号", "transId=", "消息ID：", "msgid=", "seq=", "任务号", "支付单",
    "资产编号", "设备编号", "案件编号", "out_trade_no=", '"orderSn":"', "txn=", "单号", "编号No.", "No.",
)  # fmt: skip
# {n12} digits, {h8} hexadecimal ones, {p} eleven like a mobile, {order} a label of orders, {luhn19} a number that
# passes the check of cards, {stamp} a day, {id_date} {id_area} {id_sum} an identity that cannot be.
_NEGATIVES = """
{order}{luhn19}
{order}{luhn16}
{order}{stamp}{n8}
{order}{id_date}
{order}{id_area}
序列{id_date}
编码{id_area}
{id_date}
身份证{id_sum}校验失败
时间戳{seconds}
ts={millis}
timestamp: {micros}
createTime={nanos}
at {millis}
cost={n5}ms offset={n11} size={p}
金额{p}元
余额{p}.00元
放款{p}.50
￥{p}
price={p}
共处理{p}条
累计{p}笔
扫描{p}个文件
长度{p}字节
快递SF{n13}
快递YT{n13}
快递JDVA{n11}
圆通快递{p}
顺丰单号{p}{n2}
sha256:{h64}
md5={h32}
commit {h40}
uuid={h8}-{h4}-{h4}-{h4}-{h12}
hash={h8}{p}{h5}
192.168.{n2}.{n2}:{n5} -> 10.0.0.1:{n5}
version {n1}.{n2}.{n3}.{n6} build {stamp}{n6}
ISBN 978{n10}
条码69{n11}
圆周率3.{n15}
0.{n16} 1.{n11}
uid={n19}
memberId={n10}
IMEI {imei}
ICCID 8986{n16}
IMSI 46000{n10}
138****{n4} 622202******{n4} 510101********{n4}
{p}abc
{p}KB
SN{p}
ab{p}
{p}{n3}
user@localhost git@host:team/x.git @张三 a@b icon@2x.png
npm i react@18.2.0 lodash@4.17.21
postgresql://app:secret@db.internal.example/loan
批号{h18}
key={h24}
坐标 116.{n6},39.{n6} 海拔{n3}
2026-03-1{n1} 12:34:56.{n3}
{n12}.00
学号{n10}，准考证号{n12}
房号{n4}-{n4}-{n4}-{n4}室
许可证 {n4}-{n4}-{n4}-{n4}-{n4}
激活码{h4}-{h4}-{h4}-{h4}-{h4}
案号（2026）渝01民初{n5}号
端口{n5} pid={n6} tid={n15}
第{p}号
{stamp}{n9}
/api/v1/orders/{n16}?page=1
""".strip().split("\n")


def hard(seed: int, per_element: int) -> list[Sentence]:
    """Return texts with one datum each, as many for every element, and as many texts without any."""
    rng = Random(seed)  # noqa: S311 - the same texts on every run
    texts = [_with_datum(rng, element, number) for number in range(per_element) for element in STRUCTURED]
    return texts + [
        Sentence(rng.choice(_BEFORE) + _number(rng, rng.choice(_NEGATIVES)) + rng.choice(_BEHIND), frozenset())
        for _ in range(per_element * 2)
    ]


def _with_datum(rng: Random, element: str, number: int) -> Sentence:
    person = make_identity(rng, number % 90_000)
    datum = rng.choice(_FORMS[element])(rng, getattr(person, _DATUM.get(element, element)))
    before, label, behind = rng.choice(_BEFORE), rng.choice(_LABELS[element]), rng.choice(_BEHIND)
    if not label and before[-1:].isascii() and before[-1:].isalnum():
        before += " "
    quote = '\\"' if label.endswith('\\"') else '"' if label.endswith('"') else ""
    start = len(before) + len(label)
    text = before + label + datum + quote + behind
    return Sentence(text, frozenset({(element, start, start + len(datum))}))


def _number(rng: Random, template: str) -> str:
    parts = template.split("{")
    return parts[0] + "".join(_value(rng, name) + rest for name, _, rest in (part.partition("}") for part in parts[1:]))


def _value(rng: Random, name: str) -> str:
    made = _NAMED.get(name)
    if made is not None:
        return made(rng)
    count = int(name[1:])
    if name[0] == "h":
        return f"{rng.getrandbits(4 * count):0{count}x}"
    return str(rng.randrange(1, 10)) + "".join(rng.choice("0123456789") for _ in range(count - 1))


def _luhn(rng: Random, length: int, start: str) -> str:
    body = start + "".join(rng.choice("0123456789") for _ in range(length - 1 - len(start)))
    return body + luhn_check_digit(body)


def _identity(rng: Random, area: str, born: str) -> str:
    body = f"{area}{born}{rng.randrange(1000):03d}"
    return body + resident_id_check_digit(body)


def _spoilt(rng: Random) -> str:
    whole = make_identity(rng, rng.randrange(90_000)).resident_id
    return whole[:17] + rng.choice([digit for digit in "0123456789" if digit != whole[17]])


_NAMED: Mapping[str, Callable[[Random], str]] = {
    "order": lambda rng: rng.choice(_ORDERS),
    "p": lambda rng: "1" + rng.choice("3456789") + _value(rng, "n9"),
    "luhn19": lambda rng: _luhn(rng, 19, rng.choice(("62", "2026", "88", "10", "9"))),
    "luhn16": lambda rng: _luhn(rng, 16, rng.choice(("62", "2026", "4", "5", "88"))),
    "imei": lambda rng: _luhn(rng, 15, "86"),
    "stamp": lambda rng: f"2026{rng.randrange(1, 13):02d}{rng.randrange(1, 29):02d}",
    "seconds": lambda rng: str(rng.randrange(1_500_000_000, 1_900_000_000)),
    "millis": lambda rng: str(rng.randrange(1_500_000_000_000, 1_900_000_000_000)),
    "micros": lambda rng: str(rng.randrange(15 * 10**14, 19 * 10**14)),
    "nanos": lambda rng: str(rng.randrange(15 * 10**17, 19 * 10**17)),
    "id_date": lambda rng: _identity(
        rng, "510101", f"{rng.choice((1750, 2150, 9999))}{rng.randrange(13, 99):02d}{rng.randrange(32, 99):02d}"
    ),
    "id_area": lambda rng: _identity(
        rng, f"{rng.choice(('00', '09', '16', '24', '38', '55', '66', '77'))}0101", "19900101"
    ),
    "id_sum": _spoilt,
}
