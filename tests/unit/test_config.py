"""The config: every option documented, every mistake named with its line."""

from __future__ import annotations

import re
import tomllib
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from bot.config import read_config
from bot.config_models import Config, parse_duration
from bot.core.toml_lines import line_of
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
            case dict() if name != "headers":  # a table of the operator's own names
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


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("User-Agent", "set by Topicwire itself; use user_agent"),
        ("authorization", "set by Topicwire itself; use auth_file"),
        ("Host", "set by Topicwire itself"),
        ("X Y", "use letters, digits and hyphens"),
    ],
)
def test_a_feeds_header_that_is_not_the_operators_to_set_is_refused(
    tmp_path: Path, name: str, said: str
) -> None:
    text = f"[[feeds]]\nurl = 'https://a.example/x'\nheaders = {{ '{name}' = '1' }}"

    [problem] = mistakes(write(tmp_path, text))

    assert said in problem


def test_what_a_feed_asks_with_is_read(tmp_path: Path) -> None:
    text = """
        [[feeds]]
        url = 'https://a.example/x'
        headers = { Accept-Language = 'de' }
        user_agent = 'Mozilla/5.0'
        auth_file = 'a.auth'
        content = 'fetch'
    """

    [feed] = read_config(write(tmp_path, text)).config_feeds()

    assert feed.headers == (("Accept-Language", "de"),)
    assert feed.auth_file == str(tmp_path / "a.auth")
    assert (feed.user_agent, feed.fetch_content) == ("Mozilla/5.0", True)


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
            "polling.timeout = '1y'",
            "1: polling.timeout: not a duration; write a number with a unit, like"
            ' "30s", "5min", "2h" or "1d"',
            id="dotted key",
        ),
        pytest.param(
            "[polling]\nmax_items = 5\nmin_interval = '5h'",
            "3: polling.min_interval: min_interval is longer than max_interval",
            id="bounds",
        ),
        pytest.param(
            "_env_file = '.env'",
            "1: unknown key _env_file",
            id="a library's own word",
        ),
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


def test_an_id_twice_and_a_chat_twice_are_refused_where_they_stand_again(tmp_path: Path) -> None:
    feed = "[[feeds]]\nid = 'a'\nurl = 'https://a.example/x'\n"

    twice = mistakes(write(tmp_path, feed * 2))
    again = mistakes(write(tmp_path, "[[chats]]\nid = 5\n" * 2))

    assert twice == ["4: feeds.1: the id 'a' is used twice; give each feed its own"]
    assert again == ["3: chats.1: 5 stands there twice; put its topics into one entry"]


def test_feeds_without_ids_are_not_taken_for_one(tmp_path: Path) -> None:
    assert len(read_config(write(tmp_path, "[[feeds]]\nurl = 'https://a.example/x'\n" * 3)).feeds) == 3


def test_a_number_of_thousands_of_digits_is_refused(tmp_path: Path) -> None:
    assert "not TOML" in mistakes(write(tmp_path, f"[delivery]\nhold = {'9' * 5000}"))[0]


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, "[telegram]\ntoken = 'from the file'\noperators = [7]")
    monkeypatch.setenv("TOPICWIRE_TELEGRAM__TOKEN", "from the environment")

    config = read_config(path)

    assert config.token == "from the environment"
    assert config.telegram.operators == (7,)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        pytest.param(
            "TOPICWIRE_LOG__LEVEL",
            "loud",
            "log.level: Input should be 'debug', 'info', 'warning' or 'error' (it is 'loud')",
            id="option",
        ),
        pytest.param(
            "topicwire_polling__max_items", "0", "polling.max_items: Input should be greater", id="lower case"
        ),
        pytest.param("TOPICWIRE_LOG", '{"level": "loud"}', "log.level: Input should be 'debug'", id="JSON"),
        pytest.param(
            "TOPICWIRE_LOG", '{"levle": "info"}', "unknown key log.levle; did you mean level?", id="key"
        ),
        pytest.param(
            "TOPICWIRE_LOG",
            "loud",
            "write JSON here: {...}, or set a variable for each option",
            id="not JSON",
        ),
        pytest.param(
            "TOPICWIRE_FEEDS", "https://a.example/x", "write JSON here: [{...}, {...}]", id="no list"
        ),
        pytest.param("TOPICWIRE_FEEDS", '[{"id": "a"}]', "feeds.0.url: Field required", id="table"),
        pytest.param(
            "TOPICWIRE_TELEGRAM__OPERATORS", "12,ada", "telegram.operators.1: Input should", id="list"
        ),
        pytest.param(
            "TOPICWIRE_POLLING__MAX_INTERVAL",
            "1min",
            "polling.max_interval: min_interval is longer than max_interval",
            id="bounds",
        ),
        pytest.param(
            "TOPICWIRE_CHATS", '[{"id": 5}, {"id": 5}]', "chats.1: 5 stands there twice", id="same chat"
        ),
    ],
)
def test_a_mistake_in_the_environment_names_the_variable_and_no_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    path = write(tmp_path, "[log]\nlevel = 'info'\n[polling]\nmax_interval = '1h'\nmax_items = 5")
    monkeypatch.setenv(name, value)

    [mistake] = mistakes(path)

    assert mistake.startswith(f"environment: {name.upper()}: {said}")


