"""Measure how well and how fast items are grouped into stories.

    python benchmarks/stories.py [--json] [--unrelated 600] [--sweep]

Each half of tests/golden/stories.yaml is streamed in time order among unrelated items made here. Scores are of
the labelled items; an unrelated item in their story counts against precision. `swallowed` is the share of
events whose first report joined a story of something else: a lost alert. Beside it: rapidfuzz token_set_ratio
of title and summary to the nearest member, at the threshold that is best on the tuned half.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from rapidfuzz import fuzz
from ruamel.yaml import YAML

from bot.core.stories import StoryBook, StoryPolicy, StoryText

GOLDEN = Path(__file__).parent.parent / "tests" / "golden" / "stories.yaml"
HALVES = ("tuned", "heldout")


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """An item and the event it tells; unrelated items have an event of their own."""

    event: str
    kind: str
    text: StoryText
    unrelated: bool = False


Grouping = Callable[[Sequence[StoryText]], list[int]]


def labelled(half: str) -> list[Labelled]:
    """Return the golden items of a half, in time order."""
    golden = YAML(typ="safe").load(GOLDEN.read_text(encoding="utf-8"))
    items = [
        Labelled(event=event["id"], kind=item["kind"], text=_text(item, event["start"]))
        for event in golden["events"]
        if event["half"] == half
        for item in event["items"]
    ]
    return sorted(items, key=lambda item: item.text.at)


def _text(item: Mapping[str, str], start: datetime) -> StoryText:
    return StoryText(
        title=item["title"],
        summary=item["summary"],
        outlet=item["outlet"],
        url=None,
        language=item["lang"],
        at=start + timedelta(hours=float(item["h"])),
    )


# ---- unrelated items ---------------------------------------------------------------------------

PLACES = (
    "Aalborg Bergamo Cádiz Dresden Exeter Faro Galway Haarlem Innsbruck Jena Kaunas Linz Malmö Nantes Oviedo "
    "Porto Quimper Rostock Split Turku Uppsala Varna Wexford Zadar Ankara Baku Cairo Dakar Erbil Fez Goma "
    "Hanoi Izmir Jakarta Kabul Lagos Manila Nairobi Osaka Perth Quito Recife Seoul Tunis Ulsan Yangon Kazan "
    "Samara Omsk Tomsk Perm Odessa Lviv Minsk Tallinn Riga Vilnius Moscow Berlin Paris London Washington"
).split()
PEOPLE = (
    "Alvarez Brandt Castell Dvorak Eriksen Fontaine Gruber Hoffmeister Ivanova Jansen Kowalczyk Lindqvist "
    "Moreau Novak Okafor Petrov Quintero Rossi Sorensen Tanaka Ulrich Vasquez Weber Yilmaz Zielinski Bianchi "
    "Carvalho Demir Fischer Hansen Keller Lebedev Marchetti Nowak Orlov Popescu Smirnova Toth Volkov Winter"
).split()
WORLDS: Mapping[str, Sequence[tuple[str, str]]] = {
    "en": (
        ("{place} council approves {n} new homes", "After a long debate the council of {place} gave permission on {day} for {n} homes near the {thing}, mayor {person} said."),
        ("{person} wins {place} open after three sets", "{person} took the title in {place} on {day} and thanked the {n} spectators who had stayed through the rain."),
        ("Museum in {place} shows {n} lost drawings", "The drawings by {person} were found behind a {thing} and can be seen in {place} until autumn."),
        ("{place} port handles {n} containers in a month", "Trade at the port of {place} grew, said its director {person}, who plans another {thing} on the east quay."),
        ("Scientists at {place} grow {thing} from algae", "A team led by {person} reports that {n} samples survived; the university of {place} has asked for a patent."),
        ("Minister {person} visits {place} to open {thing}", "Minister {person} opened a {thing} in {place} on {day} that cost {n} million euros."),
        ("Police in {place} arrest {n} over stolen {thing}", "Officers searched flats in {place} on {day}; the suspected leader, {person}, had been sought for months."),
        ("{person} named head of {place} {thing} maker", "The board in {place} chose {person}, who will lead {n} employees from June."),
    ),
    "de": (
        ("Stadtrat von {place} beschließt {n} neue Wohnungen", "Nach langer Debatte stimmte der Rat von {place} am {day} zu. Bürgermeister {person} will zuerst am {thing} bauen."),
        ("{person} gewinnt Turnier in {place}", "In drei Sätzen holte {person} am {day} den Titel in {place}; {n} Zuschauer harrten im Regen aus."),
        ("Museum in {place} zeigt {n} verschollene Zeichnungen", "Hinter einem {thing} fanden sich Blätter von {person}. Bis Herbst sind sie in {place} zu sehen."),
        ("Hafen {place} schlägt {n} Container um", "Der Handel im Hafen von {place} wächst. Direktor {person} plant ein weiteres {thing} am Ostkai."),
        ("Forscher aus {place} züchten {thing} aus Algen", "Das Team um {person} meldet {n} gelungene Proben, die Universität {place} hat ein Patent beantragt."),
        ("Minister {person} eröffnet {thing} in {place}", "Für {n} Millionen Euro ist in {place} ein {thing} entstanden, das {person} am {day} einweihte."),
        ("Polizei in {place} nimmt {n} Verdächtige fest", "Es geht um gestohlene {thing}. Der mutmaßliche Kopf der Bande, {person}, war lange gesucht worden."),
    ),
    "ru": (
        ("В городе {place} построят {n} новых квартир", "Совет города {place} одобрил проект, первым делом появится {thing}, рассказал мэр {person}."),
        ("{person} выигрывает турнир в городе {place}", "В трёх сетах {person} победил в финале; за игрой в {place} следили {n} зрителей."),
        ("Музей в {place} показывает {n} рисунков", "Рисунки, которые сделал {person}, нашли за старым предметом: {thing}. Выставка в {place} открыта до осени."),
        ("Порт {place} перевалил {n} контейнеров", "Директор порта {person} рассчитывает на рост торговли и хочет построить {thing}."),
        ("Полиция в {place} задержала {n} человек", "Похищен предмет: {thing}. Предполагаемого главаря, {person}, искали несколько месяцев."),
    ),
    "fr": (
        ("{place} : le conseil autorise {n} logements", "Après un long débat, {place} a donné son accord {day} ; le maire {person} commencera près du {thing}."),
        ("{person} remporte le tournoi de {place}", "En trois sets, {person} s'est imposé {day} à {place} devant {n} spectateurs."),
        ("Le musée de {place} expose {n} dessins perdus", "Des feuilles de {person}, retrouvées derrière un {thing}, sont visibles à {place} jusqu'à l'automne."),
        ("Le port de {place} traite {n} conteneurs", "Selon son directeur {person}, le trafic progresse et un nouveau {thing} est prévu."),
        ("La police de {place} arrête {n} suspects", "Ils auraient volé un {thing}. Le chef présumé, {person}, était recherché depuis des mois."),
    ),
}  # fmt: skip
THINGS: Mapping[str, Sequence[str]] = {
    "en": "bridge library stadium copper cable turbine battery tram fertiliser telescope bakery".split(),
    "de": "Brücke Bücherei Stadion Kupferkabel Turbine Akkuwerk Straßenbahn Dünger Teleskop Backhaus".split(),
    "ru": "мост библиотека стадион кабель турбина аккумулятор трамвай телескоп пекарня удобрения".split(),
    "fr": "pont bibliothèque stade câble turbine batterie tramway engrais télescope fournil".split(),
}
DAYS: Mapping[str, Sequence[str]] = {
    "en": "Monday Tuesday Wednesday Thursday Friday".split(),
    "de": "Montag Dienstag Mittwoch Donnerstag Freitag".split(),
    "ru": ("",),
    "fr": "lundi mardi mercredi jeudi vendredi".split(),
}
OUTLETS = ("Harbour Times", "Coast Wire", "Rheinbote", "Alpenkurier", "Невский листок", "Le Phare", "The Lantern")


def unrelated(count: int, start: datetime, end: datetime, seed: int = 7) -> list[Labelled]:
    """Return items that tell an event of their own each; the same for the same seed."""
    dice = random.Random(seed)  # noqa: S311  # repeatable test data
    made = []
    for number in range(count):
        language = dice.choice(sorted(WORLDS))
        title, summary = dice.choice(WORLDS[language])
        words = {
            "place": dice.choice(PLACES),
            "person": f"{dice.choice('ABDEFGHJKLMNOPRSTV')}. {dice.choice(PEOPLE)}",
            "thing": dice.choice(THINGS[language]),
            "day": dice.choice(DAYS[language]),
            "n": dice.randrange(3, 900),
        }
        text = StoryText(
            title=title.format(**words),
            summary=summary.format(**words),
            outlet=dice.choice(OUTLETS),
            url=None,
            language=language,
            at=start + (end - start) * dice.random(),
        )
        made.append(Labelled(event=f"unrelated-{number}", kind="unrelated", text=text, unrelated=True))
    return made


def stream(half: str, count: int) -> list[Labelled]:
    """Return a half's items among unrelated ones, in time order."""
    items = labelled(half)
    around = unrelated(count, items[0].text.at, items[-1].text.at)
    return sorted([*items, *around], key=lambda item: item.text.at)


