"""What happens in a visit, told with Segment's e-commerce events."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from onefold.model.records import Identifier
from onefold.testing.shop.catalog import AGENTS, CATEGORIES, COUPONS, shelf
from onefold.testing.shop.messages import Message, Pen
from onefold.testing.shop.people import Person, pick, seeded
from onefold.testing.shop.visits import DAY, Visit

_VISIT, _ORDER = 7, 8


def play_visit(seed: int, person: Person, visit: Visit) -> list[Message]:
    """The messages of one visit."""
    rng = Random(seeded(seed, _VISIT, person.number) * 1024 + visit.number)
    pen = Pen(rng, person.number, visit.at, visit.late)
    _SCENES[visit.purpose](seed, person, visit, pen)
    return pen.written


def order(seed: int, person: Person, number: int) -> dict[str, Any]:
    """What a customer bought in visit `number`, as the properties of `Order Completed`."""
    r = Random(seeded(seed, _ORDER, person.number) * 1024 + number).random
    goods = [
        {**pick(r, shelf(person.country, pick(r, CATEGORIES))), "quantity": 1 + int(r() * r() * 4)}
        for _ in range(1 + int(r() * r() * 4))
    ]
    digits = 0 if person.country.currency == "JPY" else 2
    revenue = round(sum(good["price"] * good["quantity"] for good in goods), digits)
    shipping = round(12 * person.country.rate, digits) if revenue < 200 else 0.0
    properties: dict[str, Any] = {
        "order_id": f"o-{person.number}-{number}",
        "total": round(revenue + shipping, digits),
        "revenue": revenue,
        "shipping": shipping,
        "currency": person.country.currency,
        "products": goods,
    }
    if r() < 0.2:
        properties["coupon"] = pick(r, COUPONS)
    return properties


def email_typed(person: Person, random: Callable[[], float]) -> str:
    """The customer's e-mail as people type it: the same once it is normalized."""
    dice = random()
    if dice < 0.8:
        return person.email
    return person.email.title() if dice < 0.9 else f" {person.email.upper()} "


def phone_typed(person: Person, random: Callable[[], float]) -> str:
    """The customer's telephone number as people type it: the same once it is normalized."""
    dice, country, national = random(), person.country, person.national_phone
    if dice < 0.4:
        return person.phone
    parts, rest = [], national
    for length in country.phone_groups:
        parts.append(rest[:length])
        rest = rest[length:]
    if country.code != "CN":
        spoken = " ".join(parts)
        return f"+{country.dial} {spoken}" if dice < 0.8 else f"00{country.dial} {spoken}"
    return (
        national if dice < 0.65
        else "-".join(parts) if dice < 0.75
        else " ".join(parts) if dice < 0.85
        else f"+86 {' '.join(parts)}" if dice < 0.93
        else national.translate(_FULL_WIDTH)
    )  # fmt: skip


_FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")


def _email(person: Person) -> Identifier:
    return Identifier("email", person.email)


def _phone(person: Person) -> Identifier:
    return Identifier("phone", person.phone)


def _unionid(person: Person) -> tuple[Identifier, ...]:
    return (Identifier("wechat_unionid", person.unionid),) if person.unionid else ()


def _profile(person: Person, random: Callable[[], float]) -> dict[str, Any]:
    return {
        "email": email_typed(person, random),
        "phone": phone_typed(person, random),
        "name": person.name,
        "firstName": person.first_name,
        "lastName": person.last_name,
        "gender": person.gender,
        "birthday": person.birthday,
        "country": person.country.code,
        "city": person.city,
        "language": person.country.locale,
    }


def _look_around(person: Person, pen: Pen, goods: int) -> None:
    r, locale = pen.rng.random, person.country.locale
    pen.page("Home", f"/{locale}/", "Shop")
    category = pick(r, CATEGORIES)
    products = shelf(person.country, category)
    listed = [{**product, "position": place} for place, product in enumerate(products, 1)]
    pen.page("Category", f"/{locale}/c/{category.lower()}", category)
    pen.track(
        "Product List Viewed",
        {"list_id": category.lower(), "category": category, "products": listed},
    )
    for _ in range(goods):
        product = pick(r, products)
        pen.track("Product Viewed", product)
        if r() < 0.15:
            pen.track("Product Added to Wishlist", product)


