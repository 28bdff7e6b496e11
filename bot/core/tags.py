"""Language tags as feeds write them, as ISO 639-1 codes."""

from __future__ import annotations

import re
from typing import Final

# ISO 639-2 (both variants) and the commonest of ISO 639-3, each with its code of two letters.
_TWO_LETTERS: Final = dict(
    pair.split(":")
    for pair in re.findall(
        r"\S+",
        "aar:aa abk:ab afr:af aka:ak alb:sq amh:am ara:ar arb:ar arg:an arm:hy asm:as ava:av ave:ae "
        "aym:ay aze:az bak:ba bam:bm baq:eu bel:be ben:bn bih:bh bis:bi bod:bo bos:bs bre:br bul:bg "
        "bur:my cat:ca ces:cs cha:ch che:ce chi:zh chu:cu chv:cv cmn:zh cor:kw cos:co cre:cr cym:cy "
        "cze:cs dan:da deu:de div:dv dut:nl dzo:dz ekk:et ell:el eng:en epo:eo est:et eus:eu ewe:ee "
        "fao:fo fas:fa fij:fj fil:tl fin:fi fra:fr fre:fr fry:fy ful:ff geo:ka ger:de gla:gd gle:ga "
        "glg:gl glv:gv gre:el grn:gn guj:gu hat:ht hau:ha heb:he her:hz hin:hi hmo:ho hrv:hr hun:hu "
        "hye:hy ibo:ig ice:is ido:io iii:ii iku:iu ile:ie ina:ia ind:id ipk:ik isl:is ita:it jav:jv "
        "jpn:ja kal:kl kan:kn kas:ks kat:ka kau:kr kaz:kk khm:km kik:ki kin:rw kir:ky kom:kv kon:kg "
        "kor:ko kua:kj kur:ku lao:lo lat:la lav:lv lim:li lin:ln lit:lt ltz:lb lub:lu lug:lg lvs:lv "
        "mac:mk mah:mh mal:ml mao:mi mar:mr may:ms mkd:mk mlg:mg mlt:mt mon:mn mri:mi msa:ms mya:my "
        "nau:na nav:nv nbl:nr nde:nd ndo:ng nep:ne nld:nl nno:nn nob:nb nor:no nya:ny oci:oc oji:oj "
        "ori:or orm:om oss:os pan:pa per:fa pes:fa pli:pi pol:pl por:pt pus:ps que:qu roh:rm ron:ro "
        "rum:ro run:rn rus:ru sag:sg san:sa sin:si slk:sk slo:sk slv:sl sme:se smo:sm sna:sn snd:sd "
        "som:so sot:st spa:es sqi:sq srd:sc srp:sr ssw:ss sun:su swa:sw swe:sv swh:sw tah:ty tam:ta "
        "tat:tt tel:te tgk:tg tha:th tib:bo tir:ti ton:to tsn:tn tso:ts tuk:tk tur:tr twi:tw uig:ug "
        "ukr:uk urd:ur uzb:uz ven:ve vie:vi vol:vo wel:cy wln:wa wol:wo xho:xh yid:yi yor:yo yue:zh "
        "zha:za zho:zh zsm:ms zul:zu ",
    )
)
_KNOWN: Final = frozenset(_TWO_LETTERS.values())
_SAME: Final = {"nb": "no", "nn": "no", "iw": "he", "in": "id", "ji": "yi"}


def language_code(tag: str | None) -> str | None:
    """Return the ISO 639-1 code of a tag: de-AT, deu, ger → de; None: the tag names no language we know.

    `und`, `mul` and `zxx` name none. The two Norwegian languages are `no`.
    """
    head = re.split(r"[-_]", (tag or "").strip().lower(), maxsplit=1)[0]
    code = head if head in _KNOWN or head in _SAME else _TWO_LETTERS.get(head)
    return None if code is None else _SAME.get(code, code)
