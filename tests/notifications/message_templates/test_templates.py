"""An organization's own words: what is refused, and which version is used."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from notifications import wording
from notifications.message_templates import checking, versions
from notifications.models import MessageTemplate
from notifications.wording.languages import FILES
from tests.at_once import at_once
from tests.factories import EventFactory, MessageTemplateFactory, OrganizationFactory, WeddingFactory
from tests.notifications.message_templates.told_by_whatsapp import CAPACITY
from wedsync.weddings.models import ContactChannel, Organization

SHIPPED = sorted(FILES.glob("*/*.txt"))


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_the_shipped_words_are_fit(file: Any) -> None:
    checking.check(file.read_text(encoding="utf-8"), file.stem, "", file.parent.name)


@pytest.mark.parametrize(
    ("text", "event_type", "channel", "locale", "field", "why"),
    [
        ("{{ payload.capacity", CAPACITY, "", "en", "text", "cannot be rendered"),
        ("{{ payload.seats }}", CAPACITY, "", "en", "text", "seats"),
        ("{{ nothing }}", CAPACITY, "", "en", "text", "nothing"),
        ("{{ payload.capacity|shout }}", CAPACITY, "", "en", "text", "unknown filter shout"),
        ("{{ payload.__class__ }}", CAPACITY, "", "en", "text", "not allowed"),
        ("{{ payload.capacity }}", "fallback", "", "en", "text", "tried with"),
        ("{{ count }}", CAPACITY, "", "en", "text", "count"),
        (" \n {% if false %}x{% endif %}", CAPACITY, "", "en", "text", "says nothing"),
        ("x" * 151, CAPACITY, "slack", "en", "text", "limit for Slack is 150"),
        ("x" * 251, CAPACITY, "email", "en", "text", "limit for Email is 250"),
        ("x" * 151, CAPACITY, "", "en", "text", "limit for every channel is 150"),
        ("head\n" + "a: b\n" * 11, CAPACITY, "slack", "en", "text", "at most 10"),
        ("head\n" + "a: b\n" * 11, CAPACITY, "", "en", "text", "at most 10"),
        ("head\n" + "y" * 8000, CAPACITY, "email", "en", "text", "the limit is 8000"),
        ("head\n" + "y" * 1000, CAPACITY, "whatsapp", "de", "text", "limit is 1024"),
        ("head", CAPACITY, "", "xx", "locale", "not a known language"),
        ("head", CAPACITY, "", "../en", "locale", "not a known language"),
        ("head", "venue.unheard_of", "", "en", "event_type", "no event type"),
    ],
)
def test_what_could_not_be_sent_is_refused_at_its_field(
    text: str, event_type: str, channel: str, locale: str, field: str, why: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        versions.check(text, event_type, channel, locale)

    assert list(refused.value.message_dict) == [field]
    assert why in refused.value.message_dict[field][0]


def test_what_is_just_short_enough_is_taken() -> None:
    checking.check("x" * 150 + "\na: b" * 10, CAPACITY, "slack", "de-AT")
    checking.check("x" * 250 + "\na: b" * 30, CAPACITY, "email", "en")
    checking.check("{{ count }} news\n{% for one in top %}{{ one }}\n{% endfor %}{{ more }}", "digest", "", "fr")


def save(house: Organization, text: str, **rest: Any) -> MessageTemplate:
    return versions.put_in_force(house, CAPACITY, "", "en", text, by=None, **rest)


def test_each_save_is_the_next_version_and_the_one_before_keeps_its_words(house: Organization) -> None:
    first = save(house, "One", note="to begin with")
    second = save(house, "Two", seen=1)

    first.refresh_from_db()
    assert (first.text, first.version, first.active) == ("One", 1, False)
    assert (second.version, second.active) == (2, True)
    again = versions.use_again(first, None)
    assert (again.text, again.version, again.note) == ("One", 3, "Version 1 again")
    assert versions.withdraw(again)
    assert not versions.withdraw(again)
    assert not MessageTemplate.objects.filter(organization=house, active=True).exists()


def test_who_has_not_seen_the_newest_version_is_told(house: Organization) -> None:
    save(house, "One")
    save(house, "Two")

    with pytest.raises(versions.ChangedMeanwhile, match="version 2"):
        save(house, "Mine", seen=1)

    assert MessageTemplate.objects.get(organization=house, active=True).text == "Two"


def test_an_unfit_text_changes_nothing(house: Organization) -> None:
    save(house, "One")

    with pytest.raises(ValidationError):
        save(house, "{{ payload.seats }}")

    assert MessageTemplate.objects.get(organization=house).active


@pytest.mark.django_db(transaction=True)
def test_of_saves_at_once_one_is_in_force_and_the_rest_are_told() -> None:
    house = OrganizationFactory()
    save(house, "One")

    def one(number: int) -> str:
        try:
            return save(house, f"By {number}", seen=1).text
        except versions.ChangedMeanwhile:
            return ""

    done = [text for text in at_once(4, one) if text]

    assert len(done) == 1
    assert MessageTemplate.objects.get(organization=house, active=True).text == done[0]


@pytest.mark.django_db(transaction=True)
def test_saves_at_once_that_do_not_look_make_versions_without_a_gap() -> None:
    house = OrganizationFactory()

    at_once(4, lambda number: save(house, f"By {number}"))

    assert sorted(MessageTemplate.objects.values_list("version", flat=True)) == [1, 2, 3, 4]
    assert MessageTemplate.objects.get(active=True).version == 4


@pytest.mark.django_db
def test_an_own_fallback_stands_before_the_shipped_one() -> None:
    wedding = WeddingFactory()
    # its own words cannot be written, since a moment is none
    event = EventFactory(
        organization=wedding.organization,
        wedding=wedding,
        type="venue.setup_scheduled",
        payload={"starts_at": "some day", "requirements": "12 tables"},
    )
    shipped = wording.write(wording.Subject(event, None, ContactChannel.EMAIL))
    versions.put_in_force(wedding.organization, "fallback", "", "en", "Ours", by=None)
    MessageTemplateFactory(event_type="fallback", text="Theirs")

    content = wording.write(wording.Subject(event, None, ContactChannel.EMAIL))

    assert shipped.headline.startswith("Update on")
    assert content.headline == "Ours"
