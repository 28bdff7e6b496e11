"""Which header fields may be added to a feed's requests."""

from __future__ import annotations

import pytest

from bot.core.headers import header_problem, headers_problem


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Accept-Language", "de"),
        ("Cookie", "a=b; c=d"),
        ("X-Api-Key", ""),
        ("accept", "text/xml"),
        ("X", "Ä€"),
    ],
)
def test_what_harms_nobody_may_be_sent(name: str, value: str) -> None:
    assert header_problem(name, value) is None


@pytest.mark.parametrize(
    "name",
    [
        *("Host", "content-length", "Connection", "TRANSFER-ENCODING", "TE", "Upgrade", "Expect"),
        *("Proxy-Authorization", "Accept-Encoding", "If-None-Match", "Range", "Authorization"),
    ],
)
def test_what_steers_the_request_is_ours(name: str) -> None:
    assert "Topicwire itself" in (header_problem(name, "x") or "")


def test_a_cure_is_named() -> None:
    assert "auth_file" in (header_problem("Authorization", "Basic eDp5") or "")
    assert "user_agent" in (header_problem("User-Agent", "x") or "")


@pytest.mark.parametrize("name", ["", "X Y", "X:", "X\r\nHost", "Ключ", "x" * 101])
def test_a_name_is_a_token(name: str) -> None:
    assert "no name of a header" in (header_problem(name, "x") or "")


@pytest.mark.parametrize("value", ["a\r\nHost: b", "a\0", "a\tb", " a", "x" * 4001, "\udce9"])
def test_a_value_is_one_line(value: str) -> None:
    assert header_problem("X", value)


def test_all_of_a_feeds_headers_are_looked_at() -> None:
    assert headers_problem((("A", "b"), ("C", "d")), "Reader/1") is None
    assert "Host" in (headers_problem((("A", "b"), ("Host", "d")), None) or "")
    assert "user_agent" in (headers_problem((), "a\nb") or "")
