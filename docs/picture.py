"""Draw docs/message.svg, the README's picture, from the real renderer: `python docs/picture.py`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import escape
from html.parser import HTMLParser
from pathlib import Path

from bot.core.render import alert_message
from bot.i18n import texts
from bot.model import Level, Match, Report, Story, StoryId, StoryReason, TermMatch, Topic, TopicId

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
WIDTH, PADDING, LINE, SIZE = 560, 18, 23, 15
TARGET = Path(__file__).with_name("message.svg")


@dataclass(frozen=True)
class Run:
    """Words of one look; `br` ends a line."""

    text: str
    tags: frozenset[str]


class Runs(HTMLParser):
    """Takes Telegram's HTML apart into runs."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.runs: list[Run] = []
        self._open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        """Open a look."""
        self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close it."""
        self._open.remove(tag)

    def handle_data(self, data: str) -> None:
        """Keep words, and each line's end."""
        for number, line in enumerate(data.split("\n")):
            if number:
                self.runs.append(Run("\n", frozenset(self._open)))
            words = line.replace(" ", " \0").split("\0")
            self.runs += [Run(word, frozenset(self._open)) for word in words if word]


def sample() -> tuple[Story, list[Topic]]:
    """Return a story that never happened, in three outlets."""

    def report(outlet: str, title: str, minutes: int) -> Report:
        return Report(
            title=title,
            url=f"https://{outlet.lower().replace(' ', '-')}.example/greenland",
            outlet=outlet,
            summary=(
                "The government in Nuuk lets a consortium of three countries mine rare earths in the south"
                " of the island. From 2029 on, 40,000 tonnes of concentrate a year are to leave its port."
            ),
            language="en",
            published_at=NOW - timedelta(minutes=minutes),
            seen_at=NOW,
            reason=StoryReason.NEW,
        )

    found = TermMatch(term="rare earth", field="title", start=24, end=35, text="rare-earth", score=98)
    story = Story(
        id=StoryId(1),
        reports=(
            report("Harbour Wire", "Greenland grants licence for rare-earth mine to consortium", 4),
            report("Tagesblatt", "Grönland vergibt Lizenz für Seltene Erden", 3),
            report("Невский листок", "Гренландия отдаёт залежи редкоземельных металлов", 2),
        ),
        matches=(Match(topic=TopicId("rare-earths"), score=88, terms=(found,)),),
    )
    return story, [Topic(id=TopicId("rare-earths"), titles={"en": "Rare earths"}, level=Level.HIGH)]


def lines(runs: list[Run]) -> list[list[Run]]:
    """Return the runs, broken into lines that fit."""
    room = WIDTH - 4 * PADDING
    result: list[list[Run]] = [[]]
    used = 0.0
    for run in runs:
        wide = len(run.text) * SIZE * (0.62 if "b" in run.tags else 0.52)
        if run.text == "\n" or used + wide > room:
            result.append([Run("", run.tags)])
            used = 0.0
        if run.text != "\n":
            result[-1].append(run)
            used += wide
    return result


def look(run: Run) -> str:
    """Return the SVG attributes of a run."""
    weight = ' font-weight="600"' if "b" in run.tags else ""
    slant = ' font-style="italic"' if "i" in run.tags else ""
    colour = ' fill="#2678b6"' if "a" in run.tags else ""
    return f"{weight}{slant}{colour}"


def drawn() -> str:
    """Return the picture."""
    message = alert_message(*sample(), texts("en"), NOW)
    rows = lines(Runs(message.html).runs)
    body, y = [], 2 * PADDING + SIZE
    for row in rows:
        quote = any("blockquote" in run.tags for run in row)
        x = 2 * PADDING + (10 if quote else 0)
        if quote:
            box = f'x="{2 * PADDING}" y="{y - SIZE - 2}" width="3" height="{LINE}"'
            body.append(f'<rect {box} fill="#4fa3dd"/>')
        words = "".join(f"<tspan{look(run)}>{escape(run.text)}</tspan>" for run in row)
        body.append(f'<text x="{x}" y="{y}" xml:space="preserve">{words}</text>')
        y += LINE
    bottom = y - SIZE + PADDING // 2
    height = bottom
    for buttons in message.buttons:
        share = (WIDTH - 2 * PADDING - 6 * (len(buttons) - 1)) / len(buttons)
        for number, button in enumerate(buttons):
            left = PADDING + number * (share + 6)
            box = f'x="{left:.0f}" y="{height + 6}" width="{share:.0f}" height="34" rx="8"'
            body.append(
                f'<rect {box} fill="#8fb3cc"/>'
                f'<text x="{left + share / 2:.0f}" y="{height + 28}" text-anchor="middle" fill="#fff">'
                f"{escape(button.text)}{' ↗' if button.url else ''}</text>"
            )
        height += 40
    height += PADDING
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
        f'font-family="system-ui, Segoe UI, Roboto, Helvetica, Arial, sans-serif" font-size="{SIZE}">'
        f'<rect width="{WIDTH}" height="{height}" rx="14" fill="#d6e4ee"/>'
        f'<rect x="{PADDING}" y="{PADDING}" width="{WIDTH - 2 * PADDING}" height="{bottom - PADDING}"'
        f' rx="12" fill="#fff"/>{"".join(body)}</svg>\n'
    )


if __name__ == "__main__":
    TARGET.write_text(drawn(), encoding="utf-8")
