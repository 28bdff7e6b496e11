"""`feeds import`, `export` and `test`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import app
from bot.cli_feeds_lists import BUSY
from bot.model import PollReason
from tests.feedserver import FeedServer
from tests.flow.feeds.desk import OPML, configure, feeds, happen, imported, listed, page, told


def test_a_list_is_imported_once_with_its_languages(place: Path) -> None:
    (place / "list.opml").write_text(OPML)

    dry = told("import", "list.opml", "--dry-run")
    before = listed()
    first = told("import", "list.opml")
    second = told("import", "list.opml")

    assert [one["fate"] for one in dry["feeds"]] == ["new", "new"]
    assert before == {}
    assert [one["fate"] for one in first["feeds"]] == ["new", "new"]
    assert {one["fate"] for one in second["feeds"]} == {"known"}
    assert second["feeds"][0]["says"] == "added by command"
    assert listed()["hafen.example_rss"]["language"] == "de"
    assert "s3cret" not in json.dumps([dry, first, second])


def test_people_see_what_is_new_and_what_is_known(place: Path) -> None:
    imported(place)

    result = feeds("import", "list.opml")

    assert "Hafenblatt" in result.stdout
    assert "2 feeds: 0 added; their first polls are silent, 2 known" in result.stderr


def test_a_check_adds_only_what_answers(server: FeedServer, place: Path) -> None:
    server.serve()
    outlines = "".join(f'<outline xmlUrl="{server.url(path)}"/>' for path in ("/feed", "/nowhere"))
    (place / "list.opml").write_text(f"<opml><body>{outlines}</body></opml>")

    result = told("import", "list.opml", "--check", "--allow-private", exits=1)

    assert [one["fate"] for one in result["feeds"]] == ["new", "failed"]
    assert result["feeds"][0]["says"] == "answers with 2 items"
    assert "404" in result["feeds"][1]["says"]
    assert [feed["url"] for feed in listed().values()] == [server.url()]


def test_a_list_leads_into_no_private_network_unasked(server: FeedServer, place: Path) -> None:
    (place / "list.opml").write_text(f'<opml><body><outline xmlUrl="{server.url()}"/></body></opml>')

    result = told("import", "list.opml", "--check", exits=1)

    assert "no public address" in result["feeds"][0]["says"]
    assert listed() == {}


def test_a_list_may_come_from_standard_input() -> None:
    result = CliRunner().invoke(app, ["feeds", "import", "-"], input=OPML)
    broken = CliRunner().invoke(app, ["feeds", "import", "-"], input="<opml>")

    assert result.exit_code == 0, result.output
    assert "hafen.example_rss" in listed()
    assert broken.exit_code == 2
    assert "standard input:1:7: the file ends too early" in broken.stderr


def test_a_list_that_cannot_be_read_adds_nothing(place: Path) -> None:
    (place / "list.opml").write_text(OPML.replace("https://hafen", "hafen"))

    assert "list.opml:3" in feeds("import", "list.opml", exits=2).stderr
    assert listed() == {}


def test_an_export_is_imported_elsewhere(place: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    imported(place)
    result = feeds("export", "out.opml")
    there = tmp_path_factory.mktemp("there")
    configure(there)
    (there / "feeds.opml").write_text("<opml version='2.0'><body/></opml>")

    feeds("import", "out.opml", "--config", str(there / "config.toml"))

    assert "quay" in result.stderr
    assert "password or token was taken out" in result.stderr
    told_there = told("list", "--config", str(there / "config.toml"))["feeds"]
    assert [(one["url"], one["outlet"], one["language"]) for one in told_there] == [
        ("https://hafen.example/rss", "Hafenblatt", "de"),
        ("https://quay.example/feed", "Quay", None),
    ]


def test_an_exported_address_has_no_secret_and_no_stars(place: Path) -> None:
    url = "https://quay.example/feed?token=s3cret&amp;n=1"
    (place / "list.opml").write_text(f'<opml><body><outline xmlUrl="{url}"/></body></opml>')
    feeds("import", "list.opml")

    result = feeds("export")

    assert 'xmlUrl="https://quay.example/feed?n=1"' in result.stdout
    assert "password or token was taken out" in result.stderr


def test_an_export_overwrites_nothing_unasked(place: Path) -> None:
    (place / "mine").write_text("mine")

    assert "is there already" in feeds("export", "mine", exits=1).stderr
    assert (place / "mine").read_text() == "mine"
    feeds("export", "mine", "--force")
    assert "<opml" in (place / "mine").read_text()
    assert "<opml" in feeds("export").stdout


# ---- test --------------------------------------------------------------------------------------


def test_a_dry_run_tells_each_step_and_writes_nothing(server: FeedServer, place: Path) -> None:
    server.redirect("/feed", path="/old", status=301)
    server.serve(headers={"ETag": '"a"', "Cache-Control": "max-age=600"})

    text = feeds("test", server.url("/old"), "--allow-private").stdout
    data = told("test", server.url("/old"), "--allow-private")

    for words in (
        "moved for good to",
        "all bytes are valid",
        "RSS 2.0",
        "Harbour News",
        "1 item of 2",
        "ferries",
    ):
        assert words in text
    assert (data["status"], data["final_url"], data["max_age_s"]) == (200, server.url("/feed"), 600)
    assert told("test", server.url(), "--allow-private")["etag"] == '"a"'
    assert [[match["topic"] for match in item["matches"]] for item in data["items"]] == [["ferries"], []]
    assert not (place / "topicwire.db").exists()


def test_a_known_feed_is_tried_with_its_settings_and_others(server: FeedServer) -> None:
    server.serve("<rss version='2.0'><channel><title>Вести</title></channel></rss>".encode("cp1251"))
    feeds(
        "add", server.url(), "--allow-private", "--id", "vesti", "--encoding", "cp1251", "--header", "X-A: 1"
    )

    assert told("test", "ves")["title"] == "Вести"
    assert server.last_headers["X-A"] == "1"
    assert told("test", "vesti", "--encoding", "koi8-r")["title"] != "Вести"
    assert told("show", "vesti")["encoding"] == "cp1251"


def test_a_trial_tells_why_an_item_matches_and_which_pages_would_be_read(
    server: FeedServer, place: Path
) -> None:
    titles = ("The ferry returns", "Cranes")
    items = "".join(
        f"<item><title>{title}</title><link>https://a.example/{nth}</link></item>"
        for nth, title in enumerate(titles)
    )
    server.serve(f"<rss version='2.0'><channel><title>Harbour</title>{items}</channel></rss>")
    arguments = ("test", server.url(), "--allow-private", "--content", "fetch")

    data, text = told(*arguments), feeds(*arguments).stdout

    [match] = data["items"][0]["matches"]
    assert [(term["term"], term["field"], term["text"]) for term in match["terms"]] == [
        ("ferry", "title", "ferry")
    ]
    assert [one["would_read_page"] for one in data["items"]] == [False, True]
    assert "1 of 2 would be read" in text
    assert "https://a.example/1" in text


def test_what_is_no_feed_is_told_with_what_came(server: FeedServer) -> None:
    page(server, "<title>Log in</title>")

    result = feeds("test", server.url("/"), "--allow-private", exits=1)

    assert "web page" in result.stdout
    assert 'a web page titled "Log in", no feed' in result.stderr
    assert "`topicwire feeds add` looks for the feeds that a page names" in result.stderr


def test_a_feed_that_does_not_answer_is_told(server: FeedServer) -> None:
    assert "answered 404" in feeds("test", server.url(), "--allow-private", exits=1).stderr
    assert "--allow-private" in feeds("test", server.url(), exits=1).stderr


def test_broken_rules_are_told_and_the_rest_is_shown(server: FeedServer, place: Path) -> None:
    server.serve()
    (place / "rules" / "rules.yaml").write_text("version: 1\ntopics: 3\n")

    result = feeds("test", server.url(), "--allow-private", exits=1)

    assert "Harbour News" in result.stdout
    assert "nothing was matched: " in result.stderr


def test_a_host_that_asked_for_peace_is_not_asked_by_commands_either(place: Path) -> None:
    imported(place)
    resting = {"reason": PollReason.RATE_LIMITED, "error": "answered 503"}
    happen("hafen.example_rss", resting)  # nobody answers there, so that asking would be told
    (place / "more.opml").write_text('<opml><body><outline xmlUrl="https://hafen.example/2"/></body></opml>')

    for command in (("add", "https://www.hafen.example/other"), ("test", "hafen")):
        assert "hafen.example asked to be left in peace until" in feeds(*command, exits=1).stderr
    [one] = told("import", "more.opml", "--check")["feeds"]
    assert (one["fate"], one["says"]) == ("new", BUSY)


def busy(server: FeedServer) -> None:
    server.serve(status=429, headers={"Retry-After": "3600"})


def test_what_a_server_asks_of_a_command_is_kept_to_by_all(server: FeedServer) -> None:
    busy(server)

    first = feeds("add", server.url(), "--allow-private", exits=1)
    second = feeds("add", server.url("/other"), "--allow-private", exits=1)

    assert "127.0.0.1 is left in peace for" in first.stderr
    assert "127.0.0.1 asked to be left in peace until" in second.stderr
    assert len(server.asked) == 1


def test_what_a_server_asks_of_a_checked_list_is_kept_to_by_all(server: FeedServer, place: Path) -> None:
    busy(server)
    (place / "list.opml").write_text(f'<opml><body><outline xmlUrl="{server.url()}"/></body></opml>')

    told("import", "list.opml", "--check", "--dry-run", "--allow-private")
    second = feeds("test", server.url(), "--allow-private", exits=1)

    assert "127.0.0.1 asked to be left in peace until" in second.stderr
    assert len(server.asked) == 1


def test_a_trial_tells_what_the_server_asked_and_writes_nothing(server: FeedServer, place: Path) -> None:
    busy(server)

    result = feeds("test", server.url(), "--allow-private", exits=1)
    feeds("test", server.url(), "--allow-private", exits=1)

    assert "127.0.0.1 asks to be left in peace for" in result.stderr
    assert "a trial keeps nothing of that" in result.stderr
    assert len(server.asked) == 2
    assert not (place / "topicwire.db").exists()


def test_a_feed_is_known_by_the_address_that_it_moved_to(place: Path) -> None:
    imported(place)
    happen("hafen.example_rss", {"learned_url": "https://neu.example/rss"})

    assert "is known already: hafen.example_rss" in feeds("add", "neu.example/rss", exits=1).stderr
