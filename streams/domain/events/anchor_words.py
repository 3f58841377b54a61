"""Words that anchors are known by, in small letters."""

from typing import Final

_GENERIC: Final = """
    here clickhere this thislink thispage thispost thisarticle link links source readmore readthis more moreinfo
    learnmore website webpage site page via article post blog blogpost homepage url details continuereading seehere
    checkitout hier mehr weiterlesen quelle webseite ici lien ensavoirplus lirelasuite aqui aquí enlace leermás
    leermas fuente qui leggi leggitutto fonte weblink
    链接 点击这里 原文 地址 查看 阅读更多 こちら リンク ссылка тут здесь
"""
GENERIC: Final = frozenset(_GENERIC.split())
"""What any link may be called; letters and digits alone."""

_FUNCTION_WORDS: Final = """
    a about after all an and are as at be been before but by can could do does don for from get had has have he her
    his how i if in into is it its just let me my no not of off on one or our out over she should so some than that
    the their them then there these they this those to under up us use using via was we were what when where which
    while who why will with without would you your
"""
FUNCTION_WORDS: Final = frozenset(_FUNCTION_WORDS.split())
"""What sentences have, and lists of keywords have not; English, as most of these are."""

_SERVICES: Final = "services?|online|flights?|hotels?|shoes|bags|insurance|loans?|seo"

COMMERCIAL: Final = (
    r"payday loans?",
    r"cash advance loans?",
    r"(?:online|best|live|crypto|free) casinos?",
    r"casino (?:bonus(?:es)?|games|online)",
    r"(?:buy|order|cheap|discount) .*online",
    r"for sale (?:online|cheap)",
    r"buy (?:cheap|backlinks?|links?|followers|likes|viagra|cialis|essays?|instagram)",
    r"viagra|cialis|levitra",
    rf"(?:cheap|affordable|discount(?:ed)?|best price) (?:\w+ ){{0,3}}(?:{_SERVICES})",
    r"(?:best|professional|affordable) (?:\w+ ){0,3}(?:agency|company|services?) (?:in \w+|near me)",
    r"seo (?:services?|agency|company|expert|packages?)",
    r"link[ -]?building services?",
    r"(?:promo|coupon|discount) codes?",
    r"(?:essay|paper|dissertation)[ -]writing services?",
    r"sports? betting",
    r"betting (?:sites?|odds|tips)",
)
"""Regular expressions of what shops and sellers of links write."""
