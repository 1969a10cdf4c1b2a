"""Names of columns that would mislead in running text: terms of schemas only."""

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from kuimen.kernels.detection.naming import STRONG, WEAK, NameVerdict
from kuimen.kernels.detection.spellings import canonical
from kuimen.kernels.elements.model import Element
from kuimen.kernels.elements.words import words

_PHRASES: Mapping[Element, str] = {
    Element.PERSON_NAME: """
        receiver_name manager_name cust_name_cn consignee_name remitter payee payer cardholder_name_cn drawer
        applicant_nm
        name_en name_cn en_name auditor_name house_holder direct_leader guaranty_name py_name emboss_name embs_name
        legal_rep_name counterparty_name counter_name cntr_name opposite_name opp_name
        actual_controller actl_ctrl controller_name defendant plaintiff lawyer lawyer_name complainant
        complainant_name emergency_man emergency_person emergency_contact called_person contact_person linker
        link_person bank_user bank_user_name card_user card_user_name card_owner card_owner_name owner buyer
        buyer_name seller_name leader leader_name principal_man org_manager org_mgr org_contact visitor_name
        witness_name used_name former_name old_name true_user_name user_truename truename rel_name relate_name
        mate_name bind_name id_card_user_name idcard_user hold_name holder teller_name tlr_name director_name
        head_name chinese_nm person man_name czymc czyxm fzr fzrxm gxrxm lxrmc hzxm frdbxm fddbrmc zhmc
        first_contact second_contact charge_person responsible_person
    """,
    Element.RESIDENT_ID: """
        document_number document_no id_card_code card_identity identity_card_num id_card_md5 idcard_md5 id_no_md5
        id_card_encrypt idcard_encrypt id_card_num_md5 sfz_no sfz_number idcard_sn user_id_card user_idcard
        user_id_no user_id_num id_num_md5 spouse_card person_card_no gov_id
    """,
    Element.OTHER_CERTIFICATE: """
        accumulation_fund_no accumulation_fund_account reserved_fund_no social_no sbzh gjjzh ybkh
        social_security_account gjj_account gjj_no shebao_account shebao_no fund_no
        social_account provident_fund_no provident_fund_account housing_fund social_card_no hukou_no
        social_security_card social_security_card_no drive_license drive_license_no shebaoid shebao_id
        house_certificate_no house_certificate_number
    """,
    Element.MOBILE: """
        call_out_num call_out_number out_call_no dial_no dialed_number called_number calling_number tel1 tel2
        mobile1 mobile2 contact_mobile_phone peer_num peer_phone peer_tel
        other_phone opposite_phone to_phone from_phone receive_phone recv_phone phone_md5 mobile_md5 bind_tel
        link_tel linkman_tel referrer_phone invite_phone invitee_phone friend_phone mobil phone_encrypt
        receive_mobile receiver_tel buyer_tel urgent_phone other_tel msisdn_no
    """,
    Element.LANDLINE: """
        business_telephone employer_telephone employer_tel fixed_telephone fixed_phone fix_tel fix_phone judge_tel
        unit_telephone
        company_telephone office_telephone work_telephone home_telephone family_telephone house_telephone
        corp_telephone company_fax landline_phone telephone_home telephone_company telephone_office job_tel dept_tel
        zuoji
    """,
    Element.ADDRESS: """
        living_area living_city living_province living_district live_area live_district company_area
        company_district home_area residence_area resident_area work_city work_province work_area work_district
        live_place living_place address_info hometown_address census_register permanent_residence place_of_birth
        family_city family_province family_area house_location home_town unit_area dwelling_place visit_address
        ocr_address
    """,
    Element.BANK_CARD: """
        bank_card_code bank_number card_num_encrypt card_no_encrypt bank_card_md5 card_no_md5 receive_card
        repayment_card withdraw_card card_num_mask card_no_mask settle_card_no bank_no_encrypt bank_cardno
        bank_card_id_no salary_card_no cards_no payment_card_no pay_card receipt_card_no
    """,
    Element.ACCOUNT_NUMBER: """
        alipay_id_no zfb_account zfb_no ali_account payee_acct payer_acct cash_account account_code
    """,
    Element.COMPANY_NAME: """
        company company_info_name employer work_for corp enterprise org_full_name
        employer_name merchant_name work_organization org_company work_unit_nm unit unit_nm company_full cmp_name
        work_unit_full insurance_company_name current_company
    """,
    Element.OCCUPATION: """
        job_title_name
        office_post job_duty job_position_name position_level user_job duty_name job_level
    """,
    Element.USER_NAME: """
        hide_name show_name display_name account_user taobao_account taobao_name jd_account jingdong_account
        xuexin_account chsi_account tmall_account weibo_account weibo sina_account mail_account email_account
        app_account platform_account login_user_name principal_name user_login_name uname taobao_nick taobao
        zhihu_account douyin_account
    """,
    Element.SECRET_KEY: """
        token secret bearer authorization credential secret_id credentials ticket_token csrf_token id_token
        app_key salt password_salt pwd_salt pass_salt user_salt login_salt encrypt_salt random_salt pwdsalt otp_secret
        google_secret totp_secret mfa_secret google_key google_auth_key session_key merchant_key md5_key
        sign_secret encrypt_secret secret_code pri_key prikey merchant_private_key merchant_secret partner_key
        aes_secret des_secret desede_key secretkey_id token_value token_key access_token_value remember_token
        api_password app_token jsessionid auth_key pay_key mch_key wx_secret app_secret_key
        key_secret pfx_pwd cert_pwd keystore_pwd keystore_password sms_key oss_key rsa_private_key pkcs8 seed
        hmac_secret signature_key signkey public_private_key ak sk access_id_secret login_ticket
    """,
    Element.PASSWORD: """
        psw passw pwds passwords userpass user_psw login_psw upwd pword mima login_pass user_pass pass_word_md5
        taobao_pwd jd_pwd gjj_pwd shebao_pwd xuexin_pwd query_psw smtp_pwd mail_pwd sms_pwd ftp_pwd db_pwd
        operator_pwd operator_password phone_pwd phone_password mobile_pwd mobile_password phone_service_pwd
        service_psw old_pwd new_pwd sip_password second_pwd second_password init_pwd initial_password
        default_password default_pwd reset_password wifi_password wifi_pwd ssh_password teller_pwd tlr_pwd passkey
        passcode_hash social_pwd fund_pwd email_pwd email_password bank_login_pwd net_bank_pwd ebank_pwd
        pattern_lock gesture gesture_code hand_password
    """,
    Element.PAYMENT_PASSWORD: """
        pin
        pay_psw pay_pass paypass paypassword pay_pass_word trade_pass trade_psw trans_pass tran_pwd trans_password
        deal_password jy_pwd jiaoyi_pwd zhifu_pwd pin_blk pinblk pin_hash pin_cipher pin_encrypt pin_md5 card_psw
        bank_pwd bank_password bank_card_pwd bankcard_pwd debit_pwd cash_pwd cash_password tender_pwd paycode
        pay_code_pwd pin_value user_pin withdraw_pass safe_password safe_pwd security_pwd security_password
        digital_password transaction_pin atm_password pin_offset pvv
    """,
    Element.CVN2: """
        security_code
        cvv_no cvv2_code cvn_code cvc_code safe_code card_safe_code card_back_code back_code_three cvv_num
    """,
    Element.CARD_EXPIRY: """
        card_valid_thru card_exp_month card_exp_year exp_month exp_year expire_month expire_year expiry_month
        expiry_year card_vld card_valid_month valid_date_card card_expire_time card_effective_date credit_card_valid
        credit_card_expire crdt_valid exp_yymm expiry_yymm valid_mmyy exp_mmyy card_period cardvalid cardexp
        card_validthru card_term
    """,
    Element.TRACK_DATA: """
        trackii track_ii track_iii trackdata2 mag_track mag_data magnetic magnetic_stripe icc_data ic_data
        emv_data emv_tag57 tag57
    """,
    Element.BIOMETRIC: """
        face_video liveness_video live_video face_feature_code face_base64_feature face_model face_eigenvalue
        facial_feature facial_features facial_template face_vec face_embed faceprint face_print retina voice_feature
        voiceprint_id_data voice_model finger_data fingerprint_data finger_image fingerprint_image finger_print_data
        finger_template palm_data palmprint ear_print gait_feature dna iris iris_data iris_feature iris_image
        liveness_token live_data living_data living_video liveness_file face_feature_value vein_data sound_print
        face_auth_data face_recognition_data face_key face_token_id
    """,
    Element.PHOTO_IMAGE: """
        avatar photo photo_url photos head headpic head_url face idcard_pic_url selfie_url picture_face
        front_of_id_card back_of_id_card front_of_idcard back_of_idcard front_id_card back_id_card
        id_card_img_z id_card_img_f
        living_body_photo living_body_img body_photo card_pic card_pic1 card_pic2 card_img1 card_img2
        hold_card_url hold_card hand_card hand_card_url hand_idcard
        hand_id_card hold_idcard work_card_url work_card work_photo work_card_img work_img visit_photo scene_photo
        live_img live_image living_image living_photo_url ocr_img ocr_image card_front card_back card_front_url
        card_back_url idcard_positive idcard_negative idcard_reverse id_card_reverse id_obverse id_reverse obverse
        reverse_img face_url face_photo_path head_portrait head_photo user_head user_avatar user_img user_pic
        id_card_zm id_card_fm sfz_front sfz_back card_photo bank_card_photo bank_card_img business_card_img
        selfie_img selfie_photo family_photo group_photo sign_photo signature_image sign_img signature_img
        handwriting_img portrait_img portrait_photo portrait_base64 face_base64 image_best front_image_url
        back_image_url
    """,
    Element.DEVICE_ID: """
        equipment equipment_number equipment_no equipment_code reg_equipment login_equipment device terminal_code
        push_token jpush_id registration_id jpush_reg_id jpush_registration_id getui_id umeng_token push_id
        client_device device_mark
        phone_mark phone_id uuid_ios ios_uuid idfa_code imsi_code oaid_code device_identifier device_finger_print
        terminal_id_no mobile_device_id app_device_id vaid aaid uuid_device cpu_id android_code sim_code device_imsi
        esn dfp device_hash device_number
    """,
    Element.WECHAT: """
        unionid union_id wx_unionid openid open_id mp_openid wx_open_id wechat_openid wx_number wx_account
    """,
    Element.LOCATION: """
        register_coordinate apply_coordinate login_coordinate lbs_address gpsx gpsy gps_x gps_y lbs_city_address
        gps_info gps_position
        register_gps apply_gps login_gps gps_coordinate register_lng register_lat visit_lng visit_lat position_x
        position_y coord lat_lng location_x location_y geo_point geohash geo_hash
    """,
    Element.INCOME: """
        gross_pay net_pay take_home_pay performance_bonus accumulation_fund_base housing_fund_base annual_bonus
        social_insurance_base insurance_base fund_base provident_fund_base month_in year_in salary_range
        income_range income_level salary_level base_salary basic_salary total_salary social_base income_type_amount
        turnover yr_income monthly_salary_range annual_turnover salary_month after_tax_salary pretax_salary
    """,
    Element.CREDIT_SCORE: """
        sesame_credit zhima_credit ant_credit credit_point bureau_score credit_grade credit_value credit_level
        risk_level risk_score credit_points zm_point
        sesame_point rating credit_class risk_rank zhima zmf ant_score score_num risk_value model_point
        cust_grade_score
    """,
    Element.CREDIT_REPORT: """
        person_report personal_report report_pdf report_pdf_path report_pdf_url bad_record bad_records adverse_record
        credit_pdf credit_html report_xml report_content report_json report_html report_data credit_xml
        credit_content credit_data
        bureau_report bureau_xml pbc_xml pboc_xml zhengxin_report rh_report report_text
    """,
    Element.SMS_CODE: """
        validcode validation_code verification check_sms_code sms_valid_code mobile_verify_code tel_code msgcode
        random_code pay_sms_code pay_code_sms dyn_code dynamic_pwd otp_value otp_password
    """,
    Element.SECURITY_ANSWER: """
        secret_ans answer1 answer2 pwd_question password_question question_one question_two find_pwd_answer
        mibao_answer safety_answer protect_answer
    """,
    Element.CALL_RECORD: """
        record_addr record_address voice_addr record_addr_url call_out_content asr_text call_text talk_text
        asr_content voice_text call_voice record_voice call_audio call_record_url
        record_url_path voice_path audio record_voice_url chat_log chat_msg talk_record sound_url sound_file
        msg_content message_text sms_message
    """,
    Element.CONTACT_RELATION: """
        relation relations kinship_type relationship_type
        relation_desc relation_with_user relation_with_me relation_to relate relates relatives relative_relation
        emergency_rel rel_desc
    """,
    Element.EMAIL: """
        mail mails e_mail_addr receive_mail contact_mail mail_box_addr
    """,
    Element.PLATE: """
        car_license car_license_no car_plate_number vehicle_license_plate license_plate_number chepai car_card
    """,
    Element.MAC: """
        mac mac_code mac_no wlan_mac bluetooth_mac router_mac_addr
    """,
    Element.EDUCATION: """
        education_school education_background highest_degree academic_degree degree school school_name
        graduate_school graduated_school academic education_type edu_type
        diploma_no_level study_level
    """,
    Element.ETHNICITY: """
        nation folk race nation_type minority
    """,
    Element.USCC: """
        license_no business_licence_no unified_code credit_no social_code
    """,
    Element.IP: """
        create_ip add_ip reg_ip_addr update_ip operate_ip oper_ip ip_v4 login_ip_addr wifi_ip outer_ip local_ip
        intranet_ip access_ip visit_ip req_ip order_ip loan_ip pay_ip
    """,
    Element.REPAYMENT: """
        month_repay repay_per_month total_repaid min_repay month_return monthly_return supply_month
    """,
    Element.OVERDUE: """
        penalty_day penalty_days od_day_count overdue_day_count overdue_days_count late_day late_days_count
        od_period od_terms overdue_terms overdue_month overdue_months od_bucket overdue_stage max_overdue_month
        max_overdue_months max_od_days overdue_num_days dpd_max overdue_age od_term
    """,
    Element.LOAN_AMOUNT: """
        disbursed_amount amount_disbursed loaned_amount sum_of_loan
    """,
}
_NOTHING = """
    service_phone service_tel customer_phone_service service_qq service_wechat service_email hotline device_type
    device_status report_url img_path file_url video_url equipment_type mobile_operator phone_operator mobile_area
    phone_area operator_name carrier_name
    czydm czybh czygh csr cssj csrq_time khjl khjlbh nl age lrr lrrq xgr xgsj cjr cjsj gxr gxsj shr shrq spr sprq
    czr job_number job_no job_num job_id host_ip server_ip callback_url call_back_url back_url login_location
    oper_location operate_location postcode post_code zip_code zipcode session_id pd_value registered_capital
    reg_capital face_pass_score face_score match_score compare_score similarity_score debt_amount
    public_key pub_key config_key dict_key param_key redis_key cache_key lock_key primary_key foreign_key unique_key
    biz_key business_key row_key route_key key_type key_id token_type token_expire token_expires token_time
    token_expires_at password_changed_at pwd_status pwd_error_count pwd_err_cnt pwd_err_tms pwd_exp_dt pwd_upd_dt
    pin_err_cnt pin_error_count pin_lck_tm password_level pwd_level password_hint pwd_tip pwd_strength loan_purpose
    bill_day card_type_name card_bin card_kind bank_user_type phone_type phone_brand phone_model phone_system
    phone_version mobile_type mobile_brand mobile_model phone_attribution mobile_attribution wifi_name device_name
    ssid img_url image_url pic_url logo logo_url icon icon_url banner_url product_img title_img sign_type sign_name
    sign signature address_type address_id email_type email_title email_content mail_title mail_content mail_subject
    identity_type score_type score_time report_no report_id report_time report_type account_type account_id
    account_date acct_type credit_type credit_status credit_time credit_date quota_type contact_type contact_id
    relation_id relation_table face_id face_result face_status question_type question_id question_title
    user_location_type idcard_valid_period id_valid_period passport_type order_address_id data_source_name token_uri
    token_url user_name_field grid_location location_id app_list position_id position_code contract_url
    contract_path contract_file agreement_url page_name page_url secret_type encrypt_type encrypt_method
    password_policy pwd_rule sms_code_type verify_code_type cert_path job_name_class trigger_name job_group_name
"""