def test_a_mistake_in_the_file_keeps_its_line_beside_a_good_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOPICWIRE_LOG__FORMAT", "json")
    monkeypatch.setenv("TOPICWIRE_POLLING", '{"max_items": 5}')

    found = mistakes(write(tmp_path, "[log]\nlevel = 'loud'\n[polling]\ntimeout = 0"))

    assert [mistake.split(": ")[0] for mistake in found] == ["2", "4"]
    assert "polling.timeout" in found[1]


def test_a_mistake_of_the_file_that_the_environment_overrides_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOPICWIRE_LOG", '{"level": "error", "format": "json"}')
    monkeypatch.setenv("TOPICWIRE_LOG__LEVEL", "debug")

    config = read_config(write(tmp_path, "[log]\nlevel = 'loud'"))

    assert (config.log.level, config.log.format) == ("debug", "json")


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("TOPICWIRE_DATADIR", "TOPICWIRE_DATA_DIR"),
        ("TOPICWIRE_TELEGRAM_TOKEN", "TOPICWIRE_TELEGRAM__TOKEN"),
        ("TOPICWIRE_TOKEN", "TOPICWIRE_TELEGRAM__TOKEN"),
        ("TOPICWIRE_LOGLEVEL", "TOPICWIRE_LOG__LEVEL"),
        ("TOPICWIRE_LOG__LEVLE", "TOPICWIRE_LOG__LEVEL"),
        ("TOPICWIRE_FEEDS__0__URL", "TOPICWIRE_FEEDS"),
    ],
)
def test_a_misspelt_variable_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, meant: str
) -> None:
    monkeypatch.setenv(name, "123456:secret")

    assert mistakes(write(tmp_path, "")) == [f"environment: unknown variable {name}; did you mean {meant}?"]


def test_the_command_lines_own_variable_is_none_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOPICWIRE_CONFIG", "config.toml")

    assert read_config(write(tmp_path, "")) == read_config(tmp_path / "config.toml")


@pytest.mark.parametrize(
    ("written", "meant"),
    [("12,13", (12, 13)), ("12", (12,)), (" 12, 13 ", (12, 13)), ("[12,13]", (12, 13)), ("", ())],
)
def test_operators_in_the_environment_need_no_brackets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: str, meant: tuple[int, ...]
) -> None:
    monkeypatch.setenv("TOPICWIRE_TELEGRAM__OPERATORS", written)

    assert read_config(write(tmp_path, "[telegram]\noperators = [7]")).telegram.operators == meant


