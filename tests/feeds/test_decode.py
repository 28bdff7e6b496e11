"""Bytes to text."""

from __future__ import annotations

import codecs
import json
from pathlib import Path

import charset_normalizer
import pytest
from charset_normalizer import CharsetMatches, from_bytes
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.feeds import decode as decoding
from bot.feeds.decode import decode
from bot.feeds.letters import SAMPLE, best_reading, sample_words
from tests.golden import make_feeds
from tests.golden.words import ENCODINGS, WORDS, Words

RUSSIAN = "Паром вернулся на северную линию после долгого ремонта. " * 5
GERMAN = "Größere Fähren für die Küste. "


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (codecs.BOM_UTF8 + RUSSIAN.encode(), RUSSIAN),
        (codecs.BOM_UTF16_LE + RUSSIAN.encode("utf-16-le"), RUSSIAN),
        (codecs.BOM_UTF16_BE + RUSSIAN.encode("utf-16-be"), RUSSIAN),
        (codecs.BOM_UTF32_LE + RUSSIAN.encode("utf-32-le"), RUSSIAN),
        (codecs.BOM_UTF32_BE + RUSSIAN.encode("utf-32-be"), RUSSIAN),
        ("<a>Größe</a>".encode("utf-16-le"), "<a>Größe</a>"),
        ("<a>Größe</a>".encode("utf-16-be"), "<a>Größe</a>"),
        ("<a>Größe</a>".encode("utf-32-le"), "<a>Größe</a>"),
        ("<a>Größe</a>".encode("utf-32-be"), "<a>Größe</a>"),
        ('{"title": "Größe"}'.encode("utf-16-le"), '{"title": "Größe"}'),
        ("\n<a>Größe</a>".encode("utf-16-be"), "\n<a>Größe</a>"),
        ("<a>日本語</a>".encode("iso2022_jp"), "<a>日本語</a>"),
        ("<a>ﾌｪﾘｰ</a>".encode("iso2022_jp_ext"), "<a>ﾌｪﾘｰ</a>"),
        (codecs.BOM_UTF16_LE + b"<a>no zeros, no UTF-16</a>", "<a>no zeros, no UTF-16</a>"),
        ("<a>Größe</a>".encode("utf-16-le")[:-1], "<a>Größe</a\ufffd"),
        (b"plain ascii", "plain ascii"),
    ],
)
def test_the_bytes_themselves_tell(body: bytes, expected: str) -> None:
    assert decode(body, "text/xml; charset=iso-8859-5") == expected


@pytest.mark.parametrize("told", ["windows-1251", "koi8-r", "us-ascii", "utf-16", "klingon"])
def test_valid_utf8_goes_before_what_anybody_says(told: str) -> None:
    body = f'<?xml version="1.0" encoding="{told}"?>{RUSSIAN}'

    assert decode(body.encode(), f"text/xml; charset={told}") == body


def test_a_few_bad_bytes_do_not_spoil_utf8() -> None:
    body = RUSSIAN.encode().replace("о".encode(), b"\xd0", 3)

    text = decode(body, "text/xml; charset=windows-1251")

    assert text.count("\ufffd") == 3
    assert "северную линию" in text


def test_a_replacement_character_that_was_sent_is_no_bad_byte() -> None:
    body = ("\ufffd" * 50 + RUSSIAN).encode() + b"\xd0"

    assert decode(body, None) == "\ufffd" * 50 + RUSSIAN + "\ufffd"


@pytest.mark.parametrize(
    ("encoding", "label", "text"),
    [
        ("cp1251", "windows-1251", RUSSIAN),
        ("koi8-r", "KOI8-R", RUSSIAN),
        ("cp1252", "ISO-8859-1", GERMAN + "„Möwe“ – 5 €"),
        ("gb18030", "gb2312", "渡轮重返北线，乘客满意。鎔"),
        ("cp932", "Shift_JIS", "①フェリーが戻る"),
        ("euc-kr", "euc-kr", "여객선이 돌아왔다"),
        ("cp1254", "iso-8859-9", "Feribot kuzey hattına döndü, şimdi “her saat”"),
    ],
)
def test_the_prolog_or_else_http_names_the_encoding(encoding: str, label: str, text: str) -> None:
    body = f'<?xml version="1.0" encoding="{label}"?>{text}'

    assert decode(body.encode(encoding), None) == body
    assert decode(body.encode(encoding), "text/xml; charset=us-ascii") == body
    assert decode(text.encode(encoding), f"text/xml; charset={label}") == text


def test_the_wrong_word_of_the_prolog_gives_way_to_http() -> None:
    body = f'<?xml version="1.0" encoding="utf-8"?>{RUSSIAN}'

    assert decode(body.encode("cp1251"), "text/xml; charset=windows-1251") == body