def _canonical(phrase: str) -> tuple[str, ...]:
    return tuple(canonical(token) for token in phrase.split("_"))


_HEADS: Mapping[tuple[str, ...], Element] = MappingProxyType(
    {_canonical(phrase): element for element, text in _PHRASES.items() for phrase in text.split()}
)
_JOINED = {"".join(phrase): element for phrase, element in _HEADS.items()}
SCHEMA_WORDS = frozenset(token for phrase in _HEADS for token in phrase)
_SILENCED = frozenset(_canonical(phrase) for phrase in _NOTHING.split())
_WEAK = frozenset(
    map(
        _canonical,
        words(
            """
            owner leader unit logo seed person man_name reverse_img report_data ak sk oc gesture audio
            old_name holder verification rating zhima weibo taobao owner dna
            """
        ),
    )
)
_PREFIXES = words(
    "user usr cust customer member client app sys t f borrower applicant loan emergency contact my the cur"
    " current last"
    " new old orig bak tmp ext his cn zm fm third ocr reg register apply login oper pay bank spouse linkman legal"
    " ent black admin staff teller employee emp merchant agent collector operator"
)


@lru_cache(maxsize=65_536)
def schema_term(tokens: tuple[str, ...]) -> NameVerdict | None:
    """Read the canonical words of a column's name as a term of schemas; None where it is none."""
    for start in range(len(tokens)):
        if any(token not in _PREFIXES for token in tokens[:start]):
            break
        rest = tokens[start:]
        if rest in _SILENCED:
            return NameVerdict(negative=True, rule=f"schema:{'_'.join(rest)}")
        element = _HEADS.get(rest) or (_JOINED.get(rest[0]) if len(rest) == 1 else None)
        if element is not None:
            return NameVerdict(element, WEAK if rest in _WEAK else STRONG, rule=f"schema:{'_'.join(rest)}")
    return None
