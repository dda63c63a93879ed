"""What people answer: the words that end and begin messages, and the button that acknowledges an emergency."""

from datetime import UTC, datetime, timedelta
from itertools import permutations, product
from typing import Any

import pytest

from integrations.models import Delivery
from notifications import links
from notifications.consent import address_marks
from notifications.feedback import replies
from notifications.feedback.notices import Reply
from notifications.feedback.replies import is_start, is_stop
from notifications.models import Incident
from tests.factories import AddressFactory, ContactFactory, DeliveryFactory, MessageFactory, OrganizationFactory
from tests.notifications.incidents.emergencies import Stage, set_stage
from wedsync.weddings.models import Address, ContactChannel, Organization

PHONE = "+436601234567"
NOON = datetime(2026, 6, 19, 12, tzinfo=UTC)
STOPS = """stop; STOP; Stop.; "stop"; S T O P; STOP!!; ＳＴＯＰ; stop 🛑; Stop all; unsubscribe; Opt-out; quit
stopp; STOPP!; Abmelden; abbestellen; baja; ¡BAJA!; Alto; parar; arrêt; ARRET; Arre\u0302t; Désabonner; desabonner"""
STARTS = "start; START!; Unstop; subscribe; Anmelden; ALTA; ¡alta!; reanudar; reprendre; Réabonner; reabonner"
SENTENCES = """please don't stop the music; stop the car at the gate; We start at four; nonstop; stopping; cancel
end; END; Cancel.; cancelar; annuler; abbrechen; ende; fin; no; nein; yes; ok; the alto sax plays at 5; 👍; …
Wann müssen wir anmelden?; bus stop 7; restart"""


def words(text: str) -> list[str]:
    return [word.strip() for line in text.splitlines() for word in line.split(";")]


@pytest.mark.parametrize("text", words(STOPS))
def test_a_word_that_ends_messages_counts_however_it_is_written(text: str) -> None:
    assert is_stop(text)
    assert not is_start(text)


@pytest.mark.parametrize("text", words(STARTS))
def test_a_word_that_begins_them_again_counts_however_it_is_written(text: str) -> None:
    assert is_start(text)
    assert not is_stop(text)


@pytest.mark.parametrize("text", [*words(SENTENCES), "Se désinscrire? nein", "", "stop" + " " * 60])
def test_ordinary_sentences_end_and_begin_nothing(text: str) -> None:
    assert not is_stop(text)
    assert not is_start(text)


def test_every_language_has_words_and_none_means_both() -> None:
    assert set(replies.STOP) == set(replies.START) == {"en", "de", "es", "fr"}
    assert not replies._STOPS & replies._STARTS


def say(organization: Organization, text: str = "", at: datetime = NOON, **rest: Any) -> None:
    replies.apply(
        organization.id, Reply(ContactChannel.WHATSAPP, rest.pop("sender", PHONE[1:]), at=at, text=text, **rest)
    )


def address(organization: Organization, value: str = PHONE) -> Address:
    return Address.objects.get(organization=organization, channel="whatsapp", value=value)


@pytest.mark.django_db
@pytest.mark.parametrize("said", list(product(("stop", "start"), repeat=3)), ids=" ".join)
def test_the_newest_word_counts_in_whatever_order_they_come(said: tuple[str, str, str]) -> None:
    told = [(word, NOON + timedelta(seconds=number)) for number, word in enumerate(said)]
    for order in permutations(told):
        row = AddressFactory(value=PHONE)
        for word, at in [*order, order[0]]:
            say(row.organization, word, at)

        row.refresh_from_db()
        assert row.blocked_because == ("opted_out" if said[-1] == "stop" else ""), order
        assert row.last_inbound_at == NOON + timedelta(seconds=2)


@pytest.mark.django_db
@pytest.mark.parametrize("order", [("stop", "start"), ("start", "stop")], ids=" ".join)
def test_of_the_same_second_stop_counts(order: tuple[str, str]) -> None:
    row = AddressFactory(value=PHONE)

    for word in order:
        say(row.organization, word)

    row.refresh_from_db()
    assert row.opted_out_at == NOON


@pytest.mark.django_db
def test_what_is_said_again_is_no_news() -> None:
    of = (AddressFactory(value=PHONE).organization_id, ContactChannel.WHATSAPP, PHONE)

    assert [address_marks.opted_out(*of, NOON) for _ in range(2)] == [True, False]
    later = NOON + timedelta(seconds=1)
    assert [address_marks.opted_in(*of, later) for _ in range(2)] == [True, False]