# ---- every language in every encoding, with a right label, a wrong one, none --------------------------


def a_feed(words: Words, encoding: str, *, prolog: str = "", items: int = 1, channel: str = "") -> str:
    """Return a feed of the words, as far as the encoding has their characters."""
    item = f"<item><title>{words.title}</title><description>{words.summary}</description></item>"
    label = f' encoding="{prolog}"' if prolog else ""
    text = (
        f'<?xml version="1.0"{label}?><rss><channel>{channel or words.channel}{item * items}</channel></rss>'
    )
    return text.encode(encoding, "ignore").decode(encoding)


LEGACY = [
    pytest.param(WORDS[language], encoding, id=f"{language}-{encoding}")
    for language, encodings in ENCODINGS.items()
    for encoding in encodings
    if encoding != "mac-cyrillic"
]
BY_ZEROS = ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")


@pytest.mark.parametrize("items", [1, 40])
@pytest.mark.parametrize(("words", "encoding"), LEGACY)
def test_without_a_word_the_encoding_is_found_out(words: Words, encoding: str, items: int) -> None:
    feed = a_feed(words, encoding, items=items)

    assert decode(feed.encode(encoding), None) == feed


@pytest.mark.parametrize(("words", "encoding"), LEGACY)
def test_a_right_label_is_believed(words: Words, encoding: str) -> None:
    feed = a_feed(words, encoding, prolog=encoding)

    assert decode(feed.encode(encoding), None) == feed
    assert decode(feed.encode(encoding), "text/xml; charset=iso-8859-1") == feed


@pytest.mark.parametrize(
    "wrong", ["utf-8", "windows-1251", "koi8-r", "iso-8859-1", "us-ascii", "shift_jis", "x-y"]
)
@pytest.mark.parametrize(("words", "encoding"), LEGACY)
def test_a_wrong_label_is_seen_through(words: Words, encoding: str, wrong: str) -> None:
    feed = a_feed(words, encoding, prolog=wrong)

    assert decode(feed.encode(encoding), None) == feed
    assert decode(feed.encode(encoding), f"text/xml; charset={wrong}") == feed


@pytest.mark.parametrize("encoding", BY_ZEROS)
@pytest.mark.parametrize("language", WORDS)
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_unicode_by_two_or_four_bytes_is_seen_with_and_without_its_mark(
    language: str, encoding: str, mark: str
) -> None:
    feed = a_feed(WORDS[language], "utf-8", prolog="utf-8")

    assert decode((mark + feed).encode(encoding), "text/xml; charset=windows-1251") == feed


@pytest.mark.parametrize("encoding", ["cp1251", "koi8-r", "iso8859-5", "cp866"])
@pytest.mark.parametrize("told", ["cp1251", "koi8-r", "iso8859-5"])
@pytest.mark.parametrize(
    "title",
    [
        "Пожар в порту",
        "В Гавани открыт мост",
        "Суд отложил дело капитана",
        "Ёлку поставят на пирсе",
    ],
)
def test_one_short_russian_title_is_enough(title: str, encoding: str, told: str) -> None:
    feed = f"<rss><channel><title>News</title><item><title>{title}</title></item></channel></rss>"

    assert decode(feed.encode(encoding), None) == feed
    assert decode(feed.encode(encoding), f"text/xml; charset={told}") == feed


@pytest.mark.parametrize(
    "text",
    [
        "Fares rise from £5 to £9, day tickets from £20 to £30, dogs £2, bicycles £3, cars £55 and boats £70",
        "The tank holds 900 m³; 30 m³ go to the ferry, 20 m³ to the tug, 12 km² of sea are closed",
        "The keeper’s boat, the pilot’s “launch” – and the mate’s…",
        "At 5°C the fog’s thick: 20 % off, §3 says; © Quay",
        "Señal de niebla: ¿quién la oyó? ¡Nadie!",
        "Skipið „Sæbjörg“ siglir á ný frá Þórshöfn, sagði hafnarvörður",
        "Ferjan siglir aftur norður, segði havnarmeistarin í Sørvági",
    ],
)
@pytest.mark.parametrize("told", [None, "text/xml; charset=iso-8859-1"])
def test_signs_of_western_texts_are_no_letters_of_others(text: str, told: str | None) -> None:
    assert decode(f"<title>{text}</title>".encode("cp1252"), told) == f"<title>{text}</title>"


@pytest.mark.parametrize("encoding", ["cp1251", "koi8-r", "iso8859-5", "cp866"])
def test_a_title_in_capitals_is_enough_where_no_label_misleads(encoding: str) -> None:
    feed = "<rss><item><title>ПОРТ ЗАКРЫТ ИЗ-ЗА ШТОРМА</title></item></rss>"

    assert decode(feed.encode(encoding), None) == feed


