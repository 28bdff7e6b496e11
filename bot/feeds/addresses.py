"""Which network addresses a feed may live on, asked at the moment of dialling."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from aiohttp import AddrInfoType

_UNICAST = IPv6Network(
    "2000::/3"
)  # all that IANA has given out: https://www.iana.org/assignments/ipv6-address-space
_DOCUMENTATION = IPv6Network("3fff::/20")  # RFC 9637, younger than Python 3.11's tables
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052; the IPv4 address is in the last 32 bits
_PROTOCOLS = IPv4Network("192.0.0.0/24")  # RFC 6890; Oracle's cloud keeps its metadata there
_SIXTOFOUR_RELAY = IPv4Network("192.88.99.0/24")  # RFC 7526: no longer in use
_AZURE_HOST = IPv4Address("168.63.129.16")  # globally routable by its number, but a cloud's inner service


class AddressForbidden(OSError):
    """The guard's word; an OSError, so that the dialler tries the host's next address."""

    def __init__(self, address: str) -> None:
        self.address = address
        # The same text for each address: only then does the dialler hand on the first error as it is.
        super().__init__("the address is not on the public internet")


def is_public(address: str) -> bool:
    """Tell whether an IP address is a public unicast one, looking through IPv4 inside IPv6.

    `is_global` alone is not enough: it passes multicast, and 6to4 or NAT64 forms of private addresses.
    Teredo (RFC 4380) is never global. A text that is no address is not public.
    """
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, IPv4Address):
        return _is_public_v4(ip)
    inner = _inner_v4(ip)
    if inner is not None:
        return _is_public_v4(inner)
    return ip in _UNICAST and ip.is_global and ip not in _DOCUMENTATION


def is_local_or_public(address: str) -> bool:
    """Tell whether an address may serve a feed that is allowed to be private: also a LAN, or this machine.

    Link-local addresses stay out: that is where clouds keep their machines' credentials.
    """
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    ip = (_inner_v4(ip) or ip) if isinstance(ip, IPv6Address) else ip
    is_odd = (
        ip.is_link_local or ip.is_unspecified or ip.is_multicast or (ip.is_reserved and not ip.is_loopback)
    )
    is_home = ip.is_private and not is_odd
    return is_home or is_public(address)


def public_socket(addr_info: AddrInfoType) -> socket.socket:
    """Return a socket for a public address; aiohttp asks for one before each dialling, on every hop.

    Raises:
        AddressForbidden: The address is not public.
    """
    return _socket(addr_info, is_public)


def lan_socket(addr_info: AddrInfoType) -> socket.socket:
    """Return a socket for an address that is public, on the LAN, or this machine's own.

    Raises:
        AddressForbidden: The address is none of these.
    """
    return _socket(addr_info, is_local_or_public)


def _socket(addr_info: AddrInfoType, is_allowed: Callable[[str], bool]) -> socket.socket:
    family, kind, protocol, _, address = addr_info
    host = str(address[0])
    if not is_allowed(host):
        raise AddressForbidden(host)
    return socket.socket(family=family, type=kind, proto=protocol)


def _is_public_v4(ip: IPv4Address) -> bool:
    return (
        ip.is_global
        and not ip.is_multicast
        and not ip.is_reserved
        and ip not in _PROTOCOLS
        and ip not in _SIXTOFOUR_RELAY
        and ip != _AZURE_HOST
    )


def _inner_v4(ip: IPv6Address) -> IPv4Address | None:
    """Return the IPv4 address that a packet to this one ends up at; None: it is IPv6 all the way."""
    if ip in _NAT64:
        return IPv4Address(int(ip) & 0xFFFF_FFFF)
    return ip.ipv4_mapped or ip.sixtofour
