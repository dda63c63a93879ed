"""A couple with a link, and the browser in which they open it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpResponse
from django.test import Client

from tests.factories import ContactFactory, WeddingFactory
from wedsync.weddings import personal_links
from wedsync.weddings.models import Contact, PersonalLink, Wedding

PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1 Version/19.0 Mobile Safari/604.1"


@dataclass
class Couple:
    contact: Contact
    link: PersonalLink
    browser: Client = field(default_factory=lambda: Client(headers={"User-Agent": PHONE}))

    @property
    def wedding(self) -> Wedding:
        return self.contact.wedding

    @property
    def token(self) -> str:
        return personal_links.token_of(self.link.id)

    @property
    def home(self) -> str:
        return f"/couple/{self.wedding.id}/"

    def open(self) -> Any:
        """Follow the link as a browser does; the answer is the page at its end."""
        return self.browser.get(f"/couple/open/{self.token}/", follow=True)

    def page(self) -> Any:
        return self.browser.get(self.home)


def make_couple(**wedding: Any) -> Couple:
    contact_fields = {name: wedding.pop(name) for name in ("name", "locale", "organization") if name in wedding}
    organization = {name: contact_fields.pop(name) for name in ("organization",) if name in contact_fields}
    made = WeddingFactory(**organization, **wedding)
    contact = ContactFactory(
        **{"name": "Anna Gruber", **contact_fields}, organization=made.organization, wedding=made, role="couple"
    )
    return Couple(contact, personal_links.issue(contact))


def text_of(answer: HttpResponse) -> str:
    """What a person reads: without tags, on one line."""
    body = re.sub(r"(?s)<(head|noscript)>.*?</\1>", " ", answer.content.decode())
    return " ".join(re.sub(r"<[^>]*>", " ", body).split())
