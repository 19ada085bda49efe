"""A customer service made with spyne, in a process of its own: `python soap_peer.py`."""

import datetime as dt
import decimal
import sys
from wsgiref.simple_server import WSGIRequestHandler, make_server

from spyne import Application, ComplexModel, DateTime, Decimal, Integer, ServiceBase, Unicode, rpc
from spyne.model.complex import Array
from spyne.protocol.soap import Soap11, Soap12
from spyne.server.wsgi import WsgiApplication


class Customer(ComplexModel):
    id = Integer
    name = Unicode
    spent = Decimal
    changed = DateTime


CUSTOMERS = [
    Customer(
        id=n,
        name=f"李 {n}",
        spent=decimal.Decimal(f"{n}.50"),
        changed=dt.datetime(2026, 1, n, tzinfo=dt.UTC),
    )
    for n in range(1, 8)
]


class Service(ServiceBase):
    @rpc(DateTime, Integer, _returns=Array(Customer))
    def GetCustomers(self, since, page):  # noqa: N802 - its name in the WSDL
        found = [one for one in CUSTOMERS if since is None or one.changed > since]
        return found[(page - 1) * 3 : page * 3]

    @rpc(_returns=Unicode)
    def Fail(self):  # noqa: N802
        raise ValueError("out of order")


class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        pass


if __name__ == "__main__":
    protocol = Soap12 if "1.2" in sys.argv else Soap11
    app = Application(
        [Service], "urn:peer", in_protocol=protocol(validator="lxml"), out_protocol=protocol()
    )
    server = make_server("127.0.0.1", 0, WsgiApplication(app), handler_class=Quiet)
    print(server.server_port, flush=True)
    server.serve_forever()
