"""The canonical customer schema: what is usually known of customers, under one name each.

A mapping that is `to:` an entity names its fields only; types, and whether a field is an identifier, a
trait or a property, are known. What it lacks stands beside, under identifiers, traits and properties.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any, NamedTuple

from onefold.model.mapping import FieldType


class Canonical(NamedTuple):
    """One field: where it goes, as what, and how it is called in Chinese, English, German, Japanese."""

    place: str
    type: FieldType | None
    words: tuple[str, ...]


class Entity(NamedTuple):
    """What a record can be about: the event that it becomes, and its fields."""

    type: str
    event: str
    fields: Mapping[str, Canonical]


def _fields(text: str) -> dict[str, Canonical]:
    """A field a line: name, place, type, and words between commas."""
    found = {}
    for line in filter(None, text.splitlines()):
        name, place, kind, words = (part.strip() for part in line.split("|"))
        spoken = tuple(key_of(word) for word in [name, *words.split(",")] if word.strip())
        found[name] = Canonical(place, kind or None, spoken)  # type: ignore[arg-type]
    return found


_ODD = re.compile(r"[\W_]+")


def key_of(header: str) -> str:
    """A name without case, width, blanks and signs.

    >>> key_of("Kunden-Nr."), key_of("Order_ID"), key_of("ＯＲＤＥＲ番号")
    ('kundennr', 'orderid', 'order番号')
    """
    return _ODD.sub("", unicodedata.normalize("NFKC", header).casefold())


_WHO = """
user_id | identifiers.user_id | text | customer id, customer number, customer no, client id, member id, member number, 客户编号, 客户号, 会员号, 会员编号, 用户编号, 顾客编号, kundennummer, kunden nr, kundennr, kd nr, kunden id, mitgliedsnummer, 顧客番号, 顧客id, 会員番号, 会員id, お客様番号, customer, custid, customer ref, shopper id, buyer id, contact id, patron id, 客户id, 客户代码, 客户编码, 会员id, 会员卡号, 会员代码, 用户id, 用户号, 用户名id, 顾客id, 顾客号, 买家id, kunde nr, kundencode, kundenkennung, debitor, debitorennummer, debitorennr, 顧客コード, 会員コード, 顧客no, 会員no, お客様id, お客様コード, 得意先コード
email | identifiers.email | text | e mail, mail, email address, customer email, buyer email, 邮箱, 电子邮箱, 电子邮件, 邮件地址, mailadresse, email adresse, メールアドレス, メール, eメール, 電子メール, mail address, contact email, primary email, 邮箱地址, 电邮, 电子邮件地址, mailアドレス, メアド, 電子メールアドレス, eメールアドレス
phone | identifiers.phone | text | mobile, mobile phone, telephone, phone number, cell phone, 手机, 手机号, 手机号码, 电话, 联系电话, telefon, telefonnummer, handy, handynummer, mobilnummer, 電話番号, 電話, 携帯電話, 携帯電話番号, mobile number, mobile no, cell, contact number, contact phone, phone no, phone1, tel, tel no, telephone number, msisdn, 手机号码1, 移动电话, 联系方式, 联系手机, 电话号码, 收货电话, mobil, mobiltelefon, telefon mobil, telefon privat, rufnummer, tel nr, fon, 携帯番号, 携帯, お電話番号, 連絡先, 電話no
"""
_MONEY = """
revenue | properties.revenue | number | amount, total, order total, total price, grand total, order amount, value, 金额, 订单金额, 实付金额, 总金额, 支付金额, betrag, gesamtbetrag, summe, umsatz, bestellwert, rechnungsbetrag, 金額, 合計金額, 注文金額, 売上, order value, total amount, net amount, gross amount, amount paid, paid amount, sales, sales amount, total sales, subtotal, price total, payment amount, 销售额, 成交金额, 实收金额, 应付金额, 交易金额, 合计, 总价, 合计金额, gesamtpreis, gesamtsumme, endbetrag, bruttobetrag, nettobetrag, rechnungssumme, warenwert, 総額, 合計, 請求金額, 購入金額, 受注金額, 売上金額, ご注文金額, 支払金額
currency | properties.currency | text | currency code, 币种, 货币, währung, waehrung, 通貨, 币别, 货币代码, währungscode, 通貨コード
"""
CANONICAL: Mapping[str, Entity] = {
    "person": Entity(
        "identify",
        "",
        _fields(
            _WHO
            + """
