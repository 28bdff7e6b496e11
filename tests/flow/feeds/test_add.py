"""`feeds add`, with a real store and a real feed server beside it."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot import cli_feeds_add
from bot.cli import app
from bot.ports import DueFeed
from bot.store import SqlStore
from tests.feedserver import RSS, FeedServer
from tests.flow.feeds.desk import RULES, configure, feeds, listed, page, told


def test_a_feed_is_added_with_its_settings_and_polled_in_silence(server: FeedServer) -> None:
    server.serve()

    added = told(
        *("add", server.url(), "--id", "harbour", "--outlet", "Harbour", "--language", "en"),
        *(
            "--interval",
            "10min",
            "--header",
            "X-Key: s3cret",
            "--user-agent",
            "Reader/1",
            "--content",
            "fetch",
        ),
        "--allow-private",
    )

    assert (added["id"], added["origin"], added["state"]) == ("harbour", "command", "well")
    assert (added["outlet"], added["language"], added["interval_s"]) == ("Harbour", "en", 600)
    assert (added["content"], added["allow_private"], added["headers"]) == ("fetch", True, ["X-Key"])
    assert added["will_be_polled"] == {"every_s": 600, "why": "operator"}
    assert added["found"]["items"] == 2
    assert server.last_headers["X-Key"] == "s3cret"
    assert server.last_headers["User-Agent"] == "Reader/1"
    assert (added["remembered"], added["next_poll_why"]) == (2, "operator")


def test_people_are_told_what_was_found_and_what_follows(server: FeedServer) -> None:
    server.serve()

    result = feeds("add", server.url(), "--allow-private")

    assert "Harbour News" in result.stdout
    assert "RSS 2.0" in result.stdout
    assert "The 2 items of now are remembered and told to nobody" in result.stderr
    assert "polled every 15 min or so: the default, as long as its rhythm is unknown" in result.stderr


def test_a_page_leads_to_its_feed(server: FeedServer) -> None:
    page(server, '<link rel="alternate" type="application/rss+xml" href="/feed">')
    server.serve()

    added = told("add", server.url("/"), "--allow-private")

    assert added["url"] == server.url("/feed")
    assert added["found"]["via"] == "link"


def test_of_several_feeds_one_is_picked_by_number(server: FeedServer) -> None:
    page(server, '<link rel="feed" href="/feed"><link rel="feed" href="/sport">')
    server.serve()
    server.serve(RSS.replace("Harbour News", "Sport"), path="/sport")

    unclear = feeds("add", server.url("/"), "--allow-private", exits=2)
    machines = told("add", server.url("/"), "--allow-private", exits=2)
    beyond = feeds("add", server.url("/"), "--allow-private", "--pick", "3", exits=2)
    picked = told("add", server.url("/"), "--allow-private", "--pick", "2")

    assert "Harbour News" in unclear.stdout
    assert "2 feeds found; name one with --pick N" in unclear.stderr
    assert [(one["number"], one["title"]) for one in machines["found"]] == [(1, "Harbour News"), (2, "Sport")]
    assert "only 2 feeds found" in beyond.stderr
    assert picked["url"] == server.url("/sport")


def test_on_a_terminal_people_are_asked_which(server: FeedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli_feeds_add, "is_asked", lambda: True)
    page(server, '<link rel="feed" href="/feed"><link rel="feed" href="/sport">')
    server.serve()
    server.serve(path="/sport")

    result = CliRunner().invoke(app, ["feeds", "add", server.url("/"), "--allow-private"], input="2\n")

    assert result.exit_code == 0, result.output
    assert [feed["url"] for feed in listed().values()] == [server.url("/sport")]


@pytest.mark.parametrize(("answer", "is_added"), [("y", True), ("n", False)])
def test_on_a_terminal_the_only_feed_of_a_page_is_asked_about(
    server: FeedServer, monkeypatch: pytest.MonkeyPatch, answer: str, is_added: bool
) -> None:
    monkeypatch.setattr(cli_feeds_add, "is_asked", lambda: True)
    page(server, '<link rel="feed" href="/feed">')
    server.serve()

    CliRunner().invoke(app, ["feeds", "add", server.url("/"), "--allow-private"], input=f"{answer}\n")

    assert bool(listed()) == is_added


def test_a_page_without_feeds_is_told_with_what_was_tried(server: FeedServer) -> None:
    page(server, "Welcome")

    result = feeds("add", server.url("/"), "--allow-private", exits=1)

    assert "is a web page, and no feed is to be found there" in result.stderr
    assert f"{server.url('/rss.xml')} answered 404" in result.stderr
    assert listed() == {}


@pytest.mark.parametrize("scheme", ["feed:http://", "FEED:http://"])
def test_an_address_may_be_a_readers_link(server: FeedServer, scheme: str) -> None:
    server.serve()
    address = server.url().replace("http://", scheme)

    assert told("add", address, "--allow-private")["url"] == server.url()


def test_a_picked_feed_is_answered_with_its_own_number(server: FeedServer) -> None:
    page(server, '<link rel="feed" href="/feed"><link rel="feed" href="/sport">')
    server.serve()
    server.serve(NEWS.format(item("One")), path="/sport")

    added = told("add", server.url("/"), "--allow-private", "--pick", "2")

    assert (added["found"]["number"], added["found"]["url"]) == (2, server.url("/sport"))


def test_a_feed_that_a_page_declares_in_vain_is_told_beside_those_found(server: FeedServer) -> None:
    page(server, '<link rel="feed" href="/feed"><link rel="feed" href="/dead"><a href="/old/rss">RSS</a>')
    server.serve()

    result = feeds("add", server.url("/"), "--allow-private")

    assert f"the page declares a feed in vain: {server.url('/dead')} answered 404" in result.stderr
    assert "/old/rss" not in result.stderr


def test_a_private_address_needs_permission(server: FeedServer) -> None:
    server.serve()

    result = feeds("add", server.url(), exits=1)

    assert "127.0.0.1, no public address" in result.stderr
    assert "--allow-private" in result.stderr
    assert server.asked == []


@pytest.mark.parametrize("spelling", ["/feed/", "/feed#top"])
def test_a_feed_is_added_once(server: FeedServer, spelling: str) -> None:
    server.serve()
    feeds("add", server.url(), "--allow-private", "--id", "harbour")
    asked = len(server.asked)

    result = feeds("add", server.url(spelling), "--allow-private", exits=1)

    assert "is known already: harbour (added by command; well)" in result.stderr
    assert len(server.asked) == asked


def test_a_feed_of_the_config_is_not_added_again(place: Path) -> None:
    configure(place, '[[feeds]]\nid = "harbour"\nurl = "https://harbour.example/feed"')

    result = feeds("add", "www.harbour.example/feed/", exits=1)

    assert "is known already: harbour (config.toml:8;" in result.stderr


def test_an_id_is_given_once(server: FeedServer) -> None:
    server.serve()
    server.serve(path="/other")
    feeds("add", server.url(), "--allow-private", "--id", "harbour")

    result = feeds("add", server.url("/other"), "--allow-private", "--id", "harbour", exits=1)

    assert "--id harbour is taken" in result.stderr


def test_a_url_with_a_password_is_used_and_never_shown(server: FeedServer) -> None:
    server.serve()
    url = server.url().replace("//", "//ada:s3cret@")

    outputs = [
        feeds("add", url, "--allow-private", "--id", "harbour"),
        feeds("add", url, "--allow-private", exits=1),
        feeds("list"),
        feeds("show", "harbour"),
        feeds("list", "--json"),
        feeds("test", "harbour"),
        feeds("export"),
    ]

    assert server.last_headers["Authorization"].startswith("Basic ")
    assert not [result.output for result in outputs if "s3cret" in result.output]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--interval", "5s"], "--interval: 5s: the shortest is 1min"),
        (["--interval", "often"], '--interval: not a duration; write a number with a unit, like "30s"'),
        (["--language", "german"], "--language: german: write two letters, such as de"),
        (["--encoding", "klingon"], "--encoding: nobody knows 'klingon'"),
        (["--header", "X-Key"], "--header: write it as 'Name: value'"),
        (["--header", "Authorization: Basic abc"], "auth_file"),
        (["--auth-file", "nowhere"], "--auth-file: "),
        (["--content", "all"], "--content: all: write feed or fetch"),
        (["--id", "Not An Id"], "--id: Not An Id: write small letters, digits"),
    ],
)
def test_a_wrong_setting_is_told_before_anybody_is_asked(
    server: FeedServer, arguments: list[str], says: str
) -> None:
    result = feeds("add", server.url(), *arguments, exits=2)

    assert says in result.stderr
    assert server.asked == []


@pytest.mark.parametrize("url", ["ftp://a.example/feed", "https://", "http://a b/"])
def test_what_is_no_address_is_told(url: str) -> None:
    assert "URL: write a whole http:// or https:// address" in feeds("add", url, exits=2).stderr


def test_a_log_in_comes_from_a_file(server: FeedServer, place: Path) -> None:
    server.serve()
    (place / "login").write_text("ada:s3cret\n")
    (place / "broken").write_text("s3cret\n")

    broken = feeds("add", server.url(), "--allow-private", "--auth-file", "broken", exits=2)
    added = told("add", server.url(), "--allow-private", "--auth-file", "login")

    assert added["auth_file"] == str(place / "login")
    assert server.last_headers["Authorization"].startswith("Basic ")
    assert "must hold one line, user:password" in broken.stderr
    assert "s3cret" not in broken.output


def test_without_a_config_it_is_told(monkeypatch: pytest.MonkeyPatch, place: Path) -> None:
    (place / "config.toml").unlink()

    assert "topicwire init DIR" in feeds("list", exits=2).stderr


def once() -> str:
    """Make one pass over all feeds, and return the messages."""
    result = CliRunner().invoke(app, ["once", "--all"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def item(title: str) -> str:
    return f"<item><title>{title}</title><guid>{title}</guid></item>"


def test_what_a_feed_held_when_it_was_added_is_told_to_nobody_nor_when_it_is_added_again(
    server: FeedServer, place: Path
) -> None:
    configure(place, "[[chats]]\nid = 5")
    news = "<rss version='2.0'><channel><title>Harbour</title>{}</channel></rss>"
    old, new = item("A ferry of old"), item("A new ferry sails")
    server.serve(news.format(old))
    feeds("add", server.url(), "--allow-private", "--id", "harbour")

    first = once()
    server.serve(news.format(new + old))
    second = once()
    feeds("remove", "harbour", "--yes")
    feeds("add", server.url(), "--allow-private", "--id", "harbour")
    again = once()

    assert "ferry" not in first
    assert "A new ferry sails" in second
    assert "A ferry of old" not in second
    assert "ferry" not in again
    assert listed()["harbour"]["state"] == "well"


NEWS = "<rss version='2.0'><channel><title>Harbour</title>{}</channel></rss>"


def test_what_comes_between_adding_a_feed_and_its_next_poll_is_told(server: FeedServer, place: Path) -> None:
    configure(place, "[[chats]]\nid = 5")
    server.serve(NEWS.format(item("A ferry of old")))
    feeds("add", server.url(), "--allow-private", "--id", "harbour")

    server.serve(NEWS.format(item("A new ferry sails") + item("A ferry of old")))
    first = once()

    assert "A new ferry sails" in first
    assert "A ferry of old" not in first


def test_what_a_checked_list_of_feeds_shows_next_is_told(server: FeedServer, place: Path) -> None:
    configure(place, "[[chats]]\nid = 5")
    server.serve(NEWS.format(item("A ferry of old")))
    (place / "list.opml").write_text(f'<opml><body><outline xmlUrl="{server.url()}"/></body></opml>')
    feeds("import", "list.opml", "--check", "--allow-private")

    server.serve(NEWS.format(item("A new ferry sails") + item("A ferry of old")))
    first = once()

    assert "A new ferry sails" in first
    assert "A ferry of old" not in first


def test_while_the_rules_are_wrong_a_feed_is_added_and_nothing_said_to_be_remembered(
    server: FeedServer, place: Path
) -> None:
    server.serve()
    (place / "rules" / "rules.yaml").write_text("version: 1\ntopics: 3\n")

    result = feeds("add", server.url(), "--allow-private", "--id", "harbour")

    assert "Nothing is remembered yet, since the rules cannot be used: " in result.stderr
    assert "rules.yaml:2" in result.stderr
    assert listed()["harbour"]["state"] == "waits for its first poll"


def test_rules_may_name_a_feed_before_it_is_added(server: FeedServer, place: Path) -> None:
    server.serve()
    (place / "rules" / "rules.yaml").write_text(RULES.replace("SOURCE", "harbour"))

    assert told("add", server.url(), "--allow-private", "--id", "harbour")["remembered"] == 2


@pytest.mark.parametrize(
    ("held", "says"),
    [("", "It holds no item now"), (item("One"), "The 1 item of now is remembered")],
    ids=["none", "one"],
)
def test_few_items_are_counted_in_proper_words(server: FeedServer, held: str, says: str) -> None:
    server.serve(NEWS.format(held))

    assert says in feeds("add", server.url(), "--allow-private").stderr


def test_a_daemon_beside_that_polls_first_is_left_to_it(
    server: FeedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nobody(*_: object) -> list[DueFeed]:
        return []

    server.serve()
    monkeypatch.setattr(SqlStore, "claim_new_feeds", nobody)

    result = feeds("add", server.url(), "--allow-private")

    assert "Nothing is remembered yet, since a running Topicwire polls it already" in result.stderr
