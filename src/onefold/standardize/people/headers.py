"""Headers of columns, as programs and people in several countries write them."""

from __future__ import annotations

import re

from onefold.standardize.people.chinese_names import simplified
from onefold.standardize.people.text import HAN, fold, tidy

_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_NUMBERED = re.compile(r"\s+[a-z]?\d{1,2}$|(?<=[a-z]{3})\d{1,2}$")
# Written alike after `plain`; words of one role between commas.
_LATIN = {
    "full_name": "name, full name, fullname, complete name, customer name, display name, contact name, person name,"
    " vollstandiger name, nom complet, nombre completo, nome completo, cardholder name, account name, xingming",
    "given_name": "first name, firstname, fname, first, given name, givenname, given names, given, forename, forenames,"
    " vorname, vornamen, prenom, nombre, nombres, primer nombre, nome, christian name, voornaam, imie, first nm, ming",
    "middle_name": "middle name, middlename, middle initial, middle, mi, mname, second name, zweiter vorname, middle nm",
    "family_name": "last name, lastname, lname, last, surname, surnames, family name, familyname, family, nachname,"
    " familienname, nom, nom de famille, apellido, apellidos, primer apellido, cognome, sobrenome, achternaam, nazwisko,"
    " sname, last nm, xing",
    "former_name": "maiden name, birth name, former name, previous name, nee, geburtsname, nom de jeune fille, maiden",
    "nickname": "nickname, nick name, nick, preferred name, known as, alias, goes by, rufname, apodo, surnom",
    "name_suffix": "suffix, name suffix, generation",
    "gender": "gender, sex, geschlecht, sexe, sexo, genero, sesso, xingbie, gender code, sex code",
    "birth_date": "birth date, birthdate, date of birth, dateofbirth, dob, birthday, birth dt, born, born on, bday,"
    " geburtsdatum, geburtstag, date de naissance, fecha de nacimiento, fecha nacimiento, data di nascita,"
    " data de nascimento, geboortedatum, shengri",
    "birth_year": "birth year, year of birth, yob, by, geburtsjahr, byear",
    "birth_month": "birth month, month of birth, bm, geburtsmonat, bmonth",
    "birth_day": "birth day, day of birth, bd, bday of month",
    "email": "email, e mail, mail, email address, e mail address, mail address, emailaddress, courriel, correo,"
    " correo electronico, mailadresse, e mail adresse, emailid, email id, youxiang",
    "phone": "phone, telephone, tel, phone number, telephone number, mobile, mobile phone, mobile number, cell, cellphone,"
    " cell phone, handy, telefon, telefonnummer, mobil, telefono, celular, movil, portable, telefoon, msisdn, phone no,"
    " tel no, home phone, work phone, landline, handphone, contact number, shouji, dianhua, evening phone, day phone",
    "address": "address, street, street address, addr, address line, address line 1, address 1, address1, addr 1, addr1,"
    " line 1, street 1, street name, strasse, adresse, anschrift, direccion, calle, domicilio, indirizzo, via, rue, adres,"
    " straat, postal address, full address, residence, residential address, street line 1, dizhi, strasse und hausnummer",
    "address_more": "address 2, address2, addr 2, addr2, address line 2, line 2, street 2, address 3, address line 3,"
    " adresszusatz, complement, complement d adresse, additional address",
    "house_number": "house number, street number, streetnumber, street no, house no, houseno, housenumber, hno, hausnummer,"
    " hausnr, numero, civico, huisnummer, building number",
    "unit": "unit, unit number, apt, apartment, apartment number, apt number, apt no, suite, flat, flat number, room, floor",
    "po_box": "po box, pobox, p o box, post office box, postfach, mailing address po box, address po box",
    "city": "city, town, suburb, city name, municipality, locality, ort, stadt, wohnort, ville, ciudad, citta, cidade,"
    " plaats, poblacion, commune, chengshi",
    "district": "district, county, borough, bezirk, landkreis, ward, township",
    "state": "state, province, region, state code, state province, bundesland, provincia, estado, departement, prov, sheng",
    "postcode": "postcode, zip, zip code, zipcode, postal code, postalcode, post code, plz, postleitzahl, code postal, cp,"
    " codigo postal, cap, cep, pincode, pin code, zip5, youbian",
    "country": "country, country code, nation, land, pays, pais, paese, country name, nationality country",
    "company": "company, company name, employer, employer name, organization, organisation, firm, firma, business name,"
    " entreprise, societe, empresa, azienda, unternehmen, arbeitgeber, workplace, gongsi",
    "national_id": "ssn, social security number, social security, soc sec id, social, soc sec, national id, nationalid,"
    " national id number, id card, id card number, id number, identity card, passport, passport number, nin, nino,"
    " national insurance number, tax id, tin, curp, dni, nie, rut, cpf, codice fiscale, personnummer, bsn, ausweisnummer,"
    " aadhaar, shenfenzheng, ssn last 4",
    "identifier": "user id, userid, loyalty card, loyalty number, loyalty id, card number, membership number, member number,"
    " member id, union id, unionid, open id, openid, wechat id, wechat unionid, wechat openid, customer number,"
    " customer id, client id, account number, account id, patient id, mrn, device id",
    "source": "source, source system, system, data source, origin, channel, quelle, herkunft, laiyuan, dataset",
    "ignore": "id, record id, rec id, row id, entity id, uuid, guid, pk, index, row, row number, rownum, no, nr, cluster id,"
    " created, created at, updated, updated at, timestamp, date, time, age, notes, comment, comments, status, type, amount,"
    " profile id, household id, year, language, currency, url, title, event date, event type, survey date",
}
_HAN = {
    "full_name": "姓名 名字 客户姓名 会员姓名 用户姓名 联系人 收件人 收货人 真实姓名 客户名称 名称 昵称姓名 中文名 英文名 中文姓名 持卡人",
    "given_name": "名",
    "family_name": "姓 姓氏",
    "former_name": "曾用名",
    "nickname": "昵称 小名",
    "gender": "性别",
    "birth_date": "出生日期 生日 出生年月日 出生年月 出生时间 诞生日",
    "birth_year": "出生年份 出生年",
    "birth_month": "出生月份 出生月",
    "birth_day": "出生日",
    "email": "邮箱 电子邮箱 电子邮件 邮件 邮件地址 邮箱地址",
    "phone": "手机 手机号 手机号码 电话 电话号码 联系电话 联络电话 联系方式 移动电话 固定电话 座机 家庭电话 收货电话 联系人电话",
    "address": "地址 详细地址 住址 家庭地址 家庭住址 收货地址 通讯地址 联系地址 居住地址 街道地址 街道 户籍地址 邮寄地址",
    "house_number": "门牌号 门牌",
    "unit": "房号 房间号 单元",
    "city": "城市 市 所在城市 城市名 地级市",
    "district": "区 区县 县 县区 行政区 市辖区 县市",
    "state": "省 省份 所在省份 省市 州",
    "postcode": "邮编 邮政编码",
    "country": "国家 国籍 国家地区",
    "company": "公司 公司名称 单位 工作单位 企业 企业名称 单位名称",
    "national_id": "身份证 身份证号 身份证号码 证件号 证件号码 护照号 护照 护照号码 公民身份号码",
    "identifier": "会员号 会员卡号 会员编号 客户号 客户编号 用户编号 卡号 用户id 会员id 微信号 unionid openid",
    "source": "来源 数据来源 系统 来源系统 渠道",
    "ignore": "序号 编号 备注 年龄 创建时间 更新时间 状态 类型 日期 时间 金额",
}
_ROLES = {
    **{word.strip(): role for role, words in _LATIN.items() for word in words.split(",")},
    **{word: role for role, words in _HAN.items() for word in words.split()},
}
_CONTEXT = frozenset(
    """customer client contact user member billing shipping primary home work mailing personal patient applicant cust
    buyer recipient ship bill to person permanent current residential private business main guest subscriber
    employee student policyholder insured kunden kunde your my legal official physical address""".split()
)
# Of somebody else: the employer's street is not where the person lives.
_OTHERS = frozenset(
    """employer company emergency spouse parent father mother guardian agent store shop branch sales doctor
    physician provider vendor supplier manager reference beneficiary""".split()
)
_HAN_CONTEXT = re.compile(
    "^(?:客户|会员|用户|联系人|收货人|收件人|本人|个人|买家|患者|员工|学生)(?=.)"
)
_HAN_OTHERS = re.compile("^(?:配偶|父亲|母亲|紧急|公司|单位|门店|店铺|商家|经办)")


