"""Personal data in text: found where it is, with the right offsets, and nothing else."""

import sys

import pytest
from detection_corpus import STRUCTURED, sentences

from kuimen import redact
from kuimen.kernels.detection import Likelihood, detect, explain, likelihood_of
from kuimen.kernels.elements.overlay import FICTITIOUS, PRODUCTION


def found(text: str, *, fictitious: bool = False) -> list[tuple[str, str]]:
    tables = FICTITIOUS if fictitious else PRODUCTION
    return [(str(finding.element), text[finding.start : finding.end]) for finding in detect(text, tables=tables)]


@pytest.mark.clause("CQJR-6.2-b")
def test_structured_data_in_chinese_text_reach_the_floors(capsys: pytest.CaptureFixture[str]) -> None:
    hits = dict.fromkeys(STRUCTURED, 0)
    wrong = dict.fromkeys(STRUCTURED, 0)
    missed = dict.fromkeys(STRUCTURED, 0)
    for sentence in sentences(20_261_122, 3000):
        seen = {
            (str(one.element), one.start, one.end)
            for one in detect(sentence.text, tables=FICTITIOUS, elements=STRUCTURED)
        }
        for element, *_ in seen & sentence.gold:
            hits[element] += 1
        for element, *_ in seen - sentence.gold:
            wrong[element] += 1
        for element, *_ in sentence.gold - seen:
            missed[element] += 1
    for element in STRUCTURED:
        precision = hits[element] / (hits[element] + wrong[element])
        recall = hits[element] / (hits[element] + missed[element])
        with capsys.disabled():
            sys.stdout.write(f"\n{element:12s} P {precision:.4f} R {recall:.4f} n={hits[element] + missed[element]}")
        assert recall >= 0.999, (element, missed)
        assert precision >= 0.995, (element, wrong)


@pytest.mark.parametrize(
    ("text", "element", "datum"),
    [
        ("银行卡4111111111111111已绑定", "bank_card", "4111111111111111"),
        ("身份证11010519491231002X已核验", "resident_id", "11010519491231002X"),
        ("身份证11010519491231002x，", "resident_id", "11010519491231002x"),
        ("身份证１１０１０５１９４９１２３１００２Ｘ", "resident_id", "１１０１０５１９４９１２３１００２Ｘ"),
        ("证件号110105 19491231 002X", "resident_id", "110105 19491231 002X"),
        ("老证件号：110105491231002", "resident_id", "110105491231002"),
        ("手机13812345678号", "mobile", "13812345678"),
        ("😀①手机𝟏𝟑𝟖12345678②𠮷", "mobile", "𝟏𝟑𝟖12345678"),
        ("①13812345678②", "mobile", "13812345678"),
        ("手机138\u200b1234\u200b5678", "mobile", "138\u200b1234\u200b5678"),
        ("请拨打13812345678次日再联系", "mobile", "13812345678"),
        ('{\\"mobile\\":\\"13812345678\\"}', "mobile", "13812345678"),
        ("<mobile>13812345678</mobile>", "mobile", "13812345678"),
        ("tel:+86 138-1234-5678", "mobile", "+86 138-1234-5678"),
        ("卡号：6222 0212 3456 7890 128", "bank_card", "6222 0212 3456 7890 128"),
        ("座机023-61234567转801", "landline", "023-61234567转801"),
        ("客服电话400-123-4567", "landline", "400-123-4567"),
        ("邮箱a.b_c@mail.example.com，", "email", "a.b_c@mail.example.com"),
        ("代码91330100799655058B的企业", "uscc", "91330100799655058B"),
        ("车牌渝AD12345和", "plate", "渝AD12345"),
        ("护照E12345678", "passport", "E12345678"),
        ("香港身份证A123456(3)", "other_certificate", "A123456(3)"),
        ("军官证：军字第12345678号", "other_certificate", "军字第12345678号"),
        ("登录IP：10.2.3.4，", "ip", "10.2.3.4"),
        ("addr=2001:db8:0:1:1:1:1:1 ok", "ip", "2001:db8:0:1:1:1:1:1"),
        ("设备MAC 00:1A:2B:3C:4D:5E在线", "mac", "00:1A:2B:3C:4D:5E"),
        ("IMEI:490154203237518", "imei", "490154203237518"),
        ("定位106.5516, 29.5630附近", "location", "106.5516, 29.5630"),
        ("加微信wxid_abc12345", "wechat", "wxid_abc12345"),
        ("微信号：kuimen_2024", "wechat", "kuimen_2024"),
        ("QQ：123456789", "qq", "123456789"),
        ("登录密码是Abc123!@#，请改", "password", "Abc123!@#"),
        ("password=hunter22&x=1", "password", "hunter22"),
        ("支付密码：135790", "payment_password", "135790"),
        ("您的验证码是482913，5分钟内有效", "sms_code", "482913"),
        ("482913是您的验证码", "sms_code", "482913"),
        ("cvv2=123 exp", "cvn2", "123"),
        ("安全码：456", "cvn2", "456"),
        ("信用卡有效期：08/29", "card_expiry", "08/29"),
        ("二磁道;4111111111111111=2512101123456789?", "track_data", ";4111111111111111=2512101123456789?"),
        ("%B4111111111111111^ZHANG/SAN^2512101000?", "track_data", "%B4111111111111111^ZHANG/SAN^2512101000?"),
        ("accessKey=LTAI5tAbCdEfGhIjKlMnOpQr", "secret_key", "LTAI5tAbCdEfGhIjKlMnOpQr"),
        ("出生日期：1990-01-02", "birth_date", "1990-01-02"),
        ("性别：女", "sex", "女"),
        ("民族：土家族", "ethnicity", "土家族"),
        ("学历：大学本科", "education", "大学本科"),
        ("婚姻状况：已婚", "marital_status", "已婚"),
        ("月收入12000元", "income", "12000元"),
        ("授信额度：50,000.00元", "credit_limit", "50,000.00元"),
        ("逾期天数：32天", "overdue", "32"),
        ("剩余本金：8,800.12", "balance", "8,800.12"),
        ("与借款人关系：配偶", "contact_relation", "配偶"),
        ("联系人：欧阳娜娜，", "person_name", "欧阳娜娜"),
        ("客户张伟来电", "person_name", "张伟"),
        ("请张伟先生尽快还款", "person_name", "张伟"),
        ("姓名：阿卜杜拉·买买提", "person_name", "阿卜杜拉·买买提"),
        ("name=司马明&age=3", "person_name", "司马明"),
        ("userName=zhangsan01 logged in", "user_name", "zhangsan01"),
        ("custName=ZHANG SAN;", "person_name", "ZHANG SAN"),
        ("家住重庆市渝中区人民路1号2栋3单元401室，", "address", "重庆市渝中区人民路1号2栋3单元401室"),
        ("工作单位：重庆江风物流有限公司", "company_name", "重庆江风物流有限公司"),
    ],
)
def test_one_datum_is_found_with_its_offsets(text: str, element: str, datum: str) -> None:
    assert (element, datum) in found(text)


