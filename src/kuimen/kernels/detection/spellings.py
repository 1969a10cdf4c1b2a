"""Abbreviations of engineers, written in full: `mth_incm_amt` is `month_income_amount`."""

from collections.abc import Mapping
from types import MappingProxyType

# Spellings of one word; phrases and names are compared after each token is written in full.
_SPELLINGS = """
    chinese cn chn|
    name nm nme| number no num nbr nmbr| address addr adr adrs| mobile mob mbl mobl moble| telephone tel
    phone phn ph fon| account acct acc acnt accnt ac| balance bal blnc| amount amt amnt| limit lmt lim| code cd
    status sts stat st stus| date dt| time tm| type typ tp| card crd| customer cust cst cus custr
    certificate cert crtf ctf| identity ident idnt| company comp corp cop cmpny| income incm incom
    month mth mon mnth| monthly mthly mly| annual ann anul| education edu educ
    marital marr marry marriage mrtl mrg| occupation occup occp occu| nationality ntnlty natnlty
    repayment repymt rpymt rpy| payment pymt pmt| principal prin prncp prcp princ| interest intrst
    overdue ovd ovdue ovrd| penalty pnlty pnl| contact ctct cntct| emergency emerg emg| relation rel rltn rela
    description desc| remark rmk remk| level lvl| score scr scor| application app appl aply| disbursement disb
    available avail avl| credit crdit crdt cr| approve apprv appr| residence resid| household hshld
    birthday brthday bday| password pwd passwd pswd passwrd| verify vrfy| location loc locat| device dev dvc
    license lic licence| installment instal instalment| email eml| gender gndr gend| reserved resv rsv rsrv
    register reg regist| beneficiary benef bnf| employer emplyr emplr| salary sal| title ttl| receipt rcpt
    withdraw wthdr wdraw| guarantor guar grntr| spouse sps| family fmly fam| organization org orgn organisation|
    emergency emer emerge| relation rela| equipment equip eqp eqpt| merchant mer mch mcht merch|
    legal lgl leg| grade grd| temporary tmpr| address adress addres addrss addess|
    amount amout ammount amonut amoutn amunt|
    mobile moblie moible mobie| password pasword passwrod passwod| receive recieve| receiver reciver reciever|
    relation releation realtion relationg| birthday bithday birthdy birhtday| principal principle princpal|
    penalty penaty penelty panalty| email emial| longitude longtitude longitute longtude| latitude lattitude latitute|
    account acount accout| balance balence blance| company compay comany| marital martial mar wedlock|
    repayment repyament repament|
    overdue overdu overude ovdu odue| education eduction educaton| contact concat conact| nickname nikename nickame|
    license lisence licence| salary salery| income imcome inc|
    user usr| office ofc ofce| residence rsd resi| identity iden idn idty| representative repr| company co|
    valid vld| collateral coll clt clltrl|
    late lt| days dys| rate rt| year yr| product prd| trade trd| login lgn| gender gnd| birth brth bth| nation ntn|
    country ctry| background bckgrnd| instalment instl| rest rst| guaranty grnty| phone mblph telph|
    borrower brwr brrwr| beneficiary bnfcry| schedule schdl| term trm| house hse| street strt|
    receive rcv| occupation ocp ocpn| degree dgr deg| education edct| position pstn posn| ethnicity ethn ethnc
"""
CANONICAL: Mapping[str, str] = MappingProxyType(
    {
        spelling: group.split()[0]
        for line in _SPELLINGS.split("\n")
        for group in filter(str.strip, line.split("|"))
        for spelling in group.split()[1:]
    }
)


def canonical(token: str) -> str:
    """Return the full spelling of an abbreviated token, or the token itself."""
    return CANONICAL.get(token, token)