def plain(header: str) -> str:
    """A header in small words.

    >>> plain("firstName"), plain("CUST_Zip-Code"), plain("電話")
    ('first name', 'cust zip code', '电话')
    """
    text = tidy(header)
    if HAN.search(text):
        return re.sub(r"[\s_\-（(].*$", "", simplified(text)).lower()
    return fold(_HUMP.sub(" ", text).replace("_", " "))


def role_of(header: str) -> tuple[str, float]:
    """The role that a header names, with a confidence; `ignore` and 0 where it names none.

    >>> role_of("firstName"), role_of("billing_zip"), role_of("employer_city"), role_of("收货地址")
    (('given_name', 0.95), ('postcode', 0.85), ('ignore', 0.8), ('address', 0.95))
    >>> role_of("customer.address.city"), role_of("shop.address.city")
    (('city', 0.85), ('ignore', 0.8))
    >>> role_of("x17"), role_of("lname_c1"), role_of("record_id")
    (('ignore', 0.0), ('family_name', 0.85), ('ignore', 0.95))
    """
    text = plain(header)
    if text in _ROLES:
        return _ROLES[text], 0.7 if text == "name" else 0.95
    if HAN.search(text):
        return _of_han(text)
    words = text.split()
    if words and words[0] in _OTHERS:
        return "ignore", 0.8
    while len(words) > 1 and words[0] in _CONTEXT:
        words = words[1:]
        if " ".join(words) in _ROLES:
            return _ROLES[" ".join(words)], 0.85
    bare = _NUMBERED.sub("", " ".join(words))
    if bare != text and bare in _ROLES:
        return _ROLES[bare], 0.85
    joined = text.replace(" ", "")
    return (_ROLES[joined], 0.85) if joined in _ROLES else ("ignore", 0.0)


def _of_han(text: str) -> tuple[str, float]:
    if _HAN_OTHERS.match(text):
        return "ignore", 0.8
    bare = _HAN_CONTEXT.sub("", text).rstrip("0123456789一二三")
    return (_ROLES[bare], 0.85) if bare in _ROLES else ("ignore", 0.0)