name | traits.name | text | full name, customer name, display name, 姓名, 客户姓名, 会员姓名, 名字, vollständiger name, kundenname, 氏名, お名前, 名前, 顧客名, contact, contact name, client name, client, member name, buyer name, recipient, recipient name, ship name, 联系人, 收件人, 收货人, 会员名称, 客户名, 客户名称, 顾客姓名, 用户姓名, 买家姓名, 真实姓名, vor und nachname, vorname nachname, nachname vorname, ansprechpartner, kontaktperson, kunde, 氏名漢字, お客様名, 会員名, ご氏名, 顧客氏名, 申込者氏名, 注文者氏名, 注文者名
first_name | traits.first_name | text | given name, forename, fname, 名, vorname, ファーストネーム, firstname, given names, first, rufname, 名漢字
last_name | traits.last_name | text | family name, surname, lname, 姓, 姓氏, nachname, familienname, zuname, 苗字, lastname, last, 姓漢字, 名字姓, ラストネーム
gender | traits.gender | text | sex, 性别, geschlecht, 性別, gender code, m f, 男女, 性別コード, anrede
phonetic_name | traits.phonetic_name | text | name reading, pinyin, kana, 姓名拼音, 拼音, フリガナ, ふりがな, カナ, カナ氏名, 氏名カナ, 氏名フリガナ, 氏名ふりがな, お名前フリガナ, お名前カナ, 名前カナ, よみがな, 顧客名カナ, 会員名カナ
phonetic_first_name | traits.phonetic_first_name | text | first name kana, メイ, めい, カナ名, 名カナ, 名フリガナ, 名ふりがな
phonetic_last_name | traits.phonetic_last_name | text | last name kana, セイ, せい, カナ姓, 姓カナ, 姓フリガナ, 姓ふりがな
birth_date | traits.birth_date | date | birthday, date of birth, dob, birthdate, 生日, 出生日期, geburtsdatum, geburtstag, 生年月日, 誕生日, born, born on, bday, 出生年月日, 出生年月, 出生日, geb datum, geb dat, geboren, geboren am, geb, 誕生年月日, お誕生日
language | traits.language | text | locale, preferred language, 语言, sprache, 言語, lang, language code, preferred locale, 语种, 首选语言, korrespondenzsprache, 使用言語
company | traits.company | text | company name, employer, organization, 公司, 单位, 公司名称, firma, unternehmen, 会社名, 会社, 勤務先, organisation, firm, business name, 公司名, 单位名称, 工作单位, 企业, firmenname, unternehmensname, organisation name, 企業, 法人名, 会社名称, 所属
title | traits.title | text | job title, position, 职位, 职务, position im unternehmen, 役職, role, 岗位, funktion, beruf, 肩書, 職業
level | traits.level | text | tier, customer level, member level, loyalty tier, 等级, 会员等级, 客户等级, kundenstufe, stufe, 会員ランク, ランク, loyalty level, membership level, membership tier, vip level, customer tier, 会员级别, 客户级别, vip等级, treuestufe, kundenstatus, 会員ステータス, 会員区分, 会員種別
points | traits.points | number | loyalty points, bonus points, 积分, 会员积分, punkte, bonuspunkte, ポイント, reward points, point balance, 可用积分, 当前积分, 积分余额, treuepunkte, punktestand, 保有ポイント, ポイント残高
created_at | traits.created_at | time | created, created on, registered at, signup date, registration date, 注册时间, 创建时间, 注册日期, 入会时间, angelegt am, erstellt am, registriert am, 登録日, 登録日時, 作成日時, created date, creation date, date created, customer since, member since, join date, joined, registered, registered on, registration time, signed up, 注册日, 注册日期时间, 入会日期, 开卡日期, 创建日期, 建档时间, anlagedatum, registrierung, registrierungsdatum, kunde seit, mitglied seit, anmeldedatum, erfasst am, 入会日, 会員登録日, 作成日, 新規登録日
"""
        ),
    ),
    "contact": Entity(
        "identify",
        "",
        _fields(
            _WHO
            + """
