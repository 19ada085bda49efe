"""SOAP envelopes, as they come in and as they are answered; both versions."""

from __future__ import annotations

from typing import Literal, NamedTuple
from xml.sax.saxutils import escape, quoteattr

from onefold.collect.soap.security import SECURITY
from onefold.collect.soap.types import NAMESPACE, OPERATIONS
from onefold.collect.xml import Element, read_xml
from onefold.model.errors import Busy, Fault, InvalidInput, OnefoldError, Unauthorized

Version = Literal["1.1", "1.2"]
_ENVELOPES: dict[str, Version] = {
    "http://schemas.xmlsoap.org/soap/envelope/": "1.1",
    "http://www.w3.org/2003/05/soap-envelope": "1.2",
}
_NAMESPACES = {version: namespace for namespace, version in _ENVELOPES.items()}
_TYPES = {"1.1": "text/xml; charset=utf-8", "1.2": "application/soap+xml; charset=utf-8"}
_HEAD = 2_000
_NEXT = ("", "http://schemas.xmlsoap.org/soap/actor/next", f"{_NAMESPACES['1.2']}/role/next")


class NotUnderstood(InvalidInput):
    """A header must be understood that is not; leave it out."""

    code = "must_understand"


class WrongVersion(InvalidInput):
    """It is no SOAP 1.1 or 1.2 envelope."""

    code = "version_mismatch"


class Envelope(NamedTuple):
    """A call: its version, the security header, and the one operation in its body."""

    version: Version
    security: Element | None
    operation: Element


class Answer(NamedTuple):
    """What goes back."""

    status: int
    content_type: str
    body: bytes


def read_envelope(body: bytes) -> Envelope:
    """The call in these bytes; `InvalidInput` says what is wrong with it."""
    root = read_xml(body)
    version = _ENVELOPES.get(root.namespace)
    if version is None or root.name != "Envelope":
        raise WrongVersion("this is no SOAP 1.1 or 1.2 envelope")
    security = _security(root.child("Header"))
    content = root.child("Body")
    operations = content.children if content is not None else []
    if len(operations) != 1:
        raise InvalidInput("the body must hold one operation", [_known(f"holds {len(operations)}")])
    (operation,) = operations
    if operation.namespace != NAMESPACE or operation.name not in OPERATIONS:
        name = f"{{{operation.namespace[:80]}}}{operation.name[:80]}"
        raise InvalidInput("there is no such operation", [_known(f"{name} is not known")])
    return Envelope(version, security, operation)


def version_of(content_type: str, body: bytes) -> Version:
    """In which version to answer what could not be read."""
    for namespace, version in _ENVELOPES.items():
        if namespace.encode() in body[:_HEAD]:
            return version
    return "1.2" if content_type.lower().startswith("application/soap+xml") else "1.1"


def answer(envelope: Envelope, accepted: int) -> Answer:
    """The answer to an operation."""
    name = f"{envelope.operation.name}Response"
    content = f'<{name} xmlns="{NAMESPACE}"><accepted>{accepted}</accepted></{name}>'
    return _enveloped(200, envelope.version, content)


def fault(error: OnefoldError, version: Version) -> Answer:
    """An error as a SOAP Fault, with each single fault in its detail."""
    code, status = _code(error, version)
    detail = "".join(
        f"<o:problem where={quoteattr(one.where)} hint={quoteattr(one.hint)}>"
        f"{escape(one.message)}</o:problem>"
        for one in error.faults or (Fault(error.message),)
    )
    detail = f'<o:problems xmlns:o="{NAMESPACE}" code="{error.code}">{detail}</o:problems>'
    reason = escape(error.message)
    if version == "1.1":
        content = (
            f"<s:Fault><faultcode>s:{code}</faultcode><faultstring>{reason}</faultstring>"
            f"<detail>{detail}</detail></s:Fault>"
        )
    else:
        content = (
            f"<s:Fault><s:Code><s:Value>s:{code}</s:Value></s:Code>"
            f'<s:Reason><s:Text xml:lang="en">{reason}</s:Text></s:Reason>'
            f"<s:Detail>{detail}</s:Detail></s:Fault>"
        )
    return _enveloped(status, version, content)


def _code(error: OnefoldError, version: Version) -> tuple[str, int]:
    """The code of a fault, and the status that goes with it by HTTP."""
    if isinstance(error, NotUnderstood):
        return "MustUnderstand", 500
    if isinstance(error, WrongVersion):
        return "VersionMismatch", 500
    if isinstance(error, Busy) or not isinstance(error, InvalidInput | Unauthorized):
        return ("Server" if version == "1.1" else "Receiver"), 500
    # https://www.w3.org/TR/2000/NOTE-SOAP-20000508/#_Toc478383529: every fault of 1.1 is a 500
    return ("Client", 500) if version == "1.1" else ("Sender", 400)


def _enveloped(status: int, version: Version, content: str) -> Answer:
    text = (
        f'<?xml version="1.0" encoding="utf-8"?>\n<s:Envelope xmlns:s="{_NAMESPACES[version]}">'
        f"<s:Body>{content}</s:Body></s:Envelope>"
    )
    return Answer(status, _TYPES[version], text.encode("utf-8", "replace"))


def _security(header: Element | None) -> Element | None:
    found = None
    for one in header.children if header is not None else ():
        if one.namespace == SECURITY and one.name == "Security":
            found = one
        elif _must_be_understood(one):
            raise NotUnderstood(f"the header {one.name[:80]} must be understood, and is not")
    return found


def _must_be_understood(header: Element) -> bool:
    to = header.attributes.get("actor") or header.attributes.get("role") or ""
    return header.attributes.get("mustUnderstand") in ("1", "true") and to in _NEXT


def _known(message: str) -> Fault:
    return Fault(message, "Body", f"known are {', '.join(OPERATIONS)} in {NAMESPACE}")