def test_a_rare_encoding_that_is_told_rightly_is_believed() -> None:
    words = WORDS["ru"]
    feed = a_feed(words, "mac-cyrillic", prolog="x-mac-cyrillic")

    assert decode(feed.encode("mac-cyrillic"), None) == feed


def test_the_language_of_the_feed_decides_between_two_readings() -> None:
    feed = "<rss><channel><language>{}</language><title>{}</title></channel></rss>"
    spanish, polish = feed.format("es", "Año"), feed.format("pl", "Ańo")

    assert decode(spanish.encode("cp1252"), None) == spanish
    assert decode(polish.encode("cp1250"), None) == polish


@pytest.mark.parametrize(
    ("label", "encoding"),
    [
        ("x-sjis", "cp932"),
        ("x-gbk", "gbk"),
        ("win-1251", "cp1251"),
        ("windows1251", "cp1251"),
        ("x-cp1251", "cp1251"),
        ("ISO-8859-8-I", "iso8859-8"),
        ("ks_c_5601-1987", "cp949"),
    ],
)
def test_names_of_encodings_are_known_as_servers_write_them(label: str, encoding: str) -> None:
    body = "日本" if label == "x-sjis" else "\xa0"  # alone it tells nothing of its encoding
    text = body.encode(encoding, "ignore").decode(encoding)

    assert decode(text.encode(encoding), f"text/xml; charset={label}") == text


def test_a_page_names_its_encoding_in_its_head() -> None:
    page = '<html lang="ru"><head><meta charset="koi8-r"><title>Ещё</title>'
    meta = '<META http-equiv="Content-Type" content="text/html; charset=windows-1253">'
    old = f"<html><head>{meta}<title>Ω</title>"

    assert decode(page.encode("koi8-r"), "text/html") == page
    assert decode(old.encode("cp1253"), "text/html; charset=klingon") == old


def test_a_prolog_after_a_servers_warning_counts() -> None:
    feed = "Warning: no file in /srv/feed.php<br/>\n" + a_feed(WORDS["el"], "cp1253", prolog="windows-1253")

    assert decode(feed.encode("cp1253"), None) == feed


def test_letters_behind_a_long_head_without_any_count() -> None:
    feed = "<rss>" + "<!-- ascii -->" * 20_000 + a_feed(WORDS["he"], "cp1255")

    assert decode(feed.encode("cp1255"), None) == feed


# ---- the golden feeds ----------------------------------------------------------------------------------

GOLDEN = sorted(path for path in make_feeds.FEEDS.iterdir() if not path.name.endswith(".expected.json"))


@pytest.mark.parametrize("wrong", ["utf-8", "iso-8859-1", "windows-1251", "koi8-r", "gb2312"])
@pytest.mark.parametrize("path", GOLDEN, ids=[path.name for path in GOLDEN])
def test_a_wrong_word_of_the_server_changes_no_golden_feed(path: Path, wrong: str) -> None:
    body = path.read_bytes()

    assert decode(body, f"text/xml; charset={wrong}") == decode(body, None)


def test_golden_feeds_in_odd_encodings_are_what_their_builder_writes() -> None:
    for name, body, told in make_feeds.feeds():
        assert (make_feeds.FEEDS / name).read_bytes() == body
        assert json.loads((make_feeds.FEEDS / f"{name}.expected.json").read_text()) == told


# ---- marks, wherever they stand ------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_marks_of_joined_files_are_gone(encoding: str) -> None:
    first, second = "<rss><title>Größe</title>", "<item>Möwe</item></rss>"

    body = f"\ufeff\ufeff{first}\ufeff{second}\ufeff".encode(encoding)

    assert decode(body, None) == first + second


@pytest.mark.parametrize("encoding", ["cp1251", "cp1252", "iso8859-7", "gb18030", "shift_jis"])
def test_a_mark_of_utf8_before_another_encoding_is_no_word(encoding: str) -> None:
    language = {"cp1251": "ru", "cp1252": "fr", "iso8859-7": "el", "gb18030": "zh", "shift_jis": "ja"}[
        encoding
    ]
    feed = a_feed(WORDS[language], encoding, prolog=encoding)

    assert decode(codecs.BOM_UTF8 + feed.encode(encoding), None) == feed


def test_a_mark_of_utf8_in_the_middle_of_another_encoding_is_gone() -> None:
    feed = a_feed(WORDS["ru"], "cp1251", prolog="windows-1251")
    body = feed.encode("cp1251")
    middle = body.index(b"<item>")

    assert decode(body[:middle] + codecs.BOM_UTF8 + body[middle:], None) == feed


