"""Columns of lenders that never were: pinyin, English and abbreviated schemas with what each column holds.

Fields of a line: name | comment | type | element (empty for none) | kind of value. Written from knowledge of how such
systems are named; no public schema was opened for it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from kuimen.kernels.elements.fictitious import FictitiousIdentity, make_identity

SCHEMA = {
    "kh_jbxx": """
        khbh|客户编号|varchar(32)||serial
        khxm|客户姓名|varchar(60)|person_name|name
        zjlx|证件类型|varchar(2)||code
        zjhm|证件号码|varchar(30)|resident_id|id
        zjyxq|证件有效期|date||soon
        xb|性别|char(1)|sex|sex
        mz|民族|varchar(20)|ethnicity|ethnicity
        csrq|出生日期|date|birth_date|birth
        gj|国籍|varchar(10)|nationality|nation
        hyzk|婚姻状况|varchar(10)|marital_status|marital
        whcd|文化程度|varchar(10)|education|education
        sjhm|手机号码|varchar(20)|mobile|mobile
        jtdh|家庭电话|varchar(20)|landline|landline
        dwdh|单位电话|varchar(20)|landline|landline
        dzyx|电子邮箱|varchar(60)|email|email
        jtzz|家庭住址|varchar(200)|address|address
        hjdz|户籍地址|varchar(200)|address|address
        gzdw|工作单位|varchar(120)|company_name|firm
        dwdz|单位地址|varchar(200)|address|address
        zy|职业|varchar(20)|occupation|occupation
        zw|职务|varchar(20)|occupation|occupation
        ysr|月收入|decimal(12,2)|income|amount
        khzt|客户状态|char(1)||code
        khjl|客户经理号|varchar(20)||serial
        cjsj|创建时间|datetime||recent
        gxsj|更新时间|datetime||recent
        bz|备注|varchar(500)||remark
    """,
    "lxr_xx": """
        lxrxm|联系人姓名|varchar(60)|person_name|name
        lxrsjh|联系人手机号|varchar(20)|mobile|mobile
        lxrgx|联系人关系|varchar(10)|contact_relation|relation
        lxrzjhm|联系人证件号码|varchar(30)|resident_id|id
        lxrdz|联系人地址|varchar(200)|address|address
        lxrlx|联系人类型代码|char(2)||code
    """,
    "dk_jjb": """
        jjh|借据号|varchar(32)||serial
        hth|合同号|varchar(32)||serial
        khh|客户号|varchar(32)||serial
        dkje|贷款金额|decimal(16,2)|loan_amount|amount
        dkye|贷款余额|decimal(16,2)|balance|amount
        dkll|贷款利率|decimal(8,6)||rate
        dkqx|贷款期限|int||small
        dkzt|贷款状态|char(2)||code
        yqts|逾期天数|int|overdue|days
        yqbj|逾期本金|decimal(16,2)|overdue|amount
        fkrq|放款日期|date||recent
        dqrq|到期日期|date||soon
        hkfs|还款方式|char(2)||code
        hkzh|还款账号|varchar(32)|account_number|account
        skyhkh|收款银行卡号|varchar(32)|bank_card|card
        khhmc|开户行名称|varchar(120)||bank
        yhje|应还金额|decimal(16,2)|repayment|amount
    """,
    "cust_info": """
        id|主键|bigint||key
        cust_id|客户ID|varchar(32)||serial
        cust_nm|客户名称|varchar(60)|person_name|name
        cert_typ|证件类型|varchar(4)||code
        cert_no|证件号码|varchar(32)|resident_id|id
        mob_no|手机号|varchar(16)|mobile|mobile
        tel_no|联系电话|varchar(20)|mobile|mobile
        email_addr|邮箱|varchar(64)|email|email
        gender|性别|tinyint|sex|sexcode
        birth_dt|生日|date|birth_date|birth
        nation|民族|varchar(16)|ethnicity|ethnicity
        edu_lvl|学历|varchar(8)|education|education
        marr_sts|婚姻状态|varchar(8)|marital_status|marital
        home_addr|住址|varchar(256)|address|address
        corp_name|单位名称|varchar(128)|company_name|firm
        corp_addr|单位地址|varchar(256)|address|address
        corp_tel|单位电话|varchar(20)|landline|landline
        occup|职业|varchar(16)|occupation|occupation
        mth_incm|月收入|decimal(14,2)|income|amount
        cust_lvl|客户等级|varchar(4)||code
        cust_sts|客户状态|varchar(4)||code
        risk_scr|风险评分|int|credit_score|score
        crt_tm|创建时间|timestamp||recent
        upd_by|更新人|varchar(32)||serial
        is_blacklist|是否黑名单|tinyint(1)||flag
        reg_channel|注册渠道|varchar(16)||code
        remark1|备用字段1|varchar(200)||remark
        remark2|备用字段2|varchar(200)|mobile|mobile
    """,
    "user_account": """
        uid|用户ID|bigint||key
        login_name|登录名|varchar(64)|user_name|login
        login_pwd|登录密码|varchar(128)|password|hash
        pay_pwd|支付密码|varchar(128)|payment_password|hash
        pwd_salt|密码盐|varchar(32)|secret_key|hex
        mobile|手机号|bigint|mobile|mobileint
        mobile_verified|手机是否验证|tinyint(1)||flag
        phone_status|手机状态|char(1)||code
        email|邮箱|varchar(64)|email|email
        email_bind_time|邮箱绑定时间|datetime||recent
        nick_name|昵称|varchar(64)|user_name|login
        avatar_url|头像|varchar(256)|photo_image|image
        wechat_no|微信号|varchar(64)|wechat|wechat
        qq|QQ号|varchar(16)|qq|qq
        last_login_ip|最近登录IP|varchar(40)|ip|ip
        last_login_time|最近登录时间|datetime||recent
        login_count|登录次数|int||small
        device_id|设备号|varchar(64)|device_id|device
        imei|IMEI|varchar(20)|imei|imei
        mac_addr|MAC地址|varchar(20)|mac|mac
        state|状态|char(1)||code
        address|地址|varchar(255)|address|address
        version|乐观锁|int||small
    """,
    "bank_card_bind": """
        card_no|银行卡号|varchar(32)|bank_card|card
        card_type|卡类型|char(1)||code
        bank_code|银行编码|varchar(8)||code
        bank_name|银行名称|varchar(64)||bank
        branch_name|支行名称|varchar(128)||bank
        card_holder|持卡人|varchar(64)|person_name|name
        reserve_mobile|预留手机号|varchar(16)|mobile|mobile
        cvv2|安全码|varchar(4)|cvn2|cvn
        exp_date|卡有效期|varchar(5)|card_expiry|expiry
        id_card|身份证号|varchar(18)|resident_id|id
        bind_status|绑定状态|tinyint||flag
        bind_time|绑定时间|datetime||recent
        track_info|磁道信息|varchar(256)|track_data|track
        is_default|是否默认|tinyint(1)||flag
        single_limit|单笔限额|decimal(12,2)||amount
    """,
    "loan_order": """
        order_no|订单号|varchar(32)||order18
        loan_amt|借款金额|decimal(12,2)|loan_amount|amount
        apply_amt|申请金额|decimal(12,2)|loan_amount|amount
        approve_amt|审批金额|decimal(12,2)|credit_limit|amount
        credit_limit|授信额度|decimal(12,2)|credit_limit|amount
        avail_limit|可用额度|decimal(12,2)|credit_limit|amount
        loan_bal|借款余额|decimal(12,2)|balance|amount
        term|期数|int||small
        day_rate|日利率|decimal(8,6)||rate
        repay_amt|还款金额|decimal(12,2)|repayment|amount
        due_amt|应还金额|decimal(12,2)|repayment|amount
        paid_prin|已还本金|decimal(12,2)|repayment|amount
        overdue_days|逾期天数|int|overdue|days
        overdue_amt|逾期金额|decimal(12,2)|overdue|amount
        overdue_flag|逾期标志|char(1)||flag
        penalty_amt|罚息|decimal(12,2)|overdue|amount
        loan_status|贷款状态|varchar(8)||code
        loan_type|贷款类型|varchar(8)||code
        repay_type|还款方式|varchar(8)||code
        repay_date|还款日期|date||soon
        purpose|借款用途|varchar(64)||purpose
        product_name|产品名称|varchar(64)||product
        acct_no|放款账号|varchar(32)|account_number|account
        apply_ip|申请IP|varchar(40)|ip|ip
        gps_lng|经度|varchar(20)|location|lng
        gps_lat|纬度|varchar(20)|location|lat
        contract_no|合同编号|varchar(64)||order18
        trade_no|交易流水号|varchar(32)||order19
    """,
    "customer": """
        name|姓名|varchar(64)|person_name|name
        sex|性别|varchar(8)|sex|sex
        nationality|国籍|varchar(16)|nationality|nation
        certno|证件号|varchar(32)|resident_id|id
        passport_no|护照号|varchar(16)|passport|passport
        cellphone|手机|varchar(16)|mobile|mobile
        familyAddress|家庭地址|varchar(255)|address|address
        companyName|公司名称|varchar(128)|company_name|firm
        jobTitle|职位|varchar(64)|occupation|occupation
        monthlyIncome|月收入|decimal(10,2)|income|amount
        educationLevel|教育程度|varchar(16)|education|education
        maritalStatus|婚姻状况|varchar(16)|marital_status|marital
        creditScore|信用评分|int|credit_score|score
        idCardFrontUrl|身份证正面|varchar(255)|photo_image|image
        facePhoto|人脸照片|varchar(255)|photo_image|image
        faceFeature|人脸特征值|text|biometric|base64
        plateNo|车牌号|varchar(12)|plate|plate
        uscc|统一社会信用代码|varchar(18)|uscc|uscc
        createTime|创建时间|datetime||recent
        delFlag|删除标志|char(1)||flag
        tenantId|租户|bigint||key
        extJson|扩展信息|json|free_text|json
    """,
    "collection_case": """
        case_no|案件号|varchar(32)||order18
        debtor_name|债务人姓名|varchar(64)|person_name|name
        debtor_phone|债务人电话|varchar(20)|mobile|mobile
        contact1_name|联系人1姓名|varchar(64)|person_name|name
        contact1_phone|联系人1电话|varchar(20)|mobile|mobile
        contact1_relation|联系人1关系|varchar(16)|contact_relation|relation
        collector|催收员|varchar(64)|person_name|name
        case_note|催收记录|text|free_text|note
        record_url|录音地址|varchar(255)|call_record|audio
        next_time|下次跟进时间|datetime||soon
        call_count|拨打次数|int||small
        phone_location|手机归属地|varchar(32)||city
        agency_name|催收机构|varchar(64)||firm_agency
        promise_amt|承诺还款金额|decimal(12,2)|repayment|amount
    """,
    "sms_log": """
        phone|手机号|varchar(16)|mobile|mobile
        verify_code|验证码|varchar(8)|sms_code|code6
        content|短信内容|varchar(500)|call_record|sms
        template_id|模板ID|varchar(32)||serial
        send_status|发送状态|char(1)||code
        send_time|发送时间|datetime||recent
        channel|通道|varchar(16)||code
        app_secret|应用密钥|varchar(64)|secret_key|hex
    """,
    "t_tmp": """
        f1||varchar(64)|person_name|name
        f2||varchar(64)|resident_id|id
        f3||varchar(64)|bank_card|card
        f4||varchar(64)|mobile|mobile
        f5||varchar(255)|address|address
        f6||varchar(64)|email|email
        f7||varchar(64)||order18
        f8||varchar(64)||serial
        f9||date|birth_date|birth
        f10||date||recent
        f11||varchar(255)|free_text|note
        f12||varchar(64)||product
        f13||decimal(12,2)||amount
        f14||varchar(20)||city
        f15||numeric(19,0)|bank_card|cardint
        f16||varchar(64)||bank
    """,
    "org_dict": """
        org_name|机构名称|varchar(128)||bank
        org_addr|机构地址|varchar(255)||place
        org_tel|机构电话|varchar(20)||hotline
        dict_name|字典名称|varchar(64)||product
        dict_value|字典值|varchar(64)||code
        file_name|文件名称|varchar(128)||file
        file_path|文件路径|varchar(255)||file
        job_class|任务类名|varchar(128)||clazz
        error_msg|错误信息|varchar(500)||errors
        province|省份|varchar(32)||province
        sort_no|排序|int||small
        amount|金额|decimal(12,2)||amount
        url|链接|varchar(255)||url
        token_type|令牌类型|varchar(16)||code
    """,
}


@dataclass(frozen=True, slots=True)
class Column:
    table: str
    name: str
    comment: str
    type: str
    element: str | None
    values: tuple[object, ...]


def _note(rng: Random, person: FictitiousIdentity) -> str:
    return rng.choice(
        (
            f"已联系本人，承诺{rng.randrange(1, 28)}日还款",
            f"电话{person.mobile}无人接听，改打{person.contact_mobile}",
            f"联系人{person.contact_name}称可转达，电话{person.contact_mobile}",
            "客户情绪激动，要求停催",
            f"客户{person.person_name}要求用{person.bank_card}扣款",
        ),
    )


VALUES: dict[str, Callable[[Random, FictitiousIdentity], object]] = {
    "serial": lambda rng, _: f"C{rng.randrange(10**9):010d}",
    "key": lambda rng, _: rng.randrange(1, 10**7),
    "name": lambda _, p: p.person_name,
    "id": lambda _, p: p.resident_id,
    "code": lambda rng, _: rng.choice(("0", "1", "2", "3")),
    "flag": lambda rng, _: rng.randrange(2),
    "sex": lambda _, p: p.sex,
    "sexcode": lambda _, p: 1 if p.sex == "男" else 2,
    "ethnicity": lambda _, p: p.ethnicity,
    "birth": lambda _, p: p.birth_date,
    "soon": lambda rng, _: f"202{rng.randrange(6, 10)}-{rng.randrange(1, 13):02d}-{rng.randrange(1, 29):02d}",
    "recent": lambda rng, _: f"202{rng.randrange(0, 6)}-{rng.randrange(1, 13):02d}-{rng.randrange(1, 29):02d} 10:11:12",
    "nation": lambda _, p: p.nationality,
    "marital": lambda _, p: p.marital_status,
    "education": lambda _, p: p.education,
    "mobile": lambda _, p: p.mobile,
    "mobileint": lambda _, p: int(p.mobile),
    "landline": lambda rng, _: f"023-{rng.randrange(60_000_000, 69_999_999)}",
    "email": lambda _, p: p.email,
    "address": lambda _, p: p.address,
    "firm": lambda _, p: p.employer,
    "occupation": lambda _, p: p.occupation,
    "amount": lambda rng, _: f"{rng.randrange(100, 200_000)}.{rng.randrange(100):02d}",
    "rate": lambda rng, _: f"0.{rng.randrange(1000, 9999)}",
    "small": lambda rng, _: rng.randrange(1, 36),
    "days": lambda rng, _: rng.randrange(0, 120),
    "remark": lambda rng, _: rng.choice(("", None, "资料齐全", "已核实", "待补件", "无")),
    "relation": lambda _, p: p.contact_relation,
    "account": lambda rng, _: f"5000{rng.randrange(10**14):014d}0",
    "card": lambda _, p: p.bank_card,
    "cardint": lambda _, p: int(p.bank_card),
    "bank": lambda rng, _: rng.choice(("工商银行", "建设银行重庆分行", "招商银行股份有限公司", "邮储银行奉节支行")),
    "score": lambda rng, _: rng.randrange(350, 900),
    "login": lambda _, p: p.user_name,
    "hash": lambda rng, _: f"$2b$12${rng.getrandbits(300):x}"[:60],
    "hex": lambda rng, _: f"{rng.getrandbits(128):032x}",
    "image": lambda rng, _: f"https://oss.example.com/img/{rng.getrandbits(64):016x}.jpg",
    "wechat": lambda _, p: p.wechat,
    "qq": lambda _, p: p.qq,
    "ip": lambda _, p: p.ip,
    "device": lambda _, p: p.device_id,
    "imei": lambda _, p: p.imei,
    "mac": lambda _, p: p.mac,
    "cvn": lambda _, p: p.cvn2,
    "expiry": lambda _, p: p.card_expiry,
    "track": lambda _, p: f";{p.bank_card}=2912101{p.index:06d}?",
    "order18": lambda rng, _: str(rng.randrange(10**17, 10**18)),
    "order19": lambda rng, _: str(rng.randrange(62 * 10**17, 63 * 10**17)),
    "purpose": lambda rng, _: rng.choice(("装修", "教育", "旅游", "日常消费", "医疗")),
    "product": lambda rng, _: rng.choice(("云崖贷", "诗城分期", "橙易融", "白帝快贷")),
    "lng": lambda rng, _: f"106.{rng.randrange(10**6):06d}",
    "lat": lambda rng, _: f"29.{rng.randrange(10**6):06d}",
    "passport": lambda rng, _: f"E{rng.randrange(10**8):08d}",
    "base64": lambda rng, _: f"{rng.getrandbits(1200):0300x}",
    "plate": lambda _, p: p.plate,
    "uscc": lambda _, p: p.employer_uscc,
    "json": lambda _, p: f'{{"name":"{p.person_name}","mobile":"{p.mobile}","addr":"{p.address}"}}',
    "note": _note,
    "audio": lambda rng, _: f"/rec/2024/{rng.randrange(10**8)}.wav",
    "city": lambda rng, _: rng.choice(("重庆", "成都", "北京", "武汉", "贵阳", "西安", "长沙", "广州", "海口")),
    "firm_agency": lambda rng, _: rng.choice(("甲机构", "乙机构", "丙机构")),
    "code6": lambda rng, _: f"{rng.randrange(10**6):06d}",
    "sms": lambda rng, p: f"【云崖】尊敬的{p.person_name}，您的验证码为{rng.randrange(10**6):06d}，请勿泄露",
    "place": lambda rng, _: rng.choice(("重庆市渝中区民权路1号", "成都市武侯区人民南路2号")),
    "hotline": lambda rng, _: rng.choice(("400-800-1234", "023-67670000")),
    "file": lambda rng, _: f"/data/export/{rng.randrange(10**6)}.csv",
    "clazz": lambda rng, _: rng.choice(("com.kuimen.job.RepayJob", "com.kuimen.job.SyncJob")),
    "errors": lambda rng, _: rng.choice(("timeout", "connection reset", "空指针", None)),
    "province": lambda rng, _: rng.choice(("重庆市", "四川省", "湖北省")),
    "url": lambda rng, _: f"https://www.example.com/p/{rng.randrange(100)}",
}


def columns(seed: int, rows: int, *, dirt: float = 0.0) -> list[Column]:
    """Return every column with `rows` sampled values, a share `dirt` of which is null, empty or rubbish."""
    rng = Random(seed)
    people = [make_identity(rng, index) for index in range(rows)]
    made = []
    for table, text in SCHEMA.items():
        for line in text.strip().splitlines():
            name, comment, kind, element, values = line.strip().split("|")
            make = VALUES[values]
            cells = tuple(
                rng.choice((None, "", "-", "无", "test")) if rng.random() < dirt else make(rng, person)
                for person in people
            )
            made.append(Column(table, name, comment, kind, element or None, cells))
    return made