# ---- ways to group -----------------------------------------------------------------------------


def by_book(policy: StoryPolicy) -> Grouping:
    """Return ours."""

    def group(texts: Sequence[StoryText]) -> list[int]:
        book = StoryBook(policy=policy)
        stories = []
        for number, text in enumerate(texts):
            story = book.add(str(number), text).story
            assert story is not None
            stories.append(int(story))
        return stories

    return group


def by_token_set(threshold: float) -> Grouping:
    """Return the plain way: the story of the nearest item of the last 72 h, if near enough."""

    def group(texts: Sequence[StoryText]) -> list[int]:
        stories: list[int] = []
        plain = [f"{text.title} {text.summary}".casefold() for text in texts]
        for number, text in enumerate(texts):
            best, story = threshold, max(stories, default=0) + 1
            for earlier in range(number - 1, -1, -1):
                if text.at - texts[earlier].at > timedelta(hours=72):
                    break
                ratio = fuzz.token_set_ratio(plain[number], plain[earlier], score_cutoff=best)
                if ratio > best:
                    best, story = ratio, stories[earlier]
            stories.append(story)
        return stories

    return group


# ---- scores ------------------------------------------------------------------------------------


def scores(items: Sequence[Labelled], stories: Sequence[int]) -> dict[str, float]:
    """Return BCubed and pairwise precision, recall and F1, and the share of events swallowed."""
    events, groups = Counter(item.event for item in items), Counter(stories)
    both = Counter(zip((item.event for item in items), stories, strict=True))
    known = [(item.event, story) for item, story in zip(items, stories, strict=True) if not item.unrelated]
    precision = sum(both[pair] / groups[pair[1]] for pair in known) / len(known)
    recall = sum(both[pair] / events[pair[0]] for pair in known) / len(known)
    right = sum(both[pair] - 1 for pair in known)
    joined = sum(groups[story] - 1 for _, story in known)
    due = sum(events[event] - 1 for event, _ in known)
    return {
        "bcubed_precision": precision,
        "bcubed_recall": recall,
        "bcubed_f1": _f1(precision, recall),
        "pairwise_precision": right / joined if joined else 1.0,
        "pairwise_recall": right / due,
        "pairwise_f1": _f1(right / joined if joined else 1.0, right / due),
        "swallowed": _swallowed(items, stories),
    }


