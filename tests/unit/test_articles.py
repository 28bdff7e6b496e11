"""Articles from files and URLs: their title, lead, main text and language; and pages that mean harm."""

from __future__ import annotations

import gzip
import json
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
import typer
from typer.testing import CliRunner

from bot import cli_explain
from bot.articles import LIMITS, read_articles
from bot.errors import FeedUnreadable, FetchError, FetchRefused
from bot.feeds.pages import MAX_BYTES, PageReader, read_page
from bot.model import Item, PollReason
from tests.feedserver import FeedServer, feed_server

app = typer.Typer()
app.command("explain")(cli_explain.explain_command)

SENTENCE = "Die neue Fähre nach Hellsund fährt ab Mai zweimal am Tag, sagte die Reederei. "
PARAGRAPHS = "".join(f"<p>{number}. {SENTENCE * 3}</p>" for number in range(6))
PAGE = f"""<!doctype html>
<html lang="de-DE"><head><title>Neue Fähre | Hafenbote</title>
<meta property="og:title" content="Neue Fähre für Hellsund">
<meta name="description" content="Ab Mai zweimal am Tag."></head>
<body><nav><a href="/">Start</a> <a href="/sport">Sport und Spiel</a></nav>
<article><h1>Neue Fähre für Hellsund</h1>{PARAGRAPHS}</article>
<footer>Impressum und Datenschutz des Hafenboten</footer><script>var geheim = 1;</script></body></html>
"""


@pytest.fixture
async def server() -> AsyncIterator[FeedServer]:
    async with feed_server() as running:
        yield running


async def read(*places: str, private: bool = True) -> list[Item | FetchError]:
    return [answer async for _, answer in read_articles(places, allow_private=private, limits=LIMITS)]


# ---- what is read ------------------------------------------------------------------------------


def test_a_page_gives_its_title_lead_main_text_and_language() -> None:
    item = read_page(PAGE.encode(), "text/html; charset=utf-8", "https://www.hafenbote.example/faehre")

    assert item.title == "Neue Fähre für Hellsund"
    assert item.summary == "Ab Mai zweimal am Tag."
    assert item.language == "de"
    assert item.outlet == "hafenbote.example"
    assert item.url == "https://www.hafenbote.example/faehre"
    assert "0. Die neue Fähre" in item.content
    assert "5. Die neue Fähre" in item.content
    assert not any(noise in item.content for noise in ("Impressum", "Sport", "geheim"))


def test_a_page_without_much_text_is_read_whole() -> None:
    item = read_page(
        b"<html><title>T</title><body><div>Kurz gesagt.</div></body></html>", "text/html", "p.html"
    )

    assert item.title == "T"
    assert "Kurz gesagt." in item.content


@pytest.mark.parametrize(
    ("name", "text", "title", "content"),
    [
        ("a.txt", "Neue Fähre\nSie fährt.", "Neue Fähre", "Sie fährt."),
        ("a.txt", "Sie fährt wieder.\nJa.", "", "Sie fährt wieder.\nJa."),
        ("a.txt", "Nur eine Zeile", "", "Nur eine Zeile"),
        ("a.md", "# Neue Fähre\n\n- Sie *fährt* nach [Hellsund](https://x.example).", "Neue Fähre", None),
        ("a", "Kein Name, 5 < 6\nund Text", "Kein Name, 5 < 6", "und Text"),
    ],
    ids=["with a title", "without", "one line", "Markdown", "no ending"],
)
def test_text_files_are_read(name: str, text: str, title: str, content: str | None) -> None:
    item = read_page(text.encode(), None, name)

    assert item.title == title
    assert item.content == (content or "Sie fährt nach Hellsund.")


def test_bytes_are_decoded_as_the_page_says() -> None:
    item = read_page("Fähre über Öresund\nund mehr".encode("cp1252"), "text/plain; charset=iso-8859-1", "u")

    assert item.title == "Fähre über Öresund"


@pytest.mark.parametrize(
    ("body", "content_type", "says"),
    [
        (b"%PDF-1.7", "application/pdf", "application/pdf"),
        (b"\x89PNG\0\0", None, "neither a page nor a text"),
        (b"  \n", "text/html", "empty"),
        (b"<html><body></body></html>", "text/html", "holds no text"),
    ],
    ids=["PDF", "binary", "empty", "page without text"],
)
def test_what_is_no_article_is_said(body: bytes, content_type: str | None, says: str) -> None:
    with pytest.raises(FeedUnreadable, match=says):
        read_page(body, content_type, "place.html")


# ---- files and URLs ----------------------------------------------------------------------------


