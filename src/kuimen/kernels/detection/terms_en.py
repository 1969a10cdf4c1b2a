"""What engineers call the elements in English and in abbreviations: columns, keys of logs, JSON names.

Names are split into lower-case tokens; a phrase here is a run of tokens. The head stands last: `phone_status` is a
status, `user_phone` is a phone.
"""

from collections.abc import Mapping
from types import MappingProxyType

from kuimen.kernels.detection.spellings import canonical
from kuimen.kernels.elements.model import Element
from kuimen.kernels.elements.words import words

_PHRASES: Mapping[Element, str] = {
    Element.PERSON_NAME: """
        real_name realname true_name full_name fullname cust_name cust_nm customer_name client_name client_nm
        person_name applicant_name borrower_name debtor_name cardholder cardholder_name card_holder card_holder_name
        acct_name acct_nm account_name account_holder holder_name contact_name contact_nm linkman link_man
        contacts_name emergency_contact_name spouse_name guarantor_name legal_person legal_person_name legal_rep
        legal_name first_name last_name surname given_name family_name cn_name chinese_name name_cn cert_name
        id_name payee_name payer_name payee payer member_name staff_name employee_name emp_name collector_name
        operator_name agent_name owner_name receiver_name consignee relative_name father_name mother_name
        user_real_name beneficiary_name insured_name manager_name approver_name auditor_name identity_name
        idcard_name id_card_name cust_cn_nm cst_nm cust_full_nm colleague_name friend_name referee_name loaner_name
        lender_name borrower debtor applicant name_pinyin nm_cn party_name ctct_name pty_nm human_name
        legal_rep_name legal_representative legal_representative_name
    """,
    Element.RESIDENT_ID: """
        id_card idcard id_card_no idcard_no id_card_num id_card_number idcard_number id_no id_num id_number idno
        idnum identity_no identity_number identity_card identity_card_no identity_id ident_no cert_no cert_num
        cert_number cert_id cert_code certificate_no certificate_number certificate_num certno crdt_no crtf_no
        national_id citizen_id citizen_no resident_id resident_id_no person_id_no cust_cert_no cust_id_no card_id_no
        legal_id_no legal_person_id_no ssn id_code identification_no identification_number credential_no
        credentials_no credential_number identity_code ident_num ctf_no id_nbr idcd idcard_id crt_no papers_no
        paper_no doc_no document_no cre_no
    """,
    Element.PASSPORT: "passport passport_no passport_num passport_number",
    Element.OTHER_CERTIFICATE: """
        driver_license driver_license_no driving_license driving_license_no driver_no license_no officer_card
        officer_no hk_permit permit_no residence_permit_no social_security_no social_insurance_no
        social_security_num fund_account housing_fund_account housing_fund_no military_id
    """,
    Element.MOBILE: """
        mobile mobile_no mobile_num mobile_number mobile_phone mobileno mobilephone mob mob_no mob_num phone
        phone_no phone_num phone_number phoneno phonenum phonenumber cell cell_phone cellphone cell_no cellno tel
        tel_no tel_num telno contact_phone contact_mobile contact_tel contact_no contact_number contact_way
        linkman_phone link_phone link_mobile user_phone user_mobile cust_phone cust_mobile cust_mobile_no
        reserved_phone reserve_phone reserve_mobile reserved_mobile bind_phone bind_mobile register_phone
        register_mobile reg_mobile bank_mobile bank_phone bank_reserved_mobile telephone telephone_no
        telephone_number msisdn caller callee caller_no callee_no called_no calling_no caller_number called_number
        emergency_phone emergency_mobile spouse_phone relative_phone call_number dial_number other_number
        peer_number receiver_phone mbl_no mbl mbl_ph mobl_no moble phn_no phn hand_phone handphone shouji dianhua
        phone1 phone2 sms_phone to_number opposite_no other_cell_phone mp_no user_tel ctct_no cntct_no cntct_ph
    """,
    Element.LANDLINE: """
        landline land_line fixed_phone fixed_line home_phone home_tel family_phone family_tel office_phone
        office_tel work_phone work_tel company_phone company_tel comp_tel comp_phone unit_phone unit_tel fax fax_no
        fixed_tel house_phone house_tel job_phone corp_phone corp_tel employer_phone residence_phone business_phone
        off_tel hm_tel emp_phone customer_service_phone service_phone
    """,
    Element.EMAIL: """
        email e_mail mail email_addr email_address mail_addr mail_address mailbox mail_box eml email_no user_email
    """,
    Element.ADDRESS: """
        address addr home_address home_addr family_address family_addr live_address live_addr living_address
        residence_address residential_address reside_address reside_addr permanent_address perm_addr census_address
        census_addr household_address register_address registered_address reg_addr company_address company_addr
        comp_addr work_address work_addr office_address office_addr unit_address unit_addr mail_address
        mailing_address contact_address contact_addr detail_address detail_addr address_detail addr_detail
        full_address street street_address delivery_address shipping_address receive_address postal_address
        id_address id_card_address idcard_address cert_address cert_addr birth_place birthplace native_place
        hometown house_address house_addr present_address current_address resident_address adr address_line
        address_line1 address_line2 home_city home_province live_city live_province live_area reside_city
        residence_city addr_dtl detailed_address domicile residence dwelling company_province company_city
        home_district live_district live_county household_province household_city hukou
    """,
    Element.BANK_CARD: """
        bank_card bankcard bank_card_no bankcard_no bank_card_num bank_card_number bankcard_number bankcardno
        card_no card_num card_number cardno cardnum crd_no debit_card debit_card_no credit_card credit_card_no
        creditcard pan repay_card repay_card_no bind_card bind_card_no withhold_card_no deduct_card_no
        receive_card_no loan_card_no pay_card_no payment_card bank_no_card cc_number card_nbr crd_nbr bank_crd_no
        primary_account_number salary_card card_code bankcard_id
    """,
    Element.ACCOUNT_NUMBER: """
        account_no account_num account_number acct_no acct_num acct_number acctno acct_nbr acc_no acc_num accno
        account acct bank_account bank_account_no bank_acct bank_acct_no bank_acc_no payee_account payee_acct_no
        payer_account payee_account_no payer_account_no repay_account repay_acct_no receive_account receive_acct_no
        loan_acct_no loan_account_no settle_account settle_acct_no alipay alipay_account alipay_no debit_account
        credit_account virtual_account securities_account deposit_account iban opp_acct_no opposite_account
        counterparty_account pay_account in_acct_no out_acct_no fund_acct_no sub_account sub_acct_no ac_no a_c_no
        repayment_account bankaccount
    """,
    Element.USCC: """
        uscc unified_social_credit_code social_credit_code credit_code unified_credit_code business_license
        business_license_no biz_license_no org_code organization_code tax_no tax_id taxpayer_id taxpayer_no
        license_code corp_license_no org_code_no
    """,
    Element.COMPANY_NAME: """
        company_name company comp_name comp_nm corp_name corp_nm employer employer_name work_unit work_company
        work_unit_name unit_name enterprise_name ent_name firm_name job_company workplace workplace_name work_place
        company_nm work_corp company_full_name emp_company job_company_name entp_nm spouse_company
    """,
    Element.PLATE: """
        plate plate_no plate_number car_no car_number license_plate license_plate_no vehicle_no vehicle_plate
        car_plate plate_num vehicle_license_no
    """,
    Element.WECHAT: """
        wechat wechat_no wechat_id weixin weixin_no wx_no wx_id wxid wechat_account openid open_id wx_openid unionid
        union_id weixin_id we_chat wx
    """,
    Element.QQ: "qq qq_no qq_num qq_number qqno qq_account qq_id",
    Element.IP: """
        ip ip_addr ip_address ipaddr client_ip login_ip remote_ip register_ip source_ip src_ip user_ip remote_addr
        apply_ip reg_ip request_ip host_ip last_ip ipv4 ipv6 dst_ip last_login_ip
    """,
    Element.MAC: "mac mac_addr mac_address macaddr wifi_mac bssid router_mac",
    Element.IMEI: "imei imei_no imei1 imei2 meid imei_code",
    Element.DEVICE_ID: """
        device_id deviceid device_no device_num dev_id device_fingerprint device_token device_uuid device_sn oaid
        idfa idfv android_id androidid imsi iccid udid gaid equipment_no finger_print fingerprint_id
        terminal_device_id device_code device_finger device_key machine_code serial_device sim_serial sim_no
        equipment_id black_box blackbox token_id_device phone_uuid client_device_id
    """,
    Element.LOCATION: """
        location gps gps_location longitude latitude lng lat lon gps_lng gps_lat gps_longitude gps_latitude
        coordinate coordinates geo geo_location geolocation position lbs lbs_location gps_address gps_addr
        locate_address location_address apply_lng apply_lat latlng lng_lat
    """,
    Element.BIRTH_DATE: """
        birth birthday birth_date birthdate birth_day birth_dt date_of_birth dob born brth_dt birthdt birth_ymd
        brthday cust_birthday birth_time born_date
    """,
    Element.SEX: """
        sex gender sex_cd gender_cd sex_code gender_code cust_sex user_sex gndr gndr_cd sex_ind sex_type gender_type
    """,
    Element.NATIONALITY: """
        nationality citizenship nation_code country_of_citizenship ntnlty nationality_code nationality_cd
        cust_nationality
    """,
    Element.ETHNICITY: "ethnicity ethnic ethnic_group nation ethnic_code folk minzu race nation_name ethnic_cd",
    Element.OCCUPATION: """
        occupation profession job job_title job_name title_job career position_name work_position occupation_code
        occp occp_cd occup occu occupation_cd duty job_position vocation post_title profession_code professional
        work_type job_type occupation_type profession_type work_post headship post_name position_title post
    """,
    Element.EDUCATION: """
        education edu degree edu_level education_level edu_degree education_degree diploma academic_degree
        highest_education highest_degree qualification edu_cd edu_code educ edu_bg education_code education_cd
        education_background edu_background school school_name university college_name academy
    """,
    Element.MARITAL_STATUS: """
        marital marriage marital_status marriage_status marry_status marital_state marriage_state marry marry_state
        married is_married marital_cd marital_code marriage_code marital_st mrg_st marr_st marrige marriage_cd
        marital_sts marriage_type mrtl_st
    """,
    Element.INCOME: """
        income salary month_income monthly_income year_income annual_income yearly_income wage wages month_salary
        monthly_salary family_income income_amt income_amount mth_income mon_income ann_income personal_income
        house_income household_income net_income after_tax_income spouse_income earnings monthly_pay income_month
        income_year month_in_come salary_amount salary_income other_income year_salary total_income avg_income
        mthly_incm
    """,
    Element.BALANCE: """
        balance bal account_balance acct_bal loan_balance loan_bal avail_balance available_balance principal_balance
        prin_bal outstanding_balance outstanding outstanding_amount outstanding_principal remain_principal
        remaining_principal left_principal residual_principal surplus_principal remain_amount remain_amt
        unpaid_principal unpaid_amount unpaid_amt frozen_balance curr_bal current_balance balance_amt balance_amount
        rem_prin usable_balance wait_repay_amount remain_prin remaining_balance remain_balance os_prin os_bal
        unpaid_balance out_prncp residual_amount remaining_amount total_balance unpaid_capital remain_capital
    """,
    Element.CREDIT_LIMIT: """
        credit_limit credit_line limit_amt credit_amount credit_amt credit_quota quota limit_amount loan_limit
        avail_limit available_limit used_limit total_limit temp_limit approve_amount approved_amount approval_amount
        approve_amt quota_amount credit_lmt crd_lmt avl_lmt line_amount available_quota used_quota total_quota
        auth_amount grant_amount approved_limit fixed_limit remain_limit remain_quota usable_limit lmt_amt
        card_limit credit_total usable_quota max_limit available_credit used_credit approval_limit approve_limit
    """,
    Element.LOAN_AMOUNT: """
        loan_amount loan_amt loan_money loan_sum principal principal_amount principal_amt prin_amt prin
        loan_principal borrow_amount borrow_amt borrow_money lend_amount lend_amt contract_amount contract_amt
        contr_amt disburse_amount disbursement_amount disb_amt apply_amount apply_amt apply_money application_amount
        payout_amount funded_amount arrive_amount arrival_amount receive_amount actual_loan_amount real_loan_amount
        loan_prin withdraw_amount withdraw_amt draw_amount draw_amt drawdown_amount put_out_amount grant_loan_amount
        capital capital_amount corpus loan_capital original_principal loan_total financing_amount order_loan_amount
        debt_amount
    """,
    Element.OVERDUE: """
        overdue overdue_days overdue_day overdue_amount overdue_amt overdue_principal overdue_prin overdue_interest
        overdue_fee overdue_penalty penalty penalty_amount penalty_amt penalty_interest penalty_int late_fee
        late_fees late_days past_due past_due_days past_due_amount dpd days_past_due max_overdue_days
        max_overdue_day max_dpd cur_overdue_days delinquent_amount delinquent_days delinquency_days arrears
        arrears_amount arrears_days ovd_days ovd_amt ovd_prin ovd_int od_days od_amt ovdue_days ovdue_amt
        default_interest overdue_money overdue_capital overdue_period overdue_periods overdue_level
        charge_off_amount chargeoff_amount write_off_amount breach_fee liquidated_damages delay_fee overdue_bal
        late_charge delq_days overdue_total overdue_term days_overdue overdue_bucket dpd_days past_due_bucket
    """,
    Element.REPAYMENT: """
        repay_amount repay_amt repayment_amount repayment_amt repay_money repay_principal repay_prin repay_interest
        repay_int repay_capital repayment repaid_amount repaid_amt repaid_principal paid_amount paid_amt
        paid_principal paid_interest paid_prin paid_int paid_money due_amount due_amt due_principal due_interest
        due_prin due_int amount_due amount_paid should_repay_amount should_pay_amount should_repay
        actual_repay_amount actual_pay_amount real_repay_amount month_pay month_payment monthly_payment
        instalment_amount installment_amount instalment installment installment_amt instal_amt total_paid
        total_repay total_repay_amount total_repayment pay_amount pay_amt payment_amount payment_amt payable_amount
        receivable_amount min_repay_amount deduct_amount deduct_amt withhold_amount settle_amount settle_amt
        bill_amount bill_amt actual_amount paid_total rpy_amt rcv_amt repay_total repayed_amount has_repay_amount
        repay_fee repaid_interest derate_amount reduction_amount relief_amount reduce_amount collection_amount
        should_amount rpymt_amt schd_prin schd_int repay_plan_amount waive_amount received_amount principal_paid
        interest_paid repay_penalty paid_penalty schd_amount scheduled_amount plan_amount
    """,
    Element.CREDIT_SCORE: """
        credit_score credit_scoring score risk_score fico fico_score apply_score behavior_score behaviour_score
        a_score b_score c_score model_score fraud_score zhima_score zm_score sesame_score scorecard_score zmxy_score
        anti_fraud_score total_score cust_score score_value credit_grade credit_level risk_level risk_grade
        credit_rating scr zmscore sesame credit_rank risk_rating tongdun_score td_score br_score acard_score
        bcard_score ccard_score
    """,
    Element.CREDIT_REPORT: """
        credit_report credit_report_content pbc_report pbc_credit_report bureau_report credit_bureau_report
        zx_report report_credit pboc_report credit_info_report credit_history bureau_data crb_report
    """,
    Element.CONTACT_RELATION: """
        relation relationship contact_relation relation_type relation_name relative_type contact_relationship
        rel_type relation_code relation_cd linkman_relation relship kinship emergency_relation contact_type_relation
        rltn rltnshp
    """,
    Element.PHOTO_IMAGE: """
        photo photo_url id_photo id_card_photo idcard_photo id_card_front id_card_back idcard_front idcard_back
        id_front id_back front_img back_img front_image back_image face_photo face_image face_img face_pic face_url
        portrait avatar avatar_url head_img head_image head_pic headimg head_url selfie id_card_image id_card_img
        idcard_img id_card_url front_photo back_photo face_photo_url live_photo living_photo liveness_photo
        cert_photo id_card_pic handheld_photo hold_photo id_card_front_url id_card_back_url front_url back_url
        best_image liveness_image front_pic back_pic id_pic idcard_pic idcard_front_url idcard_back_url user_photo
        cust_photo headimgurl face_img_url positive_photo negative_photo portrait_url living_img
    """,
    Element.PASSWORD: """
        password passwd pwd pass_word login_password login_pwd user_password user_pwd passphrase pswd pass_wd
        query_password query_pwd login_pass service_password service_pwd pwd_hash password_hash passcode user_pass
        secret_pwd gesture_password gesture_pwd password_md5 login_passwd
    """,
    Element.PAYMENT_PASSWORD: """
        pay_password pay_pwd payment_password payment_pwd trade_password trade_pwd trans_pwd transaction_password
        txn_pwd deal_pwd card_pwd card_password withdraw_pwd withdraw_password pin pin_block pinblock pin_code
        card_pin atm_pin fund_password paypwd trade_pin pin_data tx_pwd
    """,
    Element.SMS_CODE: """
        sms_code smscode verify_code verification_code vcode captcha auth_code otp otp_code dynamic_code check_code
        sms_verify_code valid_code validate_code sms_captcha verifycode dynamic_password msg_code identifying_code
        sms_vcode one_time_password phone_code mobile_code verif_code code_sms sms_auth_code
    """,
    Element.SECURITY_ANSWER: """
        security_answer secret_answer password_answer pwd_answer answer security_question secret_question
        safe_answer question_answer safe_question reset_answer
    """,
    Element.SECRET_KEY: """
        secret secret_key secretkey access_key accesskey access_key_id access_key_secret access_secret api_key
        apikey app_secret appsecret app_key private_key privatekey priv_key token access_token refresh_token
        auth_token aes_key rsa_key sign_key client_secret encrypt_key secret_id authorization bearer session_key
        master_key sm4_key sm2_key signing_key des_key ak_sk credential_key api_secret api_token x_token jwt
        id_token private_pem hmac_key session_token login_token user_token csrf_token bearer_token oauth_token
    """,
    Element.CVN2: """
        cvv cvv2 cvn cvn2 cvc cvc2 card_cvv card_cvn security_code card_security_code card_verify_value csc
        card_cvv2 card_cvn2 cvv_code cvn_no
    """,
    Element.CARD_EXPIRY: """
        card_expiry card_expire card_exp card_expire_date card_expiry_date card_exp_date card_valid_date card_valid
        card_validity expiry_date_card expdate exp_date_card valid_thru card_valid_thru card_expired
        card_valid_period card_exp_dt crd_exp_dt card_exp_ym card_valid_ym card_expires cc_exp cc_expiry
    """,
    Element.TRACK_DATA: """
        track track1 track2 track3 track_data track1_data track2_data track3_data track_info track_2 track_1 track_3
        magnetic_data mag_stripe second_track trk2 trk_data track2_equivalent magstripe emv_track track_two
        track2_info trk trk_info
    """,
    Element.USER_NAME: """
        username user_name login_name loginname login_id login_account nick_name nickname nick account_login
        user_account login_user user_nm logon_name screen_name login_nm member_account wx_nickname wechat_nickname
        loginid user_login login_no petname alias_name usr_name
    """,
    Element.BIOMETRIC: """
        biometric face_feature face_features face_template finger_feature fingerprint fingerprint_template
        finger_print_template iris voiceprint voice_print palm_print face_embedding face_vector face_data face_token
        biometrics face_encoding bio_template bio_feature palm_vein finger_vein voice_feature face_feature_data
        liveness_data face_code feature_vector_face liveness_video
    """,
    Element.CALL_RECORD: """
        call_record call_records call_log call_logs call_recording record_url recording recording_url record_file
        voice_file audio_url audio_file call_detail call_details phone_book phonebook contact_list contacts_list
        address_book sms_content sms_record sms_text chat_record chat_content audio_path voice_url record_path
        recording_path recording_file call_content call_list message_content sms_body cdr cdr_data addressbook
        call_history sms_list txl tonghua sms_msg conversation_record
    """,
    Element.FREE_TEXT: """
        collection_note collection_notes collection_remark collect_remark collect_content collect_record
        collection_record collection_content follow_up_content follow_content follow_record dunning_note
        dunning_notes case_note case_notes complaint_content case_remark visit_record urge_remark urge_content
        urge_record interview_record
    """,
}

