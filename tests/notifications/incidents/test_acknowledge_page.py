"""The page behind a mail's link: to look at it does nothing, its button does."""

from datetime import timedelta
from html import unescape

import pytest
from django.test import Client
from django.utils import timezone

from integrations.models import Delivery
from notifications import links
from notifications.incidents import staff_actions
from notifications.models import Incident
from notifications.pages.acknowledge_words import _WORDS
from notifications.wording.languages import LANGUAGES, vocabulary
from tests.notifications.incidents.emergencies import Stage, set_stage
from wedsync.weddings.models import Contact

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage() -> Stage:
    return set_stage()


def address(stage: Stage) -> str:
    event = stage.report("<script>alert(1)</script> The hall is dark")
    delivery = Delivery.objects.get(event=event, contact=stage.clara, channel="email")
    return f"{links.ACKNOWLEDGE_PATH}{links.acknowledge_token(delivery.id)}/"


def test_to_look_at_it_does_nothing(stage: Stage) -> None:
    url, client = address(stage), Client(enforce_csrf_checks=True)

    shown = client.get(url)
    client.head(url)

    assert shown.status_code == 200
    assert Incident.objects.get().state == "open"
    text = shown.content.decode()
    assert "I'll take care of it" in unescape(text)
    assert "<script>" not in text
    assert (shown["Cache-Control"], shown["Referrer-Policy"]) == ("no-store", "no-referrer")


@pytest.mark.parametrize(
    ("locale", "kind", "missing"),
    [
        ("en", "Emergency", "not given"),
        ("de-AT", "Notfall", "nicht angegeben"),
        ("es", "Emergencia", "no indicado"),
        ("fr", "Urgence", "non indiqué"),
    ],
)
def test_an_emergency_that_says_nothing_of_itself_has_a_name_all_the_same(
    stage: Stage, locale: str, kind: str, missing: str
) -> None:
    url = address(stage)
    Incident.objects.update(kind="", description=" ")
    Contact.objects.update(locale=locale)

    text = unescape(Client().get(url).content.decode())

    assert f'<h1 class="alarm">{kind}</h1>' in text
    assert f"<title>{kind} · WedSync</title>" in text
    assert f"<p>{missing}</p>" in text


def test_its_button_acknowledges_by_name_and_then_says_who_did_and_when(stage: Stage) -> None:
    url, client = address(stage), Client(enforce_csrf_checks=True)

    pressed = client.post(url)

    incident = Incident.objects.get()
    assert (incident.state, incident.acknowledged_by, incident.acknowledged_via) == (
        "acknowledged", "Clara Moser", "email",
    )  # fmt: skip
    for shown in (pressed, client.get(url), client.post(url)):
        text = shown.content.decode()
        assert "Clara Moser" in text
        assert "<strong>Clara Moser</strong> has been taking care of it since" in text
        assert "acknowledged by email" in text
        assert "Europe/Vienna" in text
        assert "<button" not in text


def test_damaged_old_and_ended_ones_say_so(stage: Stage) -> None:
    url, client = address(stage), Client()

    damaged = client.post(url[:-3] + "xx/")
    assert damaged.status_code == 404
    assert "does not work" in damaged.content.decode()
    Incident.objects.update(opened_at=timezone.now() - timedelta(hours=25))
    assert client.post(url).status_code == 410
    Incident.objects.update(opened_at=timezone.now())
    staff_actions.resolve(Incident.objects.get(), by="ines")
    assert "It is over" in client.post(url).content.decode()
    assert Incident.objects.get().acknowledged_at is None


SPOKEN = {
    "en": ("Power outage", "Reported", "has been taking care of it", "This link is more than a day old"),
    "de": ("Stromausfall", "Gemeldet", "kümmert sich", "Dieser Link ist mehr als einen Tag alt"),
    "es": ("Corte de luz", "Notificado", "se encarga desde", "Este enlace tiene más de 24 horas"),
    "fr": ("Panne de courant", "Signalé", "s’en occupe depuis", "Ce lien date de plus de 24 heures"),
}


@pytest.mark.parametrize("locale", ["en", "en-GB", "de", "de-AT", "es-MX", "fr", "fi"])
def test_it_speaks_the_language_of_the_one_to_whom_the_message_went(stage: Stage, locale: str) -> None:
    Contact.objects.filter(id=stage.clara.id).update(locale=locale)
    language = locale[:2] if locale[:2] in LANGUAGES else "en"
    url, client = address(stage), Client(headers={"Accept-Language": "fr"})

    shown = unescape(client.get(url).content.decode())
    pressed = unescape(client.post(url).content.decode())

    kind, reported, taken, _ = SPOKEN[language]
    assert f'<html lang="{language}">' in shown
    assert kind.casefold() in shown.casefold()
    assert reported in shown
    assert f"<button>{vocabulary(language)['layout']['acknowledge']}</button>" in shown
    assert taken in pressed


@pytest.mark.parametrize(
    ("header", "language"),
    [("de-AT,de;q=0.9,en;q=0.8", "de"), ("it,es;q=0.5", "es"), ("", "en"), ("xx", "en"), ("*", "en"), ("\xff", "en")],
)
def test_a_link_that_names_nobody_speaks_the_browsers_language(stage: Stage, header: str, language: str) -> None:
    url = address(stage)
    Incident.objects.update(opened_at=timezone.now() - timedelta(hours=25))

    shown = Client(headers={"Accept-Language": header}).get(url)

    assert shown.status_code == 410
    assert SPOKEN[language][3] in unescape(shown.content.decode())


def test_every_language_has_every_word() -> None:
    assert set(_WORDS) == set(LANGUAGES)
    assert {frozenset(words) for words in _WORDS.values()} == {frozenset(_WORDS["en"])}