wechat_unionid | identifiers.wechat_unionid | text | union id, unionid, 微信unionid
wechat_openid | identifiers.wechat_openid | text | open id, openid, 微信openid
device_id | identifiers.device_id | text | device, 设备号, 设备id, gerätenummer, デバイスid
anonymous_id | identifiers.anonymous_id | text | visitor id, cookie id, 访客id, besucher id, 訪問者id
"""
        ),
    ),
    "address": Entity(
        "identify",
        "",
        _fields(
            _WHO
            + """
address | traits.address | text | street address, full address, 地址, 详细地址, 收货地址, adresse, anschrift, 住所, addr, address1, address line 1, street 1, home address, postal address, mailing address, shipping address, 住址, 家庭地址, 家庭住址, 联系地址, 通讯地址, 详细住址, 居住地址, straße und hausnummer, straße hausnummer, straße nr, straße hausnr, 住所1, ご住所, 番地以降
street | traits.street | text | street name, 街道, straße, strasse, 番地, str, straßenname, 町名番地, 町域
house_number | traits.house_number | text | house no, 门牌号, hausnummer, hausnr, street number, street num, house, hnr, nr haus
city | traits.city | text | town, 城市, 市, 所在城市, stadt, ort, wohnort, 市区町村, city name, municipality, 市区, 城市名称, 所在市, gemeinde, wohnort ort, 市町村, 市区郡町村, 都市
district | traits.district | text | county, 区, 区县, bezirk, landkreis, borough, suburb, 区域, 县, 县区, 行政区, ortsteil, stadtteil, kreis, 町村
state | traits.state | text | province, region, 省, 省份, bundesland, 都道府県, state code, state province, county state, 省市, 州, 所在省, kanton, 県, 都道府県名
postal_code | traits.postal_code | text | postcode, zip, zip code, 邮编, 邮政编码, plz, postleitzahl, 郵便番号, postal, pin code, 邮政编号, plz nr, 郵便no
country | traits.country | text | country code, 国家, 国家地区, land, 国, 国名, country name, nation, 国籍, 国别, 国家代码, ländercode, laendercode, staat, 国地域, 国コード
"""
        ),
    ),
    "consent": Entity(
        "identify",
        "",
        _fields(
            _WHO
            + """
marketing | traits.consent.marketing | boolean | marketing consent, accepts marketing, opt in, newsletter, 营销同意, 是否接受营销, 订阅, werbeeinwilligung, einwilligung, メルマガ, 配信許可, email opt in, email marketing, marketing opt in, subscribed, newsletter subscribed, allow marketing, 是否订阅, 是否同意营销, 营销授权, newsletter abonniert, newsletter anmeldung, werbeerlaubnis, 広告配信, メール配信, メルマガ購読, dm可
analytics | traits.consent.analytics | boolean | analytics consent, 分析同意, analyse
profiling | traits.consent.profiling | boolean | profiling consent, personalization consent, 个性化同意, profilbildung
"""
        ),
    ),
    "account": Entity(
        "group",
        "",
        _fields(
            _WHO
            + """
account_id | group | text | account, company id, organization id, account number, 企业编号, 公司编号, firmennummer, firmen id, 企業番号, 法人番号, company number, organisation id, org id, tenant id, 客户公司编号, 企业id, firmen nr, mandant, mandantennummer, 会社コード, 企業コード, 取引先コード
name | traits.name | text | account name, company name, 公司名称, 企业名称, firmenname, 会社名, 企業名, organization name, organisation name, 企业, firma, unternehmensname, 法人名, 取引先名
industry | traits.industry | text | sector, 行业, branche, 業種, 所属行业, industrie, 産業
employees | traits.employees | number | number of employees, headcount, 员工数, 人数, mitarbeiter, mitarbeiterzahl, 従業員数, employee count, staff, company size, 员工人数, 企业规模, anzahl mitarbeiter, 社員数
plan | traits.plan | text | subscription, 套餐, tarif, プラン
"""
        ),
    ),
    "order": Entity(
        "track",
        "Order Completed",
        _fields(
            _WHO
            + _MONEY
            + """
