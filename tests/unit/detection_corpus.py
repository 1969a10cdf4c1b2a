"""Sentences of a lender with marked data, made here: impossible identities, hard negatives, no public corpus."""

from dataclasses import dataclass
from random import Random

from kuimen.kernels.elements.fictitious import FictitiousIdentity, make_identity

STRUCTURED = ("resident_id", "mobile", "bank_card", "email", "uscc")

TEMPLATES = (
    "客户{person_name}（身份证{resident_id}）于今日致电，预留手机{mobile}，要求修改还款卡{bank_card}。",
    "身份证号码{resident_id}已核验通过",
    "银行卡{bank_card}已绑定，验证短信发送至{mobile}",
    "{mobile}来电称其{bank_card}的卡被扣款两次",
    "请将电子账单发到{email}谢谢",
    "联系方式：{mobile}/{email}",
    "借款人手机号{mobile}身份证{resident_id}银行卡{bank_card}均与预留信息一致",
    "经查{resident_id}名下有一笔逾期",
    "单位统一社会信用代码{employer_uscc}经营异常",
    "纳税人识别号：{employer_uscc}，联系电话：{mobile}",
    '{{"custName":"{person_name}","idNo":"{resident_id}","mobile":"{mobile}","cardNo":"{bank_card}"}}',
    "2024-05-06 12:13:14.567 INFO c.k.Repay - orderNo={order20} mobile={mobile} amount={amount} cost=23ms",
    "mobile={mobile}&idCard={resident_id}&orderId={order18}&ts={millis}",
    "订单号{order18}金额{amount}元，付款卡号{bank_card}",
    "流水号{order19}于{stamp14}成功，客户手机{mobile}",
    "工单{order16}：客户{mobile}反馈无法登录",
    "客户手机号为{mobile_spaced}，卡号为{card_spaced}",
    "身份证：{id_wide}，手机：{mobile_wide}",
    "【{resident_id}】,【{mobile}】,【{bank_card}】",
    "{person_name},{sex},{resident_id},{mobile},{bank_card},{email},{address}",
    "手机{mobile}、{mobile2}均无人接听",
    "+86{mobile3}已停机",
    "请拨打{mobile}联系{person_name}本人",
    "邮箱{email}和{email2}都可以",
    "客户提供的新卡{bank_card}与{card2}不属同一人",
    "尾款打到{bank_card}（工行）",
    "对方用{mobile}加我微信",
    "IDCARD:{id_lower},TEL:{mobile}",
    "\t{resident_id}\t{mobile}\t{bank_card}\t",
    "回拨{mobile}，无人接听；再拨{mobile2}，接通",
)
NEGATIVES = (
    "订单号{order18}已发货",
    "订单编号：{order19}，请及时付款",
    "交易流水{order20}处理成功",
    "流水号{order16}",
    "支付流水号{order11}",
    "快递单号{order13}，运单号{order12}",
    "批次号{stamp14}",
    "时间戳{millis}，微秒{micros}，纳秒{nanos}",
    "合同编号HT{order18}",
    "放款金额{big_amount}元",
    "累计放款{order11}.00元",
    "总金额¥{order11}",
    "序列号SN{order16}，批号{order15x}",
    "traceId={hex32} spanId={hex16}",
    "uuid=550e8400-e29b-41d4-a716-{order12}",
    "版本号1.2.3.4，端口8080",
    "凭证号{order18}，借据号{order19}",
    "orderNo={order18} tradeNo={order20} seq={order11} requestId={order19}",
    "错误的身份证{id_bad}不予受理",
    "卡号校验失败：{card_bad}",
    "共处理{order11}条记录",
    "文件大小{order11}字节",
    "保单号{order17}，发票号码{order8}",
    "商户号{order15}终端号{order8}",
    "git@github.com:kuimen/kuimen.git logo@2x.png",
    "客户编号{order10}，机构编号{order9}",
    "坐标(3.{order11}, 0.{order15})",
    "内部编号：{order18}。",
    "msgId:{order19},offset:{order11},len:{order8}",
)


@dataclass(frozen=True, slots=True)
class Sentence:
    text: str
    gold: frozenset[tuple[str, int, int]]


def _digits(rng: Random, count: int) -> str:
    return str(rng.randrange(1, 10)) + "".join(str(rng.randrange(10)) for _ in range(count - 1))


