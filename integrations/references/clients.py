"""The people of a wedding as outside systems know them: who is meant, and how a system's data changes a contact.

A reference of the kind ``client`` keeps the values that its system is known to hold. So changes are diffs both ways:
incoming values count if the system changed them; outgoing ones are those that the system does not hold yet.
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
class ContactChange:
    """The effect of a system's data on a contact.

    ``changed``: the changed fields, in our form. ``before``: their previous values in the contact, without empty ones.
    """

    effect: ChannelEvent.Effect
    changed: Mapping[str, str]
    before: Mapping[str, str] = field(default_factory=dict)


def reference_to(system: System, contact: Contact) -> ExternalReference | None:
    """The system's reference to a contact, if it has one."""
    return ExternalReference.objects.filter(system=system, kind=Kind.CLIENT, contact=contact).first()


def reference_of(event: ChannelEvent) -> ExternalReference | None:
    """The sender's reference to the contact that a ``client.updated`` means."""
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
    """The contact of a ``client.updated``: by its sender's id, or else the wedding's only one with its address."""
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
    """The person of a ``client.updated`` as the system to be called knows them; ``None``: nobody we know."""
    contact = contact_of(event)
    if contact is None:
        return None
    profile = {name: getattr(contact, name) for name in CLIENT_FIELDS if getattr(contact, name)}
    reference = reference_to(system, contact)
    if reference is None:
        return Client(None, profile=profile)
    return Client(reference.external_id, known=reference.known, profile=profile)


def remember(system: System, contact: Contact, external_id: str, known: Mapping[str, str]) -> ExternalReference:
    """Note the system's id for a contact, and the fields it holds. An id in use keeps its contact."""
    reference, made = ExternalReference.objects.get_or_create(
        system=system,
        kind=Kind.CLIENT,
        external_id=external_id,
        defaults={"organization_id": system.organization_id, "contact": contact, "known": dict(known)},
    )
    return reference if made else note_known(reference, known)


@transaction.atomic
def note_known(reference: ExternalReference, known: Mapping[str, str]) -> ExternalReference:
    """Note the values that the system holds now."""
    row = ExternalReference.objects.select_for_update(no_key=True).get(id=reference.id)
    row.known = row.known | dict(known)
    row.save(update_fields=["known"])
    return row


def apply_event(event: ChannelEvent) -> ContactChange:
    """Apply a vendor's ``client.updated`` to the contact of its client, in the caller's transaction."""
    reference = reference_of(event)
    return apply_change(reference, event.payload, event.occurred_at) if reference else ContactChange(Effect.NONE, {})


def apply_change(reference: ExternalReference, values: Mapping[str, Any], changed_at: datetime) -> ContactChange:
    """Apply a system's newer values to the contact, in the caller's transaction.

    Only values that the system itself has changed count: if it still holds its old value, a change by our own people
    stays. Applying the same values twice, even concurrently, changes the contact once.

    Arguments:
        values: fields by our names; missing or unusable ones change nothing.
        changed_at: the time of the change, by the system's own account.
    """
    row = ExternalReference.objects.select_for_update(no_key=True).get(id=reference.id)
    if row.contact_id is None:
        return ContactChange(Effect.NONE, {})
    if row.known_at is not None and row.known_at >= changed_at:
        return ContactChange(Effect.STALE, {})
    contact = Contact.objects.select_for_update(no_key=True).get(id=row.contact_id)
    given = readable(values)
    new = {name: value for name, value in given.items() if row.known.get(name) != value}
    changed = {name: value for name, value in new.items() if getattr(contact, name) != value}
    row.known, row.known_at = row.known | given, changed_at
    row.save(update_fields=["known", "known_at"])
    before = {name: held for name in changed if (held := getattr(contact, name))}
    for name, value in changed.items():
        setattr(contact, name, value)
    if changed:
        contact.save(update_fields=list(changed))
    unchanged = Effect.UNCHANGED if given else Effect.NONE
    return ContactChange(Effect.APPLIED if changed else unchanged, changed, before)


def readable(values: Mapping[str, Any]) -> dict[str, str]:
    """The values that a contact can hold, in its form."""
    found = {}
    for name in CLIENT_FIELDS:
        if text := values.get(name):
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
