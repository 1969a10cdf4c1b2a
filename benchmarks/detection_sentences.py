"""Sentences with marked data for the benchmark: one set to develop on, another, never looked at, frozen by its hash.

The sets share no template, no negative and no seed. All identities are impossible (overlay `fictitious`). A set is the
same on every run: it is made of its seed, its templates and the code of `kernels.elements.fictitious`.
"""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from kuimen.kernels.elements.fictitious import FictitiousIdentity, make_identity

STRUCTURED = ("resident_id", "mobile", "bank_card", "email", "uscc")
# Of held_out(4000); written before the detector saw one of its sentences.
HELD_OUT_HASH = "8af6facecb5150308c09807733046b6ab84b2f5caf2f05d1e3083fc2fa6fd85b"

DEVELOPMENT = """
客户{resident_id}于昨日申请提前结清，回访号码{mobile}
代扣失败：{bank_card}余额不足，已短信通知{mobile}
账单寄往{email}，抄送{email}
开票单位税号{uscc}，经办人{mobile}
{"certNo":"{resident_id}","mobileNo":"{mobile}","acctNo":"{bank_card}"}
cust|{resident_id}|{mobile}|{bank_card}|{email}
重复进件：证件{resident_id}与手机{mobile}已存在
张经理您好，我这边{mobile}打不通，麻烦换个号{mobile}再试试
本人（公民身份号码{resident_id}）授权贵司查询征信
请核对：开户证件{resident_id}；收款卡{bank_card}；通知手机{mobile}。
经核实，{mobile}为空号；备用联系电话为{mobile}，邮箱{email}
退款将原路退回至您尾号不变的卡片{bank_card}，预计3个工作日到账
甲方统一社会信用代码：{uscc}　乙方身份证：{resident_id}
[2026-03-04T05:06:07.089+08:00] WARN  risk-engine — blacklist hit: {"mobile": "{mobile}", "idcard": "{resident_id}"}
2026/03/04 05:06:07 [error] 77#77: *1043 upstream timed out, request: "POST /v3/sms?phone={mobile}&tpl=9 HTTP/1.1"
Mar  4 05:06:07 app-3 loan[2211]: bind ok user=u_{digits8} card={bank_card} bank=ICBC
payload={'id_no': '{resident_id}', 'phone': '{mobile}', 'cards': ['{bank_card}', '{bank_card}']}
<req><certId>{resident_id}</certId><tel>{mobile}</tel><payCard>{bank_card}</payCard></req>
{digits6},王某,男,{resident_id},{mobile},{bank_card},{email},{amount},2026-01-02
"{resident_id}","{mobile}","{bank_card}","{uscc}"
{mobile}{tab}{resident_id}{tab}{amount}{tab}{bank_card}
UPDATE t_customer SET phone='{mobile}', email='{email}' WHERE id_card='{resident_id}' LIMIT 1;
手机：{mobile_wide}　身份证：{id_wide}　银行卡：{card_wide}
客户身份证{id_lower}（小写x），手机{mobile_spaced}，卡{card_spaced}
😀收到！卡是{bank_card}😂，电话{mobile}👌
𠮷野先生{mobile}来电，称{email}收不到账单
催收员备注：{mobile}系其配偶，{mobile}系其同事，均拒接
法定代表人证件号{resident_id}，企业代码{uscc}，对公联系人{mobile}
身份证{resident_id}银行卡{bank_card}手机{mobile}邮箱{email}
向{bank_card}转账{amount}元，附言：还{mobile}的款
您的新手机号{mobile}将在24小时后生效，如非本人操作请致电
to={email} subject=账单 phone={mobile}
contact:{email}/{mobile}
原卡{bank_card}已注销，改用{bank_card}扣款
【{mobile}】【{resident_id}】【{bank_card}】
（{uscc}）
证件类型=身份证;证件号码={resident_id};联系方式={mobile};
致：{email}；抄送：{email}；主题：催告函
小额贷款公司({uscc})与借款人({resident_id})签订本合同
查询结果: idNo -> {resident_id}, mobile -> {mobile}
主叫{mobile}，被叫{mobile}，时长{digits3}秒
key:{digits8}|phone:{mobile}|card:{bank_card}|ts:{millis}
{plus86}已加入拒接名单
拨打 {plus86_spaced} 无人接听
"""
DEVELOPMENT_NEGATIVES = """
放款流水{digits19}入账成功
订单{digits16}超时未支付，{millis}关闭
借据编号：{digits18}，金额{amount}元
设备SN{digits15}，固件{digits8}
traceId={hex32} cost={digits4}ms
您的订单{digits18}已由快递{digits13}送出
外部订单号{digits19}，渠道流水{digits20}，批次{stamp14}
"orderSn":"{digits16}","payTime":{millis},"amt":{amount}
退款单：{digits17}；原交易参考号：{digits12}
结算批次号{stamp17}共{digits11}笔，合计{amount}元
保单号码{digits18}、批单号{digits15}均已失效
服务器时间{micros}，序列{digits19}
[INFO] seq={digits11} offset={digits10} lag={digits5} txId={hex32}
GET /api/v2/orders/{digits16}?ts={millis}&nonce={digits8} 200 {digits4}
uuid={hex8}-{hex4}-{hex4}-{hex4}-{hex12}
固定资产编号{digits15}，购置价{amount}元，SN {digits14}
合同{digits18}号项下本金{amount}元
总额{phone_like}.00元，平均{digits6}.50元
共扫描{phone_like}条记录，命中{digits5}条
流水号:{phone_like}
工单编号{phone_like}已关闭
文件长度{phone_like}字节
证件号{id_bad}校验位错误
卡号{card_bad}未通过校验
信用代码{uscc_bad}格式有误
已脱敏：{mobile_masked}、{id_masked}、{card_masked}
商户号{digits15}终端{digits8}授权码{digits6}
发票代码{digits12}发票号码{digits8}
ISBN 978{digits10}，条码69{digits11}
user@localhost 登录失败；git@host:team/app.git 拉取成功
logo@2x.png 与 icon@3x.jpg 已上传
版本 10.2.3.4 发布，构建号{digits10}
坐标系转换参数 {digits3}.{digits11}
学号{digits10}，准考证号{digits12}
圆周率3.{digits18}，自然常数2.{digits16}
"""

