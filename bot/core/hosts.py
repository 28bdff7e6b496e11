"""Which hosts belong together: the unit of politeness."""

from __future__ import annotations

import ipaddress
from functools import cache, lru_cache

from publicsuffixlist import PublicSuffixList
from yarl import URL


@lru_cache(maxsize=50_000)
def host_key(host: str) -> str:
    """Return the registrable domain of a host: those who share it share its turns; an address is its own."""
    bare = host.strip("[]").rstrip(".").lower()
    try:
        ipaddress.ip_address(bare)
    except ValueError:
        return _suffixes().privatesuffix(bare) or bare
    return bare


@lru_cache(maxsize=4_096)
def url_host_key(url: str) -> str:
    """Return the registrable domain of a URL's host, as it is asked for (RFC 5890); empty: it has none."""
    try:
        return host_key(URL(url.strip()).raw_host or "")
    except ValueError:  # yarl's word for what is no URL
        return ""


def is_same_origin(one: URL, other: URL) -> bool:
    """Tell whether secrets for one URL may be sent to the other: same scheme, host and port, or its https."""
    if one.raw_host != other.raw_host:
        return False
    is_secured = (one.scheme, one.port, other.scheme, other.port) == ("http", 80, "https", 443)
    return is_secured or one.origin() == other.origin()


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()
