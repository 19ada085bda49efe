"""Which addresses sources may call: those of the internet, and private ones that are allowed.

A source's settings name hosts, and who may write settings must not thereby reach what only this
machine can: its own ports, the network behind it, the cloud's metadata. A name is looked up once
and the connection made to the very address that was judged, so a name that changes in
between gains nothing; redirects are judged anew, each as a call of its own.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Sequence
from pathlib import Path

from onefold.model.errors import Fault, InvalidInput, Unreachable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Sequence[str]]


def look_up(host: str, port: int) -> list[str]:
    """All addresses of a host, as this machine sees them; raises `Unreachable` if it has none."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unreachable(f"there is no host {host!r} ({error})") from error
    return list(dict.fromkeys(str(one[4][0]) for one in found))


class Reach:
    """Judges addresses. `allowed` are private networks that may be called all the same; files of the
    folder `closed`, Onefold's own, are neither read nor moved.

    >>> Reach().allows("93.184.215.14"), Reach().allows("10.1.2.3"), Reach().allows("::ffff:127.0.0.1")
    (True, False, False)
    >>> Reach(["10.0.0.0/8"]).allows("10.1.2.3")
    True
    """

    def __init__(
        self, allowed: Sequence[str] = (), resolve: Resolve = look_up, closed: Path | None = None
    ) -> None:
        self._allowed = [ipaddress.ip_network(one, strict=False) for one in allowed]
        self._resolve = resolve
        self._closed = closed.resolve() if closed else None

    def allows(self, address: str) -> bool:
        """May this address be called?"""
        plain = _plain(ipaddress.ip_address(address.partition("%")[0]))
        if any(plain in network for network in self._allowed if network.version == plain.version):
            return True
        if any(plain in network for network in _NEARBY if network.version == plain.version):
            return False
        return plain.is_global and not plain.is_multicast

    def check_file(self, path: str | Path) -> None:
        """Raise where a path of this machine leads to Onefold's own keys and data, also by a link."""
        real = Path(path).resolve()
        if self._closed and (real == self._closed or self._closed in real.parents):
            fault = Fault("leads into Onefold's own folder", str(path), "keep files elsewhere")
            raise InvalidInput("the place cannot be used", [fault])

    def address_of(self, host: str, port: int) -> str:
        """The address to connect to for a host; raises `InvalidInput` if it may not be called.

        All its addresses must be allowed: a name with a public and a private one is no accident.
        """
        found = self._resolve(host.strip("[]"), port)
        if not found:
            raise Unreachable(f"there is no host {host!r}")
        refused = [one for one in found if not self.allows(one)]
        if refused:
            fault = Fault(
                f"{host} is {', '.join(refused)}, which is no address of the internet",
                "host",
                "who runs Onefold can allow it: `source_networks` in its settings,"
                f" such as '{refused[0]}'",
            )
            raise InvalidInput(f"{host} may not be called", [fault])
        return found[0]


def _plain(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for, if it does: it is reached by either."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return address.ipv4_mapped
        if address.sixtofour:
            return address.sixtofour
        if address.teredo:
            return address.teredo[1]
        itself = address.is_loopback or address.is_unspecified
        if not itself and any(address in network for network in _WITH_IPV4):
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


_WITH_IPV4 = tuple(map(ipaddress.ip_network, ("64:ff9b::/96", "::ffff:0:0:0/96", "::/96")))
"""What holds an IPv4 address: of a translator's (RFC 6052, RFC 7915), and as it was written once (RFC 4291)."""
_NEARBY = tuple(
    map(ipaddress.ip_network, ("64:ff9b:1::/48", "fec0::/10", "168.63.129.16/32", "192.88.99.0/24"))
)
"""Not of the internet, whatever Python's list says: RFC 8215, RFC 3879, Azure's own to its machines, RFC 7526."""