HELD_OUT = """
这是我老婆电话{mobile}，我的是{mobile}，打她的吧
麻烦把合同发我邮箱哈 {email}
身份证号我发你：{resident_id}
卡在这 {bank_card} 你看对不对
户名欧阳某某，账号{bank_card}，开户行某某支行，金额{amount}
{resident_id}　{mobile}　{bank_card}
借款人证件号码为{resident_id}，共同借款人证件号码为{resident_id}
供应商「{uscc}」已入库，对账联系 {mobile}
纳税识别号 {uscc}　电子发票接收邮箱 {email}
{"a":1,"list":[{"tel":"{mobile}"},{"tel":"{mobile}"}],"pan":"{bank_card}"}
{"event":"kyc","data":{"identityNo":"{resident_id}","contactPhone":"{mobile}","email":"{email}"},"ts":{millis}}
identityNo={resident_id}&contactPhone={mobile}&bankAccount={bank_card}&orderNo={digits18}
I0304 05:06:07.000089 77 sms.go:42] sent tpl=7 to={mobile} msgid={digits19}
level=info ts=2026-03-04T05:06:07Z caller=pay.go:9 msg="debit ok" card={bank_card} order={digits16} amt={amount}
2026-03-04 05:06:07.089 [main] ERROR o.s.jdbc - Duplicate entry '{resident_id}' for key 'uk_id_no'
DETAIL:  Key (mobile)=({mobile}) already exists.
<Phone type="m">{mobile}</Phone><Email>{email}</Email>
{digits4};{mobile};{resident_id};{email};{bank_card};{uscc};Y
|{mobile}|{resident_id}|{digits16}|{bank_card}|
姓名,身份证,手机,卡号\n某某,{resident_id},{mobile},{bank_card}
'{resident_id}','{mobile}','{bank_card}'
号码{mobile_wide}、证件{id_wide}
账户{card_wide}扣款失败
客户要求把预留手机由{mobile}改成{mobile}
按{mobile}查询不到，按{resident_id}可以查到
邮件已退信：{email}（用户不存在）
联系不上：{mobile}关机，{mobile}无应答，{email}未回复
还款人{bank_card}（{mobile}）部分还款{amount}元
受托支付至{bank_card}，用途：装修
☎{mobile}　✉{email}
😂{resident_id}😂
𠮷{mobile}𠮷
投诉人电话：{mobile_spaced}；涉诉卡：{card_spaced}
短信：【某贷】{mobile}用户您好，您尾号的卡{bank_card}将于明日扣款
保证人{resident_id}承担连带责任
单位：某某有限公司（{uscc}），HR电话{mobile}
{plus86}，{plus86_spaced}
{email}、{email}、{email}
"""
HELD_OUT_NEGATIVES = """
本期账单编号{digits18}，应还{amount}元
包裹{digits13}已签收，运费险保单{digits16}
"bizNo":"{digits19}","reqId":"{hex32}","cost":{digits4}
serialNo={digits18}&batchNo={stamp14}&sign={hex32}
入账流水{digits19}，记账日期{digits8}
任务{digits17}在{millis}完成，处理{phone_like}条
资金归集金额{phone_like}元
平台优惠合计￥{phone_like}
机器码{hex16}，许可证编号{digits15}
设备出厂编号{digits15}；批号{digits11}
span={hex16} parent={hex16} start={micros}
INFO heap used={digits10} committed={digits10} max={digits11}
案号（2026）渝01民初{digits5}号，卷宗{digits14}
不动产单元号{digits18}
快件单号YT{digits13}
票据号{digits20}到期
错误：身份证{id_bad}、卡{card_bad}、信用代码{uscc_bad}
脱敏展示 {mobile_masked} {id_masked} {card_masked}
订阅号ID gh_{hex12}，文章{digits10}
下载次数{phone_like}次，浏览量{phone_like}
物料编码{digits16}，仓位{digits5}
0.{digits16} 1.{digits11} -{digits11}.5
{stamp17}{digits3}
host=10.0.0.1:8080 port={digits5} seq={digits11}
a@b c@d @某人 @{digits6}
"""
_PLACE = re.compile(r"\{([a-z]+[a-z0-9_]*)\}")


