-- 演示放贷机构的核心库：像多年长出来的系统一样，命名不一、注释不全、留有不该有的数据。
-- Every table is as such lenders have it; nothing here knows that Kuimen exists.
CREATE SCHEMA core;
CREATE SCHEMA ops;

CREATE TABLE core.t_cust_info (
    cust_no varchar(16) PRIMARY KEY,
    khxm varchar(64) NOT NULL,
    id_type char(2) NOT NULL DEFAULT '10',
    id_no varchar(18) NOT NULL UNIQUE,
    ext1 varchar(32),
    phone_status smallint NOT NULL,
    xb char(1) NOT NULL,
    csrq date NOT NULL,
    minzu varchar(20),
    yx varchar(80),
    home_addr varchar(200),
    edu varchar(20),
    hyzk varchar(10),
    wx varchar(40),
    remark varchar(500),
    cust_level char(1) NOT NULL,
    channel varchar(20) NOT NULL,
    crt_time timestamptz NOT NULL,
    upd_time timestamptz NOT NULL
);
COMMENT ON TABLE core.t_cust_info IS '客户基本信息';
COMMENT ON COLUMN core.t_cust_info.cust_no IS '客户号';
COMMENT ON COLUMN core.t_cust_info.id_type IS '证件类型 10居民身份证';
COMMENT ON COLUMN core.t_cust_info.id_no IS '证件号码';
COMMENT ON COLUMN core.t_cust_info.phone_status IS '手机号码状态 1正常 2停机 3空号';
COMMENT ON COLUMN core.t_cust_info.xb IS '性别 1男 2女';
COMMENT ON COLUMN core.t_cust_info.home_addr IS '家庭住址';
COMMENT ON COLUMN core.t_cust_info.edu IS '学历';
COMMENT ON COLUMN core.t_cust_info.cust_level IS '客户等级';
COMMENT ON COLUMN core.t_cust_info.crt_time IS '创建时间';
CREATE INDEX idx_cust_ext1 ON core.t_cust_info (ext1);
CREATE INDEX idx_cust_khxm ON core.t_cust_info (khxm);

CREATE TABLE core.t_login_account (
    acct_id bigint PRIMARY KEY,
    cust_no varchar(16) NOT NULL UNIQUE REFERENCES core.t_cust_info (cust_no),
    mobile_no varchar(11) NOT NULL UNIQUE,
    pwd varchar(64) NOT NULL,
    last_ip inet,
    last_time timestamptz,
    login_status smallint NOT NULL DEFAULT 1
);
COMMENT ON TABLE core.t_login_account IS '登录账户';
COMMENT ON COLUMN core.t_login_account.mobile_no IS '登录手机号';
COMMENT ON COLUMN core.t_login_account.login_status IS '账户状态';

CREATE TABLE core.t_contact (
    cust_no varchar(16) NOT NULL REFERENCES core.t_cust_info (cust_no),
    seq smallint NOT NULL,
    rel varchar(10),
    lxr varchar(64),
    lxdh varchar(20),
    PRIMARY KEY (cust_no, seq)
);
COMMENT ON TABLE core.t_contact IS '联系人';
COMMENT ON COLUMN core.t_contact.rel IS '与客户关系';

CREATE TABLE core.t_bank_card (
    card_id bigint PRIMARY KEY,
    cust_no varchar(16) NOT NULL REFERENCES core.t_cust_info (cust_no),
    kh varchar(19) NOT NULL UNIQUE,
    card_holder varchar(64) NOT NULL,
    ylsjh numeric(11),
    bank_name varchar(40) NOT NULL,
    card_type char(1) NOT NULL,
    is_default char(1) NOT NULL,
    bind_date date NOT NULL
);
COMMENT ON COLUMN core.t_bank_card.card_holder IS '持卡人';
COMMENT ON COLUMN core.t_bank_card.card_type IS '卡类型 D借记卡';
COMMENT ON COLUMN core.t_bank_card.bind_date IS '绑卡日期';

CREATE TABLE core.device_info (
    cust_no varchar(16) NOT NULL REFERENCES core.t_cust_info (cust_no),
    dev_seq smallint NOT NULL,
    imei varchar(15),
    mac varchar(17),
    ip inet,
    lbs varchar(40),
    model varchar(40),
    app_ver varchar(12),
    PRIMARY KEY (cust_no, dev_seq)
);

CREATE TABLE core.t_apply (
    apply_no varchar(20) PRIMARY KEY,
    cust_no varchar(16) NOT NULL REFERENCES core.t_cust_info (cust_no),
    job varchar(120),
    emp_len numeric(4, 1),
    house_own varchar(12),
    state char(2),
    nsr numeric(14, 2) NOT NULL,
    income_verify varchar(20),
    dti numeric(9, 2),
    purpose varchar(30) NOT NULL,
    delinq_2y integer NOT NULL,
    inq_12m integer NOT NULL,
    credit_line_cnt integer NOT NULL,
    sxed numeric(14, 2) NOT NULL,
    used_limit numeric(14, 2) NOT NULL,
    grade char(1) NOT NULL,
    sub_grade char(2) NOT NULL,
    apply_status char(1) NOT NULL DEFAULT 'A'
);
COMMENT ON TABLE core.t_apply IS '授信申请';
COMMENT ON COLUMN core.t_apply.nsr IS '年收入';
COMMENT ON COLUMN core.t_apply.sxed IS '授信额度';
COMMENT ON COLUMN core.t_apply.state IS '进件地区代码';
COMMENT ON COLUMN core.t_apply.inq_12m IS '近12个月征信查询次数';