# ---- UTF-8 with wounds ---------------------------------------------------------------------------------


def test_a_few_marks_of_utf8_outweigh_one_bad_byte() -> None:
    text = "<title>It’s – at last – here</title><p>it"

    assert decode(text.encode() + b"\x92s</p>", "text/xml; charset=windows-1252") == text + "\ufffds</p>"


def test_a_lone_quotation_mark_of_windows_is_read() -> None:
    body = b'<?xml version="1.0" encoding="utf-8"?><title>The keeper\x92s light</title>'

    assert decode(body, None).endswith("<title>The keeper’s light</title>")


def test_utf8_that_is_cut_off_in_a_character_is_utf8() -> None:
    assert decode(RUSSIAN.encode()[:-4], "text/xml; charset=koi8-r").startswith(RUSSIAN[:-10])


# ---- cost ----------------------------------------------------------------------------------------------


def test_valid_utf8_asks_no_detector(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(charset_normalizer, "from_bytes")
    monkeypatch.delattr(decoding, "best_reading")
    body = a_feed(WORDS["ru"], "utf-8", prolog="koi8-r", items=100)

    assert decode(body.encode(), "text/xml; charset=windows-1251") == body


def test_the_detector_sees_64_kilobytes(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []

    def detector(body: bytes) -> CharsetMatches:
        seen.append(len(body))
        return from_bytes(body)

    monkeypatch.setattr(decoding, "best_reading", lambda *_: None)
    monkeypatch.setattr(charset_normalizer, "from_bytes", detector)

    decode(bytes(range(128, 256)) * 1_000, None)

    assert seen == [64 * 1024]


def test_a_sample_is_short_and_of_whole_words() -> None:
    body = b"plain <b>" + "Größe <i>auch</i> möglich ".encode("cp1252") * 5_000

    sample = sample_words(body)

    assert len(sample) < SAMPLE + SAMPLE // 4
    assert set(sample.split()) == {"Größe".encode("cp1252"), "möglich".encode("cp1252")}


def test_noise_is_no_language() -> None:
    assert best_reading(bytes(range(128, 256)) * 3, "") is None
    assert sample_words(b"ascii") == b""


@pytest.mark.parametrize(
    "label", ["hex", "rot13", "zlib", "idna", "punycode", "unicode_escape", "undefined", "utf-7"]
)
def test_a_codec_that_is_no_charset_is_not_believed(label: str) -> None:
    body = f'<?xml version="1.0" encoding="{label}"?>{GERMAN * 8}'

    assert decode(body.encode("cp1252"), f"text/xml; charset={label}") == body


def test_the_override_wins() -> None:
    assert decode(codecs.BOM_UTF8 + b"\xd0", None, "cp1251") == codecs.BOM_UTF8.decode("cp1251") + "Р"


@settings(deadline=None)
@given(st.binary(max_size=300), st.none() | st.text(max_size=40))
def test_any_bytes_become_a_text_that_can_be_stored(body: bytes, content_type: str | None) -> None:
    decode(body, content_type).encode()


@settings(deadline=None)
@given(st.text())
def test_what_was_utf8_comes_back(text: str) -> None:
    body = f"<t>{text}"

    assert "\x1b" in body or decode(body.encode(), "text/xml; charset=koi8-r") == body.replace("\ufeff", "")


@settings(deadline=None)
@given(st.text(), st.sampled_from(BY_ZEROS), st.booleans())
def test_what_was_utf16_or_32_comes_back(text: str, encoding: str, is_marked: bool) -> None:
    body = ("\ufeff" * is_marked + f"<rss>{text}").encode(encoding)

    assert decode(body, "text/xml; charset=koi8-r") == f"<rss>{text}".replace("\ufeff", "")


@settings(deadline=None)
@given(
    st.binary(max_size=300),
    st.text(max_size=10),
    st.sampled_from(["cp1251", "utf-8", "gbk", "utf-16-le", "x"]),
)
def test_no_mark_is_left_and_no_label_breaks_it(body: bytes, word: str, label: str) -> None:
    told = f'<?xml version="1.0" encoding="{label}"?>'.encode()

    assert "\ufeff" not in decode(told + body + codecs.BOM_UTF8 + word.encode(), None)


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_a_wound_in_a_russian_feed_costs_no_more_than_its_place(data: st.DataObject) -> None:
    body = a_feed(WORDS["ru"], "utf-8", items=5).encode()
    place = data.draw(st.integers(0, len(body) - 1))

    text = decode(body[:place] + b"\xff" + body[place + 1 :], "text/xml; charset=windows-1251")

    assert text.count("Паром «Чайка»") >= 4
    assert text.count("\ufffd") <= 2