order_id | id | text | order number, order no, order, purchase id, transaction id, receipt number, 订单号, 订单编号, 单号, 交易号, bestellnummer, bestell nr, auftragsnummer, auftrags nr, belegnummer, 注文番号, 注文id, 受注番号, order ref, order reference, order code, purchase number, invoice number, invoice no, invoice id, receipt no, 订单id, 订单, 流水号, 交易编号, 交易单号, 发票号, bestell id, auftrags id, auftrag, rechnungsnummer, rechnungsnr, beleg nr, bon nr, bonnummer, オーダーid, オーダー番号, 注文no, 注文コード, 受注id, 受注no, 伝票番号, 取引id, 取引番号
ordered_at | time | time | order date, order time, purchase date, purchased at, paid at, transaction date, 下单时间, 订单时间, 付款时间, 支付时间, 成交时间, 购买日期, bestelldatum, bestellt am, auftragsdatum, kaufdatum, belegdatum, 注文日, 注文日時, 購入日, 受注日, order timestamp, ordered on, po date, date ordered, date of order, purchase time, purchase timestamp, sale date, sales date, sold at, transaction time, transaction timestamp, invoice date, payment date, payment time, 下单日期, 订单日期, 付款日期, 支付日期, 成交日期, 销售日期, 销售时间, 交易日期, 交易时间, 订货日期, bestellzeitpunkt, bestellzeit, verkaufsdatum, rechnungsdatum, zahlungsdatum, オーダー日, オーダー日時, ご注文日, 購入日時, 受注日時, 取引日, 取引日時, 売上日, 販売日
status | properties.status | text | order status, 订单状态, 状态, bestellstatus, 注文状況, ステータス, payment status, fulfillment status, 支付状态, 订单状态名称, auftragsstatus, zahlungsstatus, 受注状況, 注文ステータス, 受注ステータス
tax | properties.tax | number | vat, tax amount, 税额, mwst, steuer, umsatzsteuer, 消費税, 税額, sales tax, tax total, 税, 税费, steuerbetrag, mehrwertsteuer, mwst betrag, 税金
shipping | properties.shipping | number | shipping cost, delivery fee, 运费, versandkosten, 送料, shipping fee, shipping amount, freight, delivery cost, 快递费, 邮费, versand, fracht, 配送料, 発送料
discount | properties.discount | number | discount amount, 优惠金额, 折扣, rabatt, 割引, 値引き, discount code amount, discount total, 优惠, 减免金额, 折扣金额, nachlass, rabattbetrag, 割引額, 割引金額, 値引き額
coupon | properties.coupon | text | coupon code, promo code, 优惠券, gutschein, gutscheincode, クーポン, voucher, voucher code, discount code, promotion code, 优惠码, 优惠券码, rabattcode, aktionscode, クーポンコード
store | properties.store | text | shop, branch, 门店, 店铺, filiale, 店舗, store name, shop name, store id, outlet, location name, 门店名称, 店铺名称, 店名, 所属门店, niederlassung, geschäft, 店舗名, 店, ショップ
"""
        ),
    ),
    "line": Entity(
        "track",
        "Product Bought",
        _fields(
            _WHO
            + """