def test_a_password_is_never_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    long = "htp://user:" + "x" * 100 + "hunter2@host/x"
    for url in ("htp://user:hunter2@host/x", "user:hunter2@host/x", "ftp://host/?token=hunter2", long):
        [said] = mistakes(write(tmp_path, f"[[feeds]]\nurl = '{url}'"))

        assert "hunter2" not in said and "xxx" not in said
        assert said.startswith("2: feeds.0.url: ")
    for name in ("TOPICWIRE_TELEGRAM", "TOPICWIRE_TELEGRAM__OPERATORS", "TOPICWIRE_STORE__URL"):
        with monkeypatch.context() as environment:
            environment.setenv(name, "postgresql://ada:hunter2@host/x")
            [said] = mistakes(write(tmp_path, ""))

        assert said.startswith(f"environment: {name}: ") and "hunter2" not in said


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql+asyncpg://ada@host/news", "PostgreSQL comes in a later version"),
        ("sqlite+aiosqlite://", "a database in memory forgets"),
        ("sqlite+aiosqlite:///", "a database in memory forgets"),
        ("sqlite+aiosqlite:///:memory:", "a database in memory forgets"),
        ("sqlite:///news.db", "not the address of an SQLite file"),
        ("news.db", "not the address of an SQLite file"),
        ("sqlite+aiosqlite:///news.db?mode=ro", "not the address of an SQLite file"),
    ],
)
def test_the_store_is_an_sqlite_file_and_nothing_else(tmp_path: Path, url: str, said: str) -> None:
    [mistake] = mistakes(write(tmp_path, f"[store]\nurl = '{url}'"))

    assert mistake.startswith(f"2: store.url: {said}")
    assert mistake.endswith('write sqlite+aiosqlite:///PATH, or "" for topicwire.db in data_dir')


@pytest.mark.parametrize(
    ("text", "file"),
    [
        ("", "data/topicwire.db"),
        ("data_dir = 'kept'", "kept/topicwire.db"),
        ("[store]\nurl = 'sqlite+aiosqlite:///news.db'", "news.db"),
        ("[store]\nurl = 'sqlite+aiosqlite:////srv/news.db'", "/srv/news.db"),
    ],
)
def test_the_database_lies_where_the_file_says_seen_from_the_file(
    tmp_path: Path, text: str, file: str
) -> None:
    config = read_config(write(tmp_path, text))

    assert config.database_file == tmp_path / file
    assert config.database_url == f"sqlite+aiosqlite:///{tmp_path / file}"


def test_a_database_path_that_a_url_cannot_hold_is_refused(tmp_path: Path) -> None:
    assert "path with a ?" in mistakes(write(tmp_path, "data_dir = 'what?'"))[0]


@pytest.mark.parametrize(
    "option",
    [
        "store.busy_timeout",
        "telegram.timeout",
        "delivery.retry_uncertain_after",
        "polling.connect_timeout",
        "polling.timeout",
        "polling.parse_timeout",
        "polling.min_interval",
        "polling.default_interval",
    ],
)
def test_a_wait_of_no_length_is_refused(tmp_path: Path, option: str) -> None:
    [said] = mistakes(write(tmp_path, f"{option} = 0"))

    assert said.startswith(f"1: {option}: Input should be greater than or equal to")


@pytest.mark.parametrize(
    "option", ["delivery.hold", "delivery.edit_every", "delivery.chat_interval", "polling.host_interval"]
)
def test_a_pause_may_be_of_no_length(tmp_path: Path, option: str) -> None:
    section, name = option.split(".")

    config = read_config(write(tmp_path, f"{option} = 0"))

    assert getattr(getattr(config, section), name) == timedelta(0)


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


@pytest.mark.parametrize(
    "written", ["inf", "nan", "-1", "true", "1e300", '"99999999999999d"', f'"{"9" * 400}d"']
)
def test_what_is_no_length_of_time_is_refused_with_its_line(tmp_path: Path, written: str) -> None:
    [said] = mistakes(write(tmp_path, f"[delivery]\nhold = {written}"))

    assert re.match("2: delivery.hold: (a duration is at least 0 and at most|not a duration)", said)


def test_lines_are_found_in_tables_and_arrays_of_tables() -> None:
    lines = "a = 1\n[t]\na = 2\n[[f]]\nurl = 1\n[[f]]\nurl = 2\n".splitlines()

    found = {loc: line_of(lines, loc) for loc in [("a",), ("t", "a"), ("f", 0, "url"), ("f", 1, "url")]}
    assert found == {("a",): 1, ("t", "a"): 3, ("f", 0, "url"): 5, ("f", 1, "url"): 7}
    assert line_of(lines, ("f", 1, "missing")) == 6  # the table's own line
