"""The words of the page behind an emergency's link, in the reader's language."""

from collections.abc import Mapping

from django.http import HttpRequest
from django.utils.translation.trans_real import parse_accept_lang_header

from notifications.wording.languages import DEFAULT_LANGUAGE, LANGUAGES, vocabulary

_WORDS: dict[str, dict[str, str]] = {
    "en": {
        "wedding": "Wedding",
        "not_known": "not known yet",
        "reported": "Reported",
        "by": "by",
        "taken": "{name} has been taking care of it since {time} (acknowledged by {via}).",
        "over": "It is over: {name} gave the all-clear at {time}.",
        "hint": "Press it, and nobody else is called. Opening this page alone tells nobody anything.",
        "broken": "This link does not work",
        "late": "This link is older than a day.",
        "damaged": "This link does not lead to an emergency, or it is damaged. Open it in the message once more.",
        "call": "If there is an emergency, call your coordinator.",
        "email": "email",
    },
    "de": {
        "wedding": "Hochzeit",
        "not_known": "noch nicht bekannt",
        "reported": "Gemeldet",
        "by": "von",
        "taken": "{name} kümmert sich seit {time} darum, gemeldet über {via}.",
        "over": "Es ist vorbei: {name} hat um {time} Entwarnung gegeben.",
        "hint": "Wenn Sie drücken, wird niemand weiter angerufen. Das Öffnen dieser Seite allein meldet nichts.",
        "broken": "Dieser Link funktioniert nicht",
        "late": "Dieser Link ist älter als ein Tag.",
        "damaged": "Dieser Link ist beschädigt oder führt zu keinem Notfall. Öffnen Sie ihn noch einmal.",
        "call": "Wenn es einen Notfall gibt, rufen Sie Ihre Koordination an.",
        "email": "E-Mail",
    },
    "es": {
        "wedding": "Boda",
        "not_known": "aún no se sabe",
        "reported": "Avisado",
        "by": "por",
        "taken": "{name} se encarga desde las {time}, confirmado por {via}.",
        "over": "Ha terminado: {name} dio el aviso de fin a las {time}.",
        "hint": "Si lo pulsa, no se avisa a nadie más. Abrir esta página no comunica nada a nadie.",
        "broken": "Este enlace no funciona",
        "late": "Este enlace tiene más de un día.",
        "damaged": "Este enlace no lleva a ninguna emergencia o está dañado. Ábralo de nuevo en el mensaje.",
        "call": "Si hay una emergencia, llame a su coordinación.",
        "email": "correo",
    },
    "fr": {
        "wedding": "Mariage",
        "not_known": "pas encore connu",
        "reported": "Signalé",
        "by": "par",
        "taken": "{name} s’en occupe depuis {time}, confirmé par {via}.",
        "over": "C’est terminé\u00a0: {name} a annoncé la fin de l’alerte à {time}.",
        "hint": "Si vous appuyez, personne d’autre n’est appelé. Ouvrir cette page ne prévient personne.",
        "broken": "Ce lien ne fonctionne pas",
        "late": "Ce lien a plus d’un jour.",
        "damaged": "Ce lien ne mène à aucune urgence, ou il est abîmé. Ouvrez-le de nouveau dans le message.",
        "call": "En cas d’urgence, appelez votre coordination.",
        "email": "e-mail",
    },
}
_OF_STAFF = frozenset({"the admin", "the API", "the page"})


def words_of(language: str) -> Mapping[str, str]:
    """The page's words in a language that we have, with the layouts' own: the sentence on the button is theirs."""
    return {**vocabulary(language)["layout"], **_WORDS[language], "language": language}


def language_of(request: HttpRequest) -> str:
    """The language that the reader's browser asks for, of those that we have; for a link that names no reader."""
    wanted = (tag.split("-")[0] for tag, _ in parse_accept_lang_header(request.headers.get("Accept-Language", "")))
    return next((tag for tag in wanted if tag in LANGUAGES), DEFAULT_LANGUAGE)


def way_of(via: str, words: Mapping[str, str]) -> str:
    """By what somebody has acknowledged, for readers who know no admin."""
    if via in _OF_STAFF:
        return "WedSync"
    return words["email"] if via.lower() == "email" else via