order_id | properties.order_id | text | order number, order no, 订单号, 订单编号, bestellnummer, auftragsnummer, 注文番号, order id, invoice no, invoice number, 订单id, 单号, 流水号, bestell nr, bestell id, auftrags nr, rechnungsnummer, オーダーid, オーダー番号, 注文id, 注文no, 受注番号, 伝票番号, 取引id
ordered_at | time | time | order date, 下单时间, bestelldatum, 注文日, order time, ordered at, date ordered, purchase date, sale date, invoice date, transaction date, 订单日期, 订单时间, 销售日期, 交易日期, 购买日期, auftragsdatum, kaufdatum, verkaufsdatum, rechnungsdatum, オーダー日, 注文日時, 購入日, 受注日, 売上日, 取引日
sku | properties.sku | text | product id, item number, article number, product code, 商品编号, 货号, artikelnummer, artikel nr, 商品コード, 商品番号, sku code, item id, item code, item no, product number, product no, product sku, stock code, barcode, ean, gtin, 商品id, 产品id, 产品编号, 商品代码, 商品编码, 产品编码, 条码, artikel id, art nr, produktnummer, produkt id, ean code, 製品id, 製品コード, 品番, 商品no, jan, janコード
product | properties.product | text | product name, item, item name, description, 商品, 商品名称, 产品, artikel, produkt, bezeichnung, 商品名, product title, item title, title, item description, product description, 商品标题, 产品名, 产品名称, 品名, 商品名称规格, artikelname, artikelbezeichnung, artikelbeschreibung, produktname, produktbezeichnung, 製品名
category | properties.category | text | product category, 类别, 分类, 品类, kategorie, warengruppe, カテゴリ, category name, product type, product line, department, 商品分类, 商品类别, 产品类别, 产品分类, 类目, produktkategorie, artikelgruppe, produktgruppe, カテゴリー, 商品カテゴリ, 商品分類, ジャンル
quantity | properties.quantity | number | qty, count, pieces, 数量, 件数, menge, anzahl, 個数, quantity ordered, order quantity, qty ordered, units, units sold, unit sold, number of items, 购买数量, 销售数量, 商品数量, 销量, stück, stueck, stückzahl, bestellmenge, 注文数, 注文数量, 受注個数, 購入数, 点数, 販売数
price | properties.price | number | unit price, item price, 单价, 价格, preis, einzelpreis, 単価, 価格, price each, sale price, selling price, list price, retail price, 售价, 商品单价, 商品价格, 销售单价, stückpreis, stueckpreis, verkaufspreis, preis pro einheit, 販売価格, 商品金額, 金額単価, 販売単価
currency | properties.currency | text | currency code, 币种, währung, 通貨, 币别, 货币代码, währungscode, 通貨コード
"""
        ),
    ),
    "ticket": Entity(
        "track",
        "Ticket Opened",
        _fields(
            _WHO
            + """
ticket_id | id | text | ticket number, ticket, case id, case number, 工单号, 工单编号, ticketnummer, vorgangsnummer, 問い合わせ番号, issue id, issue number, incident, incident number, request id, ticket no, 工单id, 服务单号, ticket nr, fallnummer, anfragenummer, チケット番号, チケットid, 受付番号, 問合せ番号
opened_at | time | time | opened, created at, created, 创建时间, 提交时间, erstellt am, eröffnet am, 受付日時, opened on, submitted at, reported at, date opened, 受理时间, 工单创建时间, erstellt, gemeldet am, eingang am, 受付日, 起票日時, 問い合わせ日時, 作成日時
subject | properties.subject | text | title, summary, 主题, 标题, betreff, 件名, ticket subject, topic subject, 问题标题, 工单标题, タイトル, 題名
status | properties.status | text | state, 状态, 工单状态, status, ステータス
priority | properties.priority | text | urgency, 优先级, priorität, 優先度, severity, 紧急程度, dringlichkeit, prioritaet, 重要度, 緊急度
channel | properties.channel | text | via, 渠道, kanal, チャネル
category | properties.category | text | topic, type, 分类, 类型, kategorie, thema, カテゴリ
rating | properties.rating | number | satisfaction, csat, score, 评分, 满意度, bewertung, 満足度, 評価
"""
        ),
    ),
}
"""The shipped schema, by the name of what a record is about."""
WHO: Mapping[str, Canonical] = _fields(_WHO)
"""What every entity has: whom it is about."""


def placed(about: Entity, fields: Mapping[str, Any]) -> dict[str, Any]:
    """What a mapping to an entity says, as if it were written out.

    >>> placed(CANONICAL["order"], {"order_id": "Beleg", "revenue": {"from": "Summe", "decimal": ","}})["properties"]
    {'order_id': {'from': 'Beleg', 'type': 'text'}, 'revenue': {'from': 'Summe', 'decimal': ',', 'type': 'number'}}
    """
    body: dict[str, Any] = {"type": about.type}
    if about.event:
        body["event"] = about.event
    for name, given in fields.items():
        one = about.fields[name]
        how = {"from": given} if isinstance(given, str | list) else given
        if isinstance(how, dict) and one.type and one.place != "time":
            how = {**how, "type": how.get("type", one.type)}
        where, _, inner = one.place.partition(".")
        if where == "id":
            body["id"] = how
            where, inner = "properties", name
        if inner:
            body.setdefault(where, {})[inner] = how
        else:
            body[where] = how
    return body