def _browse(seed: int, person: Person, visit: Visit, pen: Pen) -> None:
    assert visit.device is not None
    pen.hold(visit.device, visit.anonymous_id)
    _look_around(person, pen, 1 + int(pen.rng.random() * 6))
    if pen.rng.random() < 0.3:
        pen.track(
            "Product Added", {**pick(pen.rng.random, shelf(person.country, "Tea")), "quantity": 1}
        )


def _shop(seed: int, person: Person, visit: Visit, pen: Pen) -> None:
    assert visit.device is not None
    pen.hold(visit.device, visit.anonymous_id)
    if visit.knows:
        _become(person, pen)
    _look_around(person, pen, 1 + int(pen.rng.random() * 4))
    if visit.signs_up:
        _sign_up(person, pen)
    elif visit.signs_in:
        _sign_in(person, pen)
    pen.track(
        "Product Viewed",
        pick(pen.rng.random, shelf(person.country, pick(pen.rng.random, CATEGORIES))),
    )
    if visit.buys:
        _buy(seed, person, visit, pen)
        pen.hold(visit.device, visit.anonymous_id)
        _become(person, pen)
    elif pen.rng.random() < 0.3:
        product = pick(pen.rng.random, shelf(person.country, "Sports"))
        pen.track("Product Added", {**product, "quantity": 1})
    if visit.signs_out:
        _sign_out(person, visit, pen)


def _become(person: Person, pen: Pen) -> None:
    """From here on the client knows the user; apps repeat their traits in every call."""
    pen.user_id = person.user_id
    if pen.source == "app":
        traits: dict[str, Any] = {"email": person.email, "name": person.name}
        pen.carry(traits, _email(person))
    pen.refresh()


def _sign_up(person: Person, pen: Pen) -> None:
    anonymous_id = pen.anonymous_id
    _become(person, pen)
    if person.unionid:
        union = {"id": person.unionid, "type": "wechat_unionid", "collection": "users"}
        pen.context = {**pen.context, "externalIds": [{**union, "encoding": "none"}]}
        pen.extra += _unionid(person)
        pen.refresh()
    pen.identify(_profile(person, pen.rng.random), _email(person), _phone(person))
    if anonymous_id is not None and pen.rng.random() < 0.05:
        pen.alias(anonymous_id)
    method = "wechat" if person.unionid else "email"
    pen.track("Signed Up", {"method": method, "type": "organic"})


def _sign_in(person: Person, pen: Pen) -> None:
    _become(person, pen)
    pen.identify({"email": email_typed(person, pen.rng.random)}, _email(person))
    pen.track("Signed In", {"method": "password"})


def _sign_out(person: Person, visit: Visit, pen: Pen) -> None:
    assert visit.device is not None
    pen.track("Signed Out", {})
    pen.user_id = None
    device = visit.device
    next_id = visit.anonymous_id
    if device.forgets:
        used = int(next_id[-2:], 16) if next_id != device.anonymous_id else 0
        next_id = device.anonymous_id_after(used + 1)
    pen.hold(device, next_id)
    if pen.rng.random() < 0.6:
        _look_around(person, pen, 1)


def _buy(seed: int, person: Person, visit: Visit, pen: Pen) -> None:
    """Through the checkout; the order itself comes from the shop's backend."""
    bought = order(seed, person, visit.order)
    for good in bought["products"]:
        pen.track("Product Added", good)
    cart_id = f"cart-{person.number}-{visit.number}"
    pen.track("Cart Viewed", {"cart_id": cart_id, "products": bought["products"]})
    pen.track("Checkout Started", {**bought, "affiliation": pen.source})
    pen.serve("shop")
    pen.track("Order Completed", bought)


def _guest(seed: int, person: Person, visit: Visit, pen: Pen) -> None:
    """An order without an account: all that is known is an e-mail and a telephone number."""
    assert visit.device is not None
    pen.hold(visit.device, visit.anonymous_id)
    _look_around(person, pen, 2)
    bought = order(seed, person, visit.order)
    for good in bought["products"]:
        pen.track("Product Added", good)
    traits = {
        "email": email_typed(person, pen.rng.random),
        "phone": phone_typed(person, pen.rng.random),
    }
    pen.carry(traits, _email(person), _phone(person))
    pen.track("Checkout Started", {**bought, "affiliation": pen.source})
    pen.track("Order Completed", bought)


