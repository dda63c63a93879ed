"""Ways to be let in."""

from __future__ import annotations

from typing import Any

from wedsync.live.access import tickets
from wedsync.live.access.passes import Pass
from wedsync.weddings.models import ApiKey, Contact, PersonalLink


def of_ticket(key: ApiKey, **asked: Any) -> Pass | None:
    return tickets.redeem(tickets.issue(key.organization_id, api_key_id=key.id, **asked)[0])


def of_link(link: PersonalLink) -> Pass | None:
    return tickets.redeem(tickets.issue_for_contact(link.contact_id, link.id)[0])


def let_in(pass_: Pass | None) -> Pass:
    assert pass_
    return pass_


def own(contact: Contact) -> str:
    return f"couple:dashboard:{contact.wedding_id}"
