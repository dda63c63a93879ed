"""Organizations, their staff and keys, weddings and their people."""

from __future__ import annotations

from datetime import date, time, timedelta
from typing import Any

import factory
from django.contrib.auth.models import User
from django.utils import timezone
from factory.django import DjangoModelFactory

from wedsync.weddings.models import (
    Address,
    ApiKey,
    Contact,
    Device,
    Form,
    Membership,
    Organization,
    PersonalLink,
    Wedding,
)


class OrganizationFactory(DjangoModelFactory[Organization]):
    class Meta:
        model = Organization

    name = factory.Sequence(lambda number: f"Weddings of House {number}")
    slug = factory.Sequence(lambda number: f"house-{number}")


class Owned(DjangoModelFactory[Any]):
    """A row that belongs to an organization."""

    class Meta:
        abstract = True

    organization = factory.SubFactory(OrganizationFactory)


def beside(name: str) -> factory.SelfAttribute:
    """The organization of the row that a sub-factory is made for."""
    return factory.SelfAttribute(f"..{name}")


class UserFactory(DjangoModelFactory[User]):
    """A member of staff; ``password`` is in clear and by default ``"secret"``."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    username = factory.Sequence(lambda number: f"staff{number}")
    is_staff = True
    password = factory.django.Password("secret")


class MembershipFactory(Owned):
    class Meta:
        model = Membership

    user = factory.SubFactory(UserFactory)
    role = Membership.Role.OWNER


class ApiKeyFactory(Owned):
    """``key``: in clear; only its hash is stored."""

    class Meta:
        model = ApiKey

    class Params:
        key = factory.Sequence(lambda number: f"wsk_test_{number}")

    name = "tests"
    key_hash = factory.LazyAttribute(lambda row: ApiKey.hash_of(row.key))


class WeddingFactory(Owned):
    class Meta:
        model = Wedding

    couple = factory.Sequence(lambda number: f"Anna & Ben {number}")
    date = factory.LazyFunction(lambda: date(2027, 6, 19))
    timezone = "Europe/Vienna"
    venue_name = "Seehof"
    ceremony_time = time(15)
    reception_time = time(18)
    reception_end = time(23, 30)
    guest_count = 110
    capacity = 150


class FormFactory(Owned):
    class Meta:
        model = Form

    wedding = factory.SubFactory(WeddingFactory, organization=beside("organization"))
    title = factory.Sequence(lambda number: f"Change of plans {number}")
    wedding_fields = factory.LazyFunction(lambda: {"new_date": "date"})


class ContactFactory(Owned):
    class Meta:
        model = Contact

    wedding = factory.SubFactory(WeddingFactory, organization=beside("organization"))
    name = factory.Sequence(lambda number: f"Clara Moser {number}")
    role = Contact.Role.COORDINATOR
    phone = factory.Sequence(lambda number: f"+1202555{100 + number % 100:04d}")
    email = factory.Sequence(lambda number: f"clara{number}@people.example")
    timezone = "Europe/Vienna"


class AddressFactory(Owned):
    class Meta:
        model = Address

    channel = "whatsapp"
    value = factory.Sequence(lambda number: f"+1202555{100 + number % 100:04d}")
    consented_at = factory.LazyFunction(timezone.now)
    consent_source = "signed the contact sheet"


class PersonalLinkFactory(Owned):
    """A link of the couple that may be used."""

    class Meta:
        model = PersonalLink

    wedding = factory.SubFactory(WeddingFactory, organization=beside("organization"))
    contact = factory.SubFactory(
        ContactFactory, organization=beside("organization"), wedding=beside("wedding"), role=Contact.Role.COUPLE
    )
    token_hash = factory.Sequence(lambda number: f"{number:064d}")
    opens_until = factory.LazyFunction(lambda: timezone.now() + timedelta(days=30))
    expires_at = factory.LazyFunction(lambda: timezone.now() + timedelta(days=60))


class DeviceFactory(Owned):
    class Meta:
        model = Device

    contact = factory.SubFactory(ContactFactory, role=Contact.Role.COUPLE)
    organization = factory.SelfAttribute("contact.organization")
    link = factory.LazyAttribute(
        lambda device: PersonalLinkFactory(
            contact=device.contact, organization=device.organization, wedding=device.contact.wedding
        )
    )
    channel = "web_push"
    value = "a" * 64
    name = "Firefox on Android"