@dataclass(frozen=True, slots=True)
class Sentence:
    text: str
    gold: frozenset[tuple[str, int, int]]


def _digits(rng: Random, count: int) -> str:
    return str(rng.randrange(1, 10)) + "".join(rng.choice("0123456789") for _ in range(count - 1))


def _wide(text: str) -> str:
    return "".join(chr(ord(letter) + 0xFEE0) for letter in text)


def _parted(text: str, widths: tuple[int, ...], sign: str) -> str:
    parts, position = [], 0
    for width in widths:
        parts.append(text[position : position + width])
        position += width
    return sign.join(part for part in (*parts, text[position:]) if part)


def _spoilt(rng: Random, text: str, place: int) -> str:
    wrong = rng.choice([digit for digit in "0123456789" if digit != text[place]])
    return text[:place] + wrong + text[place + 1 :]


_DATA: dict[str, tuple[str, Callable[[Random, FictitiousIdentity], str]]] = {
    "resident_id": ("resident_id", lambda _, one: one.resident_id),
    "id_lower": ("resident_id", lambda _, one: one.resident_id.lower()),
    "id_wide": ("resident_id", lambda _, one: _wide(one.resident_id)),
    "mobile": ("mobile", lambda _, one: one.mobile),
    "mobile_wide": ("mobile", lambda _, one: _wide(one.mobile)),
    "mobile_spaced": ("mobile", lambda rng, one: _parted(one.mobile, (3, 4), rng.choice(" -"))),
    "plus86": ("mobile", lambda _, one: f"+86{one.mobile}"),
    "plus86_spaced": ("mobile", lambda _, one: f"+86 {one.mobile}"),
    "bank_card": ("bank_card", lambda _, one: one.bank_card),
    "card_wide": ("bank_card", lambda _, one: _wide(one.bank_card)),
    "card_spaced": ("bank_card", lambda _, one: _parted(one.bank_card, (4, 4, 4, 4), " ")),
    "email": ("email", lambda _, one: one.email),
    "uscc": ("uscc", lambda _, one: one.employer_uscc),
}
_OTHERS: dict[str, Callable[[Random, FictitiousIdentity], str]] = {
    "tab": lambda _, __: "\t",
    "amount": lambda rng, _: f"{rng.randrange(1, 10**7)}.{rng.randrange(100):02d}",
    "millis": lambda rng, _: str(1_600_000_000_000 + rng.randrange(10**11)),
    "micros": lambda rng, _: str(1_600_000_000_000_000 + rng.randrange(10**14)),
    "stamp14": lambda rng, _: f"2026{rng.randrange(1, 13):02d}{rng.randrange(1, 29):02d}{rng.randrange(10**6):06d}",
    "stamp17": lambda rng, _: f"2026{rng.randrange(1, 13):02d}{rng.randrange(1, 29):02d}{rng.randrange(10**9):09d}",
    "phone_like": lambda rng, _: "1" + rng.choice("3456789") + _digits(rng, 9),
    "id_bad": lambda rng, one: _spoilt(rng, one.resident_id, rng.randrange(14, 17)),
    "card_bad": lambda rng, one: _spoilt(rng, one.bank_card, len(one.bank_card) - 1),
    "uscc_bad": lambda rng, one: _spoilt(rng, one.employer_uscc, rng.randrange(2, 8)),
    "mobile_masked": lambda _, one: f"{one.mobile[:3]}****{one.mobile[7:]}",
    "id_masked": lambda _, one: f"{one.resident_id[:6]}********{one.resident_id[14:]}",
    "card_masked": lambda _, one: f"{one.bank_card[:4]} **** **** {one.bank_card[-4:]}",
}


