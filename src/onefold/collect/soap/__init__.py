"""Take in what systems push by SOAP 1.1 or 1.2, as our WSDL says. No I/O.

In: the body of a call. Out: who sends it, and the events in it; or an error that becomes a SOAP
Fault with everything that is wrong. Promise: all of a call is taken or nothing, and no document
type, entity or header that must be understood and is not gets past.
"""

from onefold.collect.soap.envelope import Envelope, answer, fault, read_envelope
from onefold.collect.soap.events import events_in
from onefold.collect.soap.security import Nonces, Token, token_of
from onefold.collect.soap.wsdl import wsdl

__all__ = [
    "Envelope",
    "Nonces",
    "Token",
    "answer",
    "events_in",
    "fault",
    "read_envelope",
    "token_of",
    "wsdl",
]