@pytest.mark.django_db
def test_a_consent_that_somebody_typed_in_does_not_outweigh_an_older_stop() -> None:
    row = AddressFactory(value=PHONE, consented_at=NOON + timedelta(days=1), consent_source="contact sheet")

    say(row.organization, "STOP")

    row.refresh_from_db()
    assert row.blocked_because == "opted_out"


@pytest.mark.django_db
def test_an_unknown_number_can_stop_and_start() -> None:
    organization = OrganizationFactory()

    say(organization, "Stopp!")
    assert address(organization).blocked_because == "opted_out"
    say(organization, "anmelden", NOON + timedelta(minutes=1))

    found = address(organization)
    assert found.blocked_because == ""
    assert found.consent_source == "wrote START on WhatsApp, 2026-06-19"
    assert found.consented_at == NOON + timedelta(minutes=1)


@pytest.mark.django_db
def test_what_one_organization_was_told_says_nothing_to_another() -> None:
    mine, theirs = AddressFactory(value=PHONE), AddressFactory(value=PHONE)
    MessageFactory(organization=theirs.organization, channel="whatsapp", address="+4366099", provider_id="wamid.1")

    say(mine.organization, "STOP", answers="wamid.1")

    mine.refresh_from_db()
    theirs.refresh_from_db()
    assert (mine.opted_out_at, theirs.opted_out_at, theirs.last_inbound_at) == (NOON, None, None)
    assert not Address.objects.filter(value="+4366099").exists()


@pytest.mark.django_db
def test_an_answer_counts_for_the_number_that_was_written_to_as_well() -> None:
    """Brazil's and Mexico's numbers come back in another form than they were written to."""
    row = AddressFactory(value="+5511987654321")
    delivery = DeliveryFactory(organization=row.organization, channel="whatsapp", target=row.value)
    MessageFactory(
        organization=row.organization, delivery=delivery, channel="whatsapp", address=row.value, provider_id="wamid.1"
    )

    say(row.organization, "parar", sender="551187654321", answers="wamid.1")

    row.refresh_from_db()
    assert row.opted_out_at == NOON


@pytest.mark.django_db
def test_whatever_is_written_opens_the_window_and_is_no_consent() -> None:
    organization = OrganizationFactory()

    for seconds in (5, 9, 2):
        say(organization, "Is the hall dry?", NOON + timedelta(seconds=seconds))

    found = address(organization)
    assert found.last_inbound_at == NOON + timedelta(seconds=9)
    assert found.blocked_because == "no_consent"


@pytest.mark.django_db
def test_a_sender_that_is_no_number_changes_nothing() -> None:
    say(OrganizationFactory(), "STOP", sender="somebody")

    assert not Address.objects.exists()


@pytest.fixture
def stage(db: None) -> Stage:
    made = set_stage()
    made.report()
    return made


def press(stage: Stage, organization: Organization, **rest: Any) -> Incident:
    asked = Delivery.objects.get(contact=stage.tom, channel="whatsapp")
    say(
        organization,
        "I take care of it",
        payload=rest.pop("payload", links.acknowledge_token(asked.id)),
        sender=rest.pop("sender", stage.tom.phone[1:]),
        **rest,
    )
    return Incident.objects.get(organization=stage.wedding.organization)


def test_a_pressed_quick_reply_acknowledges_in_the_persons_name(stage: Stage) -> None:
    incident = press(stage, stage.wedding.organization)

    assert (incident.state, incident.acknowledged_by, incident.acknowledged_via) == (
        "acknowledged",
        stage.tom.name,
        "WhatsApp",
    )


def test_a_number_that_is_nobodys_acknowledges_as_itself(stage: Stage) -> None:
    assert press(stage, stage.wedding.organization, sender=PHONE[1:]).acknowledged_by == PHONE


def test_a_token_through_another_organizations_number_does_nothing(stage: Stage) -> None:
    stranger = ContactFactory(phone=stage.tom.phone)

    assert press(stage, stranger.organization).state == "open"


@pytest.mark.parametrize("payload", ["acknowledge", "AAAA:BBBB", "é" * 300])
def test_a_payload_that_is_not_ours_does_nothing(stage: Stage, payload: str) -> None:
    assert press(stage, stage.wedding.organization, payload=payload).state == "open"