def _wide(text: str) -> str:
    return "".join(chr(ord(letter) + 0xFEE0) for letter in text)


def _grouped(text: str, sizes: tuple[int, ...], separator: str) -> str:
    parts, position = [], 0
    for size in sizes:
        parts.append(text[position : position + size])
        position += size
    parts.append(text[position:])
    return separator.join(part for part in parts if part)


def _changed(text: str, rng: Random) -> str:
    place = rng.randrange(7, len(text) - 1)
    digit = str((int(text[place]) + 1 + rng.randrange(8)) % 10)
    return text[:place] + digit + text[place + 1 :]


def _fillings(rng: Random, person: FictitiousIdentity, other: FictitiousIdentity) -> dict[str, tuple[str, str | None]]:
    values: dict[str, tuple[str, str | None]] = {
        "person_name": (person.person_name, None),
        "sex": (person.sex, None),
        "address": (person.address, None),
        "resident_id": (person.resident_id, "resident_id"),
        "id_lower": (person.resident_id.lower(), "resident_id"),
        "id_wide": (_wide(person.resident_id), "resident_id"),
        "mobile": (person.mobile, "mobile"),
        "mobile2": (other.mobile, "mobile"),
        "mobile3": (person.mobile, None),
        "mobile_spaced": (_grouped(person.mobile, (3, 4), rng.choice("- ")), "mobile"),
        "mobile_wide": (_wide(person.mobile), "mobile"),
        "bank_card": (person.bank_card, "bank_card"),
        "card2": (other.bank_card, "bank_card"),
        "card_spaced": (_grouped(person.bank_card, (4, 4, 4, 4), " "), "bank_card"),
        "email": (person.email, "email"),
        "email2": (other.email, "email"),
        "employer_uscc": (person.employer_uscc, "uscc"),
        "id_bad": (_changed(person.resident_id, rng), None),
        "card_bad": (_changed(person.bank_card, rng), None),
        "amount": (f"{rng.randrange(1, 10**6)}.{rng.randrange(100):02d}", None),
        "big_amount": (_digits(rng, 11), None),
        "millis": (str(1_600_000_000_000 + rng.randrange(10**11)), None),
        "micros": (str(1_600_000_000_000_000 + rng.randrange(10**14)), None),
        "nanos": (str(1_600_000_000_000_000_000 + rng.randrange(10**17)), None),
        "stamp14": (f"2024{rng.randrange(1, 13):02d}{rng.randrange(1, 29):02d}{rng.randrange(10**6):06d}", None),
        "hex32": (f"{rng.getrandbits(128):032x}", None),
        "hex16": (f"{rng.getrandbits(64):016x}", None),
        "order15x": (_digits(rng, 14) + "K", None),
    }
    values |= {f"order{count}": (_digits(rng, count), None) for count in range(8, 21)}
    if rng.random() < 0.5:
        values["order11"] = ("1" + rng.choice("3456789") + _digits(rng, 9), None)
    return values


def _fill(template: str, fillings: dict[str, tuple[str, str | None]]) -> Sentence:
    parts: list[str] = []
    gold: set[tuple[str, int, int]] = set()
    position, length = 0, 0
    while position < len(template):
        letter = template[position]
        if letter in "{}" and template[position : position + 2] == letter * 2:
            parts.append(letter)
            position, length = position + 2, length + 1
        elif letter == "{":
            end = template.index("}", position)
            name = template[position + 1 : end]
            value, element = fillings[name]
            begin = length - 3 if name == "mobile3" else length
            if element or name == "mobile3":
                gold.add((element or "mobile", begin, length + len(value)))
            parts.append(value)
            position, length = end + 1, length + len(value)
        else:
            parts.append(letter)
            position, length = position + 1, length + 1
    return Sentence("".join(parts), frozenset(gold))


def sentences(seed: int, count: int) -> list[Sentence]:
    """Return `count` sentences, two in five of them without any datum."""
    rng = Random(seed)
    made = []
    for index in range(count):
        person, other = make_identity(rng, index), make_identity(rng, index + count)
        template = rng.choice(NEGATIVES) if rng.random() < 0.4 else rng.choice(TEMPLATES)
        made.append(_fill(template, _fillings(rng, person, other)))
    return made
