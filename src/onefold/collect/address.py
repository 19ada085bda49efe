"""Whose address a call came from, seen through the proxies that were configured as trusted."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address

Networks = Sequence[IPv4Network | IPv6Network]


def client_address(peer: str | None, forwarded: str, trusted: Networks) -> str | None:
    """The rightmost address that is no trusted proxy; None where it cannot be known.

    `forwarded` is `X-Forwarded-For`. What a proxy that is not trusted says proves nothing, and its
    own address is not the client's.

    >>> from ipaddress import ip_network
    >>> client_address("10.0.0.2", "1.2.3.4, 5.6.7.8", [ip_network("10.0.0.0/8")])
    '5.6.7.8'
    >>> client_address("10.0.0.2", "5.6.7.8", []) is None
    True
    """
    if not forwarded or peer is None:
        return peer
    if not is_trusted(peer, trusted):
        return None
    for hop in reversed(forwarded.split(",")):
        address = hop.strip()
        verdict = is_trusted(address, trusted)
        if not verdict:
            return address if verdict is False else None
    return None


def is_trusted(address: str, trusted: Networks) -> bool | None:
    """Whether this is a trusted proxy; None where it is no address at all."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return None
    return any(parsed in network for network in trusted)