def _mail(seed: int, person: Person, visit: Visit, pen: Pen) -> None:
    """What the mailing service reports, of a user or only of an address."""
    pen.serve("email")
    campaign = 1 + visit.at // (7 * DAY) % 52
    properties = {"campaign_id": f"week-{campaign}", "campaign_name": "Weekly offers"}
    if pen.rng.random() < 0.5:
        pen.user_id = person.user_id
        pen.refresh()
    else:
        pen.carry({"email": email_typed(person, pen.rng.random)}, _email(person))
    pen.track("Email Delivered", properties)
    pen.track("Email Opened", properties)
    if pen.rng.random() < 0.3:
        pen.track("Email Link Clicked", {**properties, "link_url": "https://shop.example/offers"})


def _call(seed: int, person: Person, visit: Visit, pen: Pen) -> None:
    """The helpdesk knows who calls by telephone number, and writes the e-mail down by ear."""
    pen.serve("helpdesk")
    r = pen.rng.random
    traits: dict[str, Any] = {"phone": phone_typed(person, r)}
    pen.carry(traits, _phone(person))
    if r() < 0.5:
        misheard = r() < 0.15
        email = misspelled(person.email) if misheard else email_typed(person, r)
        known = Identifier("email", misspelled(person.email)) if misheard else _email(person)
        pen.identify({**traits, "name": person.name, "email": email}, known)
    ticket = f"t-{person.number}-{visit.number}"
    agent = pick(r, AGENTS)
    pen.track(
        "Support Call", {"ticket_id": ticket, "duration": 60 + int(r() * 900), "agent": agent}
    )
    if r() < 0.6:
        pen.track("Support Ticket Created", {"ticket_id": ticket, "topic": pick(r, _TOPICS)})
        pen.wait(1800 + r() * 7200)
        pen.track("Support Ticket Closed", {"ticket_id": ticket, "satisfaction": 1 + int(r() * 5)})


_TOPICS = ("delivery", "return", "payment", "product", "account")


def misspelled(email: str) -> str:
    """The e-mail with two letters exchanged: no normalization brings it back."""
    return email[1] + email[0] + email[2:] if email[0] != email[1] else email[1:]


def _return(seed: int, person: Person, visit: Visit, pen: Pen) -> None:
    pen.serve("shop")
    pen.user_id = person.user_id
    pen.refresh()
    bought = order(seed, person, visit.order)
    reason = pick(pen.rng.random, ("too small", "damaged", "changed my mind", "late"))
    pen.track("Order Refunded", {**bought, "reason": reason})


def _mini(seed: int, person: Person, visit: Visit, pen: Pen) -> None:
    """In the WeChat mini program customers have another user id."""
    pen.serve("app")
    pen.user_id = person.mini_program_id
    pen.refresh()
    for _ in range(1 + int(pen.rng.random() * 4)):
        pen.track("Product Viewed", pick(pen.rng.random, shelf(person.country, "Beauty")))


def _bind(seed: int, person: Person, visit: Visit, pen: Pen) -> None:
    """The customer connects the account of the mini program: two user ids become one."""
    _mini(seed, person, visit, pen)
    pen.serve("shop")
    pen.user_id = person.user_id
    pen.refresh()
    assert person.mini_program_id is not None
    pen.alias(person.mini_program_id)


def _import(seed: int, person: Person, visit: Visit, pen: Pen) -> None:
    """What the shop knew before: the customer's record and the orders of the last 60 days."""
    pen.serve("shop")
    pen.user_id = person.user_id
    pen.refresh()
    r = pen.rng.random
    since = visit.at - (60 + int(r() * 900)) * DAY
    body = {"type": "identify", "traits": {**_profile(person, r), "createdAt": since // 1_000_000}}
    pen.write_history(body, since, _email(person), _phone(person))
    for number in range(int(r() * r() * 6)):
        bought = order(seed, person, 1000 + number)
        when = visit.at - int(r() * 60 * DAY) // 1000 * 1000
        body = {"type": "track", "event": "Order Completed", "properties": bought}
        pen.write_history(body, when)


_SCENES: dict[str, Callable[[int, Person, Visit, Pen], None]] = {
    "browse": _browse,
    "shop": _shop,
    "guest": _guest,
    "mail": _mail,
    "call": _call,
    "return": _return,
    "mini": _mini,
    "bind": _bind,
    "import": _import,
}