EN_PHRASES: Mapping[tuple[str, ...], Element] = MappingProxyType(
    {
        tuple(canonical(token) for token in phrase.split("_")): element
        for element, text in _PHRASES.items()
        for phrase in text.split()
    }
)

# Phrases that name an element only when something else agrees: comment, values, table, siblings.
_WEAK = words(
    """
    expdate exp_date_card last_ip cc_exp track_info photo avatar front_url back_url front_pic back_pic account
    acct position location street score capital outstanding answer token pin track title company school nation mail
    duty degree captcha ip_addr_no title_job quota secret authorization credential iris geo recording school_name wx
    mac relation ssn payee payer borrower debtor applicant caller callee nick pan crdt_no paper_no doc_no
    document_no cert_id card_code license_no credit_level risk_level total_score session_key openid open_id unionid
    union_id credit_code race id_code cert_code alias_name penalty position_name post_name receive_amount pay_amount
    actual_amount total_balance bearer cell secret_id app_key id_name receiver_name manager_name score_value
    settle_amount contract_amount collection_amount called_no msisdn folk security_code identity_id job_name
    org_code organization_code work_type amount_due post
""",
)

EN_WEAK = frozenset("_".join(map(canonical, phrase.split("_"))) for phrase in _WEAK)

# A name that ends so is about the datum and is not the datum.
EN_NEGATIVE_HEADS = words(
    """
    status state stat st sts type typ kind category cat class time date dt day days at ts timestamp datetime count
    cnt num_of times flag flg is has verified verify valid checked auth authed result rslt res level lv ver version
    source src channel chan method mode way reason desc description remark memo comment province city area region
    district county country zone operator carrier isp model brand os length len size width limit_type rate ratio pct
    percent currency ccy cur curr index idx sort seq order rank rule rules template tpl config cfg setting settings
    switch enable enabled disable disabled bank branch org dept department group tag label hit match same equal diff
    gap interval duration period term terms sum_cnt total_cnt page list_id rel ref fk pk key_id uuid guid batch
    threshold min max avg std var pointer path_type format suffix prefix ext error err msg code_type code_desc begin
    start end expire expired expiry expires active online locked lock deleted delete history_id log_id tenant
""",
)

