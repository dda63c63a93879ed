"""The people of a wedding as outside systems know them: who is meant, and what a system's word changes in a contact.

A reference of the kind ``client`` holds what its system is known to hold. So a change is found as a diff on both ways:
what comes in counts where the system changed it, what goes out is what the system does not hold yet.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from integrations.models import ExternalReference, System
from integrations.vendors.base import Client
from integrations.vendors.families import CLIENT_FIELDS
from wedsync.live.models import ChannelEvent
from wedsync.weddings import address_forms
from wedsync.weddings.models import Contact

Kind, Effect = ExternalReference.Kind, ChannelEvent.Effect


@dataclass(frozen=True)
class Taken:
    """What a system's word did to a contact.

    ``changed``: the fields that are new, in our form. ``before``: what the contact held there, where it held something.
    """

    effect: ChannelEvent.Effect
    changed: Mapping[str, str]
    before: Mapping[str, str] = field(default_factory=dict)


def reference_to(system: System, contact: Contact) -> ExternalReference | None:
    """By what name the system knows a contact."""
    return ExternalReference.objects.filter(system=system, kind=Kind.CLIENT, contact=contact).first()


def reference_of(event: ChannelEvent) -> ExternalReference | None:
    """The sender's own name for the contact that a ``client.updated`` means."""
    if event.source_system_id is None:
        return None
    named = ExternalReference.objects.filter(
        system_id=event.source_system_id,
        kind=Kind.CLIENT,
        external_id=event.payload.get("client_id", ""),
        contact__isnull=False,
    )
    return named.select_related("contact").first()


def contact_of(event: ChannelEvent) -> Contact | None:
    """The contact that a ``client.updated`` means: by its sender's id, else the wedding's only one with its address."""
    reference = reference_of(event)
    if reference is not None:
        return reference.contact
    if event.wedding_id is None:
        return None
    return _only_one(Contact.objects.filter(wedding_id=event.wedding_id), event.payload.get("email"))


def contact_with(system: System, email: str | None) -> Contact | None:
    """The only contact with this address among the people of the weddings that a system knows."""
    known = ExternalReference.objects.filter(system=system, kind=Kind.BOOKING).values("wedding_id")
    mine = Contact.objects.filter(organization_id=system.organization_id, wedding_id__in=known)
    return _only_one(mine, email)


def _only_one(contacts: QuerySet[Contact], email: str | None) -> Contact | None:
    found = list(contacts.filter(email__iexact=email.strip())[:2]) if email and email.strip() else []
    return found[0] if len(found) == 1 else None


def client_for(system: System, event: ChannelEvent) -> Client | None:
    """The person of a ``client.updated`` as the system that is to be told knows them; ``None``: nobody we know."""
    contact = contact_of(event)
    if contact is None:
        return None
    profile = {name: getattr(contact, name) for name in CLIENT_FIELDS if getattr(contact, name)}
    reference = reference_to(system, contact)
    if reference is None:
        return Client(None, profile=profile)
    return Client(reference.external_id, known=reference.known, profile=profile)


def remember(system: System, contact: Contact, external_id: str, known: Mapping[str, str]) -> ExternalReference:
    """Note that the system knows a contact by this id, and that it holds these fields. A taken id stays as it is."""
    reference, made = ExternalReference.objects.get_or_create(
        system=system,
        kind=Kind.CLIENT,
        external_id=external_id,
        defaults={"organization_id": system.organization_id, "contact": contact, "known": dict(known)},
    )
    return reference if made else note_known(reference, known)


@transaction.atomic
def note_known(reference: ExternalReference, known: Mapping[str, str]) -> ExternalReference:
    """Note what the system holds now."""
    row = ExternalReference.objects.select_for_update(no_key=True).get(id=reference.id)
    row.known = row.known | dict(known)
    row.save(update_fields=["known"])
    return row


def apply_event(event: ChannelEvent) -> Taken:
    """What a vendor's ``client.updated`` does to the contact behind its client, in the caller's transaction."""
    reference = reference_of(event)
    return apply_change(reference, event.payload, event.occurred_at) if reference else Taken(Effect.NONE, {})


def apply_change(reference: ExternalReference, said: Mapping[str, Any], changed_at: datetime) -> Taken:
    """Let a system's newer word change the contact, in the caller's transaction.

    Only what the system itself has changed counts: where it still holds what it held before, our own people's change
    stays. Two that take the same word at once do it once.

    Arguments:
        said: fields by our names; what is missing or cannot be held changes nothing.
        changed_at: when the system says that it changed.
    """
    row = ExternalReference.objects.select_for_update(no_key=True).get(id=reference.id)
    if row.contact_id is None:
        return Taken(Effect.NONE, {})
    if row.known_at is not None and row.known_at >= changed_at:
        return Taken(Effect.STALE, {})
    contact = Contact.objects.select_for_update(no_key=True).get(id=row.contact_id)
    given = readable(said)
    news = {name: value for name, value in given.items() if row.known.get(name) != value}
    changed = {name: value for name, value in news.items() if getattr(contact, name) != value}
    row.known, row.known_at = row.known | given, changed_at
    row.save(update_fields=["known", "known_at"])
    before = {name: held for name in changed if (held := getattr(contact, name))}
    for name, value in changed.items():
        setattr(contact, name, value)
    if changed:
        contact.save(update_fields=list(changed))
    unchanged = Effect.UNCHANGED if given else Effect.NONE
    return Taken(Effect.APPLIED if changed else unchanged, changed, before)


def readable(said: Mapping[str, Any]) -> dict[str, str]:
    """The fields that a contact can hold, in the form in which it holds them."""
    found = {}
    for name in CLIENT_FIELDS:
        if text := said.get(name):
            try:
                found[name] = _FORMS[name](text)
            except ValueError:
                continue
    return found


_FORMS: Mapping[str, Callable[[str], str]] = {
    "name": str.strip,
    "email": address_forms.email,
    "phone": address_forms.phone,
}
