"""Twelve APIs as their makers specify them, as far as our descriptions use them, for one local server.

Each checks who calls, pages as documented, honors the filter by time, and refuses what it would refuse.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

from tests.unit.collect.sources.api_server import Asked, Reply


def day(number: int) -> str:
    return f"2026-03-{number:02}T10:00:00Z"


_SHOPIFY_CUSTOMERS: list[dict[str, Any]] = [
    {"legacyResourceId": str(number), "firstName": "P", "numberOfOrders": "3", "updatedAt": day(number),
     "defaultEmailAddress": {"emailAddress": f"p{number}@example.com"}, "defaultPhoneNumber": None,
     "defaultAddress": {"city": "Ulm", "countryCodeV2": "DE"}}
    for number in range(1, 6)
]  # fmt: skip
_SHOPIFY_ORDERS: list[dict[str, Any]] = [
    {"legacyResourceId": "9", "email": "p2@example.com", "createdAt": day(2), "updatedAt": day(2),
     "customer": {"legacyResourceId": "2"}, "lineItems": {"nodes": []},
     "totalPriceSet": {"shopMoney": {"amount": "12.50", "currencyCode": "EUR"}}}
]  # fmt: skip
SECONDS = 1_772_359_200  # 2026-03-01T10:00:00Z


def stamped(number: int) -> int:
    return SECONDS + (number - 1) * 86_400


def shopify(asked: Asked) -> Reply:
    """Its GraphQL API: a page of two, all later ones known by their cursor; fields that were not asked for are not told."""
    if asked.path == "/oauth/access_token":
        form = {name: values[0] for name, values in parse_qs(asked.raw.decode()).items()}
        if (form.get("grant_type"), form.get("client_secret")) != ("client_credentials", "good"):
            return 400, {"error": "application_cannot_be_found"}
        return 200, {"access_token": "good", "scope": "read_customers", "expires_in": 86399}
    if asked.headers.get("x-shopify-access-token") != "good":
        return 401, {"errors": "[API] Invalid API key or access token"}
    assert (asked.method, asked.path) == ("POST", "/api/2026-10/graphql.json")
    query, variables = asked.body["query"], asked.body["variables"]
    what = query.partition("{")[2].split("(")[0].strip()
    assert "query: $filter, sortKey: UPDATED_AT" in query
    since = variables["filter"].removeprefix("updated_at:>='").removesuffix("'")
    known = {"customers": _SHOPIFY_CUSTOMERS, "orders": _SHOPIFY_ORDERS}[what]
    found = [one for one in known if one["updatedAt"] >= since]
    start = int(variables.get("after") or 0)
    some = found[start : start + min(2, variables["first"])]
    for one in some:
        assert set(one) <= set(query.replace("(", " ").split())
    more = start + 2 < len(found)
    end = {"hasNextPage": more, "endCursor": str(start + len(some)) if some else None}
    cost = {"requestedQueryCost": 24, "throttleStatus": {"restoreRate": 100.0}}
    return 200, {"data": {what: {"nodes": some, "pageInfo": end}}, "extensions": {"cost": cost}}


def stripe(asked: Asked) -> Reply:
    if asked.headers.get("authorization") != "Bearer good":
        return 401, {"error": {"message": "Invalid API Key provided"}}
    since = int(asked.query["created[gte]"])
    if asked.path.endswith("/events"):
        kind = asked.query["type"]
        assert kind in ("customer.updated", "customer.deleted")
        changed = {"object": "customer", "id": "cus_1", "email": "new@example.com"}
        event = {
            "id": "evt_1" if kind == "customer.updated" else "evt_2",
            "created": stamped(3),
            "type": kind,
            "data": {"object": changed},
        }
        data = [event] if stamped(3) >= since else []
        return 200, {"object": "list", "data": data, "has_more": False}
    if asked.path.endswith("/charges"):
        charge = {
            "id": "ch_1",
            "created": stamped(2),
            "amount": 1250,
            "currency": "eur",
            "customer": "cus_2",
            "status": "succeeded",
            "billing_details": {},
        }
        return 200, {
            "object": "list",
            "data": [charge] if stamped(2) >= since else [],
            "has_more": False,
        }
    newest = [
        {"id": f"cus_{number}", "email": f"p{number}@example.com", "created": stamped(number)}
        for number in range(5, 0, -1)
        if stamped(number) >= since
    ]
    ids = [one["id"] for one in newest]
    start = ids.index(asked.query["starting_after"]) + 1 if "starting_after" in asked.query else 0
    return 200, {
        "object": "list",
        "data": newest[start : start + 2],
        "has_more": start + 2 < len(newest),
    }


def hubspot(asked: Asked) -> Reply:
    assert (asked.method, asked.path) == ("POST", "/crm/objects/2026-09/contacts/search")
    if asked.headers.get("authorization") != "Bearer good":
        return 401, {"status": "error", "category": "INVALID_AUTHENTICATION"}
    (rule,) = asked.body["filterGroups"][0]["filters"]
    assert (rule["propertyName"], rule["operator"]) == ("lastmodifieddate", "GTE")
    start = int(asked.body.get("after", 0))
    found = [number for number in range(1, 6) if stamped(number) * 1000 >= int(rule["value"])]
    page = [
        {
            "id": str(number),
            "properties": {"email": f"p{number}@example.com", "lastmodifieddate": day(number)},
        }
        for number in found[start : start + 2]
    ]
    answer: dict[str, Any] = {"total": len(found), "results": page}
    if start + 2 < len(found):
        answer["paging"] = {"next": {"after": str(start + 2)}}
    return 200, answer


def salesforce(asked: Asked) -> Reply:
    if asked.path == "/services/oauth2/token":
        form = {name: values[0] for name, values in parse_qs(asked.raw.decode()).items()}
        if (form.get("grant_type"), form.get("client_secret")) != ("client_credentials", "good"):
            return 400, {"error": "invalid_client"}
        return 200, {"access_token": "made", "token_type": "Bearer"}
    if asked.headers.get("authorization") != "Bearer made":
        return 401, [{"errorCode": "INVALID_SESSION_ID"}]
    assert asked.path.startswith("/services/data/v66.0/queryAll")
    if "/queryAll/" in asked.path:
        rows, done = [3, 4, 5], True
        return 200, {"done": done, "records": [_contact(number) for number in rows]}
    if "FROM Lead" in asked.query["q"]:
        return 200, {"done": True, "totalSize": 0, "records": []}
    since = asked.query["q"].partition("SystemModstamp >= ")[2].split()[0]
    found = [number for number in range(1, 6) if day(number) >= since]
    if len(found) <= 2:
        return 200, {"done": True, "records": [_contact(number) for number in found]}
    return 200, {
        "done": False,
        "nextRecordsUrl": "/services/data/v66.0/queryAll/01g-2",
        "records": [_contact(number) for number in found[:2]],
    }


def _contact(number: int) -> dict[str, Any]:
    stamp = day(number).replace("Z", ".000+0000")
    return {
        "Id": f"003{number}",
        "Email": f"p{number}@example.com",
        "IsDeleted": number == 3,
        "SystemModstamp": stamp,
    }


def zendesk(asked: Asked) -> Reply:
    if asked.basic() != "me@example.com/token:good":
        return 401, {"error": "Couldn't authenticate you"}
    if "tickets" in asked.path:
        ticket = {
            "id": 7,
            "requester_id": 2,
            "status": "open",
            "subject": "Hi",
            "updated_at": day(1),
            "generated_timestamp": stamped(2),
        }
        fits = int(asked.query["start_time"]) <= stamped(2)
        return 200, {"tickets": [ticket] if fits else [], "after_url": None, "end_of_stream": True}
    if "cursor" in asked.query:
        rest = range(3, 6)
        return 200, {
            "users": [_user(n) for n in rest],
            "after_url": asked.url(cursor="z"),
            "end_of_stream": True,
        }
    found = [number for number in range(1, 6) if stamped(number) >= int(asked.query["start_time"])]
    end = len(found) <= 2
    after = asked.url(cursor="b")
    return 200, {"users": [_user(n) for n in found[:2]], "after_url": after, "end_of_stream": end}


def _user(number: int) -> dict[str, Any]:
    return {
        "id": number,
        "role": "end-user",
        "active": number != 3,
        "email": f"p{number}@example.com",
        "updated_at": day(number),
    }


def mailchimp(asked: Asked) -> Reply:
    if not asked.basic().endswith(":good"):
        return 401, {"title": "API Key Invalid"}
    offset, count = int(asked.query["offset"]), int(asked.query["count"])
    if asked.path == "/lists":
        lists = [{"id": "a1", "name": "News"}, {"id": "b2", "name": "Shop"}]
        return 200, {"lists": lists[offset : offset + count], "total_items": 2}
    name = asked.path.split("/")[2]
    numbers = {"a1": [1, 2, 3], "b2": [4, 5]}[name]
    found = [number for number in numbers if day(number) >= asked.query["since_last_changed"]]
    members = [
        {"id": f"h{number}", "contact_id": f"c{number}", "email_address": f"p{number}@example.com",
         "last_changed": day(number).replace("Z", "+00:00"), "status": "subscribed"}
        for number in found
    ]  # fmt: skip
    return 200, {"members": members[offset : offset + count], "total_items": len(found)}


def woocommerce(asked: Asked) -> Reply:
    if asked.basic() != "ck:good":
        return 401, {"code": "woocommerce_rest_cannot_view"}
    page, size = int(asked.query["page"]), int(asked.query["per_page"])
    if asked.path.endswith("/orders"):
        assert (asked.query["dates_are_gmt"], asked.query["orderby"]) == ("true", "modified")
        # Two hundred orders, three a second; `modified_after` means later, not as late.
        orders = [_woo_order(number) for number in range(200)]
        found = [one for one in orders if one["date_modified_gmt"] > asked.query["modified_after"]]
        return 200, found[(page - 1) * size : page * size]
    people = [
        {"id": number, "email": f"p{number}@example.com", "billing": {}} for number in range(1, 106)
    ]
    return 200, people[(page - 1) * size : page * size]


def _woo_order(number: int) -> dict[str, Any]:
    stamp = f"2026-03-02T10:{number // 180:02}:{number // 3 % 60:02}"
    return {"id": number, "status": "completed", "date_created_gmt": stamp, "date_modified_gmt": stamp,
            "total": "12.50", "currency": "EUR", "billing": {"email": f"p{number}@example.com"},
            "line_items": []}  # fmt: skip


def intercom(asked: Asked) -> Reply:
    assert (asked.method, asked.path) == ("POST", "/contacts/search")
    if asked.headers.get("authorization") != "Bearer good":
        return 401, {"type": "error.list", "errors": [{"code": "unauthorized"}]}
    assert asked.headers["intercom-version"] == "2.11"
    query, pages = asked.body["query"], asked.body["pagination"]
    assert (query["field"], query["operator"], pages["per_page"]) == ("updated_at", ">", 150)
    # Whole days in UTC: what is greater than a time begins with the day after it.
    after = (int(query["value"]) // 86_400 + 1) * 86_400
    found = [number for number in range(1, 6) if stamped(number) >= after]
    start = int(pages.get("starting_after", 0))
    data = [
        {
            "id": f"i{number}",
            "email": f"p{number}@example.com",
            "updated_at": stamped(number),
            "role": "user",
        }
        for number in found[start : start + 2]
    ]
    following = {"starting_after": str(start + 2)} if start + 2 < len(found) else None
    return 200, {"type": "list", "data": data, "pages": {"next": following} if following else {}}


def klaviyo(asked: Asked) -> Reply:
    if asked.headers.get("authorization") != "Klaviyo-API-Key good":
        return 401, {"errors": [{"code": "not_authenticated"}]}
    assert asked.headers["revision"]
    since = asked.query["filter"].removeprefix("greater-than(updated,").removesuffix(")")
    start = int(asked.query.get("page[cursor]", 0))
    found = [number for number in range(1, 6) if day(number) > since]
    data = [
        {"type": "profile", "id": f"k{number}",
         "attributes": {"email": f"p{number}@example.com", "updated": day(number).replace("Z", "+00:00")}}
        for number in found[start : start + 2]
    ]  # fmt: skip
    query = {**asked.query, "page[cursor]": start + 2}
    return 200, {
        "data": data,
        "links": {"next": asked.url(**query) if start + 2 < len(found) else None},
    }


def youzan(asked: Asked) -> Reply:
    if asked.path == "/auth/token":
        given = asked.body
        if (given["client_secret"], given["authorize_type"], given["grant_id"]) != (
            "good",
            "silent",
            "42",
        ):
            return 200, {"success": False, "code": 101, "message": "client_secret 错误"}
        token = {"access_token": "made", "expires": 4_000_000_000_000}
        return 200, {"success": True, "code": 200, "data": token}
    assert asked.path == "/api/youzan.trades.sold.get/4.0.4"
    if asked.query.get("access_token") != "made":
        return 200, {"success": False, "code": 4203, "message": "token 无效"}
    start, end = asked.query["start_update"], asked.query["end_update"]
    months = (int(end[:4]) - int(start[:4])) * 12 + int(end[5:7]) - int(start[5:7])
    if months > 12:
        return 200, {"success": False, "code": 106000001, "message": "每次可搜索一年订单记录"}
    orders = [
        {"full_order_info": {
            "order_info": {"tid": f"E{number}", "created": f"2026-03-0{number} 18:00:00",
                           "update_time": f"2026-03-0{number} 18:00:00", "status": "TRADE_SUCCESS"},
            "buyer_info": {"yz_open_id": f"y{number}", "buyer_phone": f"1380000000{number}"},
            "pay_info": {"payment": "12.50"}, "orders": []}}
        for number in range(1, 6)
        if start <= f"2026-03-0{number} 18:00:00" <= end
    ]  # fmt: skip
    page, size = int(asked.query["page_no"]), int(asked.query["page_size"])
    some = orders[(page - 1) * size : page * size]
    return 200, {"success": True, "code": 200, "data": {"full_order_info_list": some}}


def wechat(asked: Asked) -> Reply:
    if asked.path == "/stable_token":
        if (asked.body["grant_type"], asked.body["secret"]) != ("client_credential", "good"):
            return 200, {"errcode": 40125, "errmsg": "invalid appsecret"}
        return 200, {"access_token": "made", "expires_in": 7200}
    if asked.query.get("access_token") != "made":
        return 200, {"errcode": 40001, "errmsg": "invalid credential"}
    everyone = [f"o{number}" for number in range(1, 251)]
    if asked.path == "/user/get":
        after = asked.query.get("next_openid", "")
        start = everyone.index(after) + 1 if after else 0
        some = everyone[start : start + 200]
        answer: dict[str, Any] = {
            "total": 250,
            "count": len(some),
            "next_openid": some[-1] if some else "",
        }
        if some:
            answer["data"] = {"openid": some}
        return 200, answer
    assert (asked.method, asked.path) == ("POST", "/user/info/batchget")
    wanted = asked.body["user_list"]
    if len(wanted) > 100:
        return 200, {"errcode": 40130, "errmsg": "invalid openid list size"}
    users = [
        {"openid": one["openid"], "subscribe": 1, "unionid": f"u-{one['openid']}"} for one in wanted
    ]
    return 200, {"user_info_list": users}


def wecom(asked: Asked) -> Reply:
    if asked.path == "/gettoken":
        if (asked.query["corpid"], asked.query["corpsecret"]) != ("corp", "good"):
            return 200, {"errcode": 40001, "errmsg": "invalid credential"}
        return 200, {"errcode": 0, "errmsg": "ok", "access_token": "made", "expires_in": 7200}
    if asked.query.get("access_token") != "made":
        return 200, {"errcode": 40014, "errmsg": "invalid access_token"}
    if asked.path == "/externalcontact/get_follow_user_list":
        return 200, {"errcode": 0, "errmsg": "ok", "follow_user": ["zhang", "li"]}
    assert asked.path == "/externalcontact/batch/get_by_user"
    assert asked.body["userid_list"] == ["zhang", "li"]
    start = int(asked.body.get("cursor", 0))
    found = [
        {"external_contact": {"external_userid": f"wm{number}", "name": "王", "gender": 1},
         "follow_info": {"userid": "zhang", "remark": "VIP"}}
        for number in range(1, 6)
    ]  # fmt: skip
    following = str(start + 2) if start + 2 < 5 else ""
    return 200, {
        "errcode": 0,
        "external_contact_list": found[start : start + 2],
        "next_cursor": following,
    }
