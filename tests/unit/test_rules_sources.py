"""What `sources` of a topic may name: feeds that are there, and domains."""

from __future__ import annotations

import pytest

from bot.rules.building import build, places_naming
from bot.rules.reading import Source, parse_source

FEEDS = {"herald", "example.org", "hafen.example_rss", "Quay.example-feed-3fa9c1"}


def a_source(name: str, *, inside: str = "deny") -> Source:
    source = Source("rules.yaml")
    parse_source(
        source,
        "version: 1\ntopics:\n  - id: ferries\n    title: Ferries\n    match: {en: [ferry]}\n"
        f"    sources: {{{inside}: [elsewhere.example, '{name}']}}\n",
    )
    return source


def said(name: str) -> list[str]:
    return [problem.message for problem in build([a_source(name)], FEEDS).problems if problem.code == "E014"]


@pytest.mark.parametrize("name", sorted(FEEDS))
def test_a_feed_that_is_known_may_be_named(name: str) -> None:
    assert said(name) == []


@pytest.mark.parametrize(
    "name",
    [
        "bbc.co.uk",
        "WWW.Example.com",
        "news.lan",
        "fritz.box",
        "münchen.de",
        "xn--mnchen-3ya.de",
        "пример.рф",
        "правда.укр",
        "xn--e1afmkfd.xn--p1ai",
        "192.168.1.5",
        "a-b.c-d.museum",
    ],
)
def test_what_may_be_a_domain_may_be_named(name: str) -> None:
    assert said(name) == []


@pytest.mark.parametrize(
    "name",
    [
        "hafen.example_rs",
        "example.org/news",
        "quay.example-feed-3fa9c2",
        "192.168.1.5-8080-feed-d21a43",
        "feeds.example.com_rss.xml",
        "*.example.org",
        ".example.org",
        "example.org.",
        "https://example.org",
        "example.org:8080",
        "-a.example",
        "1.2.3.4.5",
        "a b.example",
    ],
)
def test_what_is_no_feed_and_can_be_no_domain_is_told(name: str) -> None:
    [message] = said(name)

    assert message.startswith(f"no feed has the id `{name}`, and no domain is written so")


def test_the_feed_that_was_meant_is_named() -> None:
    assert said("hafen.example_rs")[0].endswith("did you mean `hafen.example_rss`?")


@pytest.mark.parametrize("inside", ["allow", "deny"])
@pytest.mark.parametrize("name", ["herald", "example.org", "hafen.example_rss"])
def test_the_places_that_name_a_feed_are_found(name: str, inside: str) -> None:
    assert places_naming(name, [a_source(name, inside=inside)]) == ["rules.yaml:6"]
    assert places_naming("another", [a_source(name, inside=inside)]) == []


def test_defaults_that_name_a_feed_are_one_place() -> None:
    source = Source("rules.yaml")
    topics = "".join(f"  - {{id: t{n}, title: T, match: {{en: [ferry]}}}}\n" for n in range(2))
    parse_source(source, f"version: 1\ndefaults:\n  sources: {{deny: [herald]}}\ntopics:\n{topics}")

    assert places_naming("herald", [source]) == ["rules.yaml:3"]
