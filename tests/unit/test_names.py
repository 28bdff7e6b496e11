"""Names: one key across scripts, romanisations and cases, and never another person's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.expressions import Leaf
from bot.core.match import DEFAULT_FIELDS, Matcher, TopicRule
from bot.core.name_cyrillic import in_cyrillic
from bot.core.name_given import same_given
from bot.core.name_spellings import keys_of_name
from bot.core.names import cyrillic_key, first_sound, name_forms, name_key, name_keys
from bot.core.terms import read_name
from bot.model import FeedId, Item, TopicId


def found(name: str, text: str) -> float:
    """Return the score of the name in the text; 0: not there."""
    leaf = Leaf(read_name(name), DEFAULT_FIELDS)
    matcher = Matcher([TopicRule(id=TopicId("t"), match=leaf, min_score=0)], is_real=lambda *_: False)
    matches = matcher.match(Item(feed_id=FeedId("f"), title=text))
    return matches[0].terms[0].score if matches else 0.0


@pytest.mark.parametrize(
    "spellings",
    [
        "Dmitriev Dmitrijew Dmitriew Dmitriyev Dmítriev Dmitrijev Dmytriiev Dmitrieff Дмитриев Дмитрієв",
        "Manturov Manturow Mantourov Мантуров",
        "Kirill Kiril Kyrill Kirył Кирилл",
        "Medvedev Medwedew Medvedef Медведев",
        "Zelenskyy Zelensky Zelenski Zelenskij Зеленский",
        "Andreyev Andreev Андреев",
        "Yeltsin Eltsin Ельцин",
        "Yuliya Julija Iuliia Юлия",
        "Mikhail Michail Mikhaïl Михаил",
        "Sergey Sergei Sergej Сергей",
        "Shcherbakov Schtscherbakow Szczerbakow Щербаков",
        "Chernyshov Tschernyschow Černyšov",
    ],
)
def test_all_romanisations_of_a_name_have_one_key(spellings: str) -> None:
    assert len({name_key(name) for name in spellings.split()}) == 1


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("Dmitriev", "Dmitrieva"),
        ("Dmitriev", "Dmitrievich"),
        ("Dmitriev", "Dmitri"),
        ("Manturov", "Manturovo"),
        ("Medvedev", "Dmitriev"),
        ("Petrov", "Pavlov"),
    ],
)
def test_other_names_have_other_keys(left: str, right: str) -> None:
    assert name_key(left) != name_key(right)


@pytest.mark.parametrize("written", ["Müller", "Mueller", "Muller"])
def test_a_name_with_an_umlaut_is_found_with_the_digraph_and_without_either(written: str) -> None:
    assert name_key("Müller") in name_keys(written)


@pytest.mark.parametrize(
    ("declined", "name"),
    [
        ("Дмитриеву", "Дмитриев"),
        ("Дмитриевым", "Дмитриев"),
        ("Сергея", "Сергей"),
        ("Игорю", "Игорь"),
        ("Никиты", "Никита"),
        ("Набиуллиной", "Набиуллина"),
        ("Достоевского", "Достоевский"),
        ("Зеленським", "Зеленський"),
        ("Manturowem", "Manturow"),
        ("Dmitrijewowi", "Dmitrijew"),
        ("Dmitrijews", "Dmitrijew"),
    ],
)
def test_a_declined_name_is_a_form_of_the_name(declined: str, name: str) -> None:
    assert name_key(name) in {form.key for form in name_forms(declined)}


@pytest.mark.parametrize(
    "text",
    [
        "Kirill Dmitriev",
        "KIRILL DMITRIEV in Miami",
        "Putins Gesandter Kirill Dmitrijew reist",
        "Kirill Dmitriew",
        "Kirill Alexandrowitsch Dmitrijew",
        "Кирилл Александрович Дмитриев",
        "Kirill A. Dmitriev",
        "Kirill Alexander Dmitriev sprach in Berlin",
        "K. Dmitriev",
        "K. A. Dmitriev",
        "К.А. Дмитриев",
        "Dmitriev Kirill",
        "Дмитриев Кирилл Александрович",
        "Kirill Dmitriev's plan",
        "Kirill Dmitrijews Plan",
        "слова Кирилла Дмитриева",
        "Кириллу Дмитриеву",
        "с Кириллом Дмитриевым",
        "о Кирилле Дмитриеве",
        "Кирилом Дмитрієвим",
        "spotkanie z Kiriłłem Dmitrijewem",
        "słowa Kiryła Dmitrijewa",
        "Kirill Dmirtiev",
    ],
)
def test_a_person_is_found_in_every_form(text: str) -> None:
    assert found("Kirill Dmitriev", text) >= 80


@pytest.mark.parametrize(
    "text",
    [
        "Kirill Dmitrieva",
        "Daria Dmitrieva",
        "Дарья Дмитриева",
        "Кирилл Дмитриева",
        "с Кириллой Дмитриевой",
        "Kirill Dmitrievich",
        "Dmitri Kirill Petrov",
        "Dmitri Medvedev",
        "Dmitriev",
        "A. K. Dmitriev",
        "M. Dmitriev",
        "Kirill Budanov, Dmitriev",
        "Kirill Budanov meets Dmitriev",
        "Kirill Budanov Warns Dmitriev Over New York Talks",
        "Kirill. Dmitriev",
        "Kirill Petrov Ivanov Sidorov Dmitriev spricht",
        "Dmitriev, Kirill Androsov",
    ],
)
def test_another_person_is_not_found(text: str) -> None:
    assert found("Kirill Dmitriev", text) == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("заявление Мантурова", True),
        ("Manturow in Delhi", True),
        ("Mantourov à Pékin", True),
        ("Поездка Мантурова прошла успешно", True),
        ("Дениса Мантурова", True),
        ("Анна Мантурова", False),
        ("А. Мантурова", False),
        ("Певица Manturova", False),
        ("Режиссёр Мантурова сняла фильм", False),
        ("город Мантурово", False),
        ("в Мантурове", True),
    ],
)
def test_a_surname_alone_is_a_mans_unless_the_words_beside_it_say_otherwise(
    text: str, expected: bool
) -> None:
    assert bool(found("Manturov", text)) is expected


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("Rio Tinto", "Rio Tintos Mine", True),
        ("Elvira Nabiullina", "слова Эльвиры Набиуллиной", True),
        ("Elvira Nabiullina", "Эльвир Набиуллин", False),
        ("Sergei Shoigu", "для Сергея Шойгу", True),
        ("Donald Trump", "D. Trump", True),
        ("Xi Jinping", "Jinping Xi", True),
        ("Xi Jinping", "Li Jinping", False),
        ("Ursula von der Leyen", "Ursula von der Leyen", True),
        ("Jörg Kukies", "Joerg Kukies", True),
        ("德米特里耶夫", "普京特使德米特里耶夫访美", True),
        ("基里尔·德米特里耶夫", "基里尔・德米特里耶夫", True),
        ("دميترييف", "كيريل دميترييف", True),
    ],
)
def test_names_of_other_people_and_companies(name: str, text: str, expected: bool) -> None:
    assert bool(found(name, text)) is expected


def test_an_initial_scores_less_than_the_name() -> None:
    assert found("Kirill Dmitriev", "K. Dmitriev") < found("Kirill Dmitriev", "Kirill Dmitriev") == 100


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("Vladimir Putin", "list do Władimira Putina", True),
        ("Vladimir Putin", "govor Vladimira Putina", True),
        ("Vladimir Putin", "Ludmila Putina", False),
        ("Vladimir Putin", "Vladimir Putina", False),
        ("Putin", "wysłannik Putina", True),
        ("Putin", "rozmowy Putina z Trumpem", True),
        ("Putin", "spotkanie Władimira Putina", True),
        ("Putin", "Lyudmila Putina speaks", False),
        ("Putin", "była żona Ludmiła Putina", False),
        ("Putin", "Mariya Putina w Moskwie", False),
        ("Galkin", "Skater Galkina wins gold", False),
        ("Witkoff", "rozmowy Witkoffa w Moskwie", True),
        ("Witkoff", "spotkanie z Witkoffem", True),
        ("Steve Witkoff", "słowa Steve'a Witkoffa", True),
        ("Steve Witkoff", "Donald's Witkoff", False),
        ("Manturov", "za Denisa Manturova", True),
        ("Denis Manturov", "za Denisa Manturova", True),
        ("Denis Manturov", "Denis Manturova", False),
        ("Kirill Dmitriev", "Kirilla Dmitrieva", True),
        ("Dmitriev", "Daria Dmitrieva", False),
        ("Dmitrieff", "Певица Dmitrieva", False),
        ("Alexander Galkin", "Alexandra Galkina", False),
        ("Valentin Galkin", "Valentina Galkina", False),
        ("Evgeny Prigozhin", "Evgenia Prigozhina", False),
    ],
)
def test_a_genitive_in_a_is_a_mans_where_his_given_name_or_polish_proves_it(
    name: str, text: str, expected: bool
) -> None:
    assert bool(found(name, text)) is expected


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("Donald Trump", "Donald Duck trumps rivals", False),
        ("Donald Trump", "Donald Duck Trumps Rivals", False),
        ("Donald Trump", "DONALD DUCK TRUMPS RIVALS", False),
        ("Donald Trump", "Donald Duck Trumps All Rivals In Poll", False),
        ("Donald Trump", "Experts say donald trumps it", False),
        ("Donald Trump", "donald trump and kirill dmitriev", True),
        ("Donald Trump", "DONALD TRUMP WINS", True),
        ("Donald Trump", "Donald Trumps Zölle", True),
        ("Donald Trump", "der Zollplan Donald John Trumps", True),
        ("Trump", "Poll trumps expectations", False),
        ("Trump", "trumps erster tag", True),
        ("Will Ferrell", "Police will, Ferrell says", False),
        ("Ursula von der Leyen", "Ursula Von Der Leyen in Kyiv", True),
        ("von der Leyen", "Kritik an Von der Leyen", True),
        ("eBay", "Anleger kaufen ebay wieder", True),
    ],
)
def test_a_common_word_in_small_letters_is_no_surname(name: str, text: str, expected: bool) -> None:
    assert bool(found(name, text)) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("#KirillDmitriev in Miami", True),
        ("#kirilldmitriev", True),
        ("kirilldmitriev spricht", True),
        ("@KirillDmitrijew", True),
        ("#КириллДмитриев", True),
        ("kirilldmitrieva", False),
        ("#KirillDmitrieva", False),
        ("kirilldmitrievich", False),
        ("kirildmitrov", False),
    ],
)
def test_a_name_closed_up_is_found_and_no_other(text: str, expected: bool) -> None:
    assert bool(found("Kirill Dmitriev", text)) is expected


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("Kirill Dmitriev", "Dmitriev, Kirill", True),
        ("Kirill Dmitriev", "Dmitriev, Kirill Alexandrowitsch", True),
        ("Kirill Dmitriev", "Dmitriev, Kirill spoke", True),
        ("Kirill Dmitriev", "Dmitriev, Kirill Androsov", False),
        ("Kirill Dmitriev", "Dmitriev; Kirill", False),
        ("Kirill Dmitriev", "Dmitriev, K.", False),
        ("Kirill Dmitriev", "Dmitriev (Kirill", False),
        ("Vladimir Putin", "В. В. Путин", True),
        ("Vladimir Putin", "В. Путин", True),
        ("Vladimir Putin", "А. В. Путин", False),
        ("Kim Jong Un", "Kim Jong-un", True),
        ("Kim Jong Un", "Kim Jong un wie nie", False),
        ("Xi Jinping", "Xi Jin-ping in Berlin", True),
        ("Li Qiang", "Liu Qiang", False),
        ("Xi Jinping", "Xi Jinpeng", False),
        ("Mario Draghi", "Maria Draghi", False),
        ("Marco Rubio", "Marca Rubia", True),
        ("Marco Rubio", "Marco Rubia", False),
        ("Dmitriev", "Dmitriov", True),
        ("Manturov", "Mansurov", False),
        ("Musk", "Mask on", False),
        ("Musk", "Илон Маск", True),
        ("Manturov", "Die Ärztin Manturowa", False),
        ("Manturov", "Wizyta Manturowa", True),
    ],
)
def test_order_initials_and_cases_are_read_as_people_write_them(name: str, text: str, expected: bool) -> None:
    assert bool(found(name, text)) is expected


@pytest.mark.parametrize(
    ("latin", "cyrillic"),
    [
        ("scholz", "Шольц"),
        ("leyen", "Ляйен"),
        ("rheinmetall", "Рейнметалл"),
        ("trump", "Трамп"),
        ("biden", "Байден"),
        ("vance", "Вэнс"),
        ("rutte", "Рютте"),
        ("giorgia", "Джорджа"),
        ("sánchez", "Санчес"),
        ("inácio", "Инасиу"),
        ("recep", "Реджеп"),
        ("szijjártó", "Сийярто"),
        ("nawrocki", "Навроцкий"),
        ("jinping", "Цзиньпин"),
        ("xi", "Си"),
        ("qiang", "Цян"),
        ("zhang", "Чжан"),
        ("yuan", "Юань"),
        ("wu", "У"),
        ("xiong", "Сюн"),
        ("shigeru", "Сигэру"),
        ("takaichi", "Такаити"),
        ("shinzo", "Синдзо"),
    ],
)
def test_cyrillic_writes_foreign_names_by_sound(latin: str, cyrillic: str) -> None:
    assert name_key(cyrillic) in in_cyrillic(latin)


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("Zelenskyy", "Selenskyj Zełenski Zelensky Зеленский Зеленський"),
        ("Selenskyj", "Zelenskyy"),
        ("Зеленский", "Selenskyj Zelensky"),
        ("Kuznetsov", "Kusnezow Kouznetsov Kuzniecow Kuznecov Кузнецов"),
        ("Kusnezow", "Kuznetsov Kuzniecow"),
        ("Putin", "Poutine Путин"),
        ("Zhukov", "Schukow Joukov Jukov Żukow Жуков"),
        ("Shoigu", "Schoigu Szojgu Шойгу"),
        ("Gorbachev", "Gorbatschow Gorbatchev"),
        ("Соловьёв", "Solovyov Soloviev Solowjow"),
        ("Lukashenko", "Lukaschenka Łukaszenka"),
    ],
)
def test_a_slavic_name_has_the_keys_of_all_conventions(name: str, written: str) -> None:
    (keys,) = keys_of_name([name])

    assert [text for text in written.split() if name_key(text) not in keys] == []


@pytest.mark.parametrize(
    ("left", "right"), [("Volodymyr", "Владимир"), ("Сергій", "Siergiej"), ("Pyotr", "Петро")]
)
def test_a_given_name_is_the_same_in_other_languages(left: str, right: str) -> None:
    assert name_key(right) in same_given(name_key(left))


def test_keys_that_only_cyrillic_has_begin_with_a_capital() -> None:
    (keys,) = keys_of_name(["Trump"])

    assert cyrillic_key("tramp") in keys
    assert "tramp" not in keys


@given(st.text("абвгдежзийклмнопрстуфхцчшщыьэюяєіїћђџaceijoqswxyzłšžćđöü", min_size=1, max_size=14))
def test_the_first_sound_is_that_of_all_forms(word: str) -> None:
    sounds = {first_sound(form.key) for form in name_forms(word)}

    assert sounds <= {first_sound(word)}


@given(st.text(max_size=40))
def test_any_word_has_forms_and_any_name_has_keys(word: str) -> None:
    forms = name_forms(word)

    assert len(forms) <= 20
    assert all(form.key for form in forms)
    assert all(all(keys) for keys in keys_of_name([word, word]))
