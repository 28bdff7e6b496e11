"""Given names that are one name in several languages: Volodymyr, Wladimir, Uladzimir."""

from __future__ import annotations

from collections import defaultdict
from functools import lru_cache
from typing import Final

from bot.core.names import name_key

# One name a line. What a romanisation alone explains (Sergey, Sergej) needs no entry.
_EAST_SLAVIC: Final = """
Александр Олександр Аляксандр Aleksandr Alexander Alexandre Aleksander Aliaksandr Alaksandr Aleksandar
Алексей Олексій Аляксей Aleksei Alexei Alexey Aliaksei Alexis
Алексий Aleksij
Анатолий Анатоль Anatoli Anatole
Андрей Андрій Andrei Andriy Andrej Andrzej Andri Andreï
Антон Anton Antoni
Аркадий Arkadi Arkady
Артем Артём Artem Artiom Artyom Artjom
Борис Boris Borys Барыс
Вадим Vadim Wadim Vadym
Валентин Valentin Walenty
Валерий Валерій Valeri Valery Valeriy Waleri
Василий Василь Vasili Wassili Vassili Vasyl Wasyl Wassyl Basile
Виктор Віктор Viktor Victor Viktar
Виталий Віталій Vitali Vitaly Vitaliy Witali Vitalij
Владимир Володимир Уладзімір Vladimir Volodymyr Wolodymyr Wladimir Władimir Wołodymyr Uladzimir Volodimir
Владислав Vladislav Wladislaw Vladyslav
Вячеслав В'ячеслав Viacheslav Vyacheslav Wjatscheslaw Viatcheslav Wiaczesław Viacheslau
Геннадий Геннадій Gennadi Gennady Guennadi Hennadii Hennadiy
Георгий Георгій Georgi Georgy Georgij Gueorgui Heorhii Heorhiy
Григорий Григорій Рыгор Grigori Grigory Grigoriy Hryhoriy Hryhorii Grigorij
Денис Denis Denys Дзяніс
Дмитрий Дмитро Дзмітрый Dmitri Dmitry Dmytro Dmitrij Dimitri Dzmitry Dmitro
Евгений Євген Яўген Evgeni Evgeny Yevgeny Yevgeni Yevhen Jewgeni Jewgenij Jewhen Evgueni Yevgueni Jewgienij
Егор Єгор Egor Yegor Jegor
Иван Іван Ivan Iwan
Игорь Ігор Igor Ihor
Илья Ілля Ilya Ilia Ilja Illia
Кирилл Кирило Кірыл Kirill Kyrylo Kirył Kyrill Kiril Cyrille Kyryl
Константин Костянтин Konstantin Kostiantyn Kostjantyn Constantin Konstanty Kanstantsin
Лев Lev Lew
Леонид Леонід Leonid Léonide
Максим Maksim Maxim Maksym Maxime
Михаил Михайло Міхаіл Mikhail Michail Mykhailo Mychajlo Mijaíl Mikhaïl Michaił
Никита Микита Nikita Mykyta
Николай Микола Мікалай Nikolai Nikolay Mykola Nikolaj Nikolaï Mikalai Nikołaj
Олег Oleg Oleh
Павел Павло Pavel Pavlo Pawel Pawlo Pável Paweł
Петр Петро Petr Petro Pyotr Piotr Pjotr
Роман Roman
Руслан Ruslan Rouslan
Семен Семён Semen Semyon Semjon
Сергей Сергій Сяргей Sergei Sergey Sergej Serhiy Serhii Serhij Sergueï Siergiej Siarhei Serghej
Степан Stepan Stefan Сцяпан
Тарас Taras
Тимофей Тимофій Timofei Timofey Tymofiy
Федор Фёдор Федір Fedor Fyodor Fiodor Fjodor
Юрий Юрій Yuri Yury Yuriy Juri Jurij Iouri Yurii
Ярослав Yaroslav Jaroslaw Jaroslav Iaroslav
Анастасия Анастасія Anastasia Anastasiya Anastassija Anastasija
Валентина Valentina Walentina Valentyna
Виктория Вікторія Viktoria Victoria Viktoriya Wiktorija
Дарья Дарія Дар'я Darya Daria Darja
Екатерина Катерина Ekaterina Yekaterina Jekaterina Kateryna Katerina Catherine
Елена Олена Алена Elena Yelena Jelena Olena Alena Hélène Ołena
Ирина Ірина Irina Iryna Irena
Людмила Lyudmila Ludmila Liudmyla Ljudmila Ludmiła Lioudmila
Мария Марія Марыя Maria Mariya Marija Mariia
Наталья Наталия Наталія Natalya Natalia Nataliya Natalja Natalija Nathalie
Светлана Світлана Svetlana Svitlana Swetlana Swietłana
Татьяна Тетяна Tatyana Tatiana Tetiana Tatjana Tetjana
Юлия Юлія Yulia Yuliya Yuliia Julia Julija Ioulia
"""
_OTHERS: Final = """
Бенджамин Беньямин Биньямин Біньямін Бенџамин Benjamin Binyamin Benyamin Binjamin
Mohammed Mohammad Muhammad Mohamed Muhammed Mohamad Mehmed Мохаммед Мухаммед Мохамед Мухаммад Мохаммад
Ahmad Ahmed Ахмад Ахмед
Yusuf Youssef Yousef Jussuf Josef Юсуф Юсеф
Abdallah Abdullah Абдалла Абдулла
Hussein Hossein Husayn Hussain Хусейн Хоссейн
Luiz Luis Luís Луис Луиз
bin ben ibn bint бин бен ибн
"""


@lru_cache(maxsize=1)
def _families() -> dict[str, frozenset[str]]:
    return _by_key(_EAST_SLAVIC)


@lru_cache(maxsize=1)
def _all_families() -> dict[str, frozenset[str]]:
    return _by_key(_EAST_SLAVIC + _OTHERS)


def _by_key(table: str) -> dict[str, frozenset[str]]:
    families: defaultdict[str, set[str]] = defaultdict(set)
    for line in table.strip().splitlines():
        keys = set(map(name_key, line.split()))
        for key in keys:
            families[key] |= keys
    return {key: frozenset(keys) for key, keys in families.items()}


def same_given(key: str) -> frozenset[str]:
    """Return the keys of a given name in other languages, its own included; empty: none are known."""
    return _all_families().get(key, frozenset())


def is_east_slavic_given(key: str) -> bool:
    """True: the key of a Russian, Ukrainian or Belarusian given name."""
    return key in _families()
