"""Take in what clients of the tracking API send, whatever their dialect. No I/O.

In: path, headers, query and body of a call. Out: its write key and the JSON to log, or an error
that names what is wrong. Promise: every published Segment-compatible client works unchanged,
and one odd event never costs the others of its batch.
"""

from onefold.collect.call import find_key, read_body
from onefold.collect.decoding import decode_body
from onefold.collect.routing import Route, find_route

__all__ = ["Route", "decode_body", "find_key", "find_route", "read_body"]