def _f1(precision: float, recall: float) -> float:
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _swallowed(items: Sequence[Labelled], stories: Sequence[int]) -> float:
    opened: dict[int, str] = {}
    told: dict[str, bool] = {}
    for item, story in zip(items, stories, strict=True):
        owner = opened.setdefault(story, item.event)
        if not item.unrelated:
            told[item.event] = told.get(item.event, False) or owner == item.event
    return sum(not heard for heard in told.values()) / len(told)


def mistakes(items: Sequence[Labelled], stories: Sequence[int]) -> list[str]:
    """Return a line for each event that is split or mixed, for a person to read."""
    events: defaultdict[str, list[int]] = defaultdict(list)
    members: defaultdict[int, set[str]] = defaultdict(set)
    for item, story in zip(items, stories, strict=True):
        events[item.event].append(story)
        members[story].add(item.event)
    lines = []
    for item in dict.fromkeys(item.event for item in items if not item.unrelated):
        mixed = sorted(set().union(*(members[story] for story in events[item])) - {item})
        if len(set(events[item])) > 1 or mixed:
            lines.append(f"{item}: stories {events[item]}" + (f", mixed with {mixed}" if mixed else ""))
    return lines


# ---- the report --------------------------------------------------------------------------------


def measure(grouping: Grouping, count: int, halves: Iterable[str] = HALVES) -> dict[str, dict[str, float]]:
    """Return the scores of each half, and items per second of the whole stream (one process, caches cold)."""
    result = {}
    for half in halves:
        items = stream(half, count)
        texts = [replace(item.text) for item in items]
        began = time.perf_counter()
        stories = grouping(texts)
        took = time.perf_counter() - began
        result[half] = {**scores(items, stories), "items_per_second": len(items) / took}
    return result


def best_token_set(count: int) -> int:
    """Return the threshold with the best BCubed F1 on the tuned half."""
    return max(
        range(30, 100, 4),
        key=lambda threshold: measure(by_token_set(threshold), count, ("tuned",))["tuned"]["bcubed_f1"],
    )


def main() -> int:
    """Print the table, or JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true", help="machine-readable")
    parser.add_argument("--unrelated", type=int, default=600, metavar="N", help="unrelated items per half")
    parser.add_argument("--mistakes", action="store_true", help="list the events that are split or mixed")
    wanted = parser.parse_args()
    threshold = best_token_set(wanted.unrelated)
    report = {
        "stories": measure(by_book(StoryPolicy()), wanted.unrelated),
        f"token_set_ratio >= {threshold}": measure(by_token_set(threshold), wanted.unrelated),
    }
    out = sys.stdout
    if wanted.json:
        out.write(json.dumps(report, indent=2) + "\n")
        return 0
    _table(report)
    if wanted.mistakes:
        for half in HALVES:
            items = stream(half, wanted.unrelated)
            lines = mistakes(items, by_book(StoryPolicy())([item.text for item in items]))
            out.write("\n".join([f"\n{half}:", *lines]) + "\n")
    return 0


def _table(report: Mapping[str, Mapping[str, Mapping[str, float]]]) -> None:
    columns = ("bcubed_precision", "bcubed_recall", "bcubed_f1", "pairwise_f1", "swallowed", "items_per_second")
    sys.stdout.write(f"{'':32}" + "".join(f"{column.replace('_', ' '):>18}" for column in columns) + "\n")
    for name, halves in report.items():
        for half, row in halves.items():
            cells = "".join(
                f"{row[column]:>18.0f}" if "items" in column else f"{row[column]:>18.3f}" for column in columns
            )
            sys.stdout.write(f"{name + ', ' + half:32}{cells}\n")


if __name__ == "__main__":
    sys.exit(main())
