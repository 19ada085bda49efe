"""The types and operations of the WSDL: the one place that says what a customer looks like there."""

from __future__ import annotations

from typing import NamedTuple

NAMESPACE = "urn:onefold:customers:1"


class Part(NamedTuple):
    """An element: its name, the type of what is in it, whether it must be there or may repeat."""

    name: str
    type: str
    required: bool = False
    many: bool = False
    about: str = ""


TYPES: dict[str, tuple[Part, ...]] = {
    "Identifier": (
        Part("kind", "string", required=True, about="Such as crm_id or wechat_unionid."),
        Part("value", "string", required=True),
    ),
    "Attribute": (
        Part("name", "string", required=True),
        Part("text", "string"),
        Part("number", "decimal"),
        Part("flag", "boolean"),
        Part("time", "dateTime"),
    ),
    "Address": (
        Part("street", "string"),
        Part("city", "string"),
        Part("region", "string"),
        Part("postalCode", "string"),
        Part("country", "string", about="ISO 3166, two letters."),
    ),
    "Consent": (
        Part("purpose", "string", required=True, about="Such as marketing."),
        Part("given", "boolean", required=True),
    ),
    "Customer": (
        Part("id", "string", about="The customer's id in the system that sends."),
        Part("identifier", "Identifier", many=True),
        Part("email", "string"),
        Part("phone", "string"),
        Part("name", "string"),
        Part("firstName", "string"),
        Part("lastName", "string"),
        Part("gender", "string"),
        Part("birthday", "date"),
        Part("language", "string"),
        Part("company", "string"),
        Part("title", "string"),
        Part("address", "Address"),
        Part("consent", "Consent", many=True),
        Part("attribute", "Attribute", many=True),
        Part("changedAt", "dateTime", about="When this was so; now, if it is left out."),
        Part("messageId", "string", about="The same for a repetition, which then counts once."),
    ),
    "Who": (
        Part("id", "string"),
        Part("anonymousId", "string"),
        Part("email", "string"),
        Part("phone", "string"),
        Part("identifier", "Identifier", many=True),
    ),
    "Line": (
        Part("productId", "string"),
        Part("sku", "string"),
        Part("name", "string"),
        Part("category", "string"),
        Part("price", "decimal"),
        Part("quantity", "decimal"),
    ),
    "Order": (
        Part("orderId", "string", required=True),
        Part("customer", "Who", required=True),
        Part("status", "string", about="Completed (the default), Updated, Refunded or Cancelled."),
        Part("revenue", "decimal"),
        Part("currency", "string", about="ISO 4217."),
        Part("line", "Line", many=True),
        Part("attribute", "Attribute", many=True),
        Part("time", "dateTime"),
        Part("messageId", "string"),
    ),
    "Event": (
        Part("name", "string", required=True),
        Part("customer", "Who", required=True),
        Part("attribute", "Attribute", many=True),
        Part("time", "dateTime"),
        Part("messageId", "string"),
    ),
}
OPERATIONS: dict[str, Part] = {
    "UpsertCustomers": Part("customer", "Customer", required=True, many=True),
    "RecordOrders": Part("order", "Order", required=True, many=True),
    "RecordEvents": Part("event", "Event", required=True, many=True),
}
"""Each operation takes a list of one type, and answers how many were accepted."""