CREATE TABLE core.t_loan (
    loan_no varchar(20) PRIMARY KEY,
    cust_no varchar(16) NOT NULL REFERENCES core.t_cust_info (cust_no),
    apply_no varchar(20) NOT NULL UNIQUE REFERENCES core.t_apply (apply_no),
    card_id bigint NOT NULL REFERENCES core.t_bank_card (card_id),
    amt numeric(14, 2) NOT NULL CHECK (amt > 0),
    rate numeric(7, 4) NOT NULL,
    term smallint NOT NULL,
    instal_amt numeric(12, 2) NOT NULL,
    issue_month date NOT NULL,
    loan_status varchar(24) NOT NULL,
    bal numeric(14, 2) NOT NULL,
    paid_total numeric NOT NULL,
    paid_prin numeric NOT NULL,
    paid_int numeric NOT NULL,
    paid_late_fee numeric NOT NULL,
    disb_method varchar(12) NOT NULL,
    list_status varchar(12) NOT NULL,
    app_type varchar(12) NOT NULL
);
COMMENT ON TABLE core.t_loan IS '借据';
COMMENT ON COLUMN core.t_loan.loan_no IS '借据号';
COMMENT ON COLUMN core.t_loan.amt IS '放款金额';
COMMENT ON COLUMN core.t_loan.rate IS '年利率(%)';
COMMENT ON COLUMN core.t_loan.instal_amt IS '每期应还';
COMMENT ON COLUMN core.t_loan.issue_month IS '放款月份(取月首日)';
COMMENT ON COLUMN core.t_loan.bal IS '贷款余额';
CREATE INDEX idx_loan_cust ON core.t_loan (cust_no);

CREATE TABLE core.t_repay (
    repay_no bigint PRIMARY KEY,
    loan_no varchar(20) NOT NULL REFERENCES core.t_loan (loan_no),
    repay_date date NOT NULL,
    prin numeric(14, 2) NOT NULL,
    intr numeric(14, 2) NOT NULL,
    late_fee numeric(14, 2) NOT NULL,
    repay_type char(1) NOT NULL
);
COMMENT ON TABLE core.t_repay IS '还款流水';
COMMENT ON COLUMN core.t_repay.prin IS '本金';
COMMENT ON COLUMN core.t_repay.intr IS '利息';
CREATE INDEX idx_repay_loan ON core.t_repay (loan_no);

CREATE TABLE core.t_deduct_flow (
    flow_no bigint PRIMARY KEY,
    loan_no varchar(20) NOT NULL REFERENCES core.t_loan (loan_no),
    repay_no bigint REFERENCES core.t_repay (repay_no),
    try_no smallint NOT NULL,
    ret_code char(4) NOT NULL,
    ret_msg varchar(40) NOT NULL,
    flow_time timestamptz NOT NULL
);
COMMENT ON TABLE core.t_deduct_flow IS '代扣流水';

CREATE TABLE core.pay_order (
    order_no varchar(24) PRIMARY KEY,
    loan_no varchar(20) NOT NULL REFERENCES core.t_loan (loan_no),
    card_no varchar(19) NOT NULL,
    cvv2 varchar(4),
    ext_data varchar(64),
    yxq char(4),
    amount numeric(14, 2) NOT NULL,
    pay_time timestamptz NOT NULL,
    ret_code char(4) NOT NULL
);
COMMENT ON COLUMN core.pay_order.yxq IS '卡有效期';

CREATE TABLE core.staff_info (
    gh varchar(10) PRIMARY KEY,
    xm varchar(32) NOT NULL,
    sj varchar(11) NOT NULL,
    id_card varchar(18) NOT NULL UNIQUE,
    mail varchar(80),
    dept varchar(40) NOT NULL,
    post varchar(40) NOT NULL,
    on_job char(1) NOT NULL DEFAULT 'Y'
);
COMMENT ON TABLE core.staff_info IS '员工';
COMMENT ON COLUMN core.staff_info.gh IS '工号';

CREATE TABLE core.coll_note (
    note_id bigint PRIMARY KEY,
    loan_no varchar(20) NOT NULL REFERENCES core.t_loan (loan_no),
    gh varchar(10) NOT NULL REFERENCES core.staff_info (gh),
    call_time timestamptz NOT NULL,
    jieguo varchar(20) NOT NULL,
    note text NOT NULL
);
COMMENT ON TABLE core.coll_note IS '催收记录';
COMMENT ON COLUMN core.coll_note.jieguo IS '催收结果';

CREATE TABLE ops.sms_log (
    sms_id bigint PRIMARY KEY,
    phone_no varchar(11) NOT NULL REFERENCES core.t_login_account (mobile_no),
    tpl_code varchar(12) NOT NULL,
    content varchar(300) NOT NULL,
    vcode varchar(6),
    send_time timestamptz NOT NULL,
    send_status smallint NOT NULL
);
COMMENT ON COLUMN ops.sms_log.vcode IS '短信验证码';
COMMENT ON COLUMN ops.sms_log.send_status IS '发送状态';

CREATE TABLE ops.app_log (
    log_time timestamptz NOT NULL,
    lvl varchar(5) NOT NULL,
    logger varchar(60) NOT NULL,
    req_id varchar(16) NOT NULL,
    msg text NOT NULL
);
