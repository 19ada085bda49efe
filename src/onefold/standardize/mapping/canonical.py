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
user_id | identifiers.user_id | text | customer id, customer number, customer no, client id, member id, member number, 客户编号, 客户号, 会员号, 会员编号, 用户编号, 顾客编号, kundennummer, kunden nr, kundennr, kd nr, kunden id, mitgliedsnummer, 顧客番号, 顧客id, 会員番号, 会員id, お客様番号
email | identifiers.email | text | e mail, mail, email address, customer email, buyer email, 邮箱, 电子邮箱, 电子邮件, 邮件地址, mailadresse, email adresse, メールアドレス, メール, eメール, 電子メール
phone | identifiers.phone | text | mobile, mobile phone, telephone, phone number, cell phone, 手机, 手机号, 手机号码, 电话, 联系电话, telefon, telefonnummer, handy, handynummer, mobilnummer, 電話番号, 電話, 携帯電話, 携帯電話番号
"""
_MONEY = """
revenue | properties.revenue | number | amount, total, order total, total price, grand total, order amount, value, 金额, 订单金额, 实付金额, 总金额, 支付金额, betrag, gesamtbetrag, summe, umsatz, bestellwert, rechnungsbetrag, 金額, 合計金額, 注文金額, 売上
currency | properties.currency | text | currency code, 币种, 货币, währung, waehrung, 通貨
"""
CANONICAL: Mapping[str, Entity] = {
    "person": Entity(
        "identify",
        "",
        _fields(
            _WHO
            + """
name | traits.name | text | full name, customer name, display name, 姓名, 客户姓名, 会员姓名, 名字, vollständiger name, kundenname, 氏名, お名前, 名前, 顧客名
first_name | traits.first_name | text | given name, forename, fname, 名, vorname, ファーストネーム
last_name | traits.last_name | text | family name, surname, lname, 姓, 姓氏, nachname, familienname, zuname, 苗字
gender | traits.gender | text | sex, 性别, geschlecht, 性別
birth_date | traits.birth_date | date | birthday, date of birth, dob, birthdate, 生日, 出生日期, geburtsdatum, geburtstag, 生年月日, 誕生日
language | traits.language | text | locale, preferred language, 语言, sprache, 言語
company | traits.company | text | company name, employer, organization, 公司, 单位, 公司名称, firma, unternehmen, 会社名, 会社, 勤務先
title | traits.title | text | job title, position, 职位, 职务, position im unternehmen, 役職
level | traits.level | text | tier, customer level, member level, loyalty tier, 等级, 会员等级, 客户等级, kundenstufe, stufe, 会員ランク, ランク
points | traits.points | number | loyalty points, bonus points, 积分, 会员积分, punkte, bonuspunkte, ポイント
created_at | traits.created_at | time | created, created on, registered at, signup date, registration date, 注册时间, 创建时间, 注册日期, 入会时间, angelegt am, erstellt am, registriert am, 登録日, 登録日時, 作成日時
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
address | traits.address | text | street address, full address, 地址, 详细地址, 收货地址, adresse, anschrift, 住所
street | traits.street | text | street name, 街道, straße, strasse, 番地
house_number | traits.house_number | text | house no, 门牌号, hausnummer, hausnr
city | traits.city | text | town, 城市, 市, 所在城市, stadt, ort, wohnort, 市区町村
district | traits.district | text | county, 区, 区县, bezirk, landkreis
state | traits.state | text | province, region, 省, 省份, bundesland, 都道府県
postal_code | traits.postal_code | text | postcode, zip, zip code, 邮编, 邮政编码, plz, postleitzahl, 郵便番号
country | traits.country | text | country code, 国家, 国家地区, land, 国, 国名
"""
        ),
    ),
    "consent": Entity(
        "identify",
        "",
        _fields(
            _WHO
            + """
marketing | traits.consent.marketing | boolean | marketing consent, accepts marketing, opt in, newsletter, 营销同意, 是否接受营销, 订阅, werbeeinwilligung, einwilligung, メルマガ, 配信許可
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
account_id | group | text | account, company id, organization id, account number, 企业编号, 公司编号, firmennummer, firmen id, 企業番号, 法人番号
name | traits.name | text | account name, company name, 公司名称, 企业名称, firmenname, 会社名, 企業名
industry | traits.industry | text | sector, 行业, branche, 業種
employees | traits.employees | number | number of employees, headcount, 员工数, 人数, mitarbeiter, mitarbeiterzahl, 従業員数
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
order_id | id | text | order number, order no, order, purchase id, transaction id, receipt number, 订单号, 订单编号, 单号, 交易号, bestellnummer, bestell nr, auftragsnummer, auftrags nr, belegnummer, 注文番号, 注文id, 受注番号
ordered_at | time | time | order date, order time, purchase date, purchased at, paid at, transaction date, 下单时间, 订单时间, 付款时间, 支付时间, 成交时间, 购买日期, bestelldatum, bestellt am, auftragsdatum, kaufdatum, belegdatum, 注文日, 注文日時, 購入日, 受注日
status | properties.status | text | order status, 订单状态, 状态, bestellstatus, 注文状況, ステータス
tax | properties.tax | number | vat, tax amount, 税额, mwst, steuer, umsatzsteuer, 消費税, 税額
shipping | properties.shipping | number | shipping cost, delivery fee, 运费, versandkosten, 送料
discount | properties.discount | number | discount amount, 优惠金额, 折扣, rabatt, 割引, 値引き
coupon | properties.coupon | text | coupon code, promo code, 优惠券, gutschein, gutscheincode, クーポン
store | properties.store | text | shop, branch, 门店, 店铺, filiale, 店舗
"""
        ),
    ),
    "line": Entity(
        "track",
        "Product Bought",
        _fields(
            _WHO
            + """
order_id | properties.order_id | text | order number, order no, 订单号, 订单编号, bestellnummer, auftragsnummer, 注文番号
ordered_at | time | time | order date, 下单时间, bestelldatum, 注文日
sku | properties.sku | text | product id, item number, article number, product code, 商品编号, 货号, artikelnummer, artikel nr, 商品コード, 商品番号
product | properties.product | text | product name, item, item name, description, 商品, 商品名称, 产品, artikel, produkt, bezeichnung, 商品名
category | properties.category | text | product category, 类别, 分类, 品类, kategorie, warengruppe, カテゴリ
quantity | properties.quantity | number | qty, count, pieces, 数量, 件数, menge, anzahl, 個数
price | properties.price | number | unit price, item price, 单价, 价格, preis, einzelpreis, 単価, 価格
currency | properties.currency | text | currency code, 币种, währung, 通貨
"""
        ),
    ),
    "ticket": Entity(
        "track",
        "Ticket Opened",
        _fields(
            _WHO
            + """
ticket_id | id | text | ticket number, ticket, case id, case number, 工单号, 工单编号, ticketnummer, vorgangsnummer, 問い合わせ番号
opened_at | time | time | opened, created at, created, 创建时间, 提交时间, erstellt am, eröffnet am, 受付日時
subject | properties.subject | text | title, summary, 主题, 标题, betreff, 件名
status | properties.status | text | state, 状态, 工单状态, status, ステータス
priority | properties.priority | text | urgency, 优先级, priorität, 優先度
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
