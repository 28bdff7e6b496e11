"""Every code that `rules check` prints: what it says, and the cure. The documents' table is made of these."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Code:
    """One kind of error or warning."""

    code: str
    meaning: str
    cure: str

    @property
    def is_error(self) -> bool:
        """True: it stops the set."""
        return self.code.startswith("E")


_ALL: Final = (
    Code(
        "E000",
        "the folder or a file cannot be read, or the folder holds no rule files",
        "all that is named `.yaml` or `.yml` must be a file that can be read; hidden files are left alone",
    ),
    Code("E001", "the version is missing or another", "begin the file with `version: 1`"),
    Code(
        "E002",
        "the file is not YAML as we read it: a tab, a lost bracket or quote, a duplicate key, an anchor, a "
        "tag, bytes that are not UTF-8, over 40 levels, 60,000 values or 5 MB",
        "what the message says, at the place it names",
    ),
    Code("E010", "unknown key", "write the likely one that the message names, or take the key out"),
    Code(
        "E011",
        "wrong type or value; or a topic with over 20,000 terms, each use of a list counted",
        "write what the message asks for",
    ),
    Code("E012", "`use:` names a list that is nowhere", "write a list of that name under `lists:`"),
    Code("E013", "lists use each other in a circle, or over 40 deep", "take one `use:` out of the circle"),
    Code("E014", "`sources` names a feed that is nowhere", "write a feed's id, or a domain (with its dot)"),
    Code("E020", "a topic id or list name is taken; both places are named", "choose another"),
    Code("E030", "`match` is empty, or holds without any term", "write terms that must be found"),
    Code(
        "E031",
        "`min_score` cannot be reached by all terms together",
        "lower it, or raise `weight`, or add terms",
    ),
    Code(
        "E032",
        "RE2 refuses the pattern, or it matches the empty text",
        "do without look-around and back references; ask for at least one character",
    ),
    Code(
        "E040",
        "a test fails: what matched and with which score, or why nothing did",
        "change the terms, or the test if it asks for the wrong thing",
    ),
    Code("W101", "no topic uses the list", "use it or delete it"),
    Code("W102", "a wildcard with under four letters", "write more of the word"),
    Code("W103", "`within` over 15: almost everything is near", "use 15 or fewer, or `all:`"),
    Code("W104", "the term finds nothing that another of the topic does not find", "delete it"),
    Code("W105", "letters of several alphabets in one word that look the same", "retype the word"),
    Code("W106", "a term without language key: no other form of it is found", "put it under one: `en:`"),
    Code("W107", "an abbreviation of four letters or fewer without `=`", "write `=EU`"),
    Code(
        "W108",
        "a part of a pattern that knows ASCII letters only: `\\b` or `\\B` inside it, `\\W` between brackets",
        "put `\\b` at an end of the pattern, or write the classes out: `[^\\pL\\pM\\pN_]`",
    ),
    Code(
        "W109",
        "terms in a language whose endings are not known",
        "write a wildcard, or list the forms; see [the table](#languages-and-their-endings)",
    ),
    Code(
        "W110",
        "a surname alone, which the stored items show beside several given names",
        "add the given name, or what must stand `near` it",
    ),
    Code(
        "W111",
        "`\\w` or `\\W` in a pattern, which RE2 reads as ASCII and Topicwire as letters of all alphabets",
        "nothing, if that is meant: allow it, or write `[\\pL\\pM\\pN_]`; for ASCII write `[A-Za-z0-9_]`",
    ),
    Code("W120", "no test uses the topic's `ignore` or `unless`", "add a `no_match` test that needs it"),
    Code("W130", "the topic has no `no_match` tests", "add titles that it must not find"),
    Code("W131", "no `match` test reaches the term, or there are none", "add a title that has it"),
)  # fmt: skip
CODES: Final = {code.code: code for code in _ALL}
