"""Where a feed may live."""

from __future__ import annotations

import pytest

from bot.feeds.addresses import is_local_or_public, is_public

PUBLIC = [
    "1.1.1.1",
    "93.184.215.14",
    "2606:4700:4700::1111",
    "2a00:1450:4001:80e::200e",
    "::ffff:1.1.1.1",
    "64:ff9b::101:101",
    "2002:101:101::1",
]
HOME = [
    "127.0.0.1",
    "127.8.8.8",
    "::1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "fd00::1",
    "::ffff:192.168.1.1",
]
NOWHERE = [
    "0.0.0.0",
    "::",
    "169.254.169.254",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "2002:a9fe:a9fe::1",
    "fe80::1",
    "fe80::1%eth0",
    "224.0.0.1",
    "239.255.255.250",
    "ff02::1",
    "ff0e::1",
    "255.255.255.255",
    "240.0.0.1",
    "168.63.129.16",
    "no address",
    "",
]
NOT_PUBLIC = [
    *HOME,
    *NOWHERE,
    "100.64.0.1",
    "100.100.100.200",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "64:ff9b::7f00:1",
    "64:ff9b::c0a8:101",
    "64:ff9b:1::1",
    "2002:7f00:1::",
    "2002:c0a8:101::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",  # Teredo
    "2001:db8::1",
    "3fff::1",
    "fec0::1",
    "fc00::1",
    "100::1",
    "::7f00:1",
    "::ffff:0:7f00:1",
    "5f00::1",
]


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_may_serve_any_feed(address: str) -> None:
    assert is_public(address)
    assert is_local_or_public(address)


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_any_other_address_serves_no_ordinary_feed(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", HOME)
def test_a_feed_that_is_allowed_to_may_live_at_home(address: str) -> None:
    assert is_local_or_public(address)


@pytest.mark.parametrize("address", NOWHERE)
def test_no_feed_lives_at_a_metadata_service_or_nowhere(address: str) -> None:
    assert not is_local_or_public(address)
