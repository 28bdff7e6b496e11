"""The config: every option documented, every mistake named with its line."""

from __future__ import annotations

import re
import tomllib
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from bot.config import Config, line_of, parse_duration, read_config
from bot.errors import ConfigInvalid
from bot.seeds import starter_dir

EXAMPLE = starter_dir() / "config.example.toml"


def write(folder: Path, text: str) -> Path:
    path = folder / "config.toml"
    path.write_text(text)
    return path


def mistakes(path: Path) -> list[str]:
    with pytest.raises(ConfigInvalid) as caught:
        read_config(path)
    return [str(problem).removeprefix(f"{path}:") for problem in caught.value.problems]


def options(model: type[BaseModel], prefix: str = "") -> set[str]:
    """Return the dotted names of all options; a section's are its own."""
    names: set[str] = set()
    for name, info in model.model_fields.items():
        section = next((kind for kind in _models_in(info.annotation)), None)
        names |= options(section, f"{prefix}{name}.") if section else {prefix + name}
    return names


def _models_in(annotation: object) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for inner in getattr(annotation, "__args__", ()) for model in _models_in(inner)]


def without_comments(text: str) -> str:
    """Return the example with each option taken out of its comment."""
    return re.sub(r"^#(?=\[|\w+ = )", "", text, flags=re.MULTILINE)


def flat(values: dict[str, Any], prefix: str = "") -> dict[str, object]:
    result: dict[str, object] = {}
    for name, value in values.items():
        match value:
            case dict():
                result |= flat(value, f"{prefix}{name}.")
            case [dict() as table, *_]:
                result |= flat(table, f"{prefix}{name}.")
            case _:
                result[prefix + name] = value
    return result


def test_the_example_shows_every_option_and_no_other() -> None:
    shown = flat(tomllib.loads(without_comments(EXAMPLE.read_text())))

    assert shown.keys() == options(Config)


def test_the_example_shows_the_defaults(tmp_path: Path) -> None:
    text = without_comments(EXAMPLE.read_text())
    for table in ("[[feeds]]", "[[chats]]"):
        text = text.split(table)[0] if table == "[[feeds]]" else text
    text = text.replace('token_file = "telegram-token"', "")

    shown = read_config(write(tmp_path, text))

    assert shown == read_config(write(tmp_path, ""))


def test_the_example_as_it_is_can_be_read(tmp_path: Path) -> None:
    config = read_config(write(tmp_path, EXAMPLE.read_text()))

    assert config.data_dir == tmp_path / "data"
    assert config.token == ""


def test_the_examples_feed_and_chat_can_be_read(tmp_path: Path) -> None:
    config = read_config(write(tmp_path, without_comments(EXAMPLE.read_text())))

    assert config.feeds[0].interval == timedelta(minutes=10)
    assert config.chats[0].address.thread_id == 7


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("data_dri = 'x'", "1: unknown key data_dri; did you mean data_dir?", id="unknown key"),
        pytest.param(
            "[polling]\n\ntimeuot = '5s'",
            "3: unknown key polling.timeuot; did you mean timeout?",
            id="unknown key in a section",
        ),
        pytest.param(
            "[pollling]\ntimeout = '5s'", "1: unknown key pollling; did you mean polling?", id="section"
        ),
        pytest.param(
            "[polling]\ntimeout = '3 fortnights'",
            "2: polling.timeout: not a duration; write a number with a unit, like"
            ' "30s", "5min", "2h" or "1d"',
            id="duration",
        ),
        pytest.param(
            "[delivery]\nper_second = 900",
            "2: delivery.per_second: Input should be less than or equal to 30 (it is 900)",
            id="too much",
        ),
        pytest.param(
            "[[feeds]]\nurl = 'https://a.example/x'\n[[feeds]]\nurl = 'ftp://a'",
            "4: feeds.1.url: URL scheme should be 'http' or 'https' (it is 'ftp://a')",
            id="second table",
        ),
        pytest.param("[[feeds]]\nid = 'a'", "1: feeds.0.url: Field required", id="missing"),
        pytest.param(
            "a = 1 2", "1:7: not TOML: Expected newline or end of document after a statement", id="syntax"
        ),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    assert mistakes(write(tmp_path, text)) == [said]


def test_all_mistakes_are_named_at_once(tmp_path: Path) -> None:
    assert len(mistakes(write(tmp_path, "a = 1\nb = 2\n[log]\nlevel = 'loud'"))) == 3


def test_a_wrong_token_is_never_shown(tmp_path: Path) -> None:
    [said] = mistakes(write(tmp_path, "[telegram]\ntoken = 12345678901234567890"))

    assert "12345678901234567890" not in said


def test_a_token_does_not_show_in_the_config(tmp_path: Path) -> None:
    config = read_config(write(tmp_path, "[telegram]\ntoken = '1234567:secret'"))

    assert "secret" not in repr(config)
    assert config.token == "1234567:secret"


def test_an_id_twice_and_a_chat_twice_are_refused(tmp_path: Path) -> None:
    feed = "[[feeds]]\nid = 'a'\nurl = 'https://a.example/x'\n"

    assert "the id 'a' is used twice" in mistakes(write(tmp_path, feed * 2))[0]
    assert "stands there twice" in mistakes(write(tmp_path, "[[chats]]\nid = 5\n" * 2))[0]


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, "[telegram]\ntoken = 'from the file'\noperators = [7]")
    monkeypatch.setenv("TOPICWIRE_TELEGRAM__TOKEN", "from the environment")

    config = read_config(path)

    assert config.token == "from the environment"
    assert config.telegram.operators == (7,)


def test_a_mistake_in_the_environment_names_the_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOPICWIRE_LOG__LEVEL", "loud")

    assert "TOPICWIRE_LOG__LEVEL" in mistakes(write(tmp_path, ""))[0]


def test_a_token_file_is_read_and_a_missing_one_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, "[telegram]\ntoken_file = 'token'")
    config = read_config(path)

    with pytest.raises(ConfigInvalid, match="cannot read the bot's token: No such file"):
        assert config.token

    (tmp_path / "token").write_text("1234567:secret\n")
    assert config.token == "1234567:secret"


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"\xff\xfe", "this is not UTF-8"), (None, "no such file; make one with: topicwire init")],
)
def test_a_file_that_cannot_be_read_says_what_to_do(tmp_path: Path, content: bytes | None, said: str) -> None:
    path = tmp_path / "config.toml"
    if content is not None:
        path.write_bytes(content)

    assert said in mistakes(path)[0]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("90s", timedelta(seconds=90)),
        ("5min", timedelta(minutes=5)),
        ("5m", timedelta(minutes=5)),
        ("2h", timedelta(hours=2)),
        ("1.5d", timedelta(hours=36)),
        ("250ms", timedelta(milliseconds=250)),
        ("30", timedelta(seconds=30)),
        (30, timedelta(seconds=30)),
    ],
)
def test_durations(written: object, meant: timedelta) -> None:
    assert parse_duration(written) == meant


def test_lines_are_found_in_tables_and_arrays_of_tables() -> None:
    lines = "a = 1\n[t]\na = 2\n[[f]]\nurl = 1\n[[f]]\nurl = 2\n".splitlines()

    found = {loc: line_of(lines, loc) for loc in [("a",), ("t", "a"), ("f", 0, "url"), ("f", 1, "url")]}
    assert found == {("a",): 1, ("t", "a"): 3, ("f", 0, "url"): 5, ("f", 1, "url"): 7}
    assert line_of(lines, ("f", 1, "missing")) == 6  # the table's own line
