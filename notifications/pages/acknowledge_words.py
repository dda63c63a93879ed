"""The text of the page that an emergency's link opens, in the reader's language."""

from collections.abc import Mapping

from notifications.wording.languages import vocabulary

_WORDS: dict[str, dict[str, str]] = {
    "en": {
        "wedding": "Wedding",
        "not_known": "not known yet",
        "reported": "Reported",
        "by": "by",
        "taken": "{name} has been taking care of it since {time} (acknowledged by {via}).",
        "over": "It is over: {name} gave the all-clear at {time}.",
        "hint": "Press the button, and nobody else is called. Opening this page alone notifies nobody.",
        "broken": "This link does not work",
        "late": "This link is more than a day old.",
        "damaged": "This link is damaged or leads to no emergency. Open it from the message again.",
        "call": "If there is an emergency, call your coordinator.",
        "email": "email",
    },
    "de": {
        "wedding": "Hochzeit",
        "not_known": "noch nicht bekannt",
        "reported": "Gemeldet",
        "by": "von",
        "taken": "{name} kümmert sich seit {time} darum (bestätigt über {via}).",
        "over": "Es ist vorbei: {name} hat um {time} Entwarnung gegeben.",
        "hint": "Wenn Sie den Knopf drücken, wird sonst niemand angerufen. Das bloße Öffnen der Seite löst nichts aus.",
        "broken": "Dieser Link funktioniert nicht",
        "late": "Dieser Link ist mehr als einen Tag alt.",
        "damaged": "Dieser Link ist beschädigt oder führt zu keinem Notfall. Öffnen Sie ihn bitte noch einmal.",
        "call": "Rufen Sie im Notfall die Hochzeitskoordination an.",
        "email": "E-Mail",
    },
    "es": {
        "wedding": "Boda",
        "not_known": "aún no se sabe",
        "reported": "Notificado",
        "by": "por",
        "taken": "{name} se encarga desde las {time} (confirmado por {via}).",
        "over": "Ha terminado: {name} comunicó el fin de la emergencia a las {time}.",
        "hint": "Si pulsa el botón, ya no se llamará a nadie más. Por abrir esta página no se avisa a nadie.",
        "broken": "Este enlace no funciona",
        "late": "Este enlace tiene más de 24 horas.",
        "damaged": "Este enlace no lleva a ninguna emergencia o está dañado. Ábralo de nuevo desde el mensaje.",
        "call": "En caso de emergencia, llame a la persona que coordina la boda.",
        "email": "correo",
    },
    "fr": {
        "wedding": "Mariage",
        "not_known": "pas encore connu",
        "reported": "Signalé",
        "by": "par",
        "taken": "{name} s’en occupe depuis {time} (confirmé par {via}).",
        "over": "C’est terminé\u00a0: {name} a annoncé la fin de l’alerte à {time}.",
        "hint": "Appuyez sur le bouton, et personne d’autre ne sera appelé. Ouvrir cette page ne prévient personne.",
        "broken": "Ce lien ne fonctionne pas",
        "late": "Ce lien date de plus de 24 heures.",
        "damaged": "Ce lien ne mène à aucune urgence, ou il est endommagé. Ouvrez-le de nouveau depuis le message.",
        "call": "En cas d’urgence, appelez la personne qui coordonne le mariage.",
        "email": "e-mail",
    },
}
_OF_STAFF = frozenset({"the admin", "the API", "the page"})


def words_of(language: str) -> Mapping[str, str]:
    """The page's words in a shipped language, with those of the layouts, which hold the button's text."""
    return {**vocabulary(language)["layout"], **_WORDS[language], "language": language}


def way_of(via: str, words: Mapping[str, str]) -> str:
    """How somebody acknowledged, in words for readers who do not know the admin."""
    if via in _OF_STAFF:
        return "WedSync"
    return words["email"] if via.lower() == "email" else via