# Tokens that say whose datum it is, or which one; they do not change what it is.
EN_QUALIFIERS = words(
    """
    user usr cust customer cst client clnt member mbr person personal psn applicant apply app appl borrower brw loan
    ln debtor contact ctct linkman link emergency emerg urgent spouse mate couple guarantor guar guarantee legal
    corp company comp cop unit work office off home hm family fam house live living reside residence residential
    register reg registered bind bound reserve reserved reserv bank bnk repay repayment pay payee payer receive rcv
    receiver my self own main primary sec second secondary first third other oth new old original orig origin last
    current cur curr present permanent perm census household detail dtl full relative rel relation friend colleague
    father mother parent parents child staff employee emp operator oper op collector agent owner sender from to src
    dst target login last_login common spare backup bak his hist tmp temp ext raw plain clear enc encrypt encrypted
    cipher mask masked md5 sha sha256 sm3 sm4 des aes hash value val text txt str info data field f fld col t tb tbl
    v c i s one two three a b x y z id_card idcard card crd cn zh en us base basic prin inst deduct withhold
    withdraw draw opp opposite peer counter sub
""",
)
# Derived forms: the datum is there, but not as it was typed.
DERIVED_TOKENS = words(
    """
    md5 sha sha1 sha256 sm3 hash hashed enc encrypt encrypted cipher ciphertext mask masked desensitized token
    tokenized
""",
)