async def test_files_and_urls_come_in_their_order(server: FeedServer, tmp_path: Path) -> None:
    file = tmp_path / "a.html"
    file.write_text(PAGE, encoding="utf-8")
    server.serve(PAGE, path="/old", content_type="text/html")
    server.redirect("/old", path="/moved", status=301)

    found = await read(str(file), server.url("/moved"))

    assert [item.title for item in found if isinstance(item, Item)] == ["Neue Fähre für Hellsund"] * 2
    assert isinstance(found[1], Item)
    assert found[1].url == server.url("/old")
    assert server.last_headers["Accept"].startswith("text/html")


async def test_private_addresses_need_leave(server: FeedServer) -> None:
    server.serve(PAGE, path="/a", content_type="text/html")

    (found,) = await read(server.url("/a"), private=False)

    assert isinstance(found, FetchRefused)
    assert found.reason is PollReason.FORBIDDEN_ADDRESS
    assert server.paths == []


async def test_one_bad_place_spoils_no_other(server: FeedServer, tmp_path: Path) -> None:
    server.serve(PAGE, path="/good", content_type="text/html")
    server.serve(b"%PDF", path="/pdf", content_type="application/pdf")
    places = [str(tmp_path), str(tmp_path / "none.txt"), server.url("/lost"), server.url("/pdf")]

    found = await read(*places, server.url("/good"))

    assert [type(one) for one in found] == [
        FeedUnreadable,
        FeedUnreadable,
        FetchRefused,
        FeedUnreadable,
        Item,
    ]
    assert "is no file" in str(found[0])
    assert "does not exist" in str(found[1])
    assert "404" in str(found[2])


# ---- pages that mean harm ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "page",
    [
        "<html><body>" + "<div>" * 60_000 + PARAGRAPHS,
        "<html><body>" + "<" * 500_000 + PARAGRAPHS,
        "<html><body " + "a=b " * 200_000 + ">" + PARAGRAPHS,
        "<html><body><table>" + "<tr><td><table>" * 20_000 + PARAGRAPHS,
        '<html><head><script type="application/ld+json">'
        + '{"a":' * 100_000
        + "</script></head>"
        + PARAGRAPHS,
        "<html><head><title>" + "&amp;#x202e;" * 50_000 + "</title></head><body>" + PARAGRAPHS,
    ],
    ids=["deep", "brackets", "attributes", "tables", "JSON", "title"],
)
async def test_hostile_pages_are_read_or_refused(page: str) -> None:
    async with PageReader(timeout=timedelta(seconds=60)) as reader:
        try:
            item = await reader.read(page.encode(), "text/html", "https://bad.example/")
        except FeedUnreadable as error:
            assert "https://bad.example/" in str(error)
        else:
            assert len(item.content) <= 40_000
            assert len(item.title) <= 1_000


async def test_a_page_that_takes_too_long_is_given_up() -> None:
    slow = "<html><body><article>" + "<p>a b c</p>" * 300_000 + "</article></body></html>"

    async with PageReader(timeout=timedelta(seconds=2)) as reader:
        with pytest.raises(FeedUnreadable, match="takes more than 2 s"):
            await reader.read(slow.encode(), "text/html", "slow.html")


async def test_sizes_are_bounded_before_and_after_decompression(server: FeedServer, tmp_path: Path) -> None:
    large = tmp_path / "large.txt"
    large.write_bytes(b"a " * MAX_BYTES)
    server.bomb(gzip.compress(b"a " * MAX_BYTES), "gzip", path="/bomb")

    found = await read(str(large), server.url("/bomb"))

    assert [type(one) for one in found] == [FeedUnreadable, FeedUnreadable]
    assert all("5 MB" in str(one) for one in found)


# ---- rules explain --url -----------------------------------------------------------------------

RULES = """\
version: 1
topics:
  - id: ferries
    title: Ferries
    match: {de: [Fähre]}
"""


@pytest.fixture
def page_url() -> Iterator[str]:
    """The address of the page, served from a thread: the command runs a loop of its own."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = PAGE.encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = Thread(target=running.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}/faehre"
        running.shutdown()
        thread.join()


@pytest.fixture
def rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("bot.rules.lazy_lexicon", lambda _: lambda word, language: True)
    (tmp_path / "ferries.yaml").write_text(RULES, encoding="utf-8")
    return tmp_path


def explain(*words: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


def test_explain_reads_the_article_at_a_url(page_url: str, rules: Path) -> None:
    code, out, _ = explain("ferries", "--url", page_url, "--allow-private", "--rules", rules, "--json")

    (told,) = json.loads(out)
    assert code == 0
    assert told["matched"]
    assert {term["field"] for term in told["terms"]} == {"title", "content"}


@pytest.mark.parametrize(
    ("url", "says"),
    [("page.html", "no web address"), ("{page}", "no public address")],
    ids=["a file", "private"],
)
def test_explain_says_why_a_url_cannot_be_read(url: str, says: str, page_url: str, rules: Path) -> None:
    code, _, err = explain("ferries", "--url", url.replace("{page}", page_url), "--rules", rules)

    assert code == 2
    assert says in err
