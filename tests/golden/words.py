"""Small news of invented harbours in many languages, for feeds in every encoding."""

from __future__ import annotations

from typing import NamedTuple


class Words(NamedTuple):
    """A channel's title, and one piece of news."""

    channel: str
    title: str
    summary: str


WORDS = {
    "ru": Words(
        "Вести гавани",
        "Паром «Чайка» вернулся на северную линию",
        "Судно простояло в доке с весны и теперь снова ходит каждый час, сообщил начальник порта.",
    ),
    "uk": Words(
        "Вісті гавані",
        "Пором повернувся на північну лінію після ремонту",
        "Судно простояло в доці з весни, а тепер знову ходить щогодини — її пасажири задоволені.",
    ),
    "be": Words(
        "Навіны прыстані",
        "Паром вярнуўся на паўночную лінію",
        "Судна прастаяла ў доку з вясны, а цяпер зноў ходзіць штогадзіны.",
    ),
    "bg": Words(
        "Новини от залива",
        "Фериботът се върна на северната линия",
        "Корабът престоя в дока от пролетта, а сега отново пътува всеки час.",
    ),
    "sr": Words(
        "Гласник луке",
        "Трајект се вратио на северну линију",
        "Брод је стајао у доку од пролећа, а сада поново плови сваког сата.",
    ),
    "de": Words(
        "Hafenbote",
        "Fähre kehrt auf die Nordstrecke zurück",
        "Das Schiff lag seit dem Frühjahr im Dock; größere Schäden fand die Prüferin nicht.",
    ),
    "fr": Words(
        "Le Courrier du quai",
        "Le bac reprend la ligne du nord après l’été",
        "Le navire était à sec depuis mars ; la première traversée a été gênée par la brume.",
    ),
    "es": Words(
        "Diario del muelle",
        "El transbordador vuelve a la línea del norte",
        "El barco pasó la primavera en el dique; mañana zarpará según el horario de otoño.",
    ),
    "pt": Words(
        "Correio do cais",
        "A balsa volta à linha do norte após a inspeção",
        "O navio ficou na doca desde março; não há avarias e as manhãs estão lotadas.",
    ),
    "pl": Words(
        "Głos Przystani",
        "Prom wrócił na północną linię po długim remoncie",
        "Statek stał w doku od wiosny; teraz znów kursuje co godzinę, ogłosiła żegluga.",
    ),
    "cs": Words(
        "Přístavní list",
        "Přívoz se vrátil na severní linku",
        "Loď stála od jara v doku; nyní opět jezdí každou hodinu, řekl přístavní mistr Žďárek.",
    ),
    "hu": Words(
        "Kikötői Hírlap",
        "Visszatért a komp az északi vonalra",
        "A hajó tavasz óta a dokkban állt; most újra óránként közlekedik, közölte a kikötő főnöke.",
    ),
    "ro": Words(
        "Vestea portului",
        "Bacul a revenit pe linia de nord",
        "Vasul a stat în doc din primăvară; acum circulă din nou în fiecare oră, fără întârzieri.",
    ),
    "tr": Words(
        "İskele Gazetesi",
        "Feribot kuzey hattına geri döndü",
        "Gemi ilkbahardan beri havuzdaydı; şimdi yine her saat başı kalkıyor, dedi liman müdürü Çağrı.",
    ),
    "el": Words(
        "Τα Νέα του Λιμανιού",
        "Το πορθμείο επέστρεψε στη βόρεια γραμμή",
        "Το πλοίο έμεινε στη δεξαμενή από την άνοιξη και τώρα φεύγει πάλι κάθε ώρα.",
    ),
    "he": Words(
        "חדשות הרציף",
        "המעבורת חזרה לקו הצפוני",
        "הספינה עמדה במספנה מאז האביב, ועכשיו היא שוב יוצאת בכל שעה.",
    ),
    "ar": Words(
        "أخبار الرصيف",
        "العبارة تعود إلى خط الشمال",
        "بقيت السفينة في الحوض منذ الربيع، وهي الآن تغادر من جديد كل ساعة.",
    ),
    "zh": Words(
        "港口日报",
        "渡轮重返北线",
        "这艘船从春天起一直停在船坞里，现在又每小时开出一班，港务局的负责人说。",
    ),
    "zh-Hant": Words(
        "港口日報",
        "渡輪重返北線",
        "這艘船從春天起一直停在船塢裡，現在又每小時開出一班，港務局的負責人說。",
    ),
    "ja": Words(
        "港だより",
        "フェリーが北航路に戻る",
        "船は春からドックに入っていたが、今は再び一時間ごとに出ている、と港長は話した。",
    ),
    "ko": Words(
        "항구 소식",
        "여객선이 북쪽 항로로 돌아왔다",
        "배는 봄부터 도크에 있었으며 이제 다시 매시간 출발한다고 항만 책임자가 말했다.",
    ),
    "th": Words(
        "ข่าวท่าเรือ",
        "เรือข้ามฟากกลับมาวิ่งสายเหนือ",
        "เรือจอดอยู่ในอู่ตั้งแต่ฤดูใบไม้ผลิ และตอนนี้ออกทุกชั่วโมงอีกครั้ง",
    ),
}

ENCODINGS = {
    "ru": ("cp1251", "koi8-r", "iso8859-5", "cp866", "mac-cyrillic"),
    "uk": ("cp1251", "koi8-u", "iso8859-5"),
    "be": ("cp1251",),
    "bg": ("cp1251", "iso8859-5"),
    "sr": ("cp1251", "iso8859-5"),
    "de": ("cp1252", "iso8859-1", "iso8859-15"),
    "fr": ("cp1252",),
    "es": ("cp1252", "iso8859-1"),
    "pt": ("cp1252", "iso8859-1"),
    "pl": ("cp1250", "iso8859-2"),
    "cs": ("cp1250", "iso8859-2"),
    "hu": ("cp1250", "iso8859-2"),
    "ro": ("cp1250", "iso8859-2"),
    "tr": ("cp1254", "iso8859-9"),
    "el": ("cp1253", "iso8859-7"),
    "he": ("cp1255", "iso8859-8"),
    "ar": ("cp1256", "iso8859-6"),
    "zh": ("gb2312", "gbk", "gb18030"),
    "zh-Hant": ("big5",),
    "ja": ("shift_jis", "euc_jp", "iso2022_jp"),
    "ko": ("euc_kr",),
    "th": ("cp874",),
}