@pytest.mark.parametrize(
    "text",
    [
        "订单号13812345678",
        "金额13812345678元",
        "13812345678.00",
        "已处理13812345678条",
        "身份证110105194912310029",
        "卡号4111111111111112",
        "时间戳1700000000000",
        "20240101120000123",
        "version 1.2.3.4",
        "ORD13812345678A",
        "138****5678",
        "1***************X",
        "密码：******",
        "password=${DB_PASSWORD}",
        "手机号码不能为空",
        "请输入验证码",
        "他在北京市朝阳区开会",
        "南京路很热闹",
        "客户已还款",
        "client: git@github.com:kuimen/kuimen.git",
        "logo@2x.png",
        "score=0.98 limit=100 name=Thread Pool name=风控系统 quota=3",
        "std::vector<int> a::b 12:13:14",
    ],
)
def test_what_only_looks_like_it_is_left_alone(text: str) -> None:
    assert found(text) == []


def test_identities_of_the_overlay_are_nothing_to_production() -> None:
    text = "身份证990121199001010018手机19990000001卡6299990000000000018"
    assert found(text) == []


def test_identity_number_beats_card_on_the_same_digits() -> None:
    assert found("11010119900307109X,110101199003071000") is not None
    both = "证件110101199003070097"
    assert [element for element, _ in found(both)] in (["resident_id"], [])


def test_account_and_one_time_code_in_one_line_rise_to_c3() -> None:
    together = detect("手机13812345678，验证码482913")
    apart = detect("手机13812345678\n验证码482913")
    assert [str(one.category) for one in together] == ["C2", "C3"]
    assert [str(one.category) for one in apart] == ["C2", "C2"]


def test_likelihood_is_what_the_printed_points_add_up_to() -> None:
    for finding in detect("客户手机13812345678，卡号6222021234567890128，邮箱a@example.com"):
        printed = explain(finding.evidence)
        points = sum(int(line.split()[0]) for line in printed.splitlines()[:-1])
        assert printed.endswith(f"= {points} {finding.likelihood}")
        assert likelihood_of(finding.evidence) is finding.likelihood


def test_evidence_never_holds_the_value() -> None:
    for sentence in sentences(5, 300):
        for finding in detect(sentence.text, tables=FICTITIOUS):
            datum = sentence.text[finding.start : finding.end]
            printed = explain(finding.evidence)
            assert len(datum) < 3 or datum not in printed


def test_elements_and_likelihood_narrow_the_result() -> None:
    text = "手机13812345678，邮箱a@example.com，13987654321"
    assert {str(one.element) for one in detect(text, elements=["email"])} == {"email"}
    assert len(detect(text, min_likelihood=Likelihood.LIKELY)) == 2
    assert len(detect(text, min_likelihood="possible")) == 3


def test_redaction_names_the_element_or_masks_the_value() -> None:
    assert redact("手机13812345678，邮箱a@example.com") == "手机<mobile>，邮箱<email>"
    assert redact("手机13812345678，", style="mask") == "手机138****5678，"
    assert redact("手机19990000001", overlay="fictitious") == "手机<mobile>"
    assert redact("手机19990000001") == "手机19990000001"
