"""Rates of exchange, handed in as files."""

from __future__ import annotations

from litestar import Router, get, put
from litestar.params import FromQuery, RawBody

from onefold.app.rates import RatesLoaded, RatesRow, rates_list, rates_put
from onefold.serve.api.doors import Actor, FromContext, requires

_FILE = {"application/octet-stream": {"type": "string", "format": "binary"}}


@get("", summary="Rates of exchange", guards=[requires("reader")])
async def rates(context: FromContext) -> list[RatesRow]:
    """Of which currencies there are rates, from when to when, and the newest."""
    return await context.commands.run(rates_list, context.settings)


@put("", summary="Keep rates of exchange", guards=[requires("editor")], opt={"body": _FILE})
async def put_rates(
    context: FromContext, actor: Actor, body: RawBody, base: FromQuery[str] = "EUR"
) -> RatesLoaded:
    """The body is a CSV or XML, as central banks publish it, or a ZIP with one; days replace themselves."""
    return await context.commands.run(rates_put, context.settings, body, base=base, actor=actor)


EXCHANGE = Router("/api/rates", route_handlers=[rates, put_rates], tags=["rates"])
