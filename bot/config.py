"""The one reader of config.toml and of the environment's TOPICWIRE_ variables.

Order, first wins: environment, config.toml, defaults. Relative paths are seen from the file's folder.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, EnvSettingsSource, SettingsConfigDict
from rapidfuzz import process

from bot.config_models import SQLITE, ChatConfig, Config, FeedConfig
from bot.core.identity import redact_url
from bot.core.toml_lines import line_of
from bot.errors import ConfigInvalid, Problem

Loc = tuple[int | str, ...]  # where a value stands: ("feeds", 1, "url")

_PREFIX = "TOPICWIRE_"


class _Settings(BaseSettings, Config):
    """The config as pydantic-settings looks for it in the environment."""

    model_config = SettingsConfigDict(env_prefix=_PREFIX, env_nested_delimiter="__")


class _Environment(EnvSettingsSource):
    """What the variables say, by section and option."""

    def decode_complex_value(self, field_name: str, field: FieldInfo, value: Any) -> Any:
        """Return the JSON's value, or the text as it is, for the model to refuse with its place."""
        try:
            return super().decode_complex_value(field_name, field, value)
        except ValueError:
            return value


def read_config(path: Path) -> Config:
    """Return the checked configuration.

    Raises:
        ConfigInvalid: With one problem for each mistake: its line or its variable, and the cure.
    """
    text = _read_text(path)
    values, said = _parsed(path, text), _Environment(_Settings)()
    if unknown := _unknown_variables():
        raise ConfigInvalid(tuple(unknown))
    try:
        config = Config.model_validate(_merged(values, said))
    except ValidationError as error:
        raise ConfigInvalid(tuple(_problems(path, text, said, error))) from error
    config = _anchored(config, path.resolve().parent)
    if "?" in str(config.database_file):
        raise _invalid(path, f"the database cannot lie in a path with a ?: {config.database_file}")
    return config


def _merged(values: dict[str, Any], winning: dict[str, Any]) -> dict[str, Any]:
    """Return the values, section for section, with those of `winning` in place of their own."""
    return values | {
        name: values[name] | mine if isinstance(mine, dict) and isinstance(values.get(name), dict) else mine
        for name, mine in winning.items()
    }


def _invalid(path: Path, message: str, line: int = 0, col: int = 0) -> ConfigInvalid:
    return ConfigInvalid((Problem(file=str(path), line=line, col=col, message=message),))


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        cure = "make one with: topicwire init DIR, or name yours with --config FILE"
        raise _invalid(path, f"no such file; {cure}") from error
    except OSError as error:
        raise _invalid(path, f"cannot read it: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise _invalid(path, "this is not UTF-8; save the file as UTF-8", line) from error


def _parsed(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except ValueError as error:  # TOMLDecodeError is one; a number of thousands of digits is another
        found = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
        line, col = (int(found[1]), int(found[2])) if found else (0, 0)
        said = re.sub(r" *\(at .*\)$", "", str(error))
        raise _invalid(path, f"not TOML: {said}", line, col) from error


# ---- mistakes, each with its place ---------------------------------------------------------------

_SECTIONS = {
    name: info.annotation
    for name, info in Config.model_fields.items()
    if isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel)
}
_MODELS: dict[str, type[BaseModel]] = {**_SECTIONS, "feeds": FeedConfig, "chats": ChatConfig}


def _variable(*names: object) -> str:
    return _PREFIX + "__".join(str(name).upper() for name in names)


def _unknown_variables() -> list[Problem]:
    options = [_variable(name, option) for name, kind in _SECTIONS.items() for option in kind.model_fields]
    options += [_variable(name) for name in Config.model_fields if name not in _SECTIONS]
    known = {*options, *map(_variable, _SECTIONS), _variable("config")}  # which the command line reads
    names = [name for name in sorted(os.environ) if name.upper().startswith(_PREFIX)]
    return [
        Problem(file="environment", message=f"unknown variable {name}{_did_you_mean(name.upper(), options)}")
        for name in names
        if name.upper() not in known
    ]


def _problems(path: Path, text: str, said: Mapping[str, Any], error: ValidationError) -> list[Problem]:
    lines = text.splitlines()
    problems = []
    for fault in error.errors(include_url=False):
        places: list[Loc] = [(*fault["loc"], *place) for place in fault.get("ctx", {}).get("places", [()])]
        told = [(name, place) for place in places if (name := _variable_of(place, said))]
        if told:
            problems.append(Problem(file="environment", message=_for_variable(*told[0], fault)))
        else:
            line = max(line_of(lines, place) for place in places)
            problems.append(Problem(file=str(path), line=line, message=_message(places[0], fault)))
    return problems


def _variable_of(loc: Loc, said: Mapping[str, Any]) -> str:
    """Return the variable that a value comes from; empty: the file, or nothing, told it.

    A section's variable holds JSON, and the variable of one option wins over it.
    """
    section = said.get(str(loc[0]))
    if section is None or len(loc) == 1 or not isinstance(section, dict):
        return "" if section is None else _variable(loc[0])
    own = _variable(*loc[:2])
    if own in {name.upper() for name in os.environ}:
        return own
    return _variable(loc[0]) if loc[1] in section else ""


def _for_variable(variable: str, loc: Loc, fault: Any) -> str:
    """Return what is wrong with a variable, and how it is written."""
    if len(loc) == 1 and fault["type"] in {"model_type", "tuple_type"}:
        shape = "{...}, or set a variable for each option" if loc[0] in _SECTIONS else "[{...}, {...}]"
        return f"{variable}: write JSON here: {shape}"
    return f"{variable}: {_message(loc, fault)}"


def _message(loc: Loc, fault: Any) -> str:
    where, kind = ".".join(str(part) for part in loc), fault["type"]
    if kind == "extra_forbidden":
        model = _MODELS[str(loc[0])] if len(loc) > 1 else Config
        return f"unknown key {where}{_did_you_mean(str(loc[-1]), list(model.model_fields))}"
    said = str(fault["msg"]).removeprefix("Value error, ")
    quiet = kind in {"missing", "value_error", "conflict"}
    return f"{where}: {said}" + ("" if quiet else _shown(loc, fault["input"]))


def _shown(loc: Loc, value: object) -> str:
    """Return a wrong value as it may be shown: nothing of Telegram's section, no password of a URL."""
    text = redact_url(repr(value))
    if loc[0] == "telegram" or "@" in text.replace("***@", ""):
        return ""
    return f" (it is {text:.80})"


def _did_you_mean(name: str, known: Sequence[str]) -> str:
    close = process.extractOne(
        name, known, processor=lambda text: re.sub("_+", " ", text.removeprefix(_PREFIX)), score_cutoff=75
    )
    return f"; did you mean {close[0]}?" if close else ""


def _anchored(config: Config, base: Path) -> Config:
    """Return the config with its paths made absolute, seen from the config file."""
    token_file, url = config.telegram.token_file, config.store.url
    return config.model_copy(
        update={
            "data_dir": base / config.data_dir,
            "rules_dir": base / config.rules_dir,
            "feeds_file": config.feeds_file and base / config.feeds_file,
            "telegram": config.telegram.model_copy(update={"token_file": token_file and base / token_file}),
            "feeds": tuple(
                feed.model_copy(update={"auth_file": feed.auth_file and base / feed.auth_file})
                for feed in config.feeds
            ),
            "store": config.store.model_copy(
                update={"url": url and f"{SQLITE}{base / config.database_file}"}
            ),
        }
    )