def _fill(rng: Random, template: str, number: int) -> Sentence:
    parts: list[str] = []
    gold: set[tuple[str, int, int]] = set()
    position = length = 0
    for people, match in enumerate(_PLACE.finditer(template)):
        name = match[1]
        person = make_identity(rng, (number * 4 + people) % 90_000)
        parts.append(template[position : match.start()])
        length += len(parts[-1])
        position = match.end()
        if name in _DATA:
            element, make = _DATA[name]
            value = make(rng, person)
            gold.add((element, length, length + len(value)))
        elif name in _OTHERS:
            value = _OTHERS[name](rng, person)
        elif name.startswith("hex"):
            value = f"{rng.getrandbits(4 * int(name[3:])):0{name[3:]}x}"
        else:
            value = _digits(rng, int(name.removeprefix("digits")))
        parts.append(value)
        length += len(value)
    return Sentence("".join(parts) + template[position:], frozenset(gold))


def _made(seed: int, count: int, templates: str, negatives: str) -> list[Sentence]:
    rng = Random(seed)  # noqa: S311 - the same sentences on every run
    positive, negative = templates.strip().split("\n"), negatives.strip().split("\n")
    return [
        _fill(rng, rng.choice(negative) if rng.random() < 0.4 else rng.choice(positive), number)
        for number in range(count)
    ]


def development(count: int) -> list[Sentence]:
    return _made(1_106, count, DEVELOPMENT, DEVELOPMENT_NEGATIVES)


def held_out(count: int) -> list[Sentence]:
    return _made(77_003, count, HELD_OUT, HELD_OUT_NEGATIVES)


def hash_of(sentences: list[Sentence]) -> str:
    digest = hashlib.sha256()
    for one in sentences:
        digest.update(f"{one.text}\x00{sorted(one.gold)}\n".encode())
    return digest.hexdigest()