NEGATIVE_LABEL_TOKENS = words(
    """
    order ordr ord serial seq sequence trace txn txnid tx trade trans transaction req request requestid reqid
    session sess batch contract contr invoice flow flowno ts timestamp time times epoch millis ms amount amt money
    price fee cost count cnt size len length offset pid tid port version ver code uuid guid msgid message_id traceid
    spanid span loan_no loanno case caseno bill billno voucher ref refno reference biz bizno job task thread line
    row page limit total sum qty quantity index idx id ids userid uid customerid custid memberid orderid orderno sn
    sku barcode tracking parcel express ticket node host pool shard partition build commit rev hash checksum crc
    etag nonce digest duration elapsed bytes latency cursor lsn xid gid appid mchid merchant merid shop store
    terminal termid branch dept org instid product prod prodid item goods apply applyno issue
""",
)

# Whose datum it is when it is no person's.
EN_FOREIGN_OWNERS = words(
    """
    branch store shop merchant merch product prod channel dept department org organization institution platform
    system sys server app template menu role api task project activity brand application db database supplier vendor
    partner court website web page callback notify http url file bank_branch host node service svc agency agent_org
    plan rule model config config_key public capital_side funder goods item dict column table schema tenant district
    city province area region country county currency event job_handler class method module thread process queue
    topic group field ,
""",
)
