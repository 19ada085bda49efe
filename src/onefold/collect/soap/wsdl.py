"""The WSDL, made from the types that calls are read by."""

from __future__ import annotations

from xml.sax.saxutils import escape, quoteattr

from onefold.collect.soap.types import NAMESPACE, OPERATIONS, TYPES, Part

_HEAD = """<?xml version="1.0" encoding="utf-8"?>
<wsdl:definitions name="Customers" targetNamespace="{namespace}" xmlns:tns="{namespace}"
 xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" xmlns:xsd="http://www.w3.org/2001/XMLSchema"
 xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/"
 xmlns:soap12="http://schemas.xmlsoap.org/wsdl/soap12/">
<wsdl:types><xsd:schema targetNamespace="{namespace}" elementFormDefault="qualified">"""
_TRANSPORT = "http://schemas.xmlsoap.org/soap/http"


def wsdl(address: str) -> bytes:
    """The description of the endpoint at this address.

    >>> b'name="UpsertCustomers"' in wsdl("http://cdp.example/soap/customers")
    True
    """
    text = [_HEAD.format(namespace=NAMESPACE)]
    text += [_complex_type(name, parts) for name, parts in TYPES.items()]
    text += [_elements(name, part) for name, part in OPERATIONS.items()]
    text.append("</xsd:schema></wsdl:types>")
    text += [_messages(name) for name in OPERATIONS]
    text.append('<wsdl:portType name="Customers">')
    text += [_operation(name) for name in OPERATIONS]
    text.append("</wsdl:portType>")
    text += [_binding("soap", "Soap11"), _binding("soap12", "Soap12")]
    location = quoteattr(address)
    ports = "".join(
        f'<wsdl:port name="Customers{name}" binding="tns:{name}">'
        f"<{prefix}:address location={location}/></wsdl:port>"
        for prefix, name in (("soap", "Soap11"), ("soap12", "Soap12"))
    )
    text.append(f'<wsdl:service name="Customers">{ports}</wsdl:service></wsdl:definitions>\n')
    return "\n".join(text).encode()


def _complex_type(name: str, parts: tuple[Part, ...]) -> str:
    inner = "\n  ".join(map(_element, parts))
    return f'<xsd:complexType name="{name}"><xsd:sequence>\n  {inner}\n</xsd:sequence></xsd:complexType>'


def _element(part: Part) -> str:
    prefix = "tns" if part.type in TYPES else "xsd"
    least = "" if part.required else ' minOccurs="0"'
    most = ' maxOccurs="unbounded"' if part.many else ""
    head = f'<xsd:element name="{part.name}" type="{prefix}:{part.type}"{least}{most}'
    if not part.about:
        return f"{head}/>"
    about = f"<xsd:documentation>{escape(part.about)}</xsd:documentation>"
    return f"{head}><xsd:annotation>{about}</xsd:annotation></xsd:element>"


def _elements(name: str, part: Part) -> str:
    answer = '<xsd:element name="accepted" type="xsd:int"/>'
    return "\n".join(
        f'<xsd:element name="{element}"><xsd:complexType><xsd:sequence>{inner}'
        "</xsd:sequence></xsd:complexType></xsd:element>"
        for element, inner in ((name, _element(part)), (f"{name}Response", answer))
    )


def _messages(name: str) -> str:
    return "\n".join(
        f'<wsdl:message name="{one}"><wsdl:part name="parameters" element="tns:{one}"/></wsdl:message>'
        for one in (name, f"{name}Response")
    )


def _operation(name: str) -> str:
    return (
        f'<wsdl:operation name="{name}"><wsdl:input message="tns:{name}"/>'
        f'<wsdl:output message="tns:{name}Response"/></wsdl:operation>'
    )


def _binding(prefix: str, name: str) -> str:
    body = f'<{prefix}:body use="literal"/>'
    operations = "\n".join(
        f'<wsdl:operation name="{one}"><{prefix}:operation soapAction="{NAMESPACE}#{one}"/>'
        f"<wsdl:input>{body}</wsdl:input><wsdl:output>{body}</wsdl:output></wsdl:operation>"
        for one in OPERATIONS
    )
    style = f'<{prefix}:binding style="document" transport="{_TRANSPORT}"/>'
    return f'<wsdl:binding name="{name}" type="tns:Customers">{style}\n{operations}</wsdl:binding>'
