"""What people and programs write: collection notes, remarks, log lines, text messages.

Every placeholder is filled with an impossible identity of the `fictitious` overlay.
"""

COLLECTION_NOTES: tuple[tuple[str, str], ...] = (
    ("承诺还款", "本人接听，{name}表示工资{day}号到账，承诺当天还清，备用电话{mobile}。"),
    ("承诺还款", "致电{mobile}，客户{name}称下周一前还一期，已告知逾期后果。"),
    ("无人接听", "拨打{mobile}三次均无人接听，稍后再拨。"),
    ("无人接听", "{mobile}响铃未接，改拨{relation}{third}{third_mobile}，亦未接。"),
    ("第三方接听", "{relation}{third}接听（电话{third_mobile}），称会转告{name}，未透露欠款信息。"),
    ("号码失效", "{mobile}提示空号，客户在群里留的微信号{wechat}已申请添加。"),
    ("失联", "上门{address}未遇，邻居称{name}已搬走，物业留电话{third_mobile}。"),
    ("争议", "客户{name}对利息有异议，要求发对账单至{email}。"),
    ("困难客户", "{name}称住院治疗，申请延期，家属{third}电话{third_mobile}，已请其提交材料。"),
    ("本人接听", "核对身份：证件号{resident_id}，本人确认。同意今日通过尾号{card_tail}的卡扣款。"),
    ("本人接听", "客户情绪平稳，承诺尽快处理，无新增联系方式。"),
    ("已还款", "系统显示已入账，与{name}确认结清当期，感谢配合。"),
)

REMARKS: tuple[str, ...] = (
    "客户要求改拨备用号{third_mobile}，联系人{third}",
    "资料补件：{name}，证件{resident_id}，邮寄至{address}",
    "门店代办，经办留电{third_mobile}",
    "VIP客户，勿扰",
    "老客户续贷",
    "已提醒更新职业信息",
)

SMS_TEMPLATES: tuple[tuple[str, str], ...] = (
    ("LOGIN", "【江城消费金融】验证码{code}，用于登录，5分钟内有效，请勿泄露。"),
    ("SIGN", "【江城消费金融】{name}您好，签署借款合同的验证码为{code}，切勿告知他人。"),
    ("REPAY", "【江城消费金融】{name}，您本期应还{amount}元，将从尾号{card_tail}的银行卡扣款。"),
    ("DUE", "【江城消费金融】尊敬的{name}，借据{loan_no}已逾期，请尽快还款，客服950000。"),
)

LOG_LINES: tuple[tuple[str, str, str], ...] = (
    ("INFO", "c.k.lending.login.LoginService", "login ok mobile={mobile} ip={ip} device={imei}"),
    ("INFO", "c.k.lending.sms.SmsClient", "send sms to {mobile}, vcode={code}, result=OK"),
    ("DEBUG", "c.k.lending.auth.TokenStore", "issue access_token={token} for cust={cust_no}"),
    ("INFO", "c.k.lending.pay.DeductJob", "deduct loan={loan_no} card={card} amount={amount} ret=0000"),
    ("WARN", "c.k.lending.pay.DeductJob", "deduct loan={loan_no} ret=1016 余额不足 retry=1"),
    ("ERROR", "c.k.lending.cust.CustMapper", "duplicate key (id_no)=({resident_id}) already exists, name={name}"),
    (
        "INFO",
        "c.k.lending.cust.CustApi",
        '{{"no":"{cust_no}","name":"{name}","idNo":"{resident_id}","phone":"{mobile}"}}',
    ),
    ("INFO", "c.k.lending.job.DailyBatch", "step=interest_accrual rows={number} cost={code}ms"),
    ("INFO", "c.k.lending.gateway.Access", "POST /api/loan/apply 200 cost={cost}ms trace={trace}"),
    ("INFO", "c.k.lending.gateway.Access", "GET /api/cust/{cust_no}/profile?mobile={mobile} 200 cost={cost}ms"),
    ("INFO", "c.k.lending.job.Heartbeat", "alive pool=12/50 queue={number}"),
)
